/*
 * Links by the media that passes through: RTP with the same SSRC, payload type and sequence numbers enters a host at a socket of one
 * session and leaves it at a socket of another. A B2BUA that relays so joins the two; one that makes new RTP leaves no such trace.
 * An SSRC says little by itself (load generators use one for all calls), so what could be several ways is taken for none.
 */
#include <stdlib.h>

#include "verdict/links_private.h"
#include "verdict/verdict_private.h"

#define RELAY_DELAY_NS (NS_PER_S / 2) /* longest time that a packet stays in the host */
#define RELAY_EARLY_NS (20 * NS_PER_MS)
enum {
    RELAY_PACKETS_MIN = 25, /* half a second of voice */
    RELAY_FLOWS = 16,       /* flows of one SSRC that leave one host; with more it tells nothing */
    RELAY_RECORDS = 64,     /* records of a flow that are looked through */
    RELAY_ENDS = 64,        /* passages by one socket */
};

/* One end of a passage: a stream at a socket of the host, and the session and party that the socket belongs to then. */
struct end {
    struct addr socket;
    int64_t ns;
    uint32_t session; /* POOL_NONE: nobody's */
    enum party party;
    bool several; /* it could be two */
    uint32_t next;
};

struct passage {
    uint32_t in, out; /* streams */
    bool several;     /* what comes in could leave elsewhere, or what leaves could come in elsewhere */
};

/* A flow of one SSRC that leaves a host. */
struct leaving {
    uint32_t stream, next;
};

struct media_links {
    const struct view *v;
    struct hmap by_leaving, by_out, by_socket;
    struct leaving *leaving;
    struct passage *passage;
    struct end *end; /* of passage i: 2i where it comes in, 2i + 1 where it leaves */
    uint32_t leavings, passages, room;
};

static const struct stream *stream_of(const struct media_links *w, uint32_t slot)
{
    return track_stream_at(w->v->t, slot);
}

static const struct flow *flow_of(const struct media_links *w, uint32_t stream)
{
    return track_flow_at(w->v->t, stream_of(w, stream)->flow);
}

static bool counts(const struct stream *s)
{
    return s->believed && s->packets.n >= RELAY_PACKETS_MIN;
}

/* ---- what leaves each host, by SSRC ---- */

struct leaving_key {
    uint32_t ssrc;
    const struct addr *host;
};

static uint64_t leaving_hash(const struct leaving_key *k)
{
    struct addr host = addr_with_port(*k->host, 0);

    return addr_hash(&host) ^ k->ssrc * 0x9e3779b97f4a7c15u;
}

static bool leaving_eq(const void *self, uint32_t slot, const void *key)
{
    const struct media_links *w = self;
    const struct leaving_key *k = key;
    uint32_t stream = w->leaving[slot].stream;

    return stream_of(w, stream)->ssrc == k->ssrc && addr_ip_eq(&flow_of(w, stream)->src, k->host);
}

/* Head of the list; POOL_NONE: nothing leaves there. */
static uint32_t leaving_find(const struct media_links *w, uint32_t ssrc, const struct addr *host)
{
    struct leaving_key k = { ssrc, host };
    uint32_t at = hmap_find(&w->by_leaving, leaving_hash(&k), leaving_eq, w, &k);

    return at == HMAP_NONE ? POOL_NONE : at;
}

static bool leaving_add(struct media_links *w, uint32_t stream)
{
    const struct stream *s = stream_of(w, stream);
    const struct addr *host = &flow_of(w, stream)->src;
    uint32_t at = leaving_find(w, s->ssrc, host);
    struct leaving_key k = { s->ssrc, host };
    size_t n = 1;

    if (at == POOL_NONE) {
        if (!hmap_put(&w->by_leaving, leaving_hash(&k), w->leavings))
            return false;
    } else {
        for (; stream_of(w, w->leaving[at].stream)->flow != s->flow && w->leaving[at].next != POOL_NONE; n++)
            at = w->leaving[at].next;
        if (stream_of(w, w->leaving[at].stream)->flow == s->flow || n > RELAY_FLOWS)
            return true;
        w->leaving[at].next = w->leavings;
    }
    w->leaving[w->leavings++] = (struct leaving){ stream, POOL_NONE };
    return true;
}

/* ---- what comes in and leaves ---- */

