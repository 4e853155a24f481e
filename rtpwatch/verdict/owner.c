#include "verdict/owner.h"

#include <stdlib.h>

#include "verdict/unsignalled_private.h"

#define LATE_NS                                                                                                                  \
    SECONDS(32) /* what still comes after a call's end is the call's: as long as its BYE may be under way (RFC 3261 §17.1.2.2) */
enum { FIRST_ROOM = 256, CLAIMS_LOOKED_AT = 64 };

static uint64_t place_hash(const struct socket *k)
{
    return (uintptr_t)k * 0x9e3779b97f4a7c15u;
}

static bool socket_eq(const void *self, uint32_t slot, const void *key)
{
    return ((const struct owners *)self)->list[slot].socket == key;
}

static uint32_t first_of(const struct owners *o, const struct socket *k)
{
    uint32_t slot = hmap_find(&o->by_socket, place_hash(k), socket_eq, o, k);

    return slot == HMAP_NONE ? POOL_NONE : slot;
}

static bool has_room(struct owners *o)
{
    uint32_t room = o->room ? o->room * 2 : FIRST_ROOM;
    struct ownership *more;

    if (o->n < o->room)
        return true;
    more = o->room < POOL_NONE / 2 ? realloc(o->list, room * sizeof *more) : NULL;
    if (!more)
        return false;
    o->list = more;
    o->room = room;
    return true;
}

/* Its descriptions name the same sockets again and again; what the call owns, it owns all the time. */
static void put(struct owners *o, const struct socket *k, const struct call *c, struct span_of_time when)
{
    uint32_t first = first_of(o, k), second = first == POOL_NONE ? POOL_NONE : o->list[first].next;
    uint32_t latest = second == POOL_NONE ? first : second;

    if (o->failed || (latest != POOL_NONE && o->list[latest].call == c))
        return;
    if (!has_room(o) || (first == POOL_NONE && !hmap_put(&o->by_socket, place_hash(k), o->n))) {
        o->failed = true;
        return;
    }
    o->list[o->n] = (struct ownership){ k, c, when.from_ns, when.to_ns, second, 0 };
    if (first == POOL_NONE)
        first = o->n;
    else
        o->list[first].next = o->n;
    o->list[first].n++;
    o->n++;
}

/* The address, and the sockets that STUN servers told it to. */
static void own(struct owners *o, const struct view *v, const struct call *c, const struct addr *a, struct span_of_time when)
{
    const struct socket *k = addr_usable(a) ? track_find_socket(v->t, a) : NULL;
    const struct stun_tx *x;
    unsigned steps = 0;

    if (!k)
        return;
    put(o, k, c, when);
    for (uint32_t i = k->claimed; steps++ < CLAIMS_LOOKED_AT && (x = track_tx_at(v->t, i)) != NULL; i = x->next_claimed)
        if (x->answer.ns <= when.to_ns)
            put(o, track_socket(v->t, x->socket), c, when);
}

static void own_description(struct owners *o, const struct view *v, const struct call *c, const struct sdp_fact *f,
                            struct span_of_time when)
{
    for (size_t i = 0; i < f->medias; i++) {
        struct addr beside = addr_with_port(f->from, f->media[i].addr.port); /* the sender's own, behind a NAT */

        own(o, v, c, &f->media[i].addr, when);
        own(o, v, c, &beside, when);
    }
    for (size_t i = 0; i < f->cands; i++) {
        own(o, v, c, &f->cand[i].addr, when);
        own(o, v, c, &f->cand[i].raddr, when);
    }
}

static int64_t beginning_of(const struct call *c)
{
    return c->kind != SESSION_SIP || c->seen_from_start ? c->started.ns : INT64_MIN;
}

static int64_t end_of(const struct call *c)
{
    return c->ended.frame ? c->ended.ns + LATE_NS : INT64_MAX;
}

static void own_call(struct owners *o, const struct view *v, const struct call *c)
{
    for (const struct sdp_fact *f = c->sdps; f; f = f->next)
        own_description(o, v, c, f, (struct span_of_time){ beginning_of(c), end_of(c) });
}

void owners_make(struct owners *o, const struct view *v, const struct unsignalled *u)
{
    *o = (struct owners){ 0 };
    for (uint32_t i = 0; i < v->t->calls.used; i++)
        own_call(o, v, track_call_at(v->t, i));
    for (uint32_t i = 0; i < u->calls.used; i++)
        own_call(o, v, pool_at(&u->calls, i));
}

static bool any_of(const struct owners *o, uint32_t first, int64_t first_ns, int64_t last_ns, const struct call *but)
{
    for (uint32_t i = first; i != POOL_NONE; i = o->list[i].next)
        if (o->list[i].call != but && first_ns <= o->list[i].to_ns && last_ns >= o->list[i].from_ns)
            return true;
    return false;
}

bool owners_at(const struct owners *o, const struct socket *k, int64_t first_ns, int64_t last_ns, const struct call *but)
{
    return any_of(o, first_of(o, k), first_ns, last_ns, but);
}

/* A media server's one address may have very many owners, and whoever it talks to has few: these are asked first. */
bool owners_have(const struct owners *o, const struct view *v, const struct flow *f, int64_t first_ns, int64_t last_ns)
{
    uint32_t src = first_of(o, track_socket(v->t, f->src_socket)), dst = first_of(o, track_socket(v->t, f->dst_socket));
    bool dst_first = src != POOL_NONE && dst != POOL_NONE && o->list[dst].n < o->list[src].n;

    return o->failed || any_of(o, dst_first ? dst : src, first_ns, last_ns, NULL) ||
           any_of(o, dst_first ? src : dst, first_ns, last_ns, NULL);
}

void owners_done(struct owners *o)
{
    free(o->list);
    hmap_done(&o->by_socket);
    *o = (struct owners){ 0 };
}

/* ---- the quick question ---- */

/* The call that described that socket last, if it lasted at some time between the two. */
static bool described_then(const struct track *t, uint32_t socket, int64_t first_ns, int64_t last_ns)
{
    const struct call *c = pool_get(&t->calls, track_socket(t, socket)->described_in);

    return c && first_ns <= end_of(c) && last_ns >= beginning_of(c);
}

bool may_be_unsignalled(const struct view *v, const struct flow *f, int64_t since_ns)
{
    const struct check *c = track_check_at(v->t, f->checks);
    const struct stream *s;
    unsigned steps = 0;

    if (c && unsignalled_check(v->t, c))
        return true;
    /* What is behind the newest ones gets no packets any more. */
    for (uint32_t i = f->streams; steps++ < TRACK_STREAMS_PER_FLOW && (s = track_stream_at(v->t, i)) != NULL; i = s->next) {
        bool owned = described_then(v->t, f->src_socket, s->packets.first.ns, s->packets.last.ns) ||
                     described_then(v->t, f->dst_socket, s->packets.first.ns, s->packets.last.ns);

        if (s->believed && !s->given_up && !owned && s->packets.last.ns >= since_ns)
            return true;
    }
    return false;
}
