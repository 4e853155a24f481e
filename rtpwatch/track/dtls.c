/*
 * DTLS handshakes (RFC 6347, RFC 9147), one record for each that two transport addresses began. DTLS packets are rare, so they are found
 * by a map of their own and cost the flows nothing.
 */
#include "track/track_private.h"

enum { RANDOM_AT = 2, RANDOM = 32 }; /* in a ClientHello: RFC 5246 §7.4.1.2 */

void dtls_tables_init(struct track *t)
{
    pool_init(&t->dtls, sizeof(struct dtls_assoc), TRACK_DTLS);
    pool_init(&t->dtls_joins, sizeof(struct dtls_join), TRACK_DTLS_JOINS);
    pool_init(&t->certificates, sizeof(struct dtls_certificate), TRACK_CERTIFICATES);
}

void dtls_tables_done(struct track *t)
{
    pool_done(&t->dtls);
    pool_done(&t->dtls_joins);
    pool_done(&t->certificates);
    hmap_done(&t->by_dtls);
    hmap_done(&t->by_certificate);
}

/* ---- the pair and its handshakes ---- */

struct pair {
    const struct addr *a, *b;
};

static uint64_t pair_hash(const struct pair *p)
{
    return addr_hash(p->a) + addr_hash(p->b); /* the same from both sides */
}

static bool pair_eq(const void *self, uint32_t slot, const void *key)
{
    const struct dtls_end *e = track_dtls_at(self, slot)->end;
    const struct pair *p = key;

    return (addr_eq(&e[0].addr, p->a) && addr_eq(&e[1].addr, p->b)) || (addr_eq(&e[0].addr, p->b) && addr_eq(&e[1].addr, p->a));
}

static uint32_t assoc_find(const struct track *t, const struct pair *p)
{
    uint32_t slot = hmap_find(&t->by_dtls, pair_hash(p), pair_eq, t, p);

    return slot == HMAP_NONE ? POOL_NONE : slot;
}

struct dtls_assoc *track_find_dtls(const struct track *t, const struct addr *a, const struct addr *b)
{
    struct pair p = { a, b };

    return track_dtls_at(t, assoc_find(t, &p));
}

static struct dtls_assoc *assoc_new(struct track *t, const struct datagram *d, uint32_t before)
{
    struct pair p = { &d->src, &d->dst };
    const struct dtls_assoc *old = track_dtls_at(t, before);
    uint32_t slot;
    struct dtls_assoc *a = pool_new(&t->dtls, &slot);

    if (!a)
        return NULL;
    a->end[0] = (struct dtls_end){ .addr = d->src, .certificate = POOL_NONE, .join = POOL_NONE };
    a->end[1] = (struct dtls_end){ .addr = d->dst, .certificate = POOL_NONE, .join = POOL_NONE };
    a->older = before;
    a->nth = old ? old->nth + 1 : 0;
    if (old)
        hmap_del(&t->by_dtls, pair_hash(&p), before);
    return hmap_put(&t->by_dtls, pair_hash(&p), slot) ? a : NULL;
}

/* What tells one ClientHello from another; 0: there is none in the datagram, or not its beginning. */
static uint64_t hello_random(const struct dtls_msg *m)
{
    for (size_t i = 0; i < m->handshakes; i++) {
        const struct dtls_handshake *h = &m->handshake[i];

        if (h->type == DTLS_CLIENT_HELLO && h->offset == 0 && h->body.n >= RANDOM_AT + RANDOM)
            return hash_bytes(h->body.p + RANDOM_AT, RANDOM) | 1;
    }
    return 0;
}

static bool is_over(const struct dtls_assoc *a)
{
    return (a->end[0].finished.n && a->end[1].finished.n) || a->end[0].alert.at.frame || a->end[1].alert.at.frame;
}

/* The same random comes again with a cookie (RFC 6347 §4.2.1) and when the ClientHello is sent again; another begins anew. */
static bool begins_anew(const struct dtls_assoc *a, const struct addr *src, uint64_t random)
{
    const struct dtls_end *e = addr_eq(&a->end[0].addr, src) ? &a->end[0] : &a->end[1];

    if (!random || e->random == random || a->nth + 1 >= TRACK_DTLS_PER_PAIR)
        return false;
    return e->random || is_over(a);
}

static struct dtls_assoc *assoc_get(struct track *t, const struct datagram *d, const struct dtls_msg *m)
{
    struct pair p = { &d->src, &d->dst };
    uint32_t slot = assoc_find(t, &p);
    struct dtls_assoc *a = track_dtls_at(t, slot);

    if (a && !begins_anew(a, &d->src, hello_random(m)))
        return a;
    a = assoc_new(t, d, slot);
    if (a)
        a->from_start = m->has_client_hello;
    return a;
}

/* ---- fragments and certificates ---- */

static bool in_fragments(const struct dtls_msg *m)
{
    for (size_t i = 0; i < m->handshakes; i++)
        if (m->handshake[i].fragment_length < m->handshake[i].length)
            return true;
    return false;
}

static void join(struct track *t, struct dtls_end *e, struct dtls_msg *m, struct faults *why)
{
    if (e->join == POOL_NONE && (!in_fragments(m) || !pool_new(&t->dtls_joins, &e->join)))
        return;
    dtls_join(pool_at(&t->dtls_joins, e->join), m, why);
}

static void join_done(struct track *t, struct dtls_end *e)
{
    if (e->join != POOL_NONE)
        pool_free(&t->dtls_joins, e->join);
    e->join = POOL_NONE;
}

static bool certificate_eq(const void *self, uint32_t slot, const void *key)
{
    const struct track *t = self;
    const struct dtls_certificate *c = pool_at(&t->certificates, slot);

    return span_eq(c->der, *(const struct span *)key);
}