static int64_t interval(const struct stream *s)
{
    uint64_t n = stream_expected(s);

    return n > 1 ? (s->packets.last.ns - s->packets.first.ns) / (int64_t)(n - 1) : 0;
}

/* Does `out` begin where and when `in` was at that sequence number, give or take what a relay needs? */
static bool relayed(const struct stream *in, const struct stream *out)
{
    int64_t ahead = (int16_t)(uint16_t)(out->base_seq - in->base_seq), way = ahead * interval(in);
    int64_t late = out->packets.first.ns - in->packets.first.ns - way, slack = (way < 0 ? -way : way) / 8;

    return counts(out) && in->pt == out->pt && ahead >= -(int64_t)RELAY_PACKETS_MIN && ahead < (int64_t)stream_expected(in) &&
           out->packets.first.ns < in->packets.last.ns + RELAY_DELAY_NS && in->packets.first.ns < out->packets.last.ns &&
           late >= -RELAY_EARLY_NS - slack && late <= RELAY_DELAY_NS + slack;
}

/* The record of that SSRC on the flow of `leaving` that could be what comes in; POOL_NONE none. */
static uint32_t relayed_at(const struct media_links *w, const struct stream *in, uint32_t leaving)
{
    const struct flow *f = flow_of(w, leaving);
    const struct stream *s;
    size_t n = 0;

    for (uint32_t i = f->streams; (s = stream_of(w, i)) != NULL && n < RELAY_RECORDS; i = s->next, n++)
        if (s->ssrc == in->ssrc && relayed(in, s))
            return i;
    return POOL_NONE;
}

static bool out_eq(const void *self, uint32_t slot, const void *key)
{
    const struct media_links *w = self;

    return w->passage[slot].out == *(const uint32_t *)key;
}

static bool passage_add(struct media_links *w, const struct passage *p)
{
    uint64_t hash = p->out * 0x9e3779b97f4a7c15u;
    uint32_t known = hmap_find(&w->by_out, hash, out_eq, w, &p->out), room = w->room ? w->room * 2 : 64;
    struct passage *more;

    if (known != HMAP_NONE) {
        w->passage[known].several |= p->several || !addr_eq(&flow_of(w, w->passage[known].in)->dst, &flow_of(w, p->in)->dst);
        return true;
    }
    if (w->passages == w->room) {
        more = realloc(w->passage, room * sizeof *more);
        if (!more)
            return false;
        w->passage = more;
        w->room = room;
    }
    w->passage[w->passages] = *p;
    return hmap_put(&w->by_out, hash, w->passages++);
}

/* All that could go on with what comes in. More than one socket, or the one where it came in, and it tells nothing of any of them. */
static bool passages_of(struct media_links *w, uint32_t in)
{
    uint32_t at = leaving_find(w, stream_of(w, in)->ssrc, &flow_of(w, in)->dst), out[RELAY_FLOWS];
    bool several = false, fine = true;
    size_t n = 0;

    for (size_t flows = 0; at != POOL_NONE; at = w->leaving[at].next) {
        uint32_t found = relayed_at(w, stream_of(w, in), w->leaving[at].stream);

        if (++flows > RELAY_FLOWS)
            return true;
        if (found == POOL_NONE)
            continue;
        several |= addr_eq(&flow_of(w, found)->src, &flow_of(w, in)->dst);
        several |= n && !addr_eq(&flow_of(w, found)->src, &flow_of(w, out[0])->src);
        out[n++] = found;
    }
    for (size_t i = 0; fine && i < n; i++)
        fine = passage_add(w, &(struct passage){ in, out[i], several });
    return fine;
}

static bool passages_find(struct media_links *w)
{
    uint32_t n = w->v->t->streams.used;
    bool fine = true;

    w->leaving = malloc((n + 1u) * sizeof *w->leaving);
    fine = w->leaving != NULL;
    for (uint32_t i = 0; fine && i < n; i++)
        if (counts(stream_of(w, i)))
            fine = leaving_add(w, i);
    for (uint32_t i = 0; fine && i < n; i++)
        if (counts(stream_of(w, i)))
            fine = passages_of(w, i);
    return fine;
}

/* ---- whose sockets they are ---- */

static bool end_eq(const void *self, uint32_t slot, const void *key)
{
    return addr_eq(&((const struct media_links *)self)->end[slot].socket, key);
}

