/* The report as JSON (doc/report.schema.json). One object at a time, so that a long report needs little memory. */
#include <stdlib.h>

#include "out/json_private.h"

enum { TEXT_MAX = 4096 };

void put_text(cJSON *o, const char *name, const char *s)
{
    struct strbuf b = { 0 };

    strbuf_safe(&b, span_str(s), TEXT_MAX);
    cJSON_AddStringToObject(o, name, strbuf_str(&b));
    strbuf_done(&b);
}

/* Sentences were made safe when they were made; escaping them again would double their backslashes. */
void put_sentence(cJSON *o, const char *name, const char *s)
{
    cJSON_AddStringToObject(o, name, s);
}

void put_text_or_null(cJSON *o, const char *name, const char *s)
{
    if (s && *s)
        put_text(o, name, s);
    else
        cJSON_AddNullToObject(o, name);
}

void put_count(cJSON *o, const char *name, uint64_t n)
{
    cJSON_AddNumberToObject(o, name, (double)n);
}

void put_time(cJSON *o, const char *name, int64_t ns, bool known)
{
    char buf[OUT_TIME];

    if (known)
        cJSON_AddStringToObject(o, name, out_time(ns, buf));
    else
        cJSON_AddNullToObject(o, name);
}

void put_frame(const struct out_report *r, cJSON *o, const char *name, uint64_t frame)
{
    struct strbuf b = { 0 };

    if (frame) {
        out_frame(r, frame, &b);
        cJSON_AddStringToObject(o, name, strbuf_str(&b));
    } else {
        cJSON_AddNullToObject(o, name);
    }
    strbuf_done(&b);
}

void put_addr(cJSON *o, const char *name, const struct addr *a)
{
    char buf[ADDR_TEXT];

    cJSON_AddStringToObject(o, name, addr_text(a, buf));
}

void put_server(const struct out_report *r, cJSON *o, const char *name, uint32_t server)
{
    const struct server_finding *f = server == POOL_NONE ? NULL : &r->report->server[server];
    cJSON *s = f ? cJSON_AddObjectToObject(o, name) : cJSON_AddNullToObject(o, name);

    if (!f || !s)
        return;
    put_addr(s, "address", &f->addr);
    put_text_or_null(s, "name", f->name ? f->name->name : NULL);
    put_text_or_null(s, "name_source", f->name ? "dns" : NULL);
}

/* ---- sessions ---- */

static void put_places(const struct out_report *r, cJSON *o, const char *name, const struct place *p, size_t n)
{
    cJSON *list = cJSON_AddArrayToObject(o, name);

    for (size_t i = 0; i < n; i++) {
        cJSON *x = cJSON_CreateObject();

        put_addr(x, "address", &p[i].addr);
        put_count(x, "packets", p[i].packets);
        put_frame(r, x, "first_frame", p[i].first.frame);
        cJSON_AddItemToArray(list, x);
    }
}

const char *json_party(const struct session_finding *f, enum party p)
{
    if (f->call->kind == SESSION_SIP)
        return p == CALLER ? "caller" : "callee";
    return p == CALLER ? "a" : "b";
}

/* What loss, jitter and MOS were computed from, and what had to be assumed. */
static void put_quality(cJSON *o, const struct direction_finding *d)
{
    const struct quality *q = &d->quality;

    if (d->mos > 0)
        cJSON_AddNumberToObject(o, "mos", d->mos);
    else
        cJSON_AddNullToObject(o, "mos");
    put_text_or_null(o, "mos_assumed", d->mos_assumed);
    put_text_or_null(o, "quality_from", !d->has_quality ? NULL : q->by_rtcp ? "rtcp" : "packets");
    if (d->has_quality && !q->by_rtcp) {
        put_count(o, "reordered", q->reordered);
        put_count(o, "duplicated", q->duplicated);
        put_count(o, "gaps", q->gaps);
        put_count(o, "longest_gap_ms", (uint64_t)(q->longest_gap_ns / NS_PER_MS));
    } else {
        cJSON_AddNullToObject(o, "reordered");
        cJSON_AddNullToObject(o, "duplicated");
        cJSON_AddNullToObject(o, "gaps");
        cJSON_AddNullToObject(o, "longest_gap_ms");
    }
}

