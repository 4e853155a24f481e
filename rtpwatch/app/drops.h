/*
 * Packets that the kernel or the interface lost while capturing: when that is told, and when silence stops to mean anything. What was lost
 * long ago does not excuse the silence of now, and what was lost a moment ago does, however little it is of the whole.
 */
#ifndef RW_APP_DROPS_H
#define RW_APP_DROPS_H

#include "capture/capture.h"

#define DROPS_TOLD_EVERY_NS SECONDS(10)
#define DROPS_DOUBT_NS      SECONDS(30) /* after too many were lost, silence proves nothing for so long */

struct drops {
    uint64_t packets, dropped; /* at the latest look */
    uint64_t told;             /* of `dropped`, what was told */
    int64_t told_ns, doubt_until_ns;
};

/* Once a second for each interface. True: *more have been lost since they were last told, and are to be told. */
bool drops_look(struct drops *d, const struct capture_input *in, int64_t now_ns, uint64_t *more);

#endif