/* Head of the list of ends at a socket; POOL_NONE: nothing passes there. */
static uint32_t end_find(const struct media_links *w, const struct addr *socket)
{
    uint32_t at = hmap_find(&w->by_socket, addr_hash(socket), end_eq, w, socket);

    return at == HMAP_NONE ? POOL_NONE : at;
}

static bool end_add(struct media_links *w, uint32_t i, const struct addr *socket, int64_t ns)
{
    uint32_t at = end_find(w, socket);
    size_t n = 1;

    w->end[i] = (struct end){ *socket, ns, POOL_NONE, CALLER, false, POOL_NONE };
    if (at == POOL_NONE)
        return hmap_put(&w->by_socket, addr_hash(socket), i);
    for (; w->end[at].next != POOL_NONE && n < RELAY_ENDS; n++)
        at = w->end[at].next;
    if (w->end[at].next == POOL_NONE)
        w->end[at].next = i;
    return true;
}

static bool ends_make(struct media_links *w)
{
    bool fine = true;

    w->end = calloc(2u * w->passages + 1u, sizeof *w->end);
    fine = w->end != NULL;
    for (uint32_t i = 0; fine && i < w->passages; i++) {
        const struct passage *p = &w->passage[i];

        fine = end_add(w, 2 * i, &flow_of(w, p->in)->dst, stream_of(w, p->in)->packets.first.ns) &&
               end_add(w, 2 * i + 1, &flow_of(w, p->out)->src, stream_of(w, p->out)->packets.first.ns);
    }
    return fine;
}

static void side_owns(struct media_links *w, const struct side *x, uint32_t session, enum party party, struct span_of_time when)
{
    for (size_t k = 0; k < x->own_n; k++) {
        uint32_t at = end_find(w, &x->own[k]);

        for (; at != POOL_NONE; at = w->end[at].next) {
            struct end *e = &w->end[at];

            if (e->ns < when.from_ns || e->ns >= when.to_ns)
                continue;
            e->several |= e->session != POOL_NONE && (e->session != session || e->party != party);
            e->session = session;
            e->party = party;
        }
    }
}

static void session_owns(struct media_links *w, const struct call *c, uint32_t session)
{
    struct span_of_time when = { c->started.ns, c->ended.frame ? c->ended.ns : w->v->now_ns + 1 };

    for (const struct agreement *a = c->agreements; a; a = a->next)
        for (uint8_t m = 0; m < a->by[CALLER]->medias && m < a->by[CALLEE]->medias; m++) {
            struct scene s;

            scene_make(&s, w->v, c, a, m, when, NULL);
            for (enum party p = CALLER; p < PARTIES; p++)
                side_owns(w, &s.side[p], session, p, when);
        }
}

/* ---- whole ---- */

static bool passage_link(const struct media_links *w, uint32_t i, struct links *l, const struct report *r)
{
    const struct end *in = &w->end[2 * i], *out = in + 1;
    struct link k = { .by = LINK_BY_MEDIA, .header = "", .legs = true, .end = in->party, .other_end = out->party };

    if (w->passage[i].several || in->several || out->several || in->session == POOL_NONE || out->session == POOL_NONE ||
        in->session == out->session)
        return true;
    k.at = stream_of(w, w->passage[i].out)->packets.first;
    return link_add(l, r, in->session, out->session, &k);
}

static bool links_at(struct links *l, const struct report *r, size_t vantage)
{
    struct media_links w = { .v = &r->vantage[vantage].view };
    bool fine = passages_find(&w);

    if (fine && w.passages) {
        fine = ends_make(&w);
        for (uint32_t i = 0; fine && i < r->sessions; i++) {
            const struct call *c = report_call(r, i, vantage);

            if (c)
                session_owns(&w, c, i);
        }
        for (uint32_t i = 0; fine && i < w.passages; i++)
            fine = passage_link(&w, i, l, r);
    }
    hmap_done(&w.by_leaving);
    hmap_done(&w.by_out);
    hmap_done(&w.by_socket);
    free(w.leaving);
    free(w.passage);
    free(w.end);
    return fine;
}

bool links_by_media(struct links *l, const struct report *r)
{
    bool fine = true;

    for (size_t v = 0; fine && v < r->vantages && r->sessions > 1; v++)
        fine = links_at(l, r, v);
    return fine;
}
