/*
 * The system's clock set anew while packets are captured, or a host that slept: what was heard a moment ago then looks long silent. For a
 * while silence proves nothing.
 */
#ifndef RW_APP_LEAP_H
#define RW_APP_LEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define LEAP_NS       SECONDS(10) /* more than a full ring of packets that are read late */
#define LEAP_DOUBT_NS SECONDS(60) /* as long as the notebook is not made smaller either */

enum leapt { LEAP_NONE, LEAP_AHEAD, LEAP_BACK };

struct leap {
    int64_t now_ns, steady_ns; /* at the latest look; 0: none yet */
    int64_t doubt_until_ns;
    bool behind; /* told that the clock stands behind packets that were seen */
};

/*
 * At every look at the time, before anything is judged. `now_ns`: packet time, which never goes back; `steady_ns`: of a clock that nobody
 * sets and that stops while the host sleeps; `wall_ns`: the system's. What it returns is told once.
 */
enum leapt leap_look(struct leap *l, int64_t now_ns, int64_t steady_ns, int64_t wall_ns);

static inline bool leap_doubts(const struct leap *l, int64_t now_ns)
{
    return l->behind || now_ns < l->doubt_until_ns;
}

#endif
