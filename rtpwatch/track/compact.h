/*
 * Makes room in a notebook that is written for days: what no session that lasts, or has just ended, can need is given up, and the rest is
 * moved together. Private to track/; track_compact() is in track.h.
 */
#ifndef RW_TRACK_COMPACT_H
#define RW_TRACK_COMPACT_H

#include <stddef.h>
#include <string.h>

#include "track/track.h"

/* One for each pool of a track whose records name others. The order is that in which the pools are swept. */
#define COMPACT_POOLS(X)                                                                                                         \
    X(sockets)                                                                                                                   \
    X(flows)                                                                                                                     \
    X(streams)                                                                                                                   \
    X(stream_ids)                                                                                                                \
    X(rtcps)                                                                                                                     \
    X(abouts)                                                                                                                    \
    X(icmps)                                                                                                                     \
    X(checks)                                                                                                                    \
    X(restarts)                                                                                                                  \
    X(stun_txs)                                                                                                                  \
    X(servers)                                                                                                                   \
    X(allocs)                                                                                                                    \
    X(turn_peers)                                                                                                                \
    X(dtls)                                                                                                                      \
    X(dtls_joins)                                                                                                                \
    X(certificates)                                                                                                              \
    X(names)                                                                                                                     \
    X(outsides)                                                                                                                  \
    X(conns)                                                                                                                     \
    X(passwords)                                                                                                                 \
    X(calls)

/* Of each pool what stays, by slot, and then where it is. */
struct sweep {
    struct track *t;
    int64_t now_ns;
    int64_t *named_ns;      /* of each socket, since when the earliest call that stays has named it; INT64_MAX: none has */
    uint32_t *asked_before; /* of each socket, how many old answers stay though they are from before those calls */
#define X(name) bool *keep_##name;
    COMPACT_POOLS(X)
#undef X
#define X(name) uint32_t *to_##name;
    COMPACT_POOLS(X)
#undef X
};

/* The first slot of a list, from `slot` on, that stays. `next`: where in a record the number of the next one stands. */
static inline uint32_t compact_staying(const struct pool *p, const bool *keep, uint32_t slot, size_t next)
{
    while (slot != POOL_NONE && !keep[slot])
        memcpy(&slot, (const uint8_t *)pool_at(p, slot) + next, sizeof slot);
    return slot;
}

#define COMPACT_STAYING(s, pool, slot, type, next)                                                                               \
    compact_staying(&(s)->t->pool, (s)->keep_##pool, slot, offsetof(struct type, next))

bool compact_mark(struct sweep *s); /* compact_mark.c: sets what stays. False without memory */
/* compact_give_up.c: marks what calls that go leave behind. The calls that stay are known. False without memory. */
bool compact_give_up(const struct sweep *s);

#endif
