#include "capture/block.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

/* A record larger than BLOCK_RECORD is none: libpcap's own limit for the captured length. */
enum { BLOCK_RECORD = 262144, BLOCK_HEADER = 16 };

struct block {
    struct feed *feed;
    int64_t fraction_ns;
    size_t snap; /* the file's: longer records are cut to it, as libpcap does */
    char error[128];
};

struct block *block_new(pcap_t *opened, int first_byte, struct feed *feed)
{
    struct block *b;

    if ((first_byte != BLOCK_MICROSECONDS && first_byte != BLOCK_NANOSECONDS) || pcap_major_version(opened) != 2 ||
        pcap_minor_version(opened) != 4)
        return NULL; /* older ones have the two lengths the other way round */
    b = malloc(sizeof *b);
    if (!b)
        return NULL;
    *b = (struct block){ .feed = feed,
                         .fraction_ns = first_byte == BLOCK_MICROSECONDS ? NS_PER_US : 1,
                         .snap = (size_t)pcap_snapshot(opened) };
    if (feed_begin(feed, pcap_file(opened), EOF))
        return b;
    free(b);
    return NULL;
}

void block_free(struct block *b)
{
    free(b);
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* The record that comes next, which is in memory whole. */
static void record_read(const struct block *b, size_t captured, struct frame *out)
{
    const uint8_t *h = feed_at(b->feed);

    out->ts_ns = (int64_t)le32(h) * NS_PER_S + (int64_t)le32(h + 4) * b->fraction_ns;
    out->wire = le32(h + 12);
    out->bytes = (struct span){ h + BLOCK_HEADER, captured < b->snap ? captured : b->snap };
}

size_t block_more(struct block *b, struct frame *out, size_t n, int64_t due_ns)
{
    struct feed *f = b->feed;
    size_t got = 0, captured;

    for (; got < n && feed_left(f) >= BLOCK_HEADER; f->at += BLOCK_HEADER + captured, got++) {
        captured = le32(feed_at(f) + 8);
        if (captured > BLOCK_RECORD || feed_left(f) - BLOCK_HEADER < captured)
            break; /* for block_next(), which reads on or tells what is broken */
        record_read(b, captured, &out[got]);
        if (out[got].ts_ns >= due_ns)
            break;
    }
    return got;
}

static enum block_got broken(struct block *b, const char *what, size_t wanted, size_t got)
{
    if (b->feed->error)
        snprintf(b->error, sizeof b->error, "the file cannot be read on");
    else
        snprintf(b->error, sizeof b->error, "%s: %zu bytes wanted, %zu there", what, wanted, got);
    return BLOCK_BROKEN;
}

enum block_got block_next(struct block *b, struct frame *out)
{
    struct feed *f = b->feed;
    size_t captured;

    if (!feed_have(f, BLOCK_HEADER)) {
        if (feed_left(f) == 0 && !f->error)
            return BLOCK_END;
        return broken(b, "the file ends inside a record's header", BLOCK_HEADER, feed_left(f));
    }
    captured = le32(feed_at(f) + 8);
    if (captured > BLOCK_RECORD) {
        snprintf(b->error, sizeof b->error, "a record is larger than any packet: %zu bytes", captured);
        return BLOCK_BROKEN;
    }
    if (!feed_have(f, BLOCK_HEADER + captured))
        return broken(b, "the file ends inside a record", captured, feed_left(f) - BLOCK_HEADER);
    record_read(b, captured, out);
    f->at += BLOCK_HEADER + captured;
    return BLOCK_FRAME;
}

const char *block_error(const struct block *b)
{
    return b->error;
}
