/* Transfers: a REFER within a call (RFC 3515), what the other party said to it, and what it told of the call that it then made. */
#include "track/track_private.h"

/* The URI of "Name <sip:bob@example.net?Replaces=...>", without the headers behind "?" (RFC 3261 §19.1.1). */
static struct span refer_uri(struct span refer_to)
{
    struct span rest = refer_to, uri = span_trim(refer_to);

    if (span_find(refer_to, '<') < refer_to.n) {
        span_until(&rest, '<');
        uri = span_until(&rest, '>');
    }
    return span_part(uri, 0, span_find(uri, '?'));
}

/* What `by` asked for with that CSeq; 0: the latest. */
static struct transfer_fact *transfer_find(const struct call *c, enum party by, uint64_t cseq)
{
    struct transfer_fact *x = c->transfers;

    while (x && (x->by != by || (cseq && x->cseq != cseq)))
        x = x->next;
    return x;
}

static void asked(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party by)
{
    struct transfer_fact *x;
    size_t n = 0;

    if (transfer_find(c, by, m->cseq))
        return;
    for (x = c->transfers; x; x = x->next)
        n++;
    x = n < CALL_TRANSFERS_KEPT ? arena_take(&c->arena, sizeof *x) : NULL;
    if (!x) {
        fault_log_one(t->faults, FAULT_SESSION_FACT_LIMIT, d->at.frame);
        return;
    }
    *x = (struct transfer_fact){ .asked = d->at, .cseq = m->cseq, .by = (uint8_t)by, .next = c->transfers };
    x->target = arena_str(&c->arena, span_part(refer_uri(sip_header(m, SPAN("Refer-To"))), 0, TRANSFER_TARGET));
    c->transfers = x;
}

static void replied(const struct call *c, const struct datagram *d, const struct sip_msg *m, enum party by)
{
    struct transfer_fact *x = m->status >= 200 && m->status < 300 ? transfer_find(c, by, m->cseq) : NULL;

    if (x && !x->accepted.frame)
        x->accepted = d->at;
}

/* "refer;id=93809824": the CSeq of the REFER, which the first one's notifications may leave out (RFC 3515 §2.4.6). */
static uint64_t event_id(struct span event)
{
    uint64_t id = 0;

    while (event.n) {
        struct span part = span_trim(span_until(&event, ';'));

        if (span_starts_nocase(part, SPAN("id=")))
            span_u64(span_part(part, 3, part.n), UINT32_MAX, &id);
    }
    return id;
}

/* The body is the status line of the call that the transfer led to (message/sipfrag, RFC 3515 §2.4.5). */
static void told(const struct call *c, const struct datagram *d, const struct sip_msg *m, enum party by)
{
    struct span line = span_trim(m->body);
    struct transfer_fact *x;
    uint64_t status;

    if (!span_starts_nocase(line, SPAN("SIP/2.0 ")) || !span_u64(span_part(line, 8, 3), 699, &status) || status < 200)
        return;
    x = transfer_find(c, by, event_id(sip_header(m, SPAN("Event"))));
    if (!x || x->status)
        return;
    x->told = d->at;
    x->status = (uint16_t)status;
}

void transfer_message(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party from)
{
    if (m->method == SIP_NOTIFY && m->request)
        told(c, d, m, other_party(from));
    else if (m->method == SIP_REFER && m->request)
        asked(t, c, d, m, from);
    else if (m->method == SIP_REFER)
        replied(c, d, m, other_party(from));
}

const struct transfer_fact *call_transfers(const struct call *c)
{
    return c->kind == SESSION_SIP ? c->transfers : NULL;
}
