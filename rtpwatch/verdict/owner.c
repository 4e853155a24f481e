#include "verdict/owner.h"

#include <stdlib.h>

#include "verdict/verdict_private.h"

#define LATE_NS                                                                                                                  \
    SECONDS(32) /* what still comes after a call's end is the call's: as long as its BYE may be under way (RFC 3261 §17.1.2.2) */
enum { FIRST_ROOM = 256, CLAIMS_LOOKED_AT = 64 };

static void put(struct owners *o, const struct socket *k, const struct call *c, struct span_of_time when)
{
    struct ownership *more;

    if (o->failed)
        return;
    if (o->n == o->room) {
        size_t room = o->room ? o->room * 2 : FIRST_ROOM;

        more = realloc(o->list, room * sizeof *more);
        if (!more) {
            o->failed = true;
            return;
        }
        o->list = more;
        o->room = room;
    }
    o->list[o->n++] = (struct ownership){ k, c, when.from_ns, when.to_ns };
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

static void own_call(struct owners *o, const struct view *v, const struct call *c)
{
    bool from_start = c->kind != SESSION_SIP || c->seen_from_start;
    int64_t end = c->ended.frame ? c->ended.ns + LATE_NS : INT64_MAX;

    for (const struct sdp_fact *f = c->sdps; f; f = f->next)
        own_description(o, v, c, f, (struct span_of_time){ from_start ? c->started.ns : INT64_MIN, end });
}

static int by_socket(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct ownership *)a)->socket, y = (uintptr_t)((const struct ownership *)b)->socket;

    return (x > y) - (x < y);
}

void owners_make(struct owners *o, const struct view *v, const struct unsignalled *u)
{
    *o = (struct owners){ 0 };
    for (uint32_t i = 0; i < v->t->calls.used; i++)
        own_call(o, v, track_call_at(v->t, i));
    for (uint32_t i = 0; i < u->calls.used; i++)
        own_call(o, v, pool_at(&u->calls, i));
    if (o->n)
        qsort(o->list, o->n, sizeof *o->list, by_socket);
}

bool owners_at(const struct owners *o, const struct socket *k, int64_t first_ns, int64_t last_ns, const struct call *but)
{
    size_t low = 0, high = o->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if ((uintptr_t)o->list[middle].socket < (uintptr_t)k)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < o->n && o->list[low].socket == k; low++)
        if (o->list[low].call != but && first_ns <= o->list[low].to_ns && last_ns >= o->list[low].from_ns)
            return true;
    return false;
}

bool owners_have(const struct owners *o, const struct view *v, const struct flow *f, int64_t first_ns, int64_t last_ns)
{
    return o->failed || owners_at(o, track_socket(v->t, f->src_socket), first_ns, last_ns, NULL) ||
           owners_at(o, track_socket(v->t, f->dst_socket), first_ns, last_ns, NULL);
}

void owners_done(struct owners *o)
{
    free(o->list);
    *o = (struct owners){ 0 };
}
