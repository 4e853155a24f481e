/* How far the reading of long files is, on a terminal. The only place of offline work that asks for the system's time. */
#ifndef RW_APP_PROGRESS_H
#define RW_APP_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"

enum { PROGRESS_PACKETS = 65536, PROGRESS_TEXT = 192 };

struct progress {
    uint64_t next; /* packets, at which the time is looked at; UINT64_MAX: never */
    int64_t begun_ns, told_ns;
    bool shown;
};

/* Nothing is ever shown where `on` is false: standard error is no terminal. */
void progress_begin(struct progress *p, bool on);
void progress_look(struct progress *p, const struct capture *c, uint64_t packets);
void progress_end(struct progress *p); /* takes away what is shown */

/* To be called as packets are read: costs one comparison. */
static inline void progress_feed(struct progress *p, const struct capture *c, uint64_t packets)
{
    if (packets >= p->next)
        progress_look(p, c, packets);
}

/* "34 % of 12.4 GB, 81,200,000 packets, 1.9 GB/s, 4 s left". `size` 0: it is not known, as for a pipe. */
void progress_text(uint64_t read, uint64_t size, uint64_t packets, int64_t ns, char out[PROGRESS_TEXT]);

#endif
