/* What one direction shows: firewalls, private addresses, and NATs that change their mind (SPEC §3, §4). */
#include <criterion/criterion.h>

#include "support/story.h"

#define D_RTCP D_HOST ":10001"
#define W_RTCP W_OUT ":40001"

enum { FROM_D = 1, FROM_W = 2 }; /* SSRCs */

/* A call between D and W whose addresses are right, up to its answer; without ICE. */
static struct story *a_call(void)
{
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    return s;
}

static void hang_up_after(struct story *s, unsigned seconds)
{
    story_pass(s, seconds * 1000);
    story_bye(s, CALLER);
}

/* ---- healthy ---- */

Test(directions, both_are_heard)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D);
    story_report(s, D_RTCP, W_RTCP, FROM_D, FROM_W);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLER, DIR_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    cr_expect_geq(story_direction(s, CALLEE)->received, 990);
    story_free(s);
}

/* No RTCP at all: that the other party's media comes from where ours goes is weak evidence, and enough. */
Test(directions, both_flow_and_nobody_reports)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect(*story_direction(s, CALLER)->why != '\0');
    story_free(s);
}

Test(directions, both_are_heard_over_ipv6)
{
    struct story *s = story_new("2001:db8:1::10");

    story_call(s, "call-1@v6", "[2001:db8:1::10]:5060", "[2001:db8:60::1]:5060");
    story_up(s, SAYS("[2001:db8:1::10]:10000"), SAYS("[2001:db8:2::20]:40000"));
    story_play(s, "[2001:db8:1::10]:10000", "[2001:db8:2::20]:40000", FROM_D);
    story_play(s, "[2001:db8:2::20]:40000", "[2001:db8:1::10]:10000", FROM_W);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(directions, both_are_heard_in_one_private_network)
{
    struct story *s = story_new(D_HOST);

    story_call(s, "call-1@lan", D_HOST ":5060", "172.31.16.20:5060");
    story_up(s, SAYS(D_RTP), SAYS("172.31.16.20:40000"));
    story_play(s, D_RTP, "172.31.16.20:40000", FROM_D);
    story_play(s, "172.31.16.20:40000", D_RTP, FROM_W);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* ---- a firewall ---- */

Test(directions, a_firewall_keeps_the_webphones_media_out)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED, .most = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

/* SRTCP: nothing but RC = 0 can be read, and it is enough (RFC 3711 §3.4 leaves the first eight bytes in the clear). */
Test(directions, a_firewall_keeps_the_dialers_media_out)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_report(s, W_RTCP, D_RTCP, FROM_W, 0)->srtcp = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED, .most = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    story_free(s);
}

Test(directions, srtcp_with_report_blocks)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D)->srtcp = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* Blocks about a stream that D does not send, and never one about D's: the receiver hears somebody else. */
Test(directions, reports_that_never_mention_the_stream)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_report(s, W_RTCP, D_RTCP, FROM_W, 0xbadbad);
    hang_up_after(s, 30);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED, .most = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    story_free(s);
}

/* RTCP on the RTP port (RFC 5761) says the same. */
Test(directions, empty_reports_on_the_rtp_port)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_report(s, W_RTP, D_RTP, FROM_W, 0);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED, .most = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    story_free(s);
}

/* One report without a block may have been sent before the first packet came (RFC 3550 §6.4.1). */
Test(directions, one_early_report_without_a_block)
{
    struct story *s = a_call();
    struct act *report;

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    report = story_report(s, W_RTCP, D_RTCP, FROM_W, 0);
    story_pass(s, 4000);
    report->about = FROM_D;
    hang_up_after(s, 16);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(directions, reports_stop_advancing)
{
    struct story *s = a_call();
    struct act *report;

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    report = story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D);
    story_pass(s, 15 * 1000);
    report->frozen = true;
    hang_up_after(s, 30);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED, .most = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    cr_expect(story_direction(s, CALLER)->stopped.frame != 0, "when it stopped is told");
    story_free(s);
}

/* The reports stop advancing because the sender stopped sending. */
Test(directions, reports_stop_advancing_with_the_stream)
{
    struct story *s = a_call();
    struct act *report, *out = story_play(s, D_RTP, W_RTP, FROM_D);

    story_play(s, W_RTP, D_RTP, FROM_W);
    report = story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D);
    story_pass(s, 15 * 1000);
    report->frozen = true;
    out->over = true;
    hang_up_after(s, 20);
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
    EXPECT_DIRECTION(s, CALLER, DIR_RECEIVED);
    story_free(s);
}

/* ---- private addresses ---- */

Test(directions, the_webphone_advertises_a_private_address)
{
    struct story *s = story_new(D_HOST);

    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP_HOME));
    story_play(s, D_RTP, W_RTP_HOME, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PRIVATE_ADDRESS, .least = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    story_free(s);
}

Test(directions, the_webphone_advertises_a_private_address_and_the_dialer_latches)
{
    struct story *s = story_new(D_HOST);

    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP_HOME));
    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(directions, the_dialer_advertises_a_private_address)
{
    struct story *s = story_new(D_HOST);

    story_up(s, SAYS(D_RTP), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, FROM_D);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PRIVATE_ADDRESS, .least = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

/* ---- NATs that change their mind ---- */

Test(directions, the_webphones_nat_rebinds)
{
    struct story *s = a_call();
    struct act *voice;

    story_play(s, D_RTP, W_RTP, FROM_D);
    voice = story_play(s, W_RTP, D_RTP, FROM_W);
    story_pass(s, 10 * 1000);
    voice->from.port = 40999;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_UNADVERTISED_DESTINATION, .least = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    story_free(s);
}

Test(directions, the_webphones_nat_rebinds_and_the_dialer_follows)
{
    struct story *s = a_call();
    struct act *voice, *out = story_play(s, D_RTP, W_RTP, FROM_D);

    voice = story_play(s, W_RTP, D_RTP, FROM_W);
    story_pass(s, 10 * 1000);
    voice->from.port = 40999;
    story_pass(s, 200);
    story_turn(out, W_OUT ":40999");
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* RTP goes to a place that nobody named, and the webphone hears nothing. */
Test(directions, media_goes_where_nobody_is)
{
    struct story *s = a_call();

    story_play(s, D_RTP, STRANGER ":5555", FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_report(s, W_RTCP, D_RTCP, FROM_W, 0);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_UNADVERTISED_DESTINATION, .least = CONFIDENCE_SUSPECTED);
    story_free(s);
}

/* The webphone's NAT has several outside addresses (RFC 4787 §4.1): its server may be honest, so nothing is proven. */
Test(directions, the_webphones_nat_has_a_pool)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, "198.51.100.21:40000", D_RTP, FROM_W);
    story_report(s, "198.51.100.21:40001", D_RTCP, FROM_W, 0);
    hang_up_after(s, 20);
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
    cr_expect_leq(story_judge(s, 0)->confidence, CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    story_free(s);
}

/* Without ICE and behind a symmetric NAT: the port that its server saw is not the one that D sees. */
Test(directions, the_webphones_nat_is_symmetric)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_OUT ":51000", D_RTP, FROM_W);
    story_report(s, W_OUT ":51001", D_RTCP, FROM_W, 0);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_SYMMETRIC_NAT, .least = CONFIDENCE_SUSPECTED);
    story_free(s);
}
