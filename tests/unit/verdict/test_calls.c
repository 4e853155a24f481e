/* The life of a call: what is not expected to have media, descriptions that change in mid call, and calls seen in part (SPEC §4). */
#include <criterion/criterion.h>

#include "support/story.h"

static struct story *a_story(void)
{
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    return s;
}

/* A call in which both have talked for ten seconds. */
static struct story *a_good_call(struct act **voice_of_d, struct act **voice_of_w)
{
    struct story *s = a_story();

    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    *voice_of_d = story_play(s, D_RTP, W_RTP, 1);
    *voice_of_w = story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    return s;
}

static void hang_up_after(struct story *s, unsigned seconds)
{
    story_pass(s, seconds * 1000);
    story_bye(s, CALLER);
}

/* ---- calls without an answer ---- */

Test(calls, ringing_only)
{
    struct story *s = a_story();

    story_request(s, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    story_reply(s, 180, NULL);
    story_pass(s, 30 * 1000);
    EXPECT(s, .verdict = VERDICT_NOT_EXPECTED);
    story_free(s);
}

Test(calls, cancelled)
{
    struct story *s = a_story();

    story_request(s, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    story_reply(s, 180, NULL);
    story_pass(s, 8 * 1000);
    story_request(s, CALLER, SIP_CANCEL, NULL);
    story_reply(s, 487, NULL);
    EXPECT(s, .verdict = VERDICT_NOT_EXPECTED);
    cr_expect(s->found->call->cancelled);
    story_free(s);
}

Test(calls, busy)
{
    struct story *s = a_story();

    story_request(s, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    story_reply(s, 486, NULL);
    story_request(s, CALLER, SIP_ACK, NULL);
    story_pass(s, 5 * 1000);
    EXPECT(s, .verdict = VERDICT_NOT_EXPECTED);
    story_free(s);
}

/* The ringing tone comes as media, and then the call is refused: what the callee did not hear was not asked for. */
Test(calls, early_media_then_busy)
{
    struct story *s = a_story();

    story_request(s, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    story_reply(s, 183, SAYS(W_RTP));
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 8 * 1000);
    story_hush(s);
    story_reply(s, 486, NULL);
    EXPECT(s, .verdict = VERDICT_NOT_EXPECTED);
    story_free(s);
}

/* One way while it rings is how early media is; from the answer on both flow. */
Test(calls, early_media_then_answered)
{
    struct story *s = a_story();

    story_request(s, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    story_reply(s, 183, SAYS(W_RTP));
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 8 * 1000);
    story_reply(s, 200, SAYS(W_RTP));
    story_request(s, CALLER, SIP_ACK, NULL);
    story_play(s, D_RTP, W_RTP, 1);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* ... and where nothing comes any more once it is answered, the tone of before does not make the call good. */
Test(calls, early_media_and_nothing_after_the_answer)
{
    struct story *s = a_story();
    struct act *tone;

    story_request(s, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    story_reply(s, 183, SAYS(W_OUT ":41000"));
    tone = story_play(s, W_OUT ":41000", D_RTP, 2);
    story_pass(s, 8 * 1000);
    tone->over = true;
    story_reply(s, 200, SAYS(W_RTP));
    story_request(s, CALLER, SIP_ACK, NULL);
    story_play(s, D_RTP, W_RTP, 1);
    hang_up_after(s, 20);
    cr_expect(verdict_is_failure(story_judge(s, 0)->verdict));
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

Test(calls, shorter_than_a_second)
{
    struct story *s = a_story();

    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_pass(s, 400);
    story_bye(s, CALLEE);
    EXPECT(s, .verdict = VERDICT_NOT_EXPECTED);
    story_free(s);
}

/* ---- hold (RFC 3264 §8.4) ---- */

Test(calls, held_with_music)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_reinvite(s, CALLER, SAYS(D_RTP_OUT, .dir = SDP_SENDONLY), SAYS(W_RTP, .dir = SDP_RECVONLY));
    w->over = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(calls, held_without_music)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_reinvite(s, CALLER, SAYS(D_RTP_OUT, .dir = SDP_SENDONLY), SAYS(W_RTP, .dir = SDP_RECVONLY));
    w->over = d->over = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The webphone holds: nothing comes from it and the dialer falls silent as well. */
Test(calls, held_by_the_other_party)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_reinvite(s, CALLEE, SAYS(W_RTP, .dir = SDP_SENDONLY), SAYS(D_RTP_OUT, .dir = SDP_RECVONLY));
    w->over = d->over = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The old way: c=0.0.0.0 (RFC 2543 §B.5). */
Test(calls, held_with_an_address_of_zeroes)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_reinvite(s, CALLEE, SAYS("0.0.0.0:40000"), SAYS(D_RTP_OUT));
    w->over = d->over = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(calls, inactive)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_reinvite(s, CALLER, SAYS(D_RTP_OUT, .dir = SDP_INACTIVE), SAYS(W_RTP, .dir = SDP_INACTIVE));
    w->over = d->over = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(calls, inactive_from_the_start)
{
    struct story *s = a_story();

    story_up(s, SAYS(D_RTP_OUT, .dir = SDP_INACTIVE), SAYS(W_RTP, .dir = SDP_INACTIVE));
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_NOT_EXPECTED);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_EXPECTED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_EXPECTED);
    story_free(s);
}

/* An announcement: only the caller's media is asked for, and it is heard. */
Test(calls, sendonly_from_the_start)
{
    struct story *s = a_story();

    story_up(s, SAYS(D_RTP_OUT, .dir = SDP_SENDONLY), SAYS(W_RTP, .dir = SDP_RECVONLY));
    story_play(s, D_RTP, W_RTP, 1);
    story_report(s, W_OUT ":40001", D_HOST ":10001", 2, 1)->no_sr = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_EXPECTED);
    story_free(s);
}

Test(calls, a_rejected_section)
{
    struct story *s = a_story();

    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP, .refused = true));
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_NOT_EXPECTED);
    cr_expect_eq(story_direction(s, CALLER)->kind, SDP_AUDIO); /* what was rejected is told */
    story_free(s);
}

