/*
 * The latest frames, in a bounded run of memory. Adding one is a copy; the oldest go to make room. A frame is named by its position, which
 * only grows, so that one that has gone is told from one that is there.
 */
#ifndef RW_APP_RING_H
#define RW_APP_RING_H

#include "capture/dump.h"

struct ring_frame {
    int64_t ts_ns;
    uint64_t id, order; /* order: the caller's, for several rings */
    size_t size;        /* of the whole record */
    size_t wire, n;     /* n: captured bytes */
    struct kept keep;   /* of them; none: not wanted */
    int link;
    bool filler, written;
    uint8_t bytes[];
};

struct ring {
    uint8_t *bytes;
    size_t room;
    uint64_t head, tail; /* positions: of the next frame, of the oldest */
    uint64_t gone;       /* frames that made room */
    uint64_t refused;    /* frames too large for it */
};

bool ring_init(struct ring *r, size_t bytes); /* false without memory */
void ring_done(struct ring *r);
void ring_add(struct ring *r, const struct frame *f, uint64_t order);
/* The first frame at or behind *at, which moves to it; NULL: there is none. */
struct ring_frame *ring_at(const struct ring *r, uint64_t *at);
struct frame ring_frame(const struct ring_frame *f); /* as it was; its bytes are the ring's */

#endif
