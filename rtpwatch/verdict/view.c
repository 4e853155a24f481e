/*
 * Who is local. Given by the user, or told by Linux cooked headers, or inferred: a host whose packets arrive here with a TTL that
 * nothing has lowered (64, 128, 255) was not behind a router, and one that nearly all packets come from or go to is the host
 * that the capture was taken on. A host of which more comes with a lowered TTL than with a whole one is a NAT, seen from outside: what it
 * forwards has its address and is not its own.
 */
#include "verdict/verdict.h"

enum { ONE_SIDED_CALLS = 4 /* of fewer it may as well be the calls' fault */ };
enum { VOICE = FLOW_RTP | FLOW_RTCP | FLOW_CHECK | FLOW_DTLS };

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
static bool captures(const struct hosts *h, const struct host *x, uint64_t busiest)
{
    return passed_no_router(x) && x->packets * 5 >= h->packets * 4 && x->packets * 100 >= busiest * 97;
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
static bool infer(struct view *v, const struct hosts *h)
{
    bool told = false, capturing = false;
    uint64_t busiest = 0; /* the most packets of one host with a fresh TTL */

    for (uint32_t i = 0; i < h->pool.used; i++) {
        const struct host *x = pool_at(&h->pool, i);

        told |= x->left_here;
        if (passed_no_router(x) && x->packets > busiest)
            busiest = x->packets;
    }
    for (uint32_t i = 0; i < h->pool.used; i++)
        capturing |= captures(h, pool_at(&h->pool, i), busiest);
    for (uint32_t i = 0; i < h->pool.used; i++) {
        const struct host *x = pool_at(&h->pool, i);

        if (told ? x->left_here : capturing ? captures(h, x, busiest) : passed_no_router(x))
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

static void view_of(struct view *v, const struct track *t, const struct view_options *options, int64_t now_ns,
                    const struct hosts *h)
{
    bool sure;

    *v = (struct view){ .t = t, .options = *options, .now_ns = now_ns };
    v->voice_captured = h->contains & VOICE;
    v->media_captured = h->contains & (VOICE | FLOW_STUN_SERVER);
    if (options->locals_n && !options->several)
        return;
    v->locals_inferred = true;
    sure = infer(v, h);
    if (options->locals_n)
        given_elsewhere(v, h, sure);
}

/* Who captures on the host itself, which Linux cooked headers tell too, sees both ways. */
static bool is_one_way(const struct view *v, const struct hosts *h)
{
    bool speaks = false, hears = false;

    for (uint32_t i = 0; i < h->pool.used && !v->options.on_host && !(speaks && hears); i++) {
        const struct host *x = pool_at(&h->pool, i);

        if (x->left_here)
            return false;
        if ((x->speaks || x->hears) && view_is_local(v, &x->ip)) {
            speaks |= x->speaks;
            hears |= x->hears;
        }
    }
    return speaks != hears;
}

void view_make(struct view *v, const struct track *t, const struct view_options *options, int64_t now_ns)
{
    struct hosts h;

    hosts_init(&h);
    hosts_count_all(&h, t);
    view_of(v, t, options, now_ns, &h);
    v->one_way = is_one_way(v, &h);
    hosts_done(&h);
}

void view_make_again(struct view *v, struct hosts *h, const struct track *t, const struct view_options *options, int64_t now_ns)
{
    hosts_count_more(h, t, now_ns);
    view_of(v, t, options, now_ns, h);
    v->one_way = is_one_way(v, h);
    v->hosts = h->flows ? h : NULL;
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

bool view_sees_silence(const struct view *v)
{
    return !v->options.dropped && !view_is_one_sided(v);
}

bool view_is_one_sided(const struct view *v)
{
    return v->one_way && v->t->calls.used >= ONE_SIDED_CALLS;
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
