/*
 * Voice of known streams allocates nothing, from the file to the facts. The linker puts the functions below in the place of the C
 * library's (--wrap), so that every call of rtpwatch's own code is counted.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app/pipeline.h"
#include "support/rtp_frames.h"

enum { STREAMS = 300, KNOWN = 20, ROUNDS = 60, HEADER = 24, RECORD_HEADER = 16 };

static uint64_t calls;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__real_mmap(void *at, size_t n, int allowed, int flags, int fd, off_t from);
int __real_mprotect(void *p, size_t n, int allowed);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);
void *__wrap_mmap(void *at, size_t n, int allowed, int flags, int fd, off_t from);
int __wrap_mprotect(void *p, size_t n, int allowed);

void *__wrap_malloc(size_t n)
{
    calls++;
    return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    calls++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    calls++;
    return __real_realloc(p, n);
}

void *__wrap_mmap(void *at, size_t n, int allowed, int flags, int fd, off_t from)
{
    calls++;
    return __real_mmap(at, n, allowed, flags, fd, from);
}

int __wrap_mprotect(void *p, size_t n, int allowed)
{
    calls++;
    return __real_mprotect(p, n, allowed);
}

void __wrap_free(void *p)
{
    calls++;
    __real_free(p);
}

/* All numbers of the file's header and of its records are little-endian. */
static void put32(FILE *f, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        putc((int)(v >> 8 * i & 0xff), f);
}

static void write_capture(const char *path)
{
    FILE *f = fopen(path, "wb");
    uint8_t bytes[RTP_FRAME];

    cr_assert_not_null(f);
    put32(f, 0xa1b2c3d4);
    put32(f, 4 << 16 | 2);
    put32(f, 0);
    put32(f, 0);
    put32(f, 65535);
    put32(f, RTP_FRAME_ETHERNET);
    for (uint32_t i = 0; i < STREAMS * ROUNDS; i++) {
        struct frame made = rtp_frame(bytes, i % STREAMS, i / STREAMS, i + 1);

        put32(f, (uint32_t)(made.ts_ns / NS_PER_S));
        put32(f, (uint32_t)(made.ts_ns % NS_PER_S / NS_PER_US));
        put32(f, RTP_FRAME);
        put32(f, RTP_FRAME);
        cr_assert_eq(fwrite(bytes, 1, RTP_FRAME, f), RTP_FRAME);
    }
    fclose(f);
}

/* The calls that reading and recording all of the file made, once the first KNOWN packets of each stream had been, up to its end. */
static uint64_t calls_for_known(struct capture *c, struct pipeline *p)
{
    struct frame frame[PIPELINE_FRAMES];
    uint64_t before = 0, after = 0;
    size_t n;

    while ((n = capture_batch(c, frame, PIPELINE_FRAMES)) > 0) {
        pipeline_frames(p, frame, n);
        if (p->packets <= STREAMS * KNOWN)
            before = calls;
        after = calls;
    }
    return after - before;
}

Test(allocations, none_for_voice_of_known_streams)
{
    char path[] = "/tmp/rtpwatch-test-XXXXXX";
    const char *paths[] = { path };
    struct pipeline *p = pipeline_new();
    struct capture *c;
    int fd = mkstemp(path);

    cr_assert(fd >= 0 && p);
    close(fd);
    write_capture(path);
    c = capture_open_files(paths, 1, NULL, NULL);
    cr_assert_not_null(c);
    cr_expect_gt(calls, 0, "calls are counted");
    cr_expect_eq(calls_for_known(c, p), 0);
    pipeline_finish(p);
    cr_expect_eq(p->done[DONE_RTP], STREAMS * ROUNDS);
    cr_expect_eq(p->track->streams.used, STREAMS);
    capture_close(c);
    pipeline_free(p);
    unlink(path);
}
