#include "out/facts.h"

#include <cjson/cJSON.h>

#include "base/strbuf.h"
#include "capture/capture.h"

static void put_span(cJSON *o, const char *name, struct span s)
{
    struct strbuf b = { 0 };

    strbuf_safe(&b, s, 1024);
    cJSON_AddStringToObject(o, name, strbuf_str(&b));
    strbuf_done(&b);
}

static void put_addr(cJSON *o, const char *name, const struct addr *a, bool known)
{
    char buf[ADDR_TEXT];

    if (known && !addr_is_none(a))
        cJSON_AddStringToObject(o, name, addr_text(a, buf));
    else
        cJSON_AddNullToObject(o, name);
}

static cJSON *fact(const char *kind, const struct datagram *d)
{
    cJSON *o = cJSON_CreateObject();
    char frame[24];

    cJSON_AddStringToObject(o, "fact", kind);
    snprintf(frame, sizeof frame, "%llu", (unsigned long long)frame_number(d->at.frame));
    cJSON_AddStringToObject(o, "frame", frame);
    return o;
}

static void put(FILE *to, cJSON *o)
{
    char *text = cJSON_PrintUnformatted(o);

    if (text)
        fprintf(to, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(o);
}

static void sdp_facts(FILE *to, const struct datagram *d, const struct sdp *sdp)
{
    for (size_t i = 0; i < sdp->medias; i++) {
        const struct sdp_media *m = &sdp->media[i];
        cJSON *o = fact("sdp_media", d);

        put_span(o, "kind", m->kind_name);
        put_addr(o, "address", &m->addr, true);
        put_span(o, "proto", m->proto);
        put(to, o);
    }
    for (size_t i = 0; i < sdp->cands; i++) {
        const struct sdp_cand *c = &sdp->cand[i];
        cJSON *o = fact("candidate", d);

        put_span(o, "type", c->type_name);
        put_addr(o, "address", &c->addr, true);
        put_span(o, "protocol", c->transport);
        cJSON_AddNumberToObject(o, "component", c->component);
        put(to, o);
    }
}

void facts_sip(void *sink, const struct datagram *d, const struct sip_msg *m, const struct sdp *sdp)
{
    FILE *to = ((struct facts_sink *)sink)->to;
    cJSON *o = fact("sip", d);

    put_addr(o, "src", &d->src, true);
    put_addr(o, "dst", &d->dst, true);
    if (m->request) {
        put_span(o, "method", m->method_name);
        cJSON_AddNullToObject(o, "status");
    } else {
        cJSON_AddNullToObject(o, "method");
        cJSON_AddNumberToObject(o, "status", m->status);
    }
    if (m->method_name.n)
        put_span(o, "cseq_method", m->method_name);
    else
        cJSON_AddNullToObject(o, "cseq_method");
    if (m->call_id.n)
        put_span(o, "call_id", m->call_id);
    else
        cJSON_AddNullToObject(o, "call_id");
    put(to, o);
    if (sdp)
        sdp_facts(to, d, sdp);
}

static void put_tid(cJSON *o, const struct stun_msg *m)
{
    char hex[2 * STUN_TID + 1];
    size_t from = m->classic ? 0 : 4;

    for (size_t i = from; i < STUN_TID; i++)
        snprintf(hex + 2 * (i - from), 3, "%02x", m->tid[i]);
    cJSON_AddStringToObject(o, "tid", hex);
}

void facts_stun(void *sink, const struct datagram *d, const struct stun_msg *m, enum stun_role role)
{
    static const char *const classes[] = { "request", "indication", "success", "error" };
    cJSON *o = fact("stun", d);

    (void)role;
    put_addr(o, "src", &d->src, true);
    put_addr(o, "dst", &d->dst, true);
    cJSON_AddBoolToObject(o, "relayed", d->relayed);
    cJSON_AddStringToObject(o, "class", classes[m->cls]);
    cJSON_AddStringToObject(o, "method", stun_method_name(m->method));
    put_tid(o, m);
    cJSON_AddBoolToObject(o, "classic", m->classic);
    put_addr(o, "mapped", &m->mapped, m->has_mapped);
    put_addr(o, "xor_mapped", &m->xor_mapped, m->has_xor_mapped);
    cJSON_AddBoolToObject(o, "username", m->username.n > 0);
    cJSON_AddNumberToObject(o, "error", m->error);
    put(((struct facts_sink *)sink)->to, o);
}

void facts_icmp(void *sink, const struct datagram *d, const struct icmp_msg *m)
{
    cJSON *o = fact("icmp", d);

    cJSON_AddStringToObject(o, "what", icmp_what_name(m->what));
    put_addr(o, "quoted_src", &m->src, m->quotes);
    put_addr(o, "quoted_dst", &m->dst, m->quotes);
    put(((struct facts_sink *)sink)->to, o);
}

void facts_dns(void *sink, const struct datagram *d, const struct dns_msg *m)
{
    for (size_t i = 0; i < m->records; i++) {
        const struct dns_record *r = &m->record[i];
        const char *type = r->type == DNS_A       ? "A"
                           : r->type == DNS_AAAA  ? "AAAA"
                           : r->type == DNS_CNAME ? "CNAME"
                           : r->type == DNS_SRV   ? "SRV"
                                                  : NULL;
        char buf[ADDR_TEXT];
        cJSON *o;

        if (!type)
            continue;
        o = fact("dns", d);
        cJSON_AddStringToObject(o, "name", r->name);
        cJSON_AddStringToObject(o, "type", type);
        cJSON_AddStringToObject(o, "data", r->target ? r->target : addr_ip_text(&r->addr, buf));
        cJSON_AddNumberToObject(o, "ttl", r->ttl_s);
        put(((struct facts_sink *)sink)->to, o);
    }
}

bool facts_streams(const struct track *t, FILE *to)
{
    for (uint32_t i = 0; i < t->streams.used; i++) {
        const struct stream *s = track_stream_at(t, i);
        const struct flow *f = track_flow_at(t, s->flow);
        struct datagram d = { .at = s->packets.first };
        char ssrc[16];
        cJSON *o;

        if (!s->believed)
            continue;
        o = fact("rtp_stream", &d);
        put_addr(o, "src", &f->src, true);
        put_addr(o, "dst", &f->dst, true);
        cJSON_AddBoolToObject(o, "relayed", f->contains & FLOW_RELAYED);
        snprintf(ssrc, sizeof ssrc, "0x%08x", s->ssrc);
        cJSON_AddStringToObject(o, "ssrc", ssrc);
        cJSON_AddNumberToObject(o, "packets", (double)s->packets.n);
        put(to, o);
    }
    return fflush(to) == 0 && !ferror(to);
}
