#include "track/track.h"

#include <stdlib.h>

#include "base/ahead.h"
#include "track/track_private.h"

struct track *track_new(struct fault_log *faults)
{
    struct track *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->faults = faults;
    pool_init(&t->sockets, sizeof(struct socket), TRACK_SOCKETS);
    pool_init(&t->flows, sizeof(struct flow), TRACK_FLOWS);
    pool_init(&t->streams, sizeof(struct stream), TRACK_STREAMS);
    pool_init(&t->calls, sizeof(struct call), TRACK_CALLS);
    pool_init(&t->call_rooms, TRACK_CALL_ROOM, TRACK_CALLS);
    pool_init(&t->stun_txs, sizeof(struct stun_tx), TRACK_STUN);
    pool_init(&t->servers, sizeof(struct stun_server), TRACK_SERVERS);
    pool_init(&t->checks, sizeof(struct check), TRACK_CHECKS);
    pool_init(&t->names, sizeof(struct dns_fact), TRACK_NAMES);
    pool_init(&t->outsides, sizeof(struct outside_fact), TRACK_OUTSIDES);
    pool_init(&t->rtcps, sizeof(struct rtcp_sender), TRACK_RTCPS);
    pool_init(&t->abouts, sizeof(struct rtcp_about), TRACK_RTCPS);
    pool_init(&t->icmps, sizeof(struct icmp_about), TRACK_FLOWS);
    pool_init(&t->allocs, sizeof(struct turn_alloc), TRACK_ALLOCS);
    pool_init(&t->turn_peers, sizeof(struct turn_peer), TRACK_TURN_PEERS);
    pool_init(&t->stream_ids, sizeof(struct stream_ids), TRACK_STREAM_IDS);
    pool_init(&t->conns, sizeof(struct conn_fact), TRACK_CONNS);
    pool_init(&t->restarts, sizeof(struct ice_restart), TRACK_RESTARTS);
    pool_init(&t->passwords, sizeof(struct ice_password), TRACK_PASSWORDS);
    links_init(t);
    dtls_tables_init(t);
    return t;
}

void track_free(struct track *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->calls.used; i++)
        arena_done(&track_call_at(t, i)->arena);
    pool_done(&t->sockets);
    pool_done(&t->flows);
    pool_done(&t->streams);
    pool_done(&t->calls);
    pool_done(&t->call_rooms);
    pool_done(&t->stun_txs);
    pool_done(&t->servers);
    pool_done(&t->checks);
    pool_done(&t->names);
    pool_done(&t->outsides);
    pool_done(&t->rtcps);
    pool_done(&t->abouts);
    pool_done(&t->icmps);
    pool_done(&t->passwords);
    pool_done(&t->conns);
    pool_done(&t->restarts);
    pool_done(&t->stream_ids);
    pool_done(&t->allocs);
    pool_done(&t->turn_peers);
    dtls_tables_done(t);
    stun_mac_done(&t->mac);
    wakes_done(&t->wakes);
    hmap_done(&t->by_socket);
    hmap_done(&t->by_flow);
    hmap_done(&t->by_call_id);
    hmap_done(&t->by_tid);
    hmap_done(&t->by_old_tid);
    hmap_done(&t->by_server);
    hmap_done(&t->by_name);
    hmap_done(&t->by_outside);
    hmap_done(&t->by_ufrag);
    hmap_done(&t->by_conn);
    arena_done(&t->arena);
    arena_done(&t->shared.arena);
    free(t);
}

/* ---- sockets ---- */

static bool socket_eq(const void *self, uint32_t slot, const void *key)
{
    const struct track *t = self;

    return addr_eq(&track_socket(t, slot)->addr, key);
}

uint32_t socket_find(const struct track *t, const struct addr *a)
{
    uint32_t slot = hmap_find(&t->by_socket, socket_hash(a), socket_eq, t, a);

    return slot == HMAP_NONE ? POOL_NONE : slot;
}

uint32_t socket_get(struct track *t, const struct addr *a)
{
    uint64_t hash = socket_hash(a);
    uint32_t slot = hmap_find(&t->by_socket, hash, socket_eq, t, a);
    struct socket *s;

    if (slot != HMAP_NONE)
        return slot;
    s = pool_new(&t->sockets, &slot);
    if (!s || !hmap_put(&t->by_socket, hash, slot)) {
        fault_log_one(t->faults, FAULT_SOCKET_TABLE_FULL, t->last.frame);
        return POOL_NONE;
    }
    s->addr = *a;
    s->flows_out = s->flows_in = s->asked = s->claimed = s->latest_of_host = s->relay = POOL_NONE;
    return slot;
}

struct socket *track_find_socket(const struct track *t, const struct addr *a)
{
    return track_socket(t, socket_find(t, a));
}

/* A cut through a socket's streams: those that began before `ns` are closed. */
struct cut {
    struct track *t;
    int64_t ns;
    uint32_t from; /* those in slots below are closed already */
    uint32_t open; /* the first slot that may be open behind it */
};

