/* What an event tells beside its session or its server: an answer, a question, a use, a count. */
#include "out/event_private.h"

/* Which answer to whom is contradicted, by what. */
static cJSON *mapping(const struct out_report *r, const struct event *e)
{
    const struct track *t = r->report->vantage[0].view.t;
    const struct stun_tx *x = track_tx_at(t, e->tx);
    cJSON *o = cJSON_CreateObject();
    struct strbuf frame = { 0 };

    put_addr(o, "socket", &track_socket(t, x->socket)->addr);
    put_addr(o, "mapped", &x->mapped);
    cJSON_AddStringToObject(o, "confidence", confidence_word(e->confidence));
    out_frame(r, x->answer.frame, &frame);
    cJSON_AddStringToObject(o, "frame", strbuf_str(&frame));
    strbuf_done(&frame);
    cJSON_AddItemToObject(o, "evidence", json_evidence(r, e->why));
    return o;
}

static const struct stun_tx *transaction(const struct out_report *r, const struct event *e, const struct track **t)
{
    *t = r->report->vantage[0].view.t;
    return track_tx_at(*t, e->tx);
}

static cJSON *asked(const struct out_report *r, const struct event *e)
{
    const struct track *t;
    const struct stun_tx *x = transaction(r, e, &t);
    cJSON *o = cJSON_CreateObject();

    put_addr(o, "socket", &track_socket(t, x->socket)->addr);
    put_frame(r, o, "frame", x->requests.first.frame);
    return o;
}

static cJSON *refusal(const struct out_report *r, const struct event *e)
{
    const struct track *t;
    const struct stun_tx *x = transaction(r, e, &t);
    cJSON *o = cJSON_CreateObject();

    put_addr(o, "socket", &track_socket(t, x->socket)->addr);
    put_count(o, "code", x->error);
    put_text_or_null(o, "reason", stun_error_name(x->error));
    put_frame(r, o, "frame", x->answer.frame);
    return o;
}

static cJSON *use(const struct out_report *r, const struct event_use *u)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "as", use_word(u->as));
    put_addr(o, "address", &u->address);
    put_addr(o, "by", &u->by);
    put_count(o, "age_s", (uint64_t)(u->age_ns / NS_PER_S));
    put_frame(r, o, "frame", u->at.frame);
    return o;
}

static cJSON *icmp(const struct out_report *r, const struct event_icmp *i)
{
    cJSON *o = cJSON_CreateObject();
    char buf[ADDR_TEXT];

    cJSON_AddStringToObject(o, "address", addr_ip_text(&i->address, buf));
    cJSON_AddStringToObject(o, "reporter", addr_ip_text(&i->reporter, buf));
    cJSON_AddStringToObject(o, "what", icmp_what_name(i->what));
    put_count(o, "errors", i->errors);
    put_frame(r, o, "frame", i->last.frame);
    return o;
}

void event_details(const struct out_report *r, const struct event *e, cJSON *o)
{
    if (e->kind == EVENT_STUN_CONTRADICTION)
        cJSON_AddItemToObject(o, "mapping", mapping(r, e));
    if (e->kind == EVENT_STUN_ASKED)
        cJSON_AddItemToObject(o, "asked", asked(r, e));
    if (e->kind == EVENT_TURN_REFUSED)
        cJSON_AddItemToObject(o, "refusal", refusal(r, e));
    if (e->dns)
        cJSON_AddItemToObject(o, "dns", json_dns_row(r, e->dns));
    if (e->other)
        cJSON_AddItemToObject(o, "other", json_dns_row(r, e->other));
    if (e->use)
        cJSON_AddItemToObject(o, "use", use(r, e->use));
    if (e->icmp)
        cJSON_AddItemToObject(o, "icmp", icmp(r, e->icmp));
}
