/*
 * One packet that two captures of one place both hold: overlapping files of a rotated set, or `any` beside eth0. Their clock is the
 * same host's, so that the copies are next to each other in time. What one capture itself holds twice (a mirror port) is left alone.
 */
#ifndef RW_APP_TWICE_H
#define RW_APP_TWICE_H

#include "capture/capture.h"

enum { TWICE_BYTES = 64, TWICE_TUNNEL_BYTES = 160 /* of a packet that carries another one */, TWICE_KEPT = 1 << 14 };
#define TWICE_NS (10 * NS_PER_MS) /* two captures of one host tell the time of a packet less than this apart */

struct twice;
struct twice *twice_new(void);    /* NULL without memory */
void twice_free(struct twice *t); /* NULL: nothing */

/*
 * Has another input held that packet? Told by the first bytes of the IP packet, so that it does not matter how each file frames it.
 * The input that a packet is seen in first has the say: each of its copies is a packet, and those of other inputs are not.
 */
bool twice_seen(struct twice *t, const struct frame *f);

/* What is remembered of a packet. One table's entries from `since_ns` on put into another make it see what the first would. */
struct twice_entry {
    uint64_t hash; /* 0: none */
    int64_t ns;
    unsigned input;
};
const struct twice_entry *twice_entry(const struct twice *t, size_t i); /* of TWICE_KEPT; NULL: there are no more */
void twice_put(struct twice *t, const struct twice_entry *e);

#endif