static cJSON *direction(const struct out_report *r, const struct session_finding *f, const struct direction_finding *d)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "media", sdp_kind_name(d->kind));
    put_text_or_null(o, "mid", d->mid);
    cJSON_AddStringToObject(o, "from", json_party(f, d->from));
    cJSON_AddStringToObject(o, "to", json_party(f, d->to));
    cJSON_AddBoolToObject(o, "expected", d->expected);
    cJSON_AddStringToObject(o, "verdict", dir_verdict_word(d->verdict));
    put_sentence(o, "why", d->why);
    put_count(o, "sent_packets", d->sent);
    put_places(r, o, "sent_to", d->sent_to, d->sent_to_n);
    put_count(o, "received_packets", d->received);
    put_places(r, o, "received_from", d->received_from, d->received_from_n);
    if (d->has_quality)
        cJSON_AddNumberToObject(o, "loss", d->loss_percent);
    else
        cJSON_AddNullToObject(o, "loss");
    if (d->jitter_ms >= 0)
        cJSON_AddNumberToObject(o, "jitter_ms", d->jitter_ms);
    else
        cJSON_AddNullToObject(o, "jitter_ms");
    put_quality(o, d);
    put_text_or_null(o, "codec", d->codec);
    put_time(o, "stopped", d->stopped.ns, d->stopped.frame != 0);
    put_time(o, "resumed", d->resumed.ns, d->resumed.frame != 0);
    return o;
}

static const char *kind_of_media(const struct session_finding *f, uint8_t media)
{
    for (size_t i = 0; i < f->directions_n; i++)
        if (f->direction[i].media == media)
            return sdp_kind_name(f->direction[i].kind);
    return "other";
}

static cJSON *candidate(const struct out_report *r, const struct session_finding *f, const struct candidate_finding *c)
{
    cJSON *o = cJSON_CreateObject();
    struct strbuf name = { 0 };

    cJSON_AddStringToObject(o, "party", json_party(f, c->party));
    cJSON_AddStringToObject(o, "media", kind_of_media(f, c->media));
    cJSON_AddNumberToObject(o, "component", c->component);
    cJSON_AddStringToObject(o, "type", c->type);
    if (*c->host) { /* a .local name or another one: no address is known */
        strbuf_safe(&name, span_str(c->host), 256);
        strbuf_fmt(&name, ":%u", c->addr.port);
        cJSON_AddStringToObject(o, "address", strbuf_str(&name));
        strbuf_done(&name);
    } else {
        put_addr(o, "address", &c->addr);
    }
    if (c->has_base)
        put_addr(o, "base", &c->base);
    else
        cJSON_AddNullToObject(o, "base");
    cJSON_AddStringToObject(o, "protocol", c->tcp ? "tcp" : "udp");
    if (strcmp(c->type, "sdp") == 0 || f->call->kind != SESSION_SIP) /* only a candidate line tells it */
        cJSON_AddNullToObject(o, "priority");
    else
        cJSON_AddNumberToObject(o, "priority", c->priority);
    put_server(r, o, "stun_server", c->server);
    put_count(o, "checks_sent", c->checks_sent);
    put_count(o, "checks_answered", c->checks_answered);
    put_count(o, "rtp_packets", c->rtp_packets);
    cJSON_AddStringToObject(o, "status", candidate_status_word(c->status));
    put_frame(r, o, "frame", c->at.frame);
    return o;
}

static void put_party(const struct session_finding *f, cJSON *o, const char *name, bool known, enum party p)
{
    if (known)
        cJSON_AddStringToObject(o, name, json_party(f, p));
    else
        cJSON_AddNullToObject(o, name);
}

