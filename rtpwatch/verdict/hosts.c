#include "verdict/hosts.h"

#include <stdlib.h>

void hosts_init(struct hosts *h)
{
    *h = (struct hosts){ 0 };
    pool_init(&h->pool, sizeof(struct host), TRACK_SOCKETS);
}

void hosts_done(struct hosts *h)
{
    pool_done(&h->pool);
    hmap_done(&h->by_ip);
    free(h->flow);
    free(h->awake);
    *h = (struct hosts){ 0 };
}

static bool host_eq(const void *self, uint32_t slot, const void *key)
{
    const struct hosts *h = self;

    return addr_ip_eq(&((const struct host *)pool_at(&h->pool, slot))->ip, key);
}

static struct host *host_find(struct hosts *h, const struct addr *a)
{
    struct addr ip = addr_with_port(*a, 0);
    uint32_t slot = hmap_find(&h->by_ip, addr_hash(&ip), host_eq, h, &ip);
    struct host *made;

    if (slot != HMAP_NONE)
        return pool_at(&h->pool, slot);
    made = pool_new(&h->pool, &slot);
    if (!made || !hmap_put(&h->by_ip, addr_hash(&ip), slot))
        return NULL;
    made->ip = ip;
    return made;
}

static struct host *host_get(struct hosts *h, const struct addr *a)
{
    struct host **latest;
    uint32_t end;

    memcpy(&end, a->ip + sizeof a->ip - sizeof end, sizeof end);
    latest = &h->latest[end * 0x9e3779b1u >> (32 - HOSTS_LATEST_BITS)];
    if (!*latest || !addr_ip_eq(&(*latest)->ip, a))
        *latest = host_find(h, a);
    return *latest;
}

static void packets_add(struct hosts *h, const struct flow *f, struct host *src, struct host *dst, uint64_t n)
{
    h->packets += n;
    src->packets += n;
    dst->packets += n;
    if (f->contains & ~(unsigned)FLOW_SIP)
        src->speaks = dst->hears = true;
    *(f->ttl == 64 || f->ttl == 128 || f->ttl == 255 ? &src->fresh : &src->worn) += n;
}

/* Whom the packets of a flow count for; false: nobody. */
static bool ends_find(struct hosts *h, const struct flow *f, struct host **src, struct host **dst)
{
    *src = host_get(h, &f->src);
    *dst = host_get(h, &f->dst);
    if (!*src || !*dst || addr_is_multicast(&f->dst) || f->ttl == 0)
        return false;
    (*src)->left_here |= f->left_here;
    return true;
}

void hosts_count_all(struct hosts *h, const struct track *t)
{
    for (uint32_t i = 0; i < t->flows.used; i++) {
        const struct flow *f = track_flow_at(t, i);
        struct host *src, *dst;

        h->contains |= f->contains;
        if (ends_find(h, f, &src, &dst))
            packets_add(h, f, src, dst, f->packets.n);
    }
}

/* ---- what is kept ---- */

static bool room_for(void **list, uint32_t *room, uint32_t n, size_t size)
{
    uint32_t more = n + n / 2;
    void *grown = n > *room ? realloc(*list, more * size) : *list;

    if (!grown)
        return n == 0;
    if (n > *room)
        *room = more;
    *list = grown;
    return true;
}

static void wake(struct hosts *h, uint32_t slot)
{
    if (!h->flow[slot].awake)
        h->awake[h->awake_n++] = slot;
    h->flow[slot].awake = true;
}

static bool has_room(struct hosts *h, const struct track *t)
{
    void *flow = h->flow, *awake = h->awake;
    bool fine = room_for(&flow, &h->flows_room, t->flows.used, sizeof *h->flow) &&
                room_for(&awake, &h->awake_room, t->flows.used, sizeof *h->awake);

    h->flow = flow;
    h->awake = awake;
    return fine;
}

/* Flows that are new, and those that had no packet for a while and have one now. */
static void newly_awake(struct hosts *h, const struct track *t)
{
    for (; h->flows < t->flows.used; h->flows++) {
        struct flow_counted *c = &h->flow[h->flows];

        *c = (struct flow_counted){ 0 };
        if (!ends_find(h, track_flow_at(t, h->flows), &c->src, &c->dst))
            c->src = c->dst = NULL;
        wake(h, h->flows);
    }
    for (; h->wakes_from < t->wakes.n; h->wakes_from++)
        wake(h, t->wakes.slot[h->wakes_from]);
}

/* False: it may be left alone until it wakes. */
static bool flow_count_more(struct hosts *h, const struct flow *f, int64_t now_ns)
{
    struct flow_counted *c = &h->flow[f->slot];
    uint32_t n = (uint32_t)f->packets.n;

    h->contains |= f->contains;
    if (c->src)
        packets_add(h, f, c->src, c->dst, n - c->packets);
    c->packets = n;
    c->awake = now_ns - f->packets.last.ns <= TRACK_DOZE_NS + TRACK_LATE_NS;
    return c->awake;
}

static void restart(struct hosts *h)
{
    hosts_done(h);
    hosts_init(h);
}

void hosts_count_more(struct hosts *h, const struct track *t, int64_t now_ns)
{
    uint32_t kept = 0;

    if (!h->flows) /* what was counted, if anything, was counted whole */
        restart(h);
    if (!t->wakes.noted || t->wakes.missed || !has_room(h, t)) {
        restart(h);
        hosts_count_all(h, t);
        return;
    }
    newly_awake(h, t);
    for (uint32_t i = 0; i < h->awake_n; i++)
        if (flow_count_more(h, track_flow_at(t, h->awake[i]), now_ns))
            h->awake[kept++] = h->awake[i];
    h->awake_n = kept;
}
