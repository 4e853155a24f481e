/*
 * How much each host sent and received, for view.c. Who makes a view every second keeps them from one to the next: then only the flows that
 * had packets in between are looked at.
 */
#ifndef RW_VERDICT_HOSTS_H
#define RW_VERDICT_HOSTS_H

#include "base/hmap.h"
#include "track/track.h"

struct host {
    struct addr ip;
    uint64_t packets;     /* from and to it */
    uint64_t fresh, worn; /* from it: with a whole TTL, and with a lowered one */
    bool left_here;
    bool speaks, hears; /* something other than SIP leaves it, comes to it */
};

enum { HOSTS_LATEST_BITS = 6 };

struct hosts {
    struct pool pool; /* of struct host, in the order in which flows name them */
    struct hmap by_ip;
    struct host *latest[1 << HOSTS_LATEST_BITS]; /* most flows are of a host that was just met */
    uint64_t packets;
    unsigned contains; /* of all flows: enum flow_content */
    /* Of each flow what is counted already; and the flows that may have more. Both empty where nothing is kept. */
    struct flow_counted {
        struct host *src, *dst; /* NULL: it counts for nobody */
        uint32_t packets;
        bool awake;
    } * flow;
    uint32_t flows, flows_room;
    uint32_t *awake;
    uint32_t awake_n, awake_room;
    uint32_t wakes_from; /* of the track's, those before are known */
};

void hosts_init(struct hosts *h);
void hosts_done(struct hosts *h);
/* `h` is fresh: counts all flows, once. */
void hosts_count_all(struct hosts *h, const struct track *t);
/*
 * Counts what came since the last time; the same as if all were counted anew, and as much work where the track notes no wakes. Slots
 * must be the same as before: else hosts_done() and hosts_init() first. `now_ns`: no packet will come that is older by more than
 * TRACK_LATE_NS, unless the track is told so.
 */
void hosts_count_more(struct hosts *h, const struct track *t, int64_t now_ns);

#endif
