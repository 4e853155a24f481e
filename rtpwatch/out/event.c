#include "out/event.h"

#include "out/event_private.h"

static cJSON *begin(const char *what, int64_t ns)
{
    cJSON *o = cJSON_CreateObject();
    char time[OUT_TIME];

    cJSON_AddStringToObject(o, "event", what);
    cJSON_AddStringToObject(o, "time", out_time(ns, time));
    return o;
}

/* Who of ours it is, and which address is at fault: what alerts are grouped by. */
static void put_about(const struct out_report *r, const struct session_finding *f, cJSON *o)
{
    const struct addr *host = session_local_host(&r->report->vantage[0].view, f);
    const struct candidate_finding *c = session_candidate(f);
    char text[ADDR_TEXT];

    cJSON_AddItemToObject(o, "dialer", host ? cJSON_CreateString(addr_ip_text(host, text)) : cJSON_CreateNull());
    cJSON_AddItemToObject(o, "candidate", c ? cJSON_CreateString(addr_text(&c->addr, text)) : cJSON_CreateNull());
}

static cJSON *session(const struct out_report *r, const struct session_finding *f)
{
    cJSON *o = json_session(r, f);

    /* Which legs belong together is found when all is judged: only the report tells it. */
    cJSON_AddArrayToObject(o, "linked");
    cJSON_AddNullToObject(o, "path");
    return o;
}

cJSON *event_object(const struct out_report *r, const struct event *e, const char *vantage)
{
    cJSON *o = begin(event_word(e->kind), e->at_ns);

    if (vantage)
        put_text(o, "vantage", vantage);
    if (e->session) {
        cJSON_AddItemToObject(o, "session", session(r, e->session));
        put_about(r, e->session, o);
    }
    if (e->server)
        cJSON_AddItemToObject(o, "stun_server", json_server(r, e->server));
    event_details(r, e, o);
    return o;
}

cJSON *event_of_fault(const struct out_report *r, enum fault_id id, int64_t at_ns, const char *vantage)
{
    cJSON *o = begin("self.trouble", at_ns);

    if (vantage)
        put_text(o, "vantage", vantage);
    cJSON_AddItemToObject(o, "self", json_fault(r, id));
    return o;
}

cJSON *event_of_trouble(const char *key, const char *text, uint64_t count, int64_t at_ns)
{
    cJSON *o = begin("self.trouble", at_ns), *self = cJSON_AddObjectToObject(o, "self");

    cJSON_AddStringToObject(self, "key", key);
    cJSON_AddStringToObject(self, "text", text);
    cJSON_AddNumberToObject(self, "count", (double)count);
    cJSON_AddNullToObject(self, "first_frame");
    return o;
}

cJSON *event_of_capture(const struct capture_event *e)
{
    cJSON *o = begin(e->what, e->at_ns), *capture = cJSON_AddObjectToObject(o, "capture");
    uint64_t all = e->packets + e->dropped;

    put_text(capture, "interface", e->interface);
    if (e->text) {
        put_text(capture, "text", e->text);
        return o;
    }
    cJSON_AddNumberToObject(capture, "packets", (double)e->packets);
    cJSON_AddNumberToObject(capture, "dropped", (double)e->dropped);
    cJSON_AddNumberToObject(capture, "percent", all ? (double)e->dropped * 100 / (double)all : 0);
    return o;
}

cJSON *event_summary(const struct out_report *r, int64_t at_ns)
{
    cJSON *o = begin("summary", at_ns), *list;

    cJSON_AddNumberToObject(o, "version", 1);
    cJSON_AddItemToObject(o, "generator", json_generator(r));
    list = cJSON_AddArrayToObject(o, "inputs");
    for (size_t i = 0; i < r->inputs_n; i++)
        cJSON_AddItemToArray(list, json_input(r->inputs[i]));
    cJSON_AddItemToObject(o, "summary", json_summary(r));
    list = cJSON_AddArrayToObject(o, "stun_servers");
    for (uint32_t i = 0; i < r->report->servers; i++)
        if (!r->report->server[i].peer)
            cJSON_AddItemToArray(list, json_server(r, &r->report->server[i]));
    cJSON_AddItemToObject(o, "faults", json_faults(r));
    return o;
}

