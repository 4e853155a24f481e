#include "verdict/flow_index.h"

#include <stdlib.h>

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static uint32_t depth_of(const struct flow_leap *leap, uint32_t slot)
{
    return slot == POOL_NONE ? 0 : leap[slot].depth;
}

/* Two leaps of one length that follow each other are made one. Slots are given in order, so the older ones of the list are known. */
static struct flow_leap leap_of(const struct flow_leap *leap, const struct flow *f, uint32_t slot, bool out)
{
    uint32_t next = flow_older(f, out);
    struct flow_leap one = { next < slot ? next : POOL_NONE, 1, f->packets.last.ns };
    const struct flow_leap *first = one.to == POOL_NONE ? NULL : &leap[one.to];
    const struct flow_leap *second = first && first->to != POOL_NONE ? &leap[first->to] : NULL;

    if (first)
        one.depth = first->depth + 1;
    if (!second || first->depth - second->depth != second->depth - depth_of(leap, second->to))
        return one;
    one.to = second->to;
    one.last_ns = later(one.last_ns, later(first->last_ns, second->last_ns));
    return one;
}

static struct flow_leap *leaps_make(const struct track *t, bool out)
{
    struct flow_leap *leap = calloc(t->flows.used + 1u, sizeof *leap);

    for (uint32_t i = 0; leap && i < t->flows.used; i++)
        leap[i] = leap_of(leap, track_flow_at(t, i), i, out);
    return leap;
}

/* NULL: without memory. */
static const struct flow_leap *leap_from(struct flow_index *x, const struct flow *f, bool out)
{
    if (!x->leap[out] && !x->failed[out]) {
        x->leap[out] = leaps_make(x->t, out);
        x->failed[out] = !x->leap[out];
    }
    return x->leap[out] ? &x->leap[out][f->slot] : NULL;
}

void flow_index_done(struct flow_index *x)
{
    free(x->leap[0]);
    free(x->leap[1]);
    *x = (struct flow_index){ .t = x->t };
}

uint32_t flow_index_before(struct flow_index *x, const struct flow *f, bool out, int64_t ns)
{
    const struct flow_leap *leap = leap_from(x, f, out);
    const struct flow *far = leap ? track_flow_at(x->t, leap->to) : NULL;

    return far && far->packets.first.ns >= ns ? leap->to : flow_older(f, out);
}

uint32_t flow_index_since(struct flow_index *x, const struct flow *f, bool out, int64_t ns)
{
    const struct flow_leap *leap = leap_from(x, f, out);

    return leap && leap->last_ns < ns ? leap->to : flow_older(f, out);
}
