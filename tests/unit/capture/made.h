/* Capture files made by hand for the tests of capture/. */
#ifndef RW_TESTS_CAPTURE_MADE_H
#define RW_TESTS_CAPTURE_MADE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/capture.h"

enum { ROOM = 200000, PATH = 64, ETHERNET = 1, RAW_IN_FILES = 101, RAW = 12, SLL = 113 };

/* A file in the making. */
struct made {
    bool big; /* byte order */
    size_t n;
    uint8_t v[ROOM];
};

static inline void put8(struct made *m, unsigned v)
{
    cr_assert_lt(m->n, ROOM);
    m->v[m->n++] = (uint8_t)v;
}

static inline void put_int(struct made *m, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        put8(m, (unsigned)(v >> 8 * (m->big ? bytes - 1 - i : i)) & 0xff);
}

static inline void put16(struct made *m, unsigned v)
{
    put_int(m, v, 2);
}

static inline void put32(struct made *m, uint32_t v)
{
    put_int(m, v, 4);
}

static inline void put_many(struct made *m, unsigned v, size_t n)
{
    while (n--)
        put8(m, v);
}

static inline void pcap_header(struct made *m, uint32_t magic, unsigned link)
{
    put32(m, magic);
    put16(m, 2);
    put16(m, 4);
    put32(m, 0);
    put32(m, 0);
    put32(m, 65535);
    put32(m, link);
}

/* A record of `n` bytes, all of them `fill`. */
static inline void pcap_record(struct made *m, uint32_t s, uint32_t fraction, unsigned fill, uint32_t n, uint32_t wire)
{
    put32(m, s);
    put32(m, fraction);
    put32(m, n);
    put32(m, wire);
    put_many(m, fill, n);
}

enum { US = (int)0xa1b2c3d4, NS = (int)0xa1b23c4d };

/* Begins a block and returns where, for block_end(). */
static inline size_t block(struct made *m, uint32_t type)
{
    put32(m, type);
    put32(m, 0);
    return m->n - 8;
}

static inline void block_end(struct made *m, size_t at)
{
    uint32_t length;

    put_many(m, 0, (4 - m->n % 4) % 4);
    length = (uint32_t)(m->n - at + 4);
    put32(m, length);
    memcpy(m->v + at + 4, m->v + m->n - 4, 4);
}

static inline void section(struct made *m)
{
    size_t at = block(m, 0x0a0d0d0a);

    put32(m, 0x1a2b3c4d);
    put16(m, 1);
    put16(m, 0);
    put_int(m, UINT64_MAX, 8);
    block_end(m, at);
}

static inline void option(struct made *m, unsigned code, uint64_t value, unsigned n)
{
    put16(m, code);
    put16(m, n);
    put_int(m, value, n);
    put_many(m, 0, (4 - n % 4) % 4);
}

/* `resolution` 0: not told, microseconds. */
static inline void interface(struct made *m, unsigned link, unsigned resolution, int64_t offset)
{
    size_t at = block(m, 1);

    put16(m, link);
    put16(m, 0);
    put32(m, 0);
    if (resolution)
        option(m, 9, resolution, 1);
    if (offset)
        option(m, 14, (uint64_t)offset, 8);
    option(m, 0, 0, 0);
    block_end(m, at);
}

static inline void packet(struct made *m, unsigned id, uint64_t time, unsigned fill, uint32_t n, uint32_t wire)
{
    size_t at = block(m, 6);

    put32(m, id);
    put32(m, (uint32_t)(time >> 32));
    put32(m, (uint32_t)time);
    put32(m, n);
    put32(m, wire);
    put_many(m, fill, n);
    block_end(m, at);
}

/* Writes the file and gives its name. */
static inline void save(const void *bytes, size_t n, char path[PATH])
{
    int fd;

    snprintf(path, PATH, "/tmp/rtpwatch-test-XXXXXX");
    fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static inline struct capture *open_bytes(const void *bytes, size_t n)
{
    static char path[PATH];
    const char *paths[] = { path };
    struct capture *c;

    save(bytes, n, path);
    c = capture_open_files(paths, 1, NULL, NULL);
    cr_assert_not_null(c);
    unlink(path);
    return c;
}

static inline struct capture *open_made(const struct made *m)
{
    return open_bytes(m->v, m->n);
}

static inline void expect_frame(struct capture *c, uint64_t id, int64_t ts_ns, unsigned fill)
{
    struct frame f;

    cr_assert(capture_next(c, &f), "frame %lu", (unsigned long)id);
    cr_expect_eq(f.id, id, "frame %lu, not %lu", (unsigned long)f.id, (unsigned long)id);
    cr_expect_eq(f.ts_ns, ts_ns, "time %ld, not %ld", (long)f.ts_ns, (long)ts_ns);
    cr_expect(f.bytes.n && f.bytes.p[0] == fill && f.bytes.p[f.bytes.n - 1] == fill);
}

static inline void expect_end(struct capture *c)
{
    struct frame f;

    cr_expect_not(capture_next(c, &f));
    cr_expect_not(capture_next(c, &f));
}

static inline bool says(const struct capture *c, size_t i, const char *words)
{
    return strstr(capture_input(c, i)->error, words) != NULL;
}

static inline void expect_refused(const void *bytes, size_t n, const char *words)
{
    struct capture *c = open_bytes(bytes, n);

    expect_end(c);
    cr_expect(capture_input(c, 0)->truncated);
    cr_expect(says(c, 0, words), "%s", capture_input(c, 0)->error);
    capture_close(c);
}

#endif