static void stream_cut(struct cut *c, uint32_t slot, struct stream *s)
{
    s->closed |= s->packets.first.ns < c->ns;
    if (!s->closed && slot < c->open)
        c->open = slot;
}

static void flow_cut(struct cut *c, const struct flow *f)
{
    struct stream *s;

    for (uint32_t i = f->streams; i >= c->from && (s = track_stream_at(c->t, i)) != NULL; i = s->next)
        stream_cut(c, i, s);
}

/* False: the socket has more flows than there are streams to look at. */
static bool flows_cut(struct cut *c, const struct socket *s)
{
    uint32_t left = c->t->streams.used - c->from;
    const struct flow *f;

    for (uint32_t i = s->flows_out; left && (f = track_flow_at(c->t, i)) != NULL; i = f->next_out, left--)
        flow_cut(c, f);
    for (uint32_t i = s->flows_in; left && (f = track_flow_at(c->t, i)) != NULL; i = f->next_in, left--)
        flow_cut(c, f);
    return left;
}

static void streams_cut(struct cut *c, uint32_t socket)
{
    for (uint32_t i = c->from; i < c->t->streams.used; i++) {
        struct stream *s = track_stream_at(c->t, i);
        const struct flow *f = track_flow_at(c->t, s->flow);

        if (f->src_socket == socket || f->dst_socket == socket)
            stream_cut(c, i, s);
    }
}

/* A media server's port has the flows of all its calls, most of them long over: then what began since the last cut is looked at instead. */
void socket_split_streams(struct track *t, const struct addr *a, int64_t ns)
{
    uint32_t slot = socket_find(t, a);
    struct socket *s = track_socket(t, slot);
    struct cut c;

    if (!s)
        return;
    c = (struct cut){ t, ns, s->closed_below, t->streams.used };
    if (!flows_cut(&c, s))
        streams_cut(&c, slot);
    s->closed_below = c.open;
}

/* ---- flows ---- */

struct flow_key {
    const struct addr *src, *dst;
};

