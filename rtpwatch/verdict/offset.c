/*
 * What both saw is matched by names that a NAT does not change: SDP by Call-ID and CSeq, STUN server transactions by their id, the first
 * packet of an RTP stream by SSRC and sequence number. A name that means several packets at one place means none.
 */
#include "verdict/offset.h"

#include <stdlib.h>

#define NOISE_NS   NS_PER_MS      /* a smaller offset changes no order that matters */
#define ONE_WAY_MS ((int64_t)100) /* of one direction alone: the way's own delay may be as large */

struct samples {
    size_t n;
    int64_t ns[OFFSET_PAIRS]; /* there minus here */
};

/* One way of one kind of packets. SIP waits at proxies, which think and ask databases; RTP and STUN do not. */
enum kind { DIRECT, BY_PROXY, KINDS };

struct work {
    const struct view *here, *there;
    struct samples to_there[KINDS], to_here[KINDS];
};

/* Which way a packet went: it left one of the two, or arrived there. Where it is only passing by, the other place may tell. */
enum way { WAY_UNKNOWN, WAY_LEFT, WAY_ARRIVED };

static enum way way_at(const struct view *v, const struct addr *src, const struct addr *dst)
{
    bool from = view_is_local(v, src), to = view_is_local(v, dst);

    return from == to ? WAY_UNKNOWN : from ? WAY_LEFT : WAY_ARRIVED;
}

static void pair_add(struct work *w, enum kind kind, int64_t here_ns, int64_t there_ns, enum way here, enum way there)
{
    bool thither = here == WAY_LEFT || there == WAY_ARRIVED, hither = here == WAY_ARRIVED || there == WAY_LEFT;
    struct samples *s = thither ? &w->to_there[kind] : &w->to_here[kind];

    if (thither != hither && s->n < OFFSET_PAIRS)
        s->ns[s->n++] = there_ns - here_ns;
}

/* ---- finding one's like at the other place ---- */

/* A list of facts by a hash of their name. Two with one name are both struck out. */
struct names {
    struct hmap by_hash;
    struct name {
        uint64_t hash;
        uint32_t slot;
        bool several;
    } * v;
    uint32_t n, room;
};

static bool name_eq(const void *self, uint32_t slot, const void *key)
{
    return ((const struct names *)self)->v[slot].hash == *(const uint64_t *)key;
}

static void name_add(struct names *x, uint64_t hash, uint32_t slot)
{
    uint32_t at = hmap_find(&x->by_hash, hash, name_eq, x, &hash);

    if (at != HMAP_NONE) {
        x->v[at].several = true;
    } else if (x->n < x->room && hmap_put(&x->by_hash, hash, x->n)) {
        x->v[x->n++] = (struct name){ hash, slot, false };
    }
}

static struct names names_new(uint32_t room)
{
    struct names x = { .v = calloc(room + 1u, sizeof *x.v) };

    x.room = x.v ? room : 0;
    return x;
}

static void names_done(struct names *x)
{
    hmap_done(&x->by_hash);
    free(x->v);
}

/* Calls `both` with the slots of all that have one name at both places. */
static void names_meet(struct work *w, struct names *a, struct names *b, void (*both)(struct work *, uint32_t, uint32_t))
{
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t at = b->v[i].several ? HMAP_NONE : hmap_find(&a->by_hash, b->v[i].hash, name_eq, a, &b->v[i].hash);

        if (at != HMAP_NONE && !a->v[at].several)
            both(w, a->v[at].slot, b->v[i].slot);
    }
    names_done(a);
    names_done(b);
}

/* ---- RTP ---- */

static struct names streams_named(const struct track *t)
{
    struct names x = names_new(t->streams.used);

    for (uint32_t i = 0; i < t->streams.used; i++) {
        const struct stream *s = track_stream_at(t, i);
        uint32_t key[] = { s->ssrc, s->base_seq, s->pt };

        if (s->believed && !s->expected_before)
            name_add(&x, hash_fixed(key, sizeof key), i);
    }
    return x;
}

static void streams_pair(struct work *w, uint32_t a, uint32_t b)
{
    const struct stream *x = track_stream_at(w->here->t, a), *y = track_stream_at(w->there->t, b);
    const struct flow *f = track_flow_at(w->here->t, x->flow), *g = track_flow_at(w->there->t, y->flow);

    pair_add(w, DIRECT, x->packets.first.ns, y->packets.first.ns, way_at(w->here, &f->src, &f->dst),
             way_at(w->there, &g->src, &g->dst));
}

/* ---- STUN ---- */

