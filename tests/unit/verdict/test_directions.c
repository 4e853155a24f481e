/* What one direction shows: firewalls, private addresses, mute, hold, silence and death in mid call (SPEC §3, §4). */
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

/* ---- mute ---- */

/* RTCP comes, RTP does not: the path lives and the sender sends nothing. */
Test(directions, the_webphone_is_mute)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D)->no_sr = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_SENT);
    cr_expect_eq(story_direction(s, CALLEE)->cause, CAUSE_MUTED);
    EXPECT_DIRECTION(s, CALLER, DIR_RECEIVED);
    story_free(s);
}

/* RTCP comes and says that RTP is sent; it is RTP alone that a firewall stops. */
Test(directions, the_webphone_says_that_it_sends)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

/* Silence suppression: a comfort noise packet now and then (RFC 3389), and at times none. */
Test(directions, the_webphone_sends_comfort_noise)
{
    struct story *s = a_call();
    struct act *noise;

    story_play(s, D_RTP, W_RTP, FROM_D);
    noise = story_play(s, W_RTP, D_RTP, FROM_W);
    noise->pt = 13;
    noise->every_ms = 1000;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    story_free(s);
}

/* Muted in mid call: RTP stops, RTCP goes on. */
Test(directions, the_webphone_mutes_itself)
{
    struct story *s = a_call();
    struct act *voice;

    story_play(s, D_RTP, W_RTP, FROM_D);
    voice = story_play(s, W_RTP, D_RTP, FROM_W);
    story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D);
    story_pass(s, 10 * 1000);
    voice->over = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* Silence suppression without a sign of life, and then it goes on. */
Test(directions, the_webphone_pauses)
{
    struct story *s = a_call();
    struct act *voice;

    story_play(s, D_RTP, W_RTP, FROM_D);
    voice = story_play(s, W_RTP, D_RTP, FROM_W);
    story_pass(s, 5 * 1000);
    voice->over = true;
    story_pass(s, 10 * 1000);
    voice->over = false;
    hang_up_after(s, 5);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* Neither sends: it is a failed call, and there is no reason to blame a server. */
Test(directions, nobody_sends)
{
    struct story *s = a_call();

    hang_up_after(s, 10);
    cr_expect(verdict_is_failure(story_judge(s, 0)->verdict));
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
    cr_expect_neq(story_judge(s, 0)->cause, CAUSE_BAD_CANDIDATE);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_SENT);
    story_free(s);
}

/* The dialer itself sends nothing: nobody else's fault. */
Test(directions, the_dialer_sends_nothing)
{
    struct story *s = a_call();

    story_play(s, W_RTP, D_RTP, FROM_W);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_SENT);
    cr_expect_eq(story_direction(s, CALLER)->cause, CAUSE_MUTED);
    story_free(s);
}

/* ---- death in mid call ---- */

Test(directions, the_webphone_falls_silent)
{
    struct story *s = a_call();
    struct act *voice, *report;

    story_play(s, D_RTP, W_RTP, FROM_D);
    voice = story_play(s, W_RTP, D_RTP, FROM_W);
    report = story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D);
    story_pass(s, 10 * 1000);
    voice->over = report->over = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PEER_GONE, .least = CONFIDENCE_SUSPECTED);
    cr_expect(story_direction(s, CALLEE)->stopped.frame != 0, "when it stopped is told");
    story_free(s);
}

/* It hangs up itself a little later: a party that sends BYE was not gone. */
Test(directions, the_webphone_falls_silent_and_hangs_up)
{
    struct story *s = a_call();
    struct act *voice;

    story_play(s, D_RTP, W_RTP, FROM_D);
    voice = story_play(s, W_RTP, D_RTP, FROM_W);
    story_pass(s, 10 * 1000);
    voice->over = true;
    story_pass(s, 1500);
    story_bye(s, CALLEE);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(directions, icmp_in_mid_call)
{
    struct story *s = a_call();
    struct act *voice;

    story_play(s, D_RTP, W_RTP, FROM_D);
    voice = story_play(s, W_RTP, D_RTP, FROM_W);
    story_pass(s, 10 * 1000);
    voice->over = true;
    for (unsigned i = 0; i < 10; i++) {
        story_icmp(s, W_OUT, D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
        story_pass(s, 1000);
    }
    hang_up_after(s, 5);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PORT_UNREACHABLE, .least = CONFIDENCE_LIKELY);
    cr_expect(story_direction(s, CALLEE)->stopped.frame != 0, "when it stopped is told");
    story_free(s);
}

/* The webphone still sends; what is sent to it meets a closed port. */
Test(directions, icmp_while_the_webphone_still_sends)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_pass(s, 2000);
    for (unsigned i = 0; i < 10; i++) {
        story_icmp(s, W_OUT, D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
        story_pass(s, 1000);
    }
    hang_up_after(s, 5);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PORT_UNREACHABLE, .least = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    story_free(s);
}

/* One ICMP error at the very beginning, before the other party had opened its port, and reports that come afterwards. */
Test(directions, icmp_before_the_port_was_open)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_pass(s, 100);
    story_icmp(s, W_OUT, D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The webphone closed its port with its BYE, and D's last packets were under way. */
Test(directions, icmp_after_the_bye)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_pass(s, 10 * 1000);
    story_request(s, CALLEE, SIP_BYE, NULL);
    for (unsigned i = 0; i < 5; i++)
        story_icmp(s, W_OUT, D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
    story_hush(s);
    story_reply(s, 200, NULL);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* A firewall that answers: administratively prohibited. */
Test(directions, icmp_prohibited)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    for (unsigned i = 0; i < 10; i++) {
        story_icmp(s, "198.51.100.1", D_RTP, W_RTP, ICMP_ADMIN_PROHIBITED);
        story_pass(s, 1000);
    }
    hang_up_after(s, 5);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED);
    story_free(s);
}

/* ---- what silence proves ---- */

Test(directions, silence_in_a_capture_with_drops)
{
    struct story *s = a_call();

    s->options.dropped = true;
    story_play(s, D_RTP, W_RTP, FROM_D);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    EXPECT_DIRECTION(s, CALLEE, DIR_UNKNOWN);
    cr_expect_not_null(strstr(story_direction(s, CALLEE)->why, "lost packets"));
    story_free(s);
}

/* Drops weaken silence, not what was seen. */
Test(directions, both_are_heard_in_a_capture_with_drops)
{
    struct story *s = a_call();

    s->options.dropped = true;
    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* ... nor does it hide a death that only silence tells. */
Test(directions, falling_silent_in_a_capture_with_drops)
{
    struct story *s = a_call();
    struct act *voice;

    s->options.dropped = true;
    story_play(s, D_RTP, W_RTP, FROM_D);
    voice = story_play(s, W_RTP, D_RTP, FROM_W);
    story_pass(s, 10 * 1000);
    voice->over = true;
    hang_up_after(s, 20);
    cr_expect(!verdict_is_failure(story_judge(s, 0)->verdict), "silence alone proves nothing here");
    story_free(s);
}

Test(directions, the_capture_ends_right_after_the_answer)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_pass(s, 1000);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
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
