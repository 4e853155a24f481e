/* What the index leaves out of a long list is what need not be looked at, and nothing else. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/story.h"
#include "verdict/flow_index.h"

enum { FLOWS = 700, LONG_ONES = 5 };

static struct story *s;
static struct flow_index x;

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void packet(unsigned i, bool out)
{
    char far[32];
    struct datagram d;

    snprintf(far, sizeof far, "198.51.100.%u:%u", 1 + i % 200, 20000 + i);
    (void)story_packet(s, out ? D_RTP : far, out ? far : D_RTP, 100, &d);
}

/* One address that talks to others, one after the other, and to a few of them again and again. */
static void setup(void)
{
    uint32_t state = 2463534242u;

    s = story_new(D_HOST);
    for (unsigned i = 0; i < FLOWS; i++) {
        story_pass(s, 1000);
        packet(i, i % 2);
        if (next_random(&state) % 4 == 0)
            packet(i - next_random(&state) % (i + 1), true);
        for (unsigned k = 0; i % 50 == 0 && k < LONG_ONES; k++)
            packet(k * 20, k % 2);
    }
    x = (struct flow_index){ .t = s->track };
}

static void teardown(void)
{
    flow_index_done(&x);
    story_free(s);
}

TestSuite(flow_index, .init = setup, .fini = teardown);

static uint32_t head(bool out)
{
    const struct socket *k = track_socket(s->track, 0);

    for (uint32_t i = 0; i < s->track->sockets.used; i++) /* the one with the longest list */
        if (track_socket(s->track, i)->addr.port == 10000)
            k = track_socket(s->track, i);
    return out ? k->flows_out : k->flows_in;
}

/* Each flow with a packet at `ns` or later is met, in the order of the list. Gives how many were met. */
static unsigned met_since(bool out, int64_t ns)
{
    uint32_t all = head(out), some = head(out);
    unsigned met = 0;

    for (const struct flow *f; (f = track_flow_at(s->track, all)) != NULL; all = flow_older(f, out)) {
        if (f->packets.last.ns < ns)
            continue;
        for (; some != all; met++) {
            cr_assert_neq(some, POOL_NONE);
            some = flow_index_since(&x, track_flow_at(s->track, some), out, ns);
        }
    }
    for (; some != POOL_NONE; met++)
        some = flow_index_since(&x, track_flow_at(s->track, some), out, ns);
    return met;
}

Test(flow_index, nothing_that_lasts_is_left_out)
{
    for (unsigned out = 0; out < 2; out++)
        for (int64_t ago = 0; ago <= FLOWS; ago += 7)
            (void)met_since(out, s->now_ns - SECONDS(ago));
}

Test(flow_index, what_ended_before_is_left_out)
{
    unsigned all = met_since(false, INT64_MIN), some = met_since(false, s->now_ns - SECONDS(20));

    cr_assert_gt(all, FLOWS / 2 - 1);
    cr_expect_lt(some, 120u, "20 that last, and the way to them: %u of %u", some, all);
}

Test(flow_index, the_first_that_began_before)
{
    for (unsigned out = 0; out < 2; out++)
        for (int64_t ago = 0; ago <= FLOWS + 10; ago += 3) {
            int64_t ns = s->now_ns - SECONDS(ago);
            uint32_t plain = head(out), quick = head(out);
            const struct flow *f;
            unsigned steps = 0;

            while ((f = track_flow_at(s->track, plain)) != NULL && f->packets.first.ns >= ns)
                plain = flow_older(f, out);
            for (; (f = track_flow_at(s->track, quick)) != NULL && f->packets.first.ns >= ns; steps++)
                quick = flow_index_before(&x, f, out, ns);
            cr_assert_eq(quick, plain);
            cr_expect_leq(steps, 30u, "%u", steps);
        }
}

Test(flow_index, is_made_once_it_is_asked)
{
    struct flow_index other = { .t = s->track };

    flow_index_done(&other);
    cr_assert_null(other.leap[true]);
    (void)flow_index_since(&other, track_flow_at(s->track, head(true)), true, s->now_ns);
    cr_expect(other.leap[true] && !other.leap[false]);
    flow_index_done(&other);
    flow_index_done(&other);
}