/* Held and taken back, and nothing comes any more: a hold does not excuse what follows it. */
Test(calls, silence_after_a_hold)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_reinvite(s, CALLER, SAYS(D_RTP_OUT, .dir = SDP_SENDONLY), SAYS(W_RTP, .dir = SDP_RECVONLY));
    w->over = true;
    story_pass(s, 10 * 1000);
    story_reinvite(s, CALLER, SAYS(D_RTP_OUT), SAYS(W_RTP));
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

/* ---- re-INVITE moves the media ---- */

Test(calls, media_moves)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_reinvite(s, CALLEE, SAYS("198.51.100.99:42000"), SAYS(D_RTP_OUT));
    story_turn(d, "198.51.100.99:42000");
    w->over = true;
    story_play(s, "198.51.100.99:42000", D_RTP, 3);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The dialer's own socket moves, and its server is asked for the new one. */
Test(calls, media_moves_at_the_dialer)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_stun(s, &(struct asks){ D_HOST ":12000", HONEST, .mapped = D_OUT ":12000" });
    story_reinvite(s, CALLER, SAYS(D_OUT ":12000"), SAYS(W_RTP));
    d->over = w->over = true;
    story_play(s, D_HOST ":12000", W_RTP, 3);
    story_play(s, W_RTP, D_HOST ":12000", 4);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The webphone advertises the stranger in mid call and still sends from where it was. */
Test(calls, media_moves_to_a_bad_address)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_reinvite(s, CALLEE, SAYS(STRANGER ":40000"), SAYS(D_RTP_OUT));
    story_turn(d, STRANGER ":40000");
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    story_free(s);
}

/* The dialer's server was honest at first and lies in mid call. */
Test(calls, media_moves_to_a_lie_of_the_dialers_server)
{
    struct act *d, *w;
    struct story *s = a_story();

    s->received[CALLER] = D_OUT;
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    d = story_play(s, D_RTP, W_RTP, 1);
    w = story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_stun(s, &(struct asks){ D_HOST ":12000", LIAR, .mapped = STRANGER ":12000" });
    story_reinvite(s, CALLER, SAYS(STRANGER ":12000"), SAYS(W_RTP));
    d->over = w->over = true;
    story_play(s, D_HOST ":12000", W_RTP, 3);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .server = LIAR);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

/* A session refresh (RFC 4028) repeats what is in force. */
Test(calls, refreshed)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_reinvite(s, CALLER, SAYS(D_RTP_OUT), SAYS(W_RTP));
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* A re-INVITE that is refused changes nothing (RFC 3261 §14.1). */
Test(calls, a_refused_move)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_request(s, CALLEE, SIP_INVITE, SAYS(STRANGER ":40000"));
    story_reply(s, 488, NULL);
    story_request(s, CALLEE, SIP_ACK, NULL);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The sender restarts with another SSRC. */
Test(calls, a_new_ssrc_in_mid_call)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    w->ssrc = 77;
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* ---- several calls ---- */

/* The same sockets serve one call after another: what flowed in the first is no evidence for the second. */
Test(calls, a_port_is_used_again_by_a_call_that_fails)
{
    struct act *d, *w;
    struct story *s = a_good_call(&d, &w);

    story_bye(s, CALLER);
    story_pass(s, 500);
    story_call(s, "call-2@dialer", D_HOST ":5060", PROXY ":5060");
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 3);
    hang_up_after(s, 10);
    EXPECT(s, .call = 0, .verdict = VERDICT_OK);
    EXPECT(s, .call = 1, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    cr_expect_leq(story_direction(s, CALLER)->sent, 520, "the first call's packets are not counted again");
    story_free(s);
}