static void put_ice(const struct out_report *r, const struct session_finding *f, cJSON *session)
{
    const struct ice_finding *ice = &f->ice;
    cJSON *o = ice->used ? cJSON_AddObjectToObject(session, "ice") : cJSON_AddNullToObject(session, "ice"), *pair;

    if (!ice->used)
        return;
    put_party(f, o, "controlling", ice->has_controlling, ice->controlling);
    pair = ice->nominated.frame ? cJSON_AddObjectToObject(o, "nominated") : cJSON_AddNullToObject(o, "nominated");
    if (ice->nominated.frame) {
        put_addr(pair, "local", &ice->local);
        put_addr(pair, "remote", &ice->remote);
        put_frame(r, pair, "frame", ice->nominated.frame);
    }
    put_party(f, o, "lite", ice->has_lite, ice->lite);
    put_count(o, "restarts", ice->restarts);
}

static const char *state_word(enum call_state s)
{
    static const char *const words[CALL_STATES] = { "none", "trying", "ringing", "early", "up", "over" };

    return words[s];
}

cJSON *json_evidence(const struct out_report *r, const struct session_finding *f)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < f->evidence_n; i++) {
        cJSON *e = cJSON_CreateObject();

        put_frame(r, e, "frame", f->evidence[i].at.frame);
        put_time(e, "time", f->evidence[i].at.ns, f->evidence[i].at.ns != 0);
        cJSON_AddStringToObject(e, "kind", f->evidence[i].kind);
        put_sentence(e, "text", f->evidence[i].text);
        cJSON_AddItemToArray(list, e);
    }
    return list;
}

static void session_lists(const struct out_report *r, const struct session_finding *f, cJSON *o)
{
    cJSON *list = cJSON_AddArrayToObject(o, "directions");

    for (size_t i = 0; i < f->directions_n; i++)
        cJSON_AddItemToArray(list, direction(r, f, &f->direction[i]));
    list = cJSON_AddArrayToObject(o, "candidates");
    for (size_t i = 0; i < f->candidates_n; i++)
        cJSON_AddItemToArray(list, candidate(r, f, &f->candidate[i]));
    list = cJSON_AddArrayToObject(o, "warnings");
    for (size_t i = 0; i < f->warnings_n; i++) {
        cJSON *w = cJSON_CreateObject();

        cJSON_AddStringToObject(w, "kind", f->warning[i].kind);
        put_sentence(w, "text", f->warning[i].text);
        put_server(r, w, "stun_server", f->warning[i].server);
        cJSON_AddItemToArray(list, w);
    }
    cJSON_AddItemToObject(o, "evidence", json_evidence(r, f));
}

cJSON *json_session(const struct out_report *r, const struct session_finding *f)
{
    static const char *const kinds[] = { "sip", "ice", "rtp" };
    const struct call *c = f->call;
    cJSON *o = cJSON_CreateObject(), *agents;

    put_text_or_null(o, "id", c->call_id);
    cJSON_AddStringToObject(o, "kind", kinds[c->kind]);
    put_text_or_null(o, "from", c->from_uri);
    put_text_or_null(o, "to", c->to_uri);
    agents = cJSON_AddObjectToObject(o, "user_agents");
    put_text_or_null(agents, "from", c->agent[CALLER]);
    put_text_or_null(agents, "to", c->agent[CALLEE]);
    put_count(o, "legs", c->legs);
    put_time(o, "started", f->started.ns, true);
    put_time(o, "answered", f->answered.ns, f->answered.frame != 0 && c->kind == SESSION_SIP);
    put_time(o, "ended", f->ended.ns, f->ended.frame != 0);
    cJSON_AddStringToObject(o, "state", state_word(f->state));
    cJSON_AddStringToObject(o, "verdict", verdict_word(f->verdict));
    put_text_or_null(o, "cause", f->cause == CAUSE_NONE ? NULL : cause_word(f->cause));
    put_text_or_null(o, "confidence", f->confidence == CONFIDENCE_NONE ? NULL : confidence_word(f->confidence));
    put_server(r, o, "stun_server", f->server);
    put_text_or_null(o, "remedy", session_remedy(f));
    put_ice(r, f, o);
    cJSON_AddItemToObject(o, "dtls", json_dtls(r, f));
    session_lists(r, f, o);
    return o;
}

