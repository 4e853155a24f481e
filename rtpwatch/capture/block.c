#include "capture/block.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"

/* A record larger than BLOCK_RECORD is none: libpcap's own limit for the captured length. */
enum { BLOCK_BYTES = 512 * 1024, BLOCK_RECORD = 262144, BLOCK_HEADER = 16 };

struct block {
    FILE *f; /* libpcap's, and closed by it */
    int64_t fraction_ns;
    size_t snap;    /* the file's: longer records are cut to it, as libpcap does */
    size_t at, end; /* what is not given yet */
    char error[128];
    uint8_t bytes[BLOCK_BYTES];
};

struct block *block_new(pcap_t *opened, int first_byte)
{
    struct block *b;
    struct stat s;

    if (fstat(fileno(pcap_file(opened)), &s) != 0 || !S_ISREG(s.st_mode))
        return NULL; /* a pipe gives what it has when it has it: a block would wait to be full */
    if ((first_byte != BLOCK_MICROSECONDS && first_byte != BLOCK_NANOSECONDS) || pcap_major_version(opened) != 2 ||
        pcap_minor_version(opened) != 4)
        return NULL; /* older ones have the two lengths the other way round */
    b = malloc(sizeof *b);
    if (!b)
        return NULL;
    b->f = pcap_file(opened);
    b->fraction_ns = first_byte == BLOCK_MICROSECONDS ? NS_PER_US : 1;
    b->snap = (size_t)pcap_snapshot(opened);
    b->at = b->end = 0;
    b->error[0] = 0;
    return b;
}

void block_free(struct block *b)
{
    free(b);
}

/* Makes `n` bytes stand at b->at, if the file has so many. */
static bool have(struct block *b, size_t n)
{
    if (b->end - b->at >= n)
        return true;
    memmove(b->bytes, b->bytes + b->at, b->end - b->at);
    b->end -= b->at;
    b->at = 0;
    b->end += fread(b->bytes + b->end, 1, BLOCK_BYTES - b->end, b->f);
    return b->end >= n;
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* The record at b->at, which is in memory whole. */
static void record_read(const struct block *b, size_t captured, struct frame *out)
{
    const uint8_t *h = b->bytes + b->at;

    out->ts_ns = (int64_t)le32(h) * NS_PER_S + (int64_t)le32(h + 4) * b->fraction_ns;
    out->wire = le32(h + 12);
    out->bytes = (struct span){ h + BLOCK_HEADER, captured < b->snap ? captured : b->snap };
}

size_t block_more(struct block *b, struct frame *out, size_t n, int64_t due_ns)
{
    size_t got = 0, captured;

    for (; got < n && b->end - b->at >= BLOCK_HEADER; b->at += BLOCK_HEADER + captured, got++) {
        captured = le32(b->bytes + b->at + 8);
        if (captured > BLOCK_RECORD || b->end - b->at - BLOCK_HEADER < captured)
            break; /* for block_next(), which reads on or tells what is broken */
        record_read(b, captured, &out[got]);
        if (out[got].ts_ns >= due_ns)
            break;
    }
    return got;
}

static enum block_got broken(struct block *b, const char *what, size_t wanted, size_t got)
{
    if (ferror(b->f))
        snprintf(b->error, sizeof b->error, "the file cannot be read on");
    else
        snprintf(b->error, sizeof b->error, "%s: %zu bytes wanted, %zu there", what, wanted, got);
    return BLOCK_BROKEN;
}

enum block_got block_next(struct block *b, struct frame *out)
{
    size_t captured;

    if (!have(b, BLOCK_HEADER)) {
        if (b->end == b->at && !ferror(b->f))
            return BLOCK_END;
        return broken(b, "the file ends inside a record's header", BLOCK_HEADER, b->end - b->at);
    }
    captured = le32(b->bytes + b->at + 8);
    if (captured > BLOCK_RECORD) {
        snprintf(b->error, sizeof b->error, "a record is larger than any packet: %zu bytes", captured);
        return BLOCK_BROKEN;
    }
    if (!have(b, BLOCK_HEADER + captured))
        return broken(b, "the file ends inside a record", captured, b->end - b->at - BLOCK_HEADER);
    record_read(b, captured, out);
    b->at += BLOCK_HEADER + captured;
    return BLOCK_FRAME;
}

const char *block_error(const struct block *b)
{
    return b->error;
}
