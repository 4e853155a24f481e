/*
 * How sure is it that a mapping is wrong? The answer itself weighs most, then what was seen of the same socket, then its host's other
 * sockets. Held against all of it: the networks in which an honest server's answer looks just so.
 */
#include "verdict/claim_private.h"

#define HELD_NS SECONDS(60) /* what is seen within that time was not another lease, nor another uplink */

static bool of_server(const struct proof *p)
{
    return p->kind == PROOF_SERVER || p->kind == PROOF_EARLIER;
}

static bool is_witness(const struct proof *p)
{
    return p->kind <= PROOF_PUBLIC;
}

/* What is weighed: what was said against the claim of the socket, and of its host. */
struct charge {
    const struct view *v;
    const struct stun_tx *x;
    const struct known *known;
    const struct claim *c, *host;
};

static const struct proof *witness_at(const struct charge *w, size_t i)
{
    return i < w->c->against_n ? &w->c->against[i] : &w->host->against[i - w->c->against_n];
}

static size_t witnesses(const struct charge *w)
{
    return w->c->against_n + w->host->against_n;
}

static bool same_witness(const struct charge *w, const struct proof *a, const struct proof *b)
{
    return of_server(a) && of_server(b) ? claims_one_operator(w->v, w->known, a->server, b->server)
                                        : a->kind == b->kind && addr_ip_eq(&a->by, &b->by);
}

/*
 * At least two independent observers name that IP: proven; likely where one of them is what the host's other sockets were told, which may
 * have taken another way out. CONFIDENCE_NONE: one alone.
 */
static enum confidence corroborated(const struct charge *w, const struct addr *ip)
{
    size_t n = 0, of_others = 0;

    for (size_t i = 0; i < witnesses(w); i++) {
        const struct proof *p = witness_at(w, i);
        bool twice = !is_witness(p) || !addr_ip_eq(&p->said, ip);

        for (size_t j = 0; j < i && !twice; j++)
            twice = addr_ip_eq(&witness_at(w, j)->said, ip) && same_witness(w, p, witness_at(w, j));
        n += !twice;
        of_others += !twice && p->kind == PROOF_EARLIER;
    }
    return n - of_others >= 2 ? CONFIDENCE_PROVEN : n >= 2 ? CONFIDENCE_LIKELY : CONFIDENCE_NONE;
}

/* Was the host seen at that IP when the server answered, or both before and after? Else its outside address may have changed in between. */
static bool held(const struct charge *w, const struct addr *ip)
{
    int64_t from = INT64_MAX, until = INT64_MIN;

    for (size_t i = 0; i < witnesses(w); i++) {
        const struct proof *p = witness_at(w, i);

        if (!is_witness(p) || !addr_ip_eq(&p->said, ip))
            continue;
        from = p->from_ns < from ? p->from_ns : from;
        until = p->until_ns > until ? p->until_ns : until;
    }
    return from <= w->x->answer.ns + HELD_NS && until >= w->x->answer.ns - HELD_NS;
}

/* Does anybody else name a third address, and hold it then? Then the host has several ways out, and who sees which is chance. */
static bool several(const struct charge *w, const struct addr *ip)
{
    for (size_t i = 0; i < witnesses(w); i++) {
        const struct proof *p = witness_at(w, i);

        if (is_witness(p) && !addr_same_site(&p->said, ip) && held(w, &p->said) &&
            !(of_server(p) && claims_one_operator(w->v, w->known, p->server, w->x->server)))
            return true;
    }
    return false;
}

/* A rival address in the same /24 may be another address of one NAT's pool (RFC 4787 §4.1, "arbitrary" pooling): hedged. */
static enum confidence hedge(const struct charge *w, const struct proof *p, enum confidence most)
{
    bool hedged = addr_same_site(&p->said, &w->x->mapped) || !held(w, &p->said) || several(w, &p->said);

    return hedged && most > CONFIDENCE_SUSPECTED ? CONFIDENCE_SUSPECTED : most;
}

/*
 * What others saw of the socket; where nobody saw it, of its host. One server against another tells nothing, unless somebody else takes a
 * side.
 */
static enum confidence by_witnesses(const struct charge *w, bool media_arrives)
{
    enum confidence sure = CONFIDENCE_NONE;
    size_t of_socket = 0;

    for (size_t i = 0; i < w->c->against_n; i++) {
        const struct proof *p = &w->c->against[i];
        enum confidence one = corroborated(w, &p->said);

        if (!is_witness(p))
            continue;
        of_socket++;
        if (one == CONFIDENCE_NONE && p->kind != PROOF_SERVER)
            one = CONFIDENCE_LIKELY;
        one = hedge(w, p, one);
        sure = one > sure ? one : sure;
    }
    return of_socket || !w->host->against_n || media_arrives ? sure : hedge(w, &w->host->against[0], CONFIDENCE_LIKELY);
}

/* Do others see the socket keep its port, or get yet another one? They would tell a wrong port from a NAT that changes ports. */
static enum confidence by_port(const struct charge *w)
{
    uint16_t port = track_socket(w->v->t, w->x->socket)->addr.port;
    bool kept = false;

    for (size_t i = 0; i < w->c->for_n; i++) {
        if (w->c->in_favour[i].said.port != port)
            return CONFIDENCE_NONE;
        kept = true;
    }
    return kept ? CONFIDENCE_PROVEN : CONFIDENCE_LIKELY;
}

/* What the answer itself shows. An IP that others confirm is right, whatever else it looks like. */
static enum confidence by_itself(const struct charge *w, bool confirmed, enum confidence witnessed)
{
    enum confidence sure = CONFIDENCE_NONE;

    for (size_t i = 0; i < w->c->against_n; i++) {
        const struct proof *p = &w->c->against[i];
        enum confidence one = p->doubtful && !witnessed ? CONFIDENCE_LIKELY : CONFIDENCE_PROVEN;

        if (is_witness(p) || (confirmed && (p->kind == PROOF_XOR_DIFFERS || p->kind == PROOF_PRIVATE || p->kind == PROOF_OWN)))
            continue;
        one = p->kind == PROOF_WRONG_PORT ? by_port(w) : one;
        sure = one > sure ? one : sure;
    }
    return sure;
}

void claim_weigh(const struct view *v, uint32_t tx, const struct known *known, struct claim *c, const struct claim *host,
                 bool media_arrives)
{
    struct charge w = { v, track_tx_at(v->t, tx), known, c, host };
    bool confirmed = c->for_n || host->for_n;
    enum confidence witnessed = confirmed ? CONFIDENCE_NONE : by_witnesses(&w, media_arrives);
    enum confidence itself = by_itself(&w, confirmed, witnessed);

    c->confidence = itself > witnessed ? itself : witnessed;
    if (c->confidence)
        c->status = CLAIM_WRONG;
    else if (confirmed || (media_arrives && !c->against_n))
        c->status = CLAIM_FINE;
}
