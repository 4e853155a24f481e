#include "verdict/flow_index.h"

#include <stdlib.h>

static uint32_t older(const struct flow *f, bool out)
{
    return out ? f->next_out : f->next_in;
}

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
    uint32_t next = older(f, out);
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

bool flow_index_make(struct flow_index *x, const struct track *t)
{
    for (unsigned out = 0; out < 2; out++) {
        x->leap[out] = malloc((t->flows.used + 1u) * sizeof *x->leap[out]);
        for (uint32_t i = 0; x->leap[out] && i < t->flows.used; i++)
            x->leap[out][i] = leap_of(x->leap[out], track_flow_at(t, i), i, out);
    }
    return x->leap[0] && x->leap[1];
}

void flow_index_done(struct flow_index *x)
{
    free(x->leap[0]);
    free(x->leap[1]);
    *x = (struct flow_index){ 0 };
}

uint32_t flow_index_before(const struct flow_index *x, const struct track *t, const struct flow *f, bool out, int64_t ns)
{
    uint32_t to = x->leap[out][f->slot].to;
    const struct flow *far = track_flow_at(t, to);

    return far && far->packets.first.ns >= ns ? to : older(f, out);
}

uint32_t flow_index_since(const struct flow_index *x, const struct flow *f, bool out, int64_t ns)
{
    const struct flow_leap *leap = &x->leap[out][f->slot];

    return leap->last_ns < ns ? leap->to : older(f, out);
}
