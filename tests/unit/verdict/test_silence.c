/* What silence means: a mute, a death in mid call, or nothing at all (SPEC §3, §4). */
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

/* ---- mute ---- */

/* RTCP comes, RTP does not: the path lives and the sender sends nothing. */
Test(silence, the_webphone_is_mute)
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
Test(silence, the_webphone_says_that_it_sends)
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
Test(silence, the_webphone_sends_comfort_noise)
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
Test(silence, the_webphone_mutes_itself)
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
Test(silence, the_webphone_pauses)
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
Test(silence, nobody_sends)
{
    struct story *s = a_call();

    hang_up_after(s, 10);
    cr_expect(verdict_is_failure(story_judge(s, 0)->verdict));
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
    cr_expect_eq(story_judge(s, 0)->cause, CAUSE_UNKNOWN, "a filter may have kept it out: no path is accused");
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_SENT);
    story_free(s);
}

/* The same, where others' media is seen. */
Test(silence, nobody_sends_but_others_do)
{
    struct story *s = a_call();

    story_play(s, D_HOST ":20000", "198.51.100.99:30000", 77);
    hang_up_after(s, 10);
    cr_expect_eq(story_judge(s, 0)->cause, CAUSE_PATH_BLOCKED);
    story_free(s);
}

/* The dialer sends reports and no media: muted. */
Test(silence, the_dialer_is_mute)
{
    struct story *s = a_call();

    story_play(s, W_RTP, D_RTP, FROM_W);
    story_report(s, D_RTCP, W_RTCP, FROM_D, FROM_W)->no_sr = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_SENT);
    cr_expect_eq(story_direction(s, CALLER)->cause, CAUSE_MUTED);
    story_free(s);
}

/* The dialer sends nothing at all, not even reports: nothing proves its path alive, and nobody else is to blame. */
Test(silence, the_dialer_sends_nothing)
{
    struct story *s = a_call();

    story_play(s, W_RTP, D_RTP, FROM_W);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_UNKNOWN);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_SENT);
    story_free(s);
}

/* ---- death in mid call ---- */

Test(silence, the_webphone_falls_silent)
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
Test(silence, the_webphone_falls_silent_and_hangs_up)
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

Test(silence, icmp_in_mid_call)
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

/* A router says that the webphone is not there: it tells nothing of its port. */
Test(silence, icmp_host_unreachable_in_mid_call)
{
    struct story *s = a_call();
    struct act *voice;

    story_play(s, D_RTP, W_RTP, FROM_D);
    voice = story_play(s, W_RTP, D_RTP, FROM_W);
    story_pass(s, 10 * 1000);
    voice->over = true;
    for (unsigned i = 0; i < 10; i++) {
        story_icmp(s, W_OUT, D_RTP, W_RTP, ICMP_HOST_UNREACHABLE);
        story_pass(s, 1000);
    }
    hang_up_after(s, 5);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PEER_GONE, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY);
    story_free(s);
}

/* The webphone still sends; what is sent to it meets a closed port. */
Test(silence, icmp_while_the_webphone_still_sends)
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
Test(silence, icmp_before_the_port_was_open)
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

/* The same in a call that is put on hold, or moved by a PBX, after five seconds: no report tells that the port is open. */
Test(silence, icmp_before_the_port_was_open_and_soon_on_hold)
{
    struct story *s = a_call();
    struct act *voice = story_play(s, D_RTP, W_RTP, FROM_D);

    story_pass(s, 100);
    story_icmp(s, W_OUT, D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_pass(s, 4800);
    story_reinvite(s, CALLEE, SAYS(W_RTP, .dir = SDP_SENDONLY), SAYS(D_RTP_OUT, .dir = SDP_RECVONLY));
    voice->over = true;
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The webphone closed its port with its BYE, and D's last packets were under way. */
Test(silence, icmp_after_the_bye)
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

/* The webphone opened its socket a moment after the first packets came. */
Test(silence, icmp_only_at_the_very_beginning)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_icmp(s, W_OUT, D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
    story_pass(s, 200);
    story_play(s, W_RTP, D_RTP, FROM_W);
    story_icmp(s, W_OUT, D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
    hang_up_after(s, 12);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* A firewall that answers: administratively prohibited. */
Test(silence, icmp_prohibited)
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

Test(silence, silence_in_a_capture_with_drops)
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
Test(silence, both_are_heard_in_a_capture_with_drops)
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
Test(silence, falling_silent_in_a_capture_with_drops)
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

Test(silence, the_capture_ends_right_after_the_answer)
{
    struct story *s = a_call();

    story_play(s, D_RTP, W_RTP, FROM_D);
    story_pass(s, 1000);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}
