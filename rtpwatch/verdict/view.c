/*
 * Who is local. Given by the user, or told by Linux cooked headers, or inferred: a host whose packets arrive here with a TTL that
 * nothing has lowered (64, 128, 255) was not behind a router, and one that nearly all packets come from or go to is the host
 * that the capture was taken on. A host of which more comes with a lowered TTL than with a whole one is a NAT, seen from outside: what it
 * forwards has its address and is not its own.
 */
#include <stdlib.h>

#include "verdict/verdict.h"

struct host {
    struct addr ip;
    uint64_t packets;     /* from and to it */
    uint64_t fresh, worn; /* from it: with a whole TTL, and with a lowered one */
    bool left_here;
};

enum { LATEST_BITS = 6 };

struct hosts {
    struct pool pool;
    struct hmap by_ip;
    struct host *latest[1 << LATEST_BITS]; /* most flows are of a host that was just met */
    uint64_t packets, busiest;             /* busiest: the most packets of one host with a fresh TTL */
};

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
    latest = &h->latest[end * 0x9e3779b1u >> (32 - LATEST_BITS)];
    if (!*latest || !addr_ip_eq(&(*latest)->ip, a))
        *latest = host_find(h, a);
    return *latest;
}

static void hosts_count(struct hosts *h, const struct flow *f)
{
    struct host *src = host_get(h, &f->src), *dst = host_get(h, &f->dst);

    if (!src || !dst || addr_is_multicast(&f->dst) || f->ttl == 0)
        return;
    h->packets += f->packets.n;
    src->packets += f->packets.n;
    dst->packets += f->packets.n;
    *(f->ttl == 64 || f->ttl == 128 || f->ttl == 255 ? &src->fresh : &src->worn) += f->packets.n;
    src->left_here |= f->left_here;
}

enum { VOICE = FLOW_RTP | FLOW_RTCP | FLOW_CHECK | FLOW_DTLS };

/* One look at each flow, since they are many. `h`: NULL, nobody asks for the hosts. */
static void flows_look(struct view *v, struct hosts *h)
{
    unsigned contains = 0;

    for (uint32_t i = 0; i < v->t->flows.used && (h || !(contains & VOICE)); i++) {
        const struct flow *f = track_flow_at(v->t, i);

        contains |= f->contains;
        if (h)
            hosts_count(h, f);
    }
    v->voice_captured = contains & VOICE;
    v->media_captured = contains & (VOICE | FLOW_STUN_SERVER);
}

static void add(struct view *v, const struct host *h)
{
    uint16_t *head = &v->local_head[h->ip.ip[15]];

    if (v->locals_n == LOCALS_KEPT || addr_is_none(&h->ip) || addr_is_multicast(&h->ip))
        return;
    v->local_next[v->locals_n] = *head;
    v->local[v->locals_n] = h->ip;
    *head = (uint16_t)++v->locals_n;
}

static bool passed_no_router(const struct host *x)
{
    return x->fresh && x->fresh >= x->worn;
}

/* The host that the capture was taken on is in nearly every packet; one that it talks to a lot is in fewer. */
static bool captures(const struct hosts *h, const struct host *x)
{
    return passed_no_router(x) && x->packets * 5 >= h->packets * 4 && x->packets * 100 >= h->busiest * 97;
}

static bool in_net(const struct addr *a, const struct local_net *n)
{
    unsigned bytes = n->bits / 8, rest = n->bits % 8;

    return memcmp(a->ip, n->net.ip, bytes) == 0 && (rest == 0 || (a->ip[bytes] ^ n->net.ip[bytes]) >> (8 - rest) == 0);
}

static bool given(const struct view_options *o, const struct addr *a)
{
    for (size_t i = 0; i < o->locals_n; i++)
        if (in_net(a, &o->locals[i]))
            return true;
    return false;
}

/* True: it is sure, told by the capture or by one host that is in nearly all there is; else by whole TTLs alone. */
static bool infer(struct view *v, struct hosts *h)
{
    bool told = false, capturing = false;

    for (uint32_t i = 0; i < h->pool.used; i++) {
        const struct host *x = pool_at(&h->pool, i);

        told |= x->left_here;
        if (passed_no_router(x) && x->packets > h->busiest)
            h->busiest = x->packets;
    }
    for (uint32_t i = 0; i < h->pool.used; i++)
        capturing |= captures(h, pool_at(&h->pool, i));
    for (uint32_t i = 0; i < h->pool.used; i++) {
        const struct host *x = pool_at(&h->pool, i);

        if (told ? x->left_here : capturing ? captures(h, x) : passed_no_router(x))
            add(v, x);
    }
    return told || capturing;
}

/*
 * With several vantages --local names the hosts of some of them. It holds at this one if it names one whose packets passed no router;
 * but not where the host that captured is plain to see and is another.
 */
static void given_elsewhere(struct view *v, const struct hosts *h, bool sure)
{
    bool here = false;

    for (size_t i = 0; i < v->locals_n; i++)
        here |= given(&v->options, &v->local[i]);
    for (uint32_t i = 0; i < h->pool.used && !here && !sure; i++) {
        const struct host *x = pool_at(&h->pool, i);

        here = passed_no_router(x) && given(&v->options, &x->ip);
    }
    if (here) {
        v->locals_n = 0;
        memset(v->local_head, 0, sizeof v->local_head);
        v->locals_inferred = false;
    } else {
        v->options.locals_n = 0;
    }
}

void view_make(struct view *v, const struct track *t, const struct view_options *options, int64_t now_ns)
{
    struct hosts h = { 0 };
    bool sure;

    *v = (struct view){ .t = t, .options = *options, .now_ns = now_ns };
    if (options->locals_n && !options->several) {
        flows_look(v, NULL);
        return;
    }
    v->locals_inferred = true;
    pool_init(&h.pool, sizeof(struct host), TRACK_SOCKETS);
    flows_look(v, &h);
    sure = infer(v, &h);
    if (options->locals_n)
        given_elsewhere(v, &h, sure);
    pool_done(&h.pool);
    hmap_done(&h.by_ip);
}

void view_given_nowhere(struct view *const *all, size_t n, const struct view_options *options)
{
    for (size_t i = 0; i < n; i++) {
        struct view *v = all[i];
        bool here = false;

        for (uint32_t k = 0; v->locals_n == 0 && k < v->t->flows.used && !here; k++) {
            const struct addr *a = &track_flow_at(v->t, k)->src;

            here = given(options, a);
            for (size_t j = 0; j < n && here; j++)
                here = !view_is_local(all[j], a);
        }
        if (here) {
            v->options.locals_n = options->locals_n;
            v->locals_inferred = false;
        }
    }
}

bool view_is_local(const struct view *v, const struct addr *a)
{
    if (given(&v->options, a))
        return true;
    for (unsigned i = v->local_head[a->ip[15]]; i; i = v->local_next[i - 1])
        if (addr_ip_eq(a, &v->local[i - 1]))
            return true;
    return false;
}

bool view_knows_hosts(const struct view *v)
{
    return v->locals_n > 0 || v->options.locals_n > 0;
}

bool view_has(const struct view *v, const struct addr *a)
{
    const struct socket *k;
    const struct turn_alloc *r;

    if (view_is_local(v, a))
        return true;
    k = v->t->allocs.used ? track_find_socket(v->t, a) : NULL;
    r = k ? track_alloc_at(v->t, k->relay) : NULL;
    return r && view_is_local(v, &r->client);
}

const struct socket *view_media_at(const struct view *v, const struct addr *a)
{
    return v->media_captured ? track_find_socket(v->t, a) : NULL;
}
