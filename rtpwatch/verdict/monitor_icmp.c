/* ICMP errors, a minute's of each host that packets were sent to. */
#include "verdict/monitor_private.h"

/* Of one flow. */
struct errors_told {
    uint64_t frame; /* its first error: the key */
    uint64_t n;     /* those of minutes that are over */
};

static uint64_t first_frame(const void *self, uint32_t slot)
{
    return track_icmp_at(self, slot)->errors.first.frame;
}

/* Hosts of one minute. */
struct icmp_hosts {
    struct pool pool;
    struct hmap by_ip;
};

static bool host_eq(const void *self, uint32_t slot, const void *key)
{
    return addr_ip_eq(&((const struct event_icmp *)pool_at(&((const struct icmp_hosts *)self)->pool, slot))->address, key);
}

/* NULL: there are MONITOR_HOSTS others (counted by the pool). */
static struct event_icmp *host_get(struct icmp_hosts *h, const struct addr *ip)
{
    uint32_t slot = hmap_find(&h->by_ip, addr_hash(ip), host_eq, h, ip);
    struct event_icmp *e;

    if (slot != HMAP_NONE)
        return pool_at(&h->pool, slot);
    e = pool_new(&h->pool, &slot);
    if (!e)
        return NULL;
    e->address = *ip;
    if (hmap_put(&h->by_ip, addr_hash(ip), slot))
        return e;
    pool_free(&h->pool, slot);
    return NULL;
}

static void count(const struct tick *t, struct icmp_hosts *h, const struct icmp_about *i, uint64_t n)
{
    struct addr ip = addr_with_port(track_flow_at(t->v->t, i->flow)->dst, 0);
    struct event_icmp *e = n ? host_get(h, &ip) : NULL;

    if (!e)
        return;
    e->errors += n;
    if (e->last.frame && i->errors.last.ns < e->last.ns)
        return;
    e->last = i->errors.last;
    e->what = i->what;
    e->reporter = addr_with_port(i->reporter, 0);
}

static void gather(const struct tick *t, struct icmp_hosts *h)
{
    const struct track *k = t->v->t;
    struct ledger *l = &t->m->icmps;

    ledger_follow(l, k->icmps.used, first_frame, k);
    for (uint32_t i = 0; i < k->icmps.used; i++) {
        const struct icmp_about *about = track_icmp_at(k, i);
        struct errors_told *told = i < l->n ? ledger_at(l, i) : ledger_add(l, first_frame(k, i));

        if (!told)
            return;
        count(t, h, about, about->errors.n - told->n);
        told->n = about->errors.n;
    }
}

void monitor_icmp_init(struct monitor *m)
{
    ledger_init(&m->icmps, sizeof(struct errors_told));
}

void monitor_icmp_done(struct monitor *m)
{
    ledger_done(&m->icmps);
}

void monitor_icmp(const struct tick *t)
{
    struct icmp_hosts h = { 0 };

    if (!t->minute)
        return;
    pool_init(&h.pool, sizeof(struct event_icmp), MONITOR_HOSTS);
    gather(t, &h);
    for (uint32_t i = 0; i < h.pool.used; i++)
        t->tell(t->self, &(struct event){
                             .kind = EVENT_ICMP_ERRORS, .at_ns = t->v->now_ns, .tx = POOL_NONE, .icmp = pool_at(&h.pool, i) });
    pool_done(&h.pool);
    hmap_done(&h.by_ip);
}