/* ---- vantages ---- */

/* To the microsecond. */
static double ms(int64_t ns)
{
    int64_t us = ns / NS_PER_US;

    return (double)us / 1000;
}

static void put_offset(cJSON *o, const struct offset *x, bool first)
{
    if (x->known || first)
        cJSON_AddNumberToObject(o, "offset_ms", ms(x->ns));
    else
        cJSON_AddNullToObject(o, "offset_ms");
    if (x->bounded || first)
        cJSON_AddNumberToObject(o, "offset_within_ms", ms(x->within_ns));
    else
        cJSON_AddNullToObject(o, "offset_within_ms");
    put_count(o, "offset_from", x->pairs);
}

static cJSON *vantage(const struct out_report *r, size_t i)
{
    const struct vantage *v = &r->report->vantage[i];
    cJSON *o = cJSON_CreateObject(), *list;
    char buf[ADDR_TEXT];

    put_text_or_null(o, "name", v->name);
    list = cJSON_AddArrayToObject(o, "files");
    for (size_t k = 0; k < r->inputs_n; k++) {
        struct strbuf b = { 0 };

        if ((r->vantage_of ? r->vantage_of[k] : 0) != i)
            continue;
        strbuf_safe(&b, span_str(r->inputs[k]->path), TEXT_MAX);
        cJSON_AddItemToArray(list, cJSON_CreateString(strbuf_str(&b)));
        strbuf_done(&b);
    }
    list = cJSON_AddArrayToObject(o, "local");
    for (size_t k = 0; k < v->view.locals_n; k++)
        cJSON_AddItemToArray(list, cJSON_CreateString(addr_ip_text(&v->view.local[k], buf)));
    for (size_t k = 0; k < v->view.options.locals_n; k++) {
        const struct local_net *n = &v->view.options.locals[k];
        struct strbuf b = { 0 };

        strbuf_fmt(&b, "%s/%u", addr_ip_text(&n->net, buf), n->bits - (addr_is_v4(&n->net) ? 96 : 0));
        cJSON_AddItemToArray(list, cJSON_CreateString(strbuf_str(&b)));
        strbuf_done(&b);
    }
    put_offset(o, &v->offset, i == 0);
    return o;
}

/* ---- the rest ---- */

cJSON *json_input(const struct capture_input *in)
{
    cJSON *o = cJSON_CreateObject();

    put_text(o, "path", in->path);
    put_count(o, "packets", in->packets);
    put_count(o, "bytes", in->bytes);
    put_time(o, "first", in->first_ns, in->packets > 0);
    put_time(o, "last", in->last_ns, in->packets > 0);
    cJSON_AddBoolToObject(o, "truncated", in->truncated);
    put_count(o, "dropped", in->dropped);
    put_text_or_null(o, "error", in->error);
    return o;
}

static void put_forgotten(const struct forgotten *f, cJSON *o)
{
    cJSON *all = cJSON_AddObjectToObject(o, "forgotten"), *list;

    put_count(all, "total", f->sessions);
    list = cJSON_AddObjectToObject(all, "by_verdict");
    for (unsigned i = 0; i < VERDICTS_N; i++)
        put_count(list, verdict_word((enum verdict)i), f->by_verdict[i]);
    list = cJSON_AddObjectToObject(all, "by_cause");
    for (unsigned i = CAUSE_NONE + 1; i < CAUSES_N; i++)
        put_count(list, cause_word((enum cause)i), f->by_cause[i]);
}

