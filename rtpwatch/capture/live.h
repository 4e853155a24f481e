/*
 * Frames from network interfaces, as they pass. With libpcap's ring of packets that the kernel fills (TPACKET_V3 on Linux), never in
 * immediate mode, and voice cut to its headers before it is copied (prefilter.h).
 *
 * An interface that goes away or down is no end: it is tried again each second, and what was missed meanwhile is told as an outage.
 */
#ifndef RW_CAPTURE_LIVE_H
#define RW_CAPTURE_LIVE_H

#include "base/addr.h"
#include "capture/capture.h"

enum {
    LIVE_INTERFACES = 16,
    LIVE_FRAMES = 32,               /* at a time */
    LIVE_BUFFER_DEFAULT = 32 << 20, /* bytes; libpcap's own 2 MiB last for 14 ms of a million packets a second */
    LIVE_ADDRESSES = 64,
};

struct live_options {
    const char *const *interfaces; /* names, or "any"; borrowed */
    size_t n;
    const char *filter;  /* a BPF expression, NULL: none; borrowed */
    size_t buffer_bytes; /* of each interface's ring; 0: LIVE_BUFFER_DEFAULT */
    bool full_packets;   /* voice is copied too */
    bool promiscuous;
};

struct live;

/*
 * Opens all interfaces. NULL, and *error says which and why, where one cannot be captured at all (no such interface, not allowed, a
 * bad filter) or without memory. One that exists and is down is waited for.
 */
struct live *live_open(const struct live_options *o, char error[CAPTURE_ERROR]);
void live_close(struct live *l); /* NULL: nothing */

/* Descriptors to wait on until frames may be there; returns how many (at most LIVE_INTERFACES). They change with live_tend(). */
size_t live_descriptors(const struct live *l, int fds[LIVE_INTERFACES]);

/*
 * Gives the frames that wait, in the order in which each interface had them, at most `most` of each; returns how many. `each` is given up
 * to LIVE_FRAMES of one interface at a time, as many as are short; their bytes are valid within it.
 */
size_t live_read(struct live *l, size_t most, void (*each)(void *self, const struct frame *f, size_t n), void *self);

/* What has happened to an interface since the last look. */
enum live_change { LIVE_SAME, LIVE_WENT, LIVE_CAME_BACK };

/*
 * Reads the drop counters and tries lost interfaces again; call it about once a second. `told` is called for each interface that went
 * or came back, with a sentence.
 */
void live_tend(struct live *l, void (*told)(void *self, size_t interface, enum live_change change, const char *text), void *self);

size_t live_inputs(const struct live *l);
const struct capture_input *live_input(const struct live *l, size_t i); /* `dropped`: by the kernel's ring and by the interface */
/* Addresses of the interfaces that are captured (of all the host's where "any" is); returns how many. */
size_t live_addresses(const struct live *l, struct addr out[LIVE_ADDRESSES]);
/* Writes one line for each interface that can be captured, for -D. False: *error says why. */
bool live_list(void (*line)(void *self, const char *text), void *self, char error[CAPTURE_ERROR]);

#endif