static uint32_t certificate_keep(struct track *t, struct span der)
{
    uint64_t hash = hash_bytes(der.p, der.n);
    uint32_t slot = hmap_find(&t->by_certificate, hash, certificate_eq, t, &der);
    struct dtls_certificate *c;

    if (slot != HMAP_NONE)
        return slot;
    c = der.n <= DTLS_JOIN_ROOM ? pool_new(&t->certificates, &slot) : NULL;
    if (!c)
        return POOL_NONE;
    c->der = arena_span(&t->arena, der);
    return c->der.n && hmap_put(&t->by_certificate, hash, slot) ? slot : POOL_NONE;
}

bool track_fingerprint(const struct track *t, const struct dtls_end *e, const char *hash, char *out, size_t room)
{
    const struct dtls_certificate *c = e->certificate == POOL_NONE ? NULL : pool_at(&t->certificates, e->certificate);

    return c && dtls_fingerprint(c->der, span_str(hash), out, room);
}

/* ---- what a datagram tells of its sender ---- */

/*
 * A message that was sent before, in a record that was not: the record's number grows with each (RFC 6347 §4.1), so the same number is the
 * same packet, captured twice.
 */
static bool sent_again(struct dtls_end *e, const struct dtls_msg *m)
{
    bool again = false, fresh = !e->datagrams.n || m->record[0].seq > e->last_record;

    for (size_t i = 0; i < m->handshakes; i++) {
        const struct dtls_handshake *h = &m->handshake[i];

        if (h->seq >= DTLS_SEQS_KEPT || h->offset)
            continue;
        again |= fresh && e->type_of[h->seq] == h->type;
        e->type_of[h->seq] = h->type;
    }
    return again || (fresh && m->has_change_cipher_spec && e->change_cipher_spec.n);
}

/* The last number of the first epoch that the datagram uses; those of the encrypted ones are counted for themselves. */
static void number_records(struct dtls_end *e, const struct dtls_msg *m)
{
    for (size_t i = 0; i < m->records; i++)
        if (m->record[i].epoch == 0 && m->record[i].type != DTLS_CIPHERTEXT && m->record[i].seq > e->last_record)
            e->last_record = m->record[i].seq;
}

static void tally_if(bool it_is, struct tally *t, struct seen at)
{
    if (it_is)
        tally_add(t, at);
}

/* Its beginning: a large message, as a ClientHello with a post-quantum key share, goes on in the next datagram. */
static bool has_message(const struct dtls_msg *m, enum dtls_handshake_type type)
{
    for (size_t i = 0; i < m->handshakes; i++)
        if (m->handshake[i].type == type && m->handshake[i].offset == 0)
            return true;
    return false;
}

static void count(struct dtls_end *e, const struct dtls_msg *m, struct seen at)
{
    bool again = m->records && m->record[0].epoch == 0 && m->record[0].type != DTLS_CIPHERTEXT && sent_again(e, m);

    tally_if(again, &e->again, at);
    number_records(e, m);
    tally_add(&e->datagrams, at);
    tally_if(has_message(m, DTLS_CLIENT_HELLO), &e->client_hello, at);
    tally_if(m->has_server_hello, &e->server_hello, at);
    tally_if(m->has_server_hello_done, &e->server_hello_done, at);
    tally_if(m->has_hello_verify_request || m->has_hello_retry_request, &e->hello_verify, at);
    tally_if(has_message(m, DTLS_CLIENT_KEY_EXCHANGE), &e->key_exchange, at);
    tally_if(m->has_change_cipher_spec, &e->change_cipher_spec, at);
    tally_if(m->has_finished_like, &e->finished, at);
    tally_if(m->has_application_data, &e->application, at);
}

static bool is_fatal(const struct dtls_alert *a)
{
    return !a->encrypted && a->level == DTLS_ALERT_FATAL;
}

static void alert(struct dtls_end *e, const struct dtls_msg *m, struct seen at)
{
    struct dtls_alert a = { at, m->alert_encrypted, m->alert_level, m->alert_description };

    if (m->has_alert && (!e->alert.at.frame || (is_fatal(&a) && !is_fatal(&e->alert))))
        e->alert = a;
}

/* What the ServerHello chose. A DTLS 1.3 server answers use_srtp under encryption. */
static void chosen(struct dtls_assoc *a, const struct dtls_msg *m)
{
    const struct dtls_hello *h = &m->server_hello;

    if (!m->has_server_hello || !h->version)
        return;
    a->version = h->versions ? h->supported[0] : h->version;
    a->profile_known = a->version != DTLS_1_3;
    a->profile = h->profiles ? h->profile[0] : 0;
}

void track_dtls(struct track *t, const struct datagram *d, struct dtls_msg *m, bool cut, struct faults *why)
{
    struct dtls_assoc *a = assoc_get(t, d, m);
    struct dtls_end *e;
    uint64_t random = hello_random(m);

    if (!a)
        return;
    e = addr_eq(&a->end[0].addr, &d->src) ? &a->end[0] : &a->end[1];
    if (random)
        e->random = random;
    e->cut |= cut;
    count(e, m, d->at);
    alert(e, m, d->at);
    if (m->handshakes && d->size > e->largest)
        e->largest = (uint32_t)d->size;
    join(t, e, m, why);
    chosen(a, m);
    if (m->certificate.n && e->certificate == POOL_NONE) {
        e->certificate = certificate_keep(t, m->certificate);
        e->certificate_at = d->at;
    }
    if (m->has_finished_like || m->has_application_data)
        join_done(t, e);
}