static struct names transactions_named(const struct track *t)
{
    struct names x = names_new(t->stun_txs.used);

    for (uint32_t i = 0; i < t->stun_txs.used; i++) {
        const struct stun_tx *tx = track_tx_at(t, i);

        name_add(&x, hash_fixed(tx->tid, sizeof tx->tid), i);
    }
    return x;
}

static void transactions_pair(struct work *w, uint32_t a, uint32_t b)
{
    const struct stun_tx *x = track_tx_at(w->here->t, a), *y = track_tx_at(w->there->t, b);
    const struct addr *asker = &track_socket(w->here->t, x->socket)->addr, *asked = &track_server_at(w->here->t, x->server)->addr,
                      *asker2 = &track_socket(w->there->t, y->socket)->addr,
                      *asked2 = &track_server_at(w->there->t, y->server)->addr;

    if (x->requests.n == y->requests.n) /* else one of them was lost between the two, and which is not known */
        pair_add(w, DIRECT, x->requests.first.ns, y->requests.first.ns, way_at(w->here, asker, asked),
                 way_at(w->there, asker2, asked2));
    if (x->answer.frame && y->answer.frame)
        pair_add(w, DIRECT, x->answer.ns, y->answer.ns, way_at(w->here, asked, asker), way_at(w->there, asked2, asker2));
}

/* ---- SIP ---- */

static struct names calls_named(const struct track *t)
{
    struct names x = names_new(t->calls.used);

    for (uint32_t i = 0; i < t->calls.used; i++) {
        const char *id = track_call_at(t, i)->call_id;

        name_add(&x, hash_fixed(id, strlen(id)), i);
    }
    return x;
}

static const struct sdp_fact *same_sdp(const struct call *c, const struct sdp_fact *like)
{
    const struct sdp_fact *found = NULL;

    for (const struct sdp_fact *f = c->sdps; f; f = f->next) {
        if (f->party != like->party || f->cseq != like->cseq)
            continue;
        if (found)
            return NULL; /* a 183 and a 200, or a fork: which is which is not known */
        found = f;
    }
    return found;
}

static void calls_pair(struct work *w, uint32_t a, uint32_t b)
{
    const struct call *x = track_call_at(w->here->t, a), *y = track_call_at(w->there->t, b);

    for (const struct sdp_fact *f = x->sdps; f; f = f->next) {
        const struct sdp_fact *g = same_sdp(x, f) ? same_sdp(y, f) : NULL;

        if (g)
            pair_add(w, BY_PROXY, f->at.ns, g->at.ns, way_at(w->here, &f->from, &f->to), way_at(w->there, &g->from, &g->to));
    }
}

/* ---- the whole ---- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t median(struct samples *s)
{
    qsort(s->ns, s->n, sizeof *s->ns, by_value);
    return s->n % 2 ? s->ns[s->n / 2] : s->ns[s->n / 2 - 1] + (s->ns[s->n / 2] - s->ns[s->n / 2 - 1]) / 2;
}

static struct samples *best(struct samples way[KINDS])
{
    return way[DIRECT].n ? &way[DIRECT] : &way[BY_PROXY];
}

static void conclude(struct work *w, struct offset *out)
{
    struct samples *forth = best(w->to_there), *back = best(w->to_here);
    int64_t there, here;

    out->pairs = forth->n + back->n;
    out->known = out->pairs > 0;
    out->bounded = forth->n && back->n;
    if (!out->known)
        return;
    there = forth->n ? median(forth) : median(back);
    here = back->n ? median(back) : there;
    out->ns = here + (there - here) / 2;
    out->within_ns = there > here ? (there - here) / 2 : (here - there) / 2;
}

void offset_estimate(const struct view *here, const struct view *there, struct offset *out)
{
    struct work *w = calloc(1, sizeof *w);
    struct names a, b;

    *out = (struct offset){ 0 };
    if (!w)
        return;
    w->here = here;
    w->there = there;
    a = streams_named(here->t);
    b = streams_named(there->t);
    names_meet(w, &a, &b, streams_pair);
    a = transactions_named(here->t);
    b = transactions_named(there->t);
    names_meet(w, &a, &b, transactions_pair);
    a = calls_named(here->t);
    b = calls_named(there->t);
    names_meet(w, &a, &b, calls_pair);
    conclude(w, out);
    free(w);
}

bool offset_counts(const struct offset *o)
{
    int64_t size = o->ns < 0 ? -o->ns : o->ns;

    return o->known && size > (o->bounded ? NOISE_NS + o->within_ns : ONE_WAY_MS * NS_PER_MS);
}
