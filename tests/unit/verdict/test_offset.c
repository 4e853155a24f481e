/* How far two clocks are apart, from packets that both saw. */
#include "verdict/offset.h"

#include <criterion/criterion.h>

#include "support/story.h"

#define WAY_MS 30 /* from one place to the other */

static struct story *d, *w;
static struct offset found;

static void setup(void)
{
    d = story_new(D_HOST);
    w = story_new(W_HOME);
    story_call(w, "call-1@dialer", PROXY ":5060", W_HOME ":5060");
}

static void teardown(void)
{
    story_free(d);
    story_free(w);
}

TestSuite(offset, .init = setup, .fini = teardown);

static void ahead(int64_t ms)
{
    w->now_ns += ms * NS_PER_MS;
}

/* Now at one place, and a way's delay later at the other. */
static void from_d(uint32_t ssrc)
{
    story_play(d, D_RTP, W_RTP, ssrc);
    story_play(w, D_RTP_OUT, W_RTP_HOME, ssrc)->next_ns += WAY_MS * NS_PER_MS;
}

static void from_w(uint32_t ssrc)
{
    story_play(w, W_RTP_HOME, D_RTP_OUT, ssrc);
    story_play(d, W_RTP, D_RTP, ssrc)->next_ns += WAY_MS * NS_PER_MS;
}

static void estimate(void)
{
    story_pass(d, 1000);
    story_pass(w, 1000);
    view_make(&d->view, d->track, &d->options, d->now_ns);
    view_make(&w->view, w->track, &w->options, w->now_ns);
    offset_estimate(&d->view, &w->view, &found);
}

static int64_t error_ms(int64_t truth_ms)
{
    int64_t off = found.ns - truth_ms * NS_PER_MS;

    return (off < 0 ? -off : off) / NS_PER_MS;
}

Test(offset, nothing_in_common)
{
    story_play(d, D_RTP, W_RTP, 1);
    story_play(w, D_RTP_OUT, W_RTP_HOME, 2);
    estimate();
    cr_expect(!found.known);
    cr_expect(!offset_counts(&found));
}

/* The way's delay falls out where packets go both ways. */
Test(offset, both_ways)
{
    ahead(3200);
    from_d(1);
    from_w(2);
    estimate();
    cr_expect(found.known);
    cr_expect(found.bounded);
    cr_expect_eq(found.pairs, 2);
    cr_expect_leq(error_ms(3200), 20, "%lld", (long long)found.ns);
    cr_expect_geq(found.within_ns, 10 * (int64_t)NS_PER_MS);
    cr_expect(offset_counts(&found));
}

Test(offset, behind)
{
    ahead(-3200);
    from_d(1);
    from_w(2);
    estimate();
    cr_expect_leq(error_ms(-3200), 20);
    cr_expect(offset_counts(&found));
}

Test(offset, clocks_that_agree)
{
    from_d(1);
    from_w(2);
    estimate();
    cr_expect(found.known);
    cr_expect_leq(error_ms(0), 20);
    cr_expect(!offset_counts(&found));
}

/* One way alone: the delay is part of it, so a small one is no offset. */
Test(offset, one_way)
{
    ahead(3200);
    from_d(1);
    estimate();
    cr_expect(found.known);
    cr_expect(!found.bounded);
    cr_expect_leq(error_ms(3200), 60);
    cr_expect(offset_counts(&found));
}

Test(offset, one_way_and_a_delay)
{
    from_d(1);
    estimate();
    cr_expect(found.known);
    cr_expect(!offset_counts(&found), "the way takes that long");
}

/* A load generator gives all its calls one SSRC and plays one file: which packet is which is not known. */
Test(offset, one_ssrc_in_two_calls)
{
    ahead(3200);
    from_d(1);
    story_play(d, D_HOST ":10002", W_OUT ":40002", 1);
    estimate();
    cr_expect(!found.known);
}

/* Between the two nobody is local: what the other place knows of the way is enough. */
Test(offset, a_place_between)
{
    w->here = ADDR_NONE;
    ahead(3200);
    story_play(d, D_RTP, W_RTP, 1);
    story_play(w, D_RTP_OUT, W_RTP, 1)->next_ns += WAY_MS * NS_PER_MS;
    story_play(d, W_RTP, D_RTP, 2)->next_ns += WAY_MS * NS_PER_MS;
    story_play(w, W_RTP, D_RTP_OUT, 2);
    estimate();
    cr_expect(found.bounded);
    cr_expect_leq(error_ms(3200), 20);
}

/* SIP alone: the call never had media. */
Test(offset, of_signalling)
{
    ahead(3200);
    story_up(d, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    estimate();
    cr_expect(found.bounded);
    cr_expect_eq(found.pairs, 2, "the offer and the answer");
    cr_expect_leq(error_ms(3200), 20);
}

/* A proxy that takes half a second to route a call tells less than RTP does. */
Test(offset, of_slow_signalling_and_media)
{
    ahead(3200);
    story_request(d, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    story_pass(d, 1500);
    story_pass(w, 1500);
    ahead(500);
    story_request(w, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    ahead(-500);
    from_d(1);
    from_w(2);
    estimate();
    cr_expect_eq(found.pairs, 2);
    cr_expect_leq(error_ms(3200), 20);
}

/* A question that both saw pass, with its answer: both ways at once. */
Test(offset, of_a_stun_transaction)
{
    d->here = ADDR_NONE; /* outside W's NAT */
    ahead(3200);
    story_stun(d, &(struct asks){ W_RTP, HONEST, .mapped = W_RTP });
    story_stun(w, &(struct asks){ W_RTP_HOME, HONEST, .mapped = W_RTP });
    estimate();
    cr_expect_eq(found.pairs, 2);
    cr_expect(found.bounded);
    cr_expect_leq(error_ms(3200), 20);
}