cJSON *json_summary(const struct out_report *r)
{
    cJSON *o = cJSON_CreateObject(), *s = cJSON_AddObjectToObject(o, "sessions"), *list;
    uint64_t total = 0;

    put_count(s, "total", r->report->sessions);
    list = cJSON_AddObjectToObject(s, "by_verdict");
    for (unsigned i = 0; i < VERDICTS_N; i++)
        put_count(list, verdict_word((enum verdict)i), r->report->by_verdict[i]);
    list = cJSON_AddObjectToObject(s, "by_cause");
    for (unsigned i = CAUSE_NONE + 1; i < CAUSES_N; i++)
        put_count(list, cause_word((enum cause)i), r->report->by_cause[i]);
    if (r->forgotten && r->forgotten->sessions)
        put_forgotten(r->forgotten, o);
    for (size_t i = 0; i < r->packets_n; i++)
        total += r->packets[i].n;
    list = cJSON_AddObjectToObject(o, "packets");
    put_count(list, "total", total);
    for (size_t i = 0; i < r->packets_n; i++)
        put_count(list, r->packets[i].name, r->packets[i].n);
    return o;
}

cJSON *json_server(const struct out_report *r, const struct server_finding *f)
{
    cJSON *o = cJSON_CreateObject(), *rtt;

    put_addr(o, "address", &f->addr);
    put_text_or_null(o, "name", f->name ? f->name->name : NULL);
    put_text_or_null(o, "name_source", f->name ? "dns" : NULL);
    put_text_or_null(o, "software", f->software);
    put_count(o, "requests", f->requests);
    put_count(o, "responses", f->responses);
    put_count(o, "errors", f->errors);
    put_count(o, "unanswered", f->unanswered);
    put_count(o, "allocations", f->allocations);
    put_count(o, "refused", f->refused);
    rtt = f->responses ? cJSON_AddObjectToObject(o, "rtt_ms") : cJSON_AddNullToObject(o, "rtt_ms");
    if (f->responses) {
        cJSON_AddNumberToObject(rtt, "min", f->rtt_min_us / 1000.0);
        cJSON_AddNumberToObject(rtt, "median", f->rtt_median_us / 1000.0);
        cJSON_AddNumberToObject(rtt, "max", f->rtt_max_us / 1000.0);
    }
    put_count(o, "mappings", f->mappings);
    put_count(o, "contradicted", f->contradicted + f->suspected);
    put_count(o, "sessions", f->sessions);
    put_count(o, "failed_sessions", f->failed_sessions);
    put_time(o, "first_bad", f->first_bad.ns, f->first_bad.frame != 0);
    put_time(o, "last_bad", f->last_bad.ns, f->last_bad.frame != 0);
    cJSON_AddStringToObject(o, "verdict", server_verdict_word(f->verdict));
    json_server_history(r, f, o);
    return o;
}

cJSON *json_fault(const struct out_report *r, enum fault_id id)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "key", fault_key(id));
    cJSON_AddStringToObject(o, "text", fault_text(id));
    put_count(o, "count", r->faults->count[id]);
    put_frame(r, o, "first_frame", r->faults->first_frame[id]);
    return o;
}

cJSON *json_faults(const struct out_report *r)
{
    cJSON *list = cJSON_CreateArray();

    for (unsigned i = 0; i < FAULT_IDS; i++)
        if (r->faults->count[i])
            cJSON_AddItemToArray(list, json_fault(r, (enum fault_id)i));
    return list;
}

cJSON *json_generator(const struct out_report *r)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "name", "rtpwatch");
    cJSON_AddStringToObject(o, "version", r->version);
    return o;
}

/* ---- writing ---- */

struct writer {
    FILE *to;
    bool first, failed;
};

