/* Packets lost while capturing: when they are told, and for how long silence proves nothing. */
#include <criterion/criterion.h>

#include "app/drops.h"
#include "base/clock.h"

struct watching {
    struct drops d;
    struct capture_input in;
    int64_t now_ns;
    uint64_t packets, dropped;
};

static bool second(struct watching *w, uint64_t packets, uint64_t dropped)
{
    w->in.packets += packets;
    w->in.dropped += dropped;
    w->now_ns += NS_PER_S;
    return drops_look(&w->d, &w->in, w->now_ns, &w->packets, &w->dropped);
}

Test(drops, nothing_is_lost)
{
    struct watching w = { .now_ns = SECONDS(1000) };

    for (unsigned i = 0; i < 100; i++)
        cr_expect(!second(&w, 1000, 0));
    cr_expect_eq(w.d.doubt_until_ns, 0);
}

/* Told at once, then once a minute, each packet once. */
Test(drops, told)
{
    struct watching w = { .now_ns = SECONDS(1000) };
    uint64_t told = 0;
    unsigned times = 0;

    second(&w, 1000, 0);
    cr_expect(second(&w, 1000, 3));
    cr_expect(w.packets == 2000 && w.dropped == 3);
    for (unsigned i = 0; i < 119; i++)
        if (second(&w, 1000, 1)) {
            times++;
            told += w.dropped;
        }
    cr_expect_eq(times, 1);
    cr_expect_eq(told, 60);
}

/* A few of the whole, and yet all of one second. */
Test(drops, doubt_lasts_a_while)
{
    struct watching w = { .now_ns = SECONDS(1000) };

    for (unsigned i = 0; i < 1000; i++)
        second(&w, 1000, 0);
    second(&w, 100, 50);
    cr_expect(!lost_too_many(w.in.packets, w.in.dropped));
    for (unsigned i = 0; i < 29; i++)
        second(&w, 1000, 0);
    cr_expect_gt(w.d.doubt_until_ns, w.now_ns);
    second(&w, 1000, 0);
    second(&w, 1000, 0);
    cr_expect_lt(w.d.doubt_until_ns, w.now_ns);
}

/* One packet in 200 is the bound (SPEC §3). */
Test(drops, the_bound)
{
    cr_expect(!lost_too_many(200, 1));
    cr_expect(lost_too_many(199, 1));
    cr_expect(!lost_too_many(0, 0));
}
