/*
 * Packets that the kernel or the interface lost while capturing: when that is told, and when silence stops to mean anything. What was lost
 * long ago does not excuse the silence of now, and what was lost a moment ago does, however little it is of the whole.
 */
#ifndef RW_APP_DROPS_H
#define RW_APP_DROPS_H

#include "capture/capture.h"

/* So many packets lost that what was not seen may have been there all the same: one in 200. */
static inline bool lost_too_many(uint64_t packets, uint64_t dropped)
{
    return dropped * 200 > packets;
}

#define DROPS_TOLD_EVERY_NS SECONDS(60)
#define DROPS_DOUBT_NS      SECONDS(30) /* after too many were lost, silence proves nothing for so long */

struct drops {
    uint64_t packets, dropped;           /* at the latest look */
    uint64_t told_packets, told_dropped; /* when it was told */
    int64_t told_ns, doubt_until_ns;
};

/* Once a second for each interface. True: some were lost, and it is time to tell: *packets and *dropped since it was told before. */
bool drops_look(struct drops *d, const struct capture_input *in, int64_t now_ns, uint64_t *packets, uint64_t *dropped);

#endif
