/*
 * The records of a plain pcap file, read in large blocks and given in place. libpcap opens the file, knows its link type, and reads all
 * other kinds; its reader takes two calls to stdio a packet, which is most of what a packet of voice costs. Private to capture/.
 *
 *   seconds 4 · microseconds or nanoseconds 4 · captured length 4 · length on the wire 4 · the bytes      (all little-endian here)
 */
#ifndef RW_CAPTURE_BLOCK_H
#define RW_CAPTURE_BLOCK_H

#include <pcap/pcap.h>

#include "capture/capture.h"
#include "capture/feed.h"

/* The first byte of the two magic numbers that are read here: 0xa1b2c3d4 and 0xa1b23c4d, written by a little-endian machine. */
enum { BLOCK_MICROSECONDS = 0xd4, BLOCK_NANOSECONDS = 0x4d };

enum block_got { BLOCK_FRAME, BLOCK_END, BLOCK_BROKEN };

struct block;

/* Reads on behind the header, which libpcap has read, by `feed`, which is begun. NULL: not such a file, or no memory; libpcap reads. */
struct block *block_new(pcap_t *opened, int first_byte, struct feed *feed);
void block_free(struct block *b); /* NULL: nothing */

/* Fills ts_ns, bytes and wire of *out; the bytes are valid until the next call. On BLOCK_BROKEN block_error() says why. */
enum block_got block_next(struct block *b, struct frame *out);
/* What comes next before `due_ns` and is in memory whole, up to `n` records, filled likewise. What was given before stays valid. */
size_t block_more(struct block *b, struct frame *out, size_t n, int64_t due_ns);
const char *block_error(const struct block *b);

#endif
