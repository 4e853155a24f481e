/*
 * The one way bytes are written that rd.h reads: in network order, into room that the caller gives. What does not fit is left out, and
 * `full` says so.
 */
#ifndef RW_BASE_WR_H
#define RW_BASE_WR_H

#include "base/span.h"

struct wr {
    uint8_t *p;
    size_t n, room;
    bool full;
};

static inline struct wr wr_init(uint8_t *room, size_t n)
{
    return (struct wr){ .p = room, .room = n };
}

static inline void wr_span(struct wr *w, struct span s)
{
    w->full |= s.n > w->room - w->n;
    if (w->full || !s.n)
        return;
    memcpy(w->p + w->n, s.p, s.n);
    w->n += s.n;
}

/* The lowest `bytes` bytes of `v`, at most 8. */
static inline void wr_uint(struct wr *w, uint64_t v, size_t bytes)
{
    w->full |= bytes > w->room - w->n;
    for (size_t i = bytes; !w->full && i-- > 0;)
        w->p[w->n++] = (uint8_t)(v >> 8 * i);
}

static inline struct span wr_done(const struct wr *w)
{
    return (struct span){ w->p, w->n };
}

#endif
