#include "verdict/handshakes.h"

/* ---- gathering ---- */

bool alert_is_fatal(const struct dtls_alert *a)
{
    return a->at.frame && !a->encrypted && a->level == DTLS_ALERT_FATAL;
}

static void end_add(struct handshake_party *p, const struct dtls_end *e)
{
    tally_merge(&p->datagrams, &e->datagrams);
    tally_merge(&p->client_hello, &e->client_hello);
    tally_merge(&p->server_hello, &e->server_hello);
    tally_merge(&p->verify, &e->hello_verify);
    tally_merge(&p->key_exchange, &e->key_exchange);
    tally_merge(&p->finished, &e->finished);
    tally_merge(&p->application, &e->application);
    tally_merge(&p->again, &e->again);
    if (e->alert.at.frame && (!p->alert.at.frame || alert_is_fatal(&e->alert)))
        p->alert = e->alert;
    if (e->largest > p->largest)
        p->largest = e->largest;
}

static struct seen began_at(const struct dtls_assoc *a)
{
    const struct tally *x = &a->end[0].datagrams, *y = &a->end[1].datagrams;

    return !y->n || (x->n && x->first.ns <= y->first.ns) ? x->first : y->first;
}

static void assoc_add(struct handshakes *h, const struct dtls_assoc *a, enum party of_first)
{
    struct seen first = began_at(a);

    if (!h->first.frame || first.ns < h->first.ns)
        h->first = first;
    for (unsigned i = 0; i < 2; i++) {
        enum party p = i ? other_party(of_first) : of_first;
        const struct dtls_end *e = &a->end[i];

        end_add(&h->of[p], e);
        h->cut |= e->cut;
        if (e->certificate != POOL_NONE && (!h->certificate[p] || e->certificate_at.ns > h->certificate[p]->certificate_at.ns))
            h->certificate[p] = e;
        if (e->client_hello.n && (!h->began.frame || e->client_hello.first.ns < h->began.ns)) {
            h->began = e->client_hello.first;
            h->client = p;
            h->from = e->addr;
            h->to = a->end[1 - i].addr;
        }
    }
    if (a->version) {
        h->version = a->version;
        h->profile = a->profile;
    }
}

/* Those of two addresses that belong to the time of the call. */
static void pair_add(struct handshakes *h, const struct dtls_assoc *a, enum party of_src, const struct addr *src)
{
    int64_t from = h->s->call->started.ns, to = h->s->when.to_ns;

    for (; a; a = track_dtls_at(h->s->v->t, a->older)) {
        int64_t first = began_at(a).ns;

        if (first < from)
            h->earlier = true;
        else if (first <= to)
            assoc_add(h, a, addr_eq(&a->end[0].addr, src) ? of_src : other_party(of_src));
    }
}

static bool reports_in(const struct handshakes *h, const struct flow *f)
{
    const struct rtcp_sender *r;

    for (uint32_t i = f ? f->rtcps : POOL_NONE; (r = track_rtcp_at(h->s->v->t, i)) != NULL; i = r->next)
        if (r->packets.last.ns >= h->s->call->started.ns && r->packets.first.ns <= h->s->when.to_ns)
            return true;
    return false;
}

static bool met_before(struct handshakes *h, const struct dtls_assoc *a)
{
    for (size_t i = 0; i < h->pairs_n; i++)
        if (h->pair[i] == a)
            return true;
    if (h->pairs_n == HANDSHAKE_PAIRS_KEPT)
        return h->cut = true;
    h->pair[h->pairs_n++] = a;
    return false;
}

/* "ONE:OTHER", whichever of them asked (RFC 8445 §7.1.2). */
static bool is_username(const char *username, const struct side *a, const struct side *b)
{
    struct span peer, own = span_str(username), x = span_str(a->media->ufrag), y = span_str(b->media->ufrag);

    peer = span_until(&own, ':');
    return (span_eq(peer, x) && span_eq(own, y)) || (span_eq(peer, y) && span_eq(own, x));
}

enum pair_owner pair_owner(const struct scene *s, enum party p, const struct addr *own, const struct addr *other)
{
    const struct side *a = &s->side[p], *b = &s->side[other_party(p)];
    const struct flow *f[2] = { track_find_flow(s->v->t, own, other), track_find_flow(s->v->t, other, own) };
    enum pair_owner owner = PAIR_OF_NOBODY;

    if (!s->ice || side_has(b, other))
        return PAIR_OF_SESSION;
    for (unsigned i = 0; i < 2; i++) {
        const struct check *c = f[i] ? track_check_at(s->v->t, f[i]->checks) : NULL;

        if (!c || !c->username)
            continue;
        if (is_username(c->username, a, b) || (c->username_before && is_username(c->username_before, a, b)))
            return PAIR_OF_SESSION;
        owner = PAIR_OF_ANOTHER;
    }
    return owner;
}

