/*
 * Packet time, the only clock: nanoseconds since 1970 UTC. It never goes back; a packet older than
 * the newest one is counted and judged at the newest time.
 */
#ifndef RW_BASE_CLOCK_H
#define RW_BASE_CLOCK_H

#include <stdint.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };
#define SECONDS(n) ((int64_t)(n)*NS_PER_S)

struct clock {
    int64_t now_ns;
    uint64_t back; /* packets older than the newest */
};

static inline int64_t clock_feed(struct clock *c, int64_t ts_ns)
{
    if (ts_ns < c->now_ns) {
        c->back++;
        return c->now_ns;
    }
    return c->now_ns = ts_ns;
}

#endif