static void write_item(struct writer *w, cJSON *item)
{
    char *text = cJSON_PrintUnformatted(item);

    w->failed |= !text || fprintf(w->to, "%s%s", w->first ? "\n" : ",\n", text) < 0;
    w->first = false;
    cJSON_free(text);
    cJSON_Delete(item);
}

static void write_value(struct writer *w, const char *name, cJSON *item)
{
    char *text = cJSON_PrintUnformatted(item);

    w->failed |= !text || fprintf(w->to, "\"%s\":%s,\n", name, text) < 0;
    cJSON_free(text);
    cJSON_Delete(item);
}

static void list_begin(struct writer *w, const char *name)
{
    w->failed |= fprintf(w->to, "\"%s\":[", name) < 0;
    w->first = true;
}

static void list_end(struct writer *w, bool last)
{
    w->failed |= fputs(last ? "]\n}\n" : "],\n", w->to) < 0;
}

static void write_sessions(const struct out_report *r, struct writer *w)
{
    struct session_finding *f = malloc(sizeof *f);
    cJSON *o;

    w->failed |= !f;
    list_begin(w, "sessions");
    for (uint32_t i = 0; f && i < r->report->sessions; i++) {
        report_judge(r->report, i, f);
        o = json_session(r, f);
        json_links(r, i, o);
        write_item(w, o);
        session_finding_done(f);
    }
    list_end(w, false);
    free(f);
}

/* Alerts as in the events, with the time among the rest. */
static void write_alerts(const struct out_alerts *a, struct writer *w)
{
    list_begin(w, "alerts");
    for (size_t i = 0; i < a->n; i++) {
        cJSON *o = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(a->alert[i].object, "alert"), true);
        char time[OUT_TIME];

        cJSON_AddStringToObject(o, "time", out_time(a->alert[i].at_ns, time));
        write_item(w, o);
    }
    list_end(w, false);
}

static void write_tables(const struct out_report *r, struct writer *w)
{
    list_begin(w, "stun_servers");
    for (uint32_t i = 0; i < r->report->servers; i++)
        if (!r->report->server[i].peer)
            write_item(w, json_server(r, &r->report->server[i]));
    list_end(w, false);
    list_begin(w, "shared_factors");
    for (size_t i = 0; i < r->report->factors.shared_n; i++)
        write_item(w, json_shared_factor(r, i));
    list_end(w, false);
    list_begin(w, "dns");
    for (size_t i = 0; i < r->report->dns_n; i++)
        if (!r->report->dns[i].folded)
            write_item(w, json_dns_row(r, &r->report->dns[i]));
    list_end(w, false);
    list_begin(w, "faults");
    for (unsigned i = 0; i < FAULT_IDS; i++)
        if (r->faults->count[i])
            write_item(w, json_fault(r, (enum fault_id)i));
    list_end(w, false);
    if (r->alerts)
        write_alerts(r->alerts, w);
    list_begin(w, "hints");
    for (size_t i = 0; i < r->hints_n; i++) {
        cJSON *o = cJSON_CreateObject();

        put_text(o, "protocol", r->hints[i].name);
        put_count(o, "flows", r->hints[i].n);
        write_item(w, o);
    }
    list_end(w, true);
}

bool out_json(const struct out_report *r, FILE *to)
{
    struct writer w = { to, true, false };

    w.failed |= fputs("{\"version\":1,\n", to) < 0;
    write_value(&w, "generator", json_generator(r));
    list_begin(&w, "inputs");
    for (size_t i = 0; i < r->inputs_n; i++)
        write_item(&w, json_input(r->inputs[i]));
    list_end(&w, false);
    list_begin(&w, "vantages");
    for (size_t i = 0; i < r->report->vantages; i++)
        write_item(&w, vantage(r, i));
    list_end(&w, false);
    write_value(&w, "summary", json_summary(r));
    write_sessions(r, &w);
    write_tables(r, &w);
    return fflush(to) == 0 && !w.failed && !ferror(to);
}
