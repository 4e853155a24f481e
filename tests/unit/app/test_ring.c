/* ring.c: the latest frames are there, whole and in order, whatever their sizes; the oldest are gone. */
#include "app/ring.h"

#include <criterion/criterion.h>

enum { ROOM = 4096, LARGEST = 3000 };

static uint8_t bytes[LARGEST];

static void add(struct ring *r, uint64_t number, size_t n)
{
    memset(bytes, (int)(number & 0xff), n);
    ring_add(r, &(struct frame){ .ts_ns = (int64_t)number, .id = number, .link = 1, .bytes = { bytes, n }, .wire = n + 9 },
             number);
}

Test(ring, wraps_round_at_every_size)
{
    for (size_t base = 0; base < 300; base++) {
        struct ring r;
        uint64_t newest = 0, at = 0, last = 0, there = 0;
        struct ring_frame *f;

        cr_assert(ring_init(&r, ROOM));
        for (unsigned i = 0; i < 200; i++)
            add(&r, ++newest, base + i % 7);
        for (; (f = ring_at(&r, &at)) != NULL; at += f->size, there++) {
            struct frame frame = ring_frame(f);

            cr_assert(!last || f->order == last + 1, "%zu bytes: %llu after %llu", base, (unsigned long long)f->order,
                      (unsigned long long)last);
            last = f->order;
            cr_assert_eq(frame.bytes.n, base + (last - 1) % 7);
            cr_assert_eq(frame.wire, frame.bytes.n + 9);
            for (size_t k = 0; k < frame.bytes.n; k++)
                cr_assert_eq(frame.bytes.p[k], last & 0xff);
        }
        cr_assert_eq(last, newest);
        cr_assert_eq(r.gone + there, newest);
        cr_assert_gt(there * (base + 7 + sizeof *f + 8), ROOM / 2, "it holds about what there is room for");
        ring_done(&r);
    }
}

Test(ring, one_that_has_gone_is_told_from_one_that_is_there)
{
    struct ring r;
    uint64_t first = 0, at;

    cr_assert(ring_init(&r, ROOM));
    cr_expect_null(ring_at(&r, &first));
    for (uint64_t i = 1; i < 100; i++)
        add(&r, i, 200);
    at = first;
    cr_expect_gt(ring_at(&r, &at)->id, 1);
    cr_expect_gt(at, first);
    ring_done(&r);
}

Test(ring, too_large_for_it)
{
    struct ring r;
    uint64_t at = 0;

    cr_assert(ring_init(&r, ROOM));
    add(&r, 1, 10);
    add(&r, 2, LARGEST);
    add(&r, 3, 10);
    cr_expect_eq(r.refused, 1);
    cr_expect_eq(ring_at(&r, &at)->id, 1);
    ring_done(&r);
}
