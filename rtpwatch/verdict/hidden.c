/* Media that may flow unseen: in a TURN relay that is reached over TLS (turns:, RFC 7065 §3.1), or in a direction that is not captured. */
#include "verdict/verdict_private.h"

enum { BUSY_LEAST = 40, BUSY_A_SECOND = 10 };
#define GATHERING_NS SECONDS(60) /* a relay is asked for shortly before the descriptions that name it, and for one session */

/* As busy as with media, even one that pauses. Signalling is not, on a connection that began with the call; downloads are so one way. */
static bool is_busy(const struct tally *t)
{
    return t->n >= BUSY_LEAST && t->last.ns - t->first.ns <= (int64_t)t->n * (NS_PER_S / BUSY_A_SECOND);
}

static bool may_carry(const struct conn_fact *c, const struct scene *s)
{
    return !c->read && c->opened.first.ns >= s->call->started.ns - GATHERING_NS && c->opened.first.ns < s->when.to_ns &&
           is_busy(&c->from_client) && is_busy(&c->from_server) &&
           (c->from_client.last.ns > s->when.from_ns || c->from_server.last.ns > s->when.from_ns);
}

static const struct conn_fact *find(const struct scene *s)
{
    for (uint32_t i = 0; i < s->v->t->conns.used; i++) {
        const struct conn_fact *c = pool_at(&s->v->t->conns, i);

        for (enum party p = CALLER; p < PARTIES; p++)
            if (s->side[p].local && addr_ip_eq(&c->client, &s->side[p].home) && may_carry(c, s))
                return c;
    }
    return NULL;
}

bool hidden_judge(const struct scene *s, struct session_finding *f)
{
    const struct conn_fact *c = find(s);

    if (!c)
        return false;
    f->verdict = VERDICT_UNKNOWN;
    f->evidence_n = 0; /* that media was expected is no clue any more */
    evidence_add(f, c->opened.first, "tls", "Meanwhile %llu packets go from %s to %s inside TLS, and %llu come back.",
                 (unsigned long long)c->from_client.n, addr_keep(f, &c->client), addr_keep(f, &c->server),
                 (unsigned long long)c->from_server.n);
    evidence_note(f, (struct seen){ 0 }, "A TURN relay inside TLS may carry the media, and its secrets are in no key log.");
    for (size_t i = 0; i < f->directions_n; i++)
        if (f->direction[i].verdict != DIR_NOT_EXPECTED) {
            f->direction[i].verdict = DIR_UNKNOWN;
            f->direction[i].why = "it may be inside TLS";
        }
    return true;
}

void hidden_hedge(const struct view *v, const struct call *c, struct session_finding *f)
{
    if (!view_is_one_sided(v) || !verdict_is_failure(f->verdict) || f->confidence == CONFIDENCE_PROVEN)
        return;
    if (f->confidence == CONFIDENCE_LIKELY)
        f->confidence = CONFIDENCE_SUSPECTED;
    for (size_t i = 0; i < f->directions_n; i++)
        if (f->direction[i].confidence == CONFIDENCE_LIKELY)
            f->direction[i].confidence = CONFIDENCE_SUSPECTED;
    evidence_note(
        f, c->answered,
        "Nothing but SIP goes one of the ways in the whole capture: all of it is blocked or nobody sends, or a mirror shows "
        "one direction only.");
}