/* Two addresses between which DTLS was seen; `own`: that party's. */
static void flow_add(struct handshakes *h, const struct flow *f, enum party p, const struct addr *own)
{
    const struct track *t = h->s->v->t;
    const struct addr *other = addr_eq(&f->src, own) ? &f->dst : &f->src;
    const struct dtls_assoc *a = f->contains & FLOW_DTLS ? track_find_dtls(t, own, other) : NULL;

    enum pair_owner owner;

    if (!a || side_has(&h->s->side[p], other))
        return;
    owner = pair_owner(h->s, p, own, other);
    h->cut |= owner == PAIR_OF_NOBODY;
    if (owner != PAIR_OF_SESSION || met_before(h, a))
        return;
    h->reports |= reports_in(h, track_find_flow(t, own, other)) || reports_in(h, track_find_flow(t, other, own));
    pair_add(h, a, p, own);
}

static void side_add(struct handshakes *h, enum party p)
{
    const struct side *x = &h->s->side[p];
    const struct flow *f;

    for (size_t i = 0; i < x->own_n; i++) {
        struct flows out = flows_of(h->s, p, i, true), in = flows_of(h->s, p, i, false);

        if (x->local && !view_has(h->s->v, &x->own[i]))
            continue;
        while ((f = flows_next(&out)) != NULL || (f = flows_next(&in)) != NULL)
            flow_add(h, f, p, &x->own[i]);
    }
}

void handshakes_gather(struct handshakes *h, const struct scene *s)
{
    *h = (struct handshakes){ .s = s };
    side_add(h, CALLER);
    side_add(h, CALLEE);
}

/* ---- how far it came ---- */

/*
 * The client's part behind the ClientHello. In DTLS 1.3 an encrypted record may be an ACK of a part of the server's flight
 * (RFC 9147 §7): who says hello again afterwards has not gone on.
 */
bool handshakes_client_went_on(const struct handshakes *h)
{
    const struct handshake_party *c = &h->of[h->client];

    return c->key_exchange.n || (c->finished.n && (h->version != DTLS_1_3 || c->finished.last.ns > c->client_hello.last.ns));
}

bool handshakes_flights_of_both(const struct handshakes *h)
{
    return h->of[CALLER].finished.n && h->of[CALLEE].finished.n && handshakes_client_went_on(h);
}

/*
 * In DTLS 1.2 the handshake is over with both Finished (RFC 6347 §4.2), in DTLS 1.3 when the server acknowledges the client's
 * (RFC 9147 §5.8.1). Whoever uses the application's keys has finished, but for the server of DTLS 1.3, which has them before it hears from
 * the client (RFC 8446 §4.4.4).
 */
bool handshakes_complete(const struct handshakes *h)
{
    bool server_uses = h->of[other_party(h->client)].application.n;

    if (h->of[h->client].application.n)
        return true;
    if (h->version == DTLS_1_3)
        return server_uses && handshakes_client_went_on(h);
    return server_uses || handshakes_flights_of_both(h);
}

bool handshakes_one_way(const struct handshakes *h)
{
    const struct handshake_party *c = &h->of[h->client], *s = &h->of[other_party(h->client)];

    return !s->datagrams.n && (c->key_exchange.n || c->finished.n || c->application.n);
}

/* ---- the certificate and its fingerprint ---- */

/* Some description of the call names this fingerprint, or names several: then one of those that are not kept may be it. */
static bool is_named(const struct handshakes *h, const struct dtls_end *e)
{
    char text[DTLS_FINGERPRINT_ROOM];

    for (const struct sdp_fact *f = h->s->call->sdps; f; f = f->next)
        for (size_t i = 0; i < f->medias; i++) {
            const struct dtls_desc *m = f->media[i].dtls;

            if (m && m->more_fingerprints)
                return true;
            if (m && track_fingerprint(h->s->v->t, e, m->hash, text, sizeof text) &&
                span_eq_nocase(span_str(text), span_str(m->fingerprint)))
                return true;
        }
    return false;
}

bool handshakes_mismatch(const struct handshakes *h, enum party p, char out[DTLS_FINGERPRINT_ROOM])
{
    const struct dtls_end *e = h->certificate[p];
    const struct media_desc *m = h->s->side[p].media;
    const struct dtls_desc *says = m ? m->dtls : NULL;

    return e && says && !is_named(h, e) && track_fingerprint(h->s->v->t, e, says->hash, out, DTLS_FINGERPRINT_ROOM) &&
           strlen(out) == strlen(says->fingerprint); /* else it is cut or broken, and tells nothing */
}