bool event_write(const cJSON *object, FILE *to)
{
    char *text = cJSON_PrintUnformatted(object);
    bool fine = text && fprintf(to, "%s\n", text) >= 0 && fflush(to) == 0;

    cJSON_free(text);
    return fine;
}

/* ---- for people ---- */

static void put_session(const struct out_report *r, const struct event *e, struct strbuf *out)
{
    const struct session_finding *f = e->session;

    strbuf_add(out, e->kind == EVENT_SESSION_RECOVERED ? "RECOVERED  " : "NO AUDIO  ");
    party_text(f->call, CALLER, out);
    strbuf_add(out, " → ");
    party_text(f->call, CALLEE, out);
    if (*f->call->call_id) {
        strbuf_add(out, "  Call-ID ");
        strbuf_safe(out, span_str(f->call->call_id), 80);
    }
    if (e->kind == EVENT_SESSION_RECOVERED)
        return;
    strbuf_fmt(out, "  %s, %s", verdict_word(f->verdict), cause_word(f->cause));
    if (f->server != POOL_NONE) {
        strbuf_add(out, " from STUN server ");
        report_server_text(r->report, f->server, out);
    }
    if (f->confidence != CONFIDENCE_NONE)
        strbuf_fmt(out, ", %s", confidence_word(f->confidence));
}

static void name_server(const struct event *e, struct strbuf *out)
{
    char text[ADDR_TEXT];

    strbuf_add(out, "STUN server ");
    if (e->server->name) {
        strbuf_safe(out, span_str(e->server->name->name), 256);
        strbuf_fmt(out, " (%s)", addr_text(&e->server->addr, text));
    } else {
        strbuf_add(out, addr_text(&e->server->addr, text));
    }
}

bool event_is_for_people(enum event_kind k)
{
    return k == EVENT_SESSION_MEDIA_MISSING || k == EVENT_SESSION_RECOVERED || k == EVENT_STUN_CONTRADICTION ||
           k == EVENT_STUN_SILENT || k == EVENT_STUN_ANSWERS || k == EVENT_TURN_REFUSED;
}

void event_text(const struct out_report *r, const struct event *e, struct strbuf *out)
{
    char time[OUT_TIME], mapped[ADDR_TEXT];
    const struct track *t = r->report->vantage[0].view.t;

    uint16_t error;

    if (!event_is_for_people(e->kind))
        return;
    strbuf_fmt(out, "%.8s  ", out_time(e->at_ns, time) + 11); /* the time of day, UTC */
    switch (e->kind) {
    case EVENT_TURN_REFUSED:
        strbuf_add(out, "REFUSED  ");
        name_server(e, out);
        error = track_tx_at(t, e->tx)->error;
        strbuf_fmt(out, " refused a relay or its use: %u %s", error, stun_error_name(error) ? stun_error_name(error) : "");
        break;
    case EVENT_STUN_CONTRADICTION:
        strbuf_add(out, "WRONG ANSWER  ");
        name_server(e, out);
        strbuf_fmt(out, " answered %s, %s", addr_text(&track_tx_at(t, e->tx)->mapped, mapped), confidence_word(e->confidence));
        break;
    case EVENT_STUN_SILENT:
        strbuf_add(out, "SILENT  ");
        name_server(e, out);
        strbuf_add(out, " does not answer");
        break;
    case EVENT_STUN_ANSWERS:
        strbuf_add(out, "ANSWERS  ");
        name_server(e, out);
        strbuf_add(out, " answers again");
        break;
    default: put_session(r, e, out);
    }
}
