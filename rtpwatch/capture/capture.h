/*
 * Where frames come from: capture files (pcap, pcapng) and standard input, several at once, merged by
 * time. The only part of the program that knows libpcap.
 */
#ifndef RW_CAPTURE_H
#define RW_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum { CAPTURE_INPUTS = 1024, CAPTURE_ERROR = 320 };

/* A frame's name for life: which input, and its number there, from 1, as Wireshark counts. 0 is no frame. */
static inline uint64_t frame_id(unsigned input, uint64_t number)
{
    return (uint64_t)input << 40 | number;
}
static inline unsigned frame_input(uint64_t frame)
{
    return (unsigned)(frame >> 40);
}
static inline uint64_t frame_number(uint64_t frame)
{
    return frame & (((uint64_t)1 << 40) - 1);
}

struct frame {
    int64_t ts_ns;     /* since 1970 UTC */
    uint64_t id;       /* frame_id() */
    int link;          /* libpcap's DLT_ value of its input */
    struct span bytes; /* as captured; valid until the next call */
    size_t wire;       /* length on the wire */
};

struct capture_input {
    const char *path;
    uint64_t packets, bytes; /* bytes: wire lengths */
    int64_t first_ns, last_ns;
    bool truncated;            /* ended or broke before its end; `error` says how */
    uint64_t odd_lengths;      /* records that claim more captured bytes than were on the wire */
    uint64_t dropped;          /* live, or told by the file; 0 where nothing tells */
    char error[CAPTURE_ERROR]; /* "" or what, where, what to do */
};

struct capture;

/*
 * Opens all of `paths` ("-": standard input). One that cannot be opened is marked (`truncated`, `error`, no packets) and
 * the others are read. NULL only without memory. The paths are borrowed until capture_close().
 * `filter`: a BPF expression for every input, or NULL; *bad_filter then tells (CAPTURE_ERROR bytes) and NULL is returned.
 */
struct capture *capture_open_files(const char *const *paths, size_t n, const char *filter, char *bad_filter);

/*
 * The next frames in time order, up to `n` and all of one input: as many as are in memory together, so that the bytes of all are valid
 * until the next call. Files give many at a time, a pipe what it has; what libpcap reads, such as big-endian pcap, gives one. 0 at the end
 * of all.
 */
size_t capture_batch(struct capture *c, struct frame *out, size_t n);

/* The next frame in time order; false at the end of all. */
static inline bool capture_next(struct capture *c, struct frame *out)
{
    return capture_batch(c, out, 1) == 1;
}

/* How far reading is, over all inputs. size 0: some input is a pipe, which has none. */
struct capture_extent {
    uint64_t read, size; /* bytes of the files */
};
struct capture_extent capture_extent(const struct capture *c);

/*
 * TLS secrets that pcapng files carry, as lines of an NSS key log: those that stand before the frames that were given last and were not
 * asked for yet. Valid until more frames are read.
 */
struct span capture_secrets(struct capture *c);

size_t capture_inputs(const struct capture *c);
const struct capture_input *capture_input(const struct capture *c, size_t i);
void capture_close(struct capture *c); /* NULL: nothing */

#endif
