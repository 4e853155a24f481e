/*
 * The pcapng file format (draft-ietf-opsawg-pcapng), private to capture/. All pcapng files go through this reader, not only those
 * that libpcap refuses (several link types in one file): one way to read a format is simpler than two, and libpcap tells
 * nothing of the interface statistics, which say how many packets the capture lost.
 */
#ifndef RW_CAPTURE_PCAPNG_H
#define RW_CAPTURE_PCAPNG_H

#include "capture/capture.h"
#include "capture/feed.h"
#include "capture/secrets.h"

enum { PCAPNG_FIRST_BYTE = 0x0a };

enum pcapng_got { PCAPNG_FRAME, PCAPNG_END, PCAPNG_BROKEN };

struct pcapng;

/* Borrows both, the feed begun; NULL without memory. */
struct pcapng *pcapng_new(struct feed *f, struct secrets *secrets);
void pcapng_free(struct pcapng *p); /* NULL: nothing */

/* Fills all of *out but its id; the bytes are valid until the next call. On PCAPNG_BROKEN pcapng_error() says why, and there is nothing
 * more to read. */
enum pcapng_got pcapng_next(struct pcapng *p, struct frame *out);
/* The enhanced packet blocks that come next before `due_ns` and are in memory whole, up to `n`, filled likewise. What was given before
 * stays valid. */
size_t pcapng_more(struct pcapng *p, struct frame *out, size_t n, int64_t due_ns);
const char *pcapng_error(const struct pcapng *p);
uint64_t pcapng_dropped(const struct pcapng *p); /* as the statistics read so far tell */

#endif