/* One SSRC in two calls at once, as recorders and music servers have it. */
Test(calls, one_ssrc_in_two_calls)
{
    struct story *s = a_story();

    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 1);
    story_stun(s, &(struct asks){ D_HOST ":10010", HONEST, .mapped = D_OUT ":10010" });
    story_call(s, "call-2@dialer", D_HOST ":5060", PROXY ":5060");
    story_up(s, SAYS(D_OUT ":10010"), SAYS("198.51.100.40:40000"));
    story_play(s, D_HOST ":10010", "198.51.100.40:40000", 1);
    hang_up_after(s, 10);
    EXPECT(s, .call = 0, .verdict = VERDICT_OK);
    EXPECT(s, .call = 1, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED);
    story_free(s);
}

/* One INVITE rings at two phones; the one that answers counts, what the other described does not. */
static struct story *a_fork(void)
{
    struct story *s = a_story();

    story_request(s, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    s->tag[CALLEE] = "tag-other-phone";
    story_reply(s, 183, SAYS(STRANGER ":40000"));
    s->tag[CALLEE] = "tag-callee";
    story_reply(s, 183, SAYS(W_RTP));
    story_reply(s, 200, SAYS(W_RTP));
    story_request(s, CALLER, SIP_ACK, NULL);
    story_play(s, D_RTP, W_RTP, 1);
    return s;
}

Test(calls, forked)
{
    struct story *s = a_fork();

    story_play(s, W_RTP, D_RTP, 2);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(calls, forked_and_a_firewall)
{
    struct story *s = a_fork();

    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

/* ---- calls seen in part ---- */

Test(calls, began_before_the_capture)
{
    struct story *s = a_story();

    s->up = true;
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

/* A re-INVITE tells what is in force from then on. */
Test(calls, began_before_the_capture_and_was_refreshed)
{
    struct story *s = a_story();

    s->up = true;
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 5000);
    story_reinvite(s, CALLER, SAYS(D_RTP_OUT), SAYS(W_RTP));
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* Signalling passes here and media does not. */
Test(calls, seen_at_a_sip_proxy)
{
    struct story *s = story_new(PROXY);

    story_call(s, "call-1@proxy", D_OUT ":5060", PROXY ":5060");
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

/* A dialer whose RTP goes through another interface than the one captured: its descriptions name local sockets, and that says nothing. */
Test(calls, a_capture_of_signalling_alone)
{
    struct story *s = story_new(D_HOST);

    story_up(s, SAYS(D_RTP), SAYS(W_RTP));
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    EXPECT_DIRECTION(s, CALLER, DIR_UNKNOWN);
    EXPECT_DIRECTION(s, CALLEE, DIR_UNKNOWN);
    cr_expect_eq(s->found->evidence_n, 1);
    cr_expect(story_direction(s, CALLER)->sent_seen);
    story_free(s);
}

/* Early media, never answered: nobody can say here that it was not sent. */
Test(calls, early_media_in_a_capture_of_signalling_alone)
{
    struct story *s = story_new(D_HOST);

    story_request(s, CALLER, SIP_INVITE, SAYS(D_RTP));
    story_reply(s, 183, SAYS(W_RTP));
    story_pass(s, 8000);
    story_reply(s, 486, NULL);
    EXPECT(s, .verdict = VERDICT_NOT_EXPECTED);
    EXPECT_DIRECTION(s, CALLER, DIR_UNKNOWN);
    EXPECT_DIRECTION(s, CALLEE, DIR_UNKNOWN);
    cr_expect_eq(s->found->evidence_n, 0);
    story_free(s);
}

/* The late offer: in the 200, answered in the ACK (RFC 3261 §13.2.1). */
Test(calls, a_late_offer)
{
    struct story *s = a_story();

    story_request(s, CALLER, SIP_INVITE, NULL);
    story_reply(s, 180, NULL);
    story_reply(s, 200, SAYS(W_RTP));
    story_request(s, CALLER, SIP_ACK, SAYS(D_RTP_OUT));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(calls, a_late_offer_and_a_firewall)
{
    struct story *s = a_story();

    story_request(s, CALLER, SIP_INVITE, NULL);
    story_reply(s, 200, SAYS(W_RTP));
    story_request(s, CALLER, SIP_ACK, SAYS(D_RTP_OUT));
    story_play(s, D_RTP, W_RTP, 1);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED);
    story_free(s);
}