/* Taken of every packet: the halves of both addresses and the ports, each multiplied away from the others, once folded. */
static uint64_t flow_hash(const struct flow_key *k)
{
    uint64_t src[2], dst[2], h, secret = hash_secret();

    memcpy(src, k->src->ip, 16);
    memcpy(dst, k->dst->ip, 16);
    h = (src[1] + secret) * 0xff51afd7ed558ccdu ^ (dst[1] + (secret << 32 | secret >> 32)) * 0xc4ceb9fe1a85ec53u;
    h ^= (src[0] ^ (dst[0] << 7) ^ ((uint64_t)k->src->port << 32 | k->dst->port)) * 0xd6e8feb86659fd93u;
    h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static inline bool flow_is(const struct flow *f, const struct flow_key *k)
{
    return addr_eq(&f->src, k->src) && addr_eq(&f->dst, k->dst);
}

static bool flow_eq(const void *self, uint32_t slot, const void *key)
{
    return flow_is(track_flow_at(self, slot), key);
}

static struct flow *flow_make(struct track *t, const struct datagram *d, uint64_t hash)
{
    uint32_t slot, src = socket_get(t, &d->src), dst = socket_get(t, &d->dst);
    struct flow *f;

    if (src == POOL_NONE || dst == POOL_NONE)
        return NULL;
    f = pool_new(&t->flows, &slot);
    if (!f || !hmap_put(&t->by_flow, hash, slot)) {
        fault_log_one(t->faults, FAULT_FLOW_TABLE_FULL, d->at.frame);
        return NULL;
    }
    f->slot = slot;
    f->src = d->src;
    f->dst = d->dst;
    f->src_socket = src;
    f->dst_socket = dst;
    f->next_out = track_socket(t, src)->flows_out;
    f->next_in = track_socket(t, dst)->flows_in;
    track_socket(t, src)->flows_out = slot;
    track_socket(t, dst)->flows_in = slot;
    f->streams = f->hot = f->rtcps = f->checks = f->icmp = f->alloc = POOL_NONE;
    f->packets.first = f->packets.last = d->at;
    f->ttl = d->ttl;
    f->left_here = d->left_here;
    return f;
}

AHEAD void ask_for_cell(const struct track *t, struct flow_ahead *a)
{
    a->hash = flow_hash(&(struct flow_key){ a->src, a->dst });
    hmap_prefetch(&t->by_flow, a->hash);
}

AHEAD void ask_for_flow(const struct track *t, struct flow_ahead *a)
{
    uint32_t slot = hmap_first(&t->by_flow, a->hash);

    a->likely = slot == HMAP_NONE ? NULL : track_flow_at(t, slot);
    if (a->likely) {
        __builtin_prefetch(&a->likely->packets.n, 1);
    } else {
        track_find_socket_ahead(t, a->src);
        track_find_socket_ahead(t, a->dst);
    }
}

AHEAD void ask_for_stream(const struct track *t, const struct flow_ahead *a)
{
    const struct stream *s = a->likely ? track_stream_at(t, a->likely->hot) : NULL;

    if (s)
        __builtin_prefetch(&s->packets.n, 1);
}

/*
 * A processor that waits for a dozen lines or two forgets what else it is asked for. So no step goes through all datagrams before the next
 * one begins: it follows at a distance of a few, for which there is room, and whose memory is there by then.
 */
void track_ahead(const struct track *t, struct flow_ahead *ahead, size_t n)
{
    enum { DISTANCE = 8 };
    size_t behind = n < DISTANCE ? n : DISTANCE;

    for (size_t i = 0; i < n + 2 * behind; i++) {
        if (i < n)
            ask_for_cell(t, &ahead[i]);
        if (i >= behind && i - behind < n)
            ask_for_flow(t, &ahead[i - behind]);
        if (i >= 2 * behind)
            ask_for_stream(t, &ahead[i - 2 * behind]);
    }
}

static struct flow *flow_get(struct track *t, const struct datagram *d, uint64_t hash)
{
    struct flow_key k = { &d->src, &d->dst };
    uint32_t slot = hmap_find(&t->by_flow, hash, flow_eq, t, &k);

    return slot == HMAP_NONE ? flow_make(t, d, hash) : track_flow_at(t, slot);
}

static void tell_time(struct track *t, struct seen at)
{
    if (t->first.frame == 0)
        t->first = at;
    t->last = at;
}

static struct flow *flow_count(struct track *t, struct flow *f, const struct datagram *d)
{
    if (!f)
        return NULL;
    if (d->at.ns - f->packets.last.ns > TRACK_DOZE_NS)
        flow_wakes(t, f);
    f->packets.n++;
    f->packets.last = d->at;
    return f;
}

struct flow *track_flow(struct track *t, const struct datagram *d)
{
    tell_time(t, d->at);
    return flow_count(t, flow_get(t, d, flow_hash(&(struct flow_key){ &d->src, &d->dst })), d);
}

struct flow *track_flow_announced(struct track *t, const struct datagram *d, const struct flow_ahead *ahead)
{
    struct flow_key k = { &d->src, &d->dst };
    struct flow *f = ahead->likely;

    tell_time(t, d->at);
    return flow_count(t, f && flow_is(f, &k) ? f : flow_get(t, d, ahead->hash), d);
}

struct flow *track_find_flow(const struct track *t, const struct addr *src, const struct addr *dst)
{
    struct flow_key k = { src, dst };
    uint32_t slot = hmap_find(&t->by_flow, flow_hash(&k), flow_eq, t, &k);

    return slot == HMAP_NONE ? NULL : track_flow_at(t, slot);
}

/* ---- connections ---- */

/* Both directions find it. */
static uint64_t conn_hash(const struct flow_key *k)
{
    return addr_hash(k->src) + addr_hash(k->dst);
}

static bool conn_eq(const void *self, uint32_t slot, const void *key)
{
    const struct conn_fact *c = pool_at(&((const struct track *)self)->conns, slot);
    const struct flow_key *k = key;

    return (addr_eq(&c->client, k->src) && addr_eq(&c->server, k->dst)) ||
           (addr_eq(&c->client, k->dst) && addr_eq(&c->server, k->src));
}

static struct conn_fact *conn_find(const struct track *t, const struct datagram *d)
{
    struct flow_key k = { &d->src, &d->dst };
    uint32_t slot = t->conns.live ? hmap_find(&t->by_conn, conn_hash(&k), conn_eq, t, &k) : HMAP_NONE;

    return slot == HMAP_NONE ? NULL : pool_at(&t->conns, slot);
}

void track_connection(struct track *t, const struct datagram *d)
{
    struct flow_key k = { &d->src, &d->dst };
    struct conn_fact *c = conn_find(t, d);
    uint32_t slot;

    if (!c) {
        c = pool_new(&t->conns, &slot);
        if (!c || !hmap_put(&t->by_conn, conn_hash(&k), slot))
            return;
        c->client = d->src;
        c->server = d->dst;
    }
    tally_add(&c->opened, d->at);
}

void track_segment(struct track *t, const struct datagram *d)
{
    struct conn_fact *c = conn_find(t, d);

    if (c)
        tally_add(addr_eq(&c->client, &d->src) ? &c->from_client : &c->from_server, d->at);
}

void track_connection_read(struct track *t, const struct datagram *d)
{
    struct conn_fact *c = conn_find(t, d);

    if (c)
        c->read = true;
}

/* ---- ICMP ---- */

void track_icmp(struct track *t, const struct datagram *d, const struct icmp_msg *m)
{
    struct flow *f;
    struct icmp_about *i;

    if (m->what == ICMP_NO_ERROR)
        return;
    f = m->quotes && m->quoted_proto == 17 ? track_find_flow(t, &m->src, &m->dst) : NULL;
    if (!f) {
        t->icmp_unmatched++;
        return;
    }
    i = track_icmp_at(t, f->icmp);
    if (!i) {
        uint32_t slot;

        i = pool_new(&t->icmps, &slot);
        if (!i)
            return;
        i->flow = f->slot;
        f->icmp = slot;
    }
    i->what = m->what;
    i->reporter = d->src;
    tally_add(&i->errors, d->at);
}
