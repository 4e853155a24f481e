/* Transferred calls (RFC 5589): who asked for the transfer leaves, often without a BYE, and that is nobody's fault. */
#include <criterion/criterion.h>

#include "support/transfer.h"

#define TARGET "<sip:agent2@example.net>"

static struct story *s;
static struct act *voice_of_d, *voice_of_w;

/* The dialer and the webphone have talked for ten seconds. */
static void setup(void)
{
    s = story_new(D_HOST);
    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    voice_of_d = story_play(s, D_RTP, W_RTP, 1);
    voice_of_w = story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(transfer, .init = setup, .fini = teardown);

/* The webphone's program drops the call: nothing comes from there any more but ICMP. The dialer does not notice. */
static void webphone_leaves(unsigned seconds)
{
    voice_of_w->over = true;
    for (unsigned i = 0; i < seconds; i++) {
        story_pass(s, 1000);
        story_icmp(s, W_OUT, D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
    }
}

/* As baresip does it: told that the transfer went well, it closes its sockets and says nothing. */
Test(transfer, went_well_and_nobody_says_bye)
{
    story_refer(s, CALLEE, TARGET, 202);
    story_notify(s, CALLER, "SIP/2.0 100 Trying\r\n");
    story_notify(s, CALLER, "SIP/2.0 200 OK\r\n");
    webphone_leaves(15);
    EXPECT(s, .verdict = VERDICT_OK);
}

/* The dialer is the one that transfers; the webphone talks to the target then. */
Test(transfer, by_the_caller)
{
    story_refer(s, CALLER, TARGET, 202);
    story_notify(s, CALLEE, "SIP/2.0 200 OK");
    webphone_leaves(15);
    EXPECT(s, .verdict = VERDICT_OK);
}

/* The target rings for long, and the webphone has hung up its receiver. */
Test(transfer, agreed_and_the_target_rings)
{
    story_refer(s, CALLEE, TARGET, 202);
    story_notify(s, CALLER, "SIP/2.0 180 Ringing\r\n");
    webphone_leaves(15);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
}

/* Then the two still have each other, and it is a fault that the webphone is gone. */
Test(transfer, failed_and_the_transferor_is_gone)
{
    story_refer(s, CALLEE, TARGET, 202);
    story_notify(s, CALLER, "SIP/2.0 486 Busy Here\r\n");
    webphone_leaves(15);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PORT_UNREACHABLE, .least = CONFIDENCE_LIKELY);
}

Test(transfer, failed_and_they_talk_on)
{
    story_refer(s, CALLEE, TARGET, 202);
    story_notify(s, CALLER, "SIP/2.0 486 Busy Here\r\n");
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
}

Test(transfer, failed_and_the_next_one_went_well)
{
    story_refer(s, CALLEE, TARGET, 202);
    story_notify(s, CALLER, "SIP/2.0 404 Not Found\r\n");
    story_pass(s, 5 * 1000);
    story_refer(s, CALLEE, TARGET, 202);
    story_notify(s, CALLER, "SIP/2.0 200 OK\r\n");
    webphone_leaves(15);
    EXPECT(s, .verdict = VERDICT_OK);
}

Test(transfer, refused)
{
    story_refer(s, CALLEE, TARGET, 603);
    webphone_leaves(15);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PORT_UNREACHABLE, .least = CONFIDENCE_LIKELY);
}

/* What was wrong before stays wrong, whatever comes after. */
Test(transfer, the_webphone_was_silent_before)
{
    voice_of_w->over = true;
    story_pass(s, 10 * 1000);
    story_refer(s, CALLEE, TARGET, 202);
    story_notify(s, CALLER, "SIP/2.0 200 OK\r\n");
    webphone_leaves(5);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PEER_GONE, .least = CONFIDENCE_SUSPECTED);
}

/* Held, transferred, and taken back before anybody told how it went: from then on they want to hear each other again. */
Test(transfer, taken_back_and_nothing_comes)
{
    story_reinvite(s, CALLEE, SAYS(W_RTP, .dir = SDP_SENDONLY), SAYS(D_RTP_OUT, .dir = SDP_RECVONLY));
    story_refer(s, CALLEE, TARGET, 202);
    story_pass(s, 5 * 1000);
    story_reinvite(s, CALLEE, SAYS(W_RTP), SAYS(D_RTP_OUT));
    webphone_leaves(15);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PORT_UNREACHABLE, .least = CONFIDENCE_LIKELY);
}

/* As Linphone does it: asked to call somebody else, the dialer tries to hold the old call, whose party does not care any more. */
Test(transfer, held_by_the_transferee_and_went_well)
{
    story_refer(s, CALLEE, TARGET, 202);
    story_reinvite(s, CALLER, SAYS(D_RTP_OUT, .dir = SDP_SENDONLY), SAYS(W_RTP));
    story_pass(s, 1000);
    story_notify(s, CALLER, "SIP/2.0 200 OK\r\n");
    webphone_leaves(15);
    EXPECT(s, .verdict = VERDICT_OK);
}

static bool is_told(const char *text)
{
    for (size_t i = 0; i < s->found->evidence_n; i++)
        if (strcmp(s->found->evidence[i].text, text) == 0)
            return true;
    return false;
}

Test(transfer, is_told_in_the_evidence)
{
    story_refer(s, CALLEE, TARGET, 202);
    story_notify(s, CALLER, "SIP/2.0 200 OK\r\n");
    story_judge(s, 0);
    cr_expect(
        is_told("agent asked dialer to call sip:agent2@example.net instead (REFER), and dialer agreed: from here on no media is "
                "awaited in this call."));
    cr_expect(is_told("dialer told what became of the transfer: 200."));
}

Test(transfer, that_failed_is_told_in_the_evidence)
{
    story_refer(s, CALLEE, "", 202);
    story_notify(s, CALLER, "SIP/2.0 486 Busy Here\r\n");
    story_judge(s, 0);
    cr_expect(is_told("agent asked dialer to call somebody else instead (REFER), and dialer agreed."));
    cr_expect(is_told("dialer told what became of the transfer: 486, it failed."));
}

/*
 * A PBX transfers by moving the media to another one of its hosts, to the port that it had here: what is sent there is not awaited here,
 * and nobody has a wrong address.
 */
Test(transfer, by_a_pbx_that_moves_the_media_to_another_host)
{
    story_free(s);
    s = story_new("203.0.113.40");
    story_call(s, "call-1@webphone", W_OUT ":5060", "203.0.113.40:5060");
    s->via[CALLEE] = "203.0.113.40";
    story_up(s, SAYS(W_RTP), SAYS("203.0.113.40:10000"));
    voice_of_d = story_play(s, "203.0.113.40:10000", W_RTP, 1);
    voice_of_w = story_play(s, W_RTP, "203.0.113.40:10000", 2);
    story_pass(s, 10 * 1000);
    story_reinvite(s, CALLEE, SAYS("203.0.113.41:10000"), SAYS(W_RTP));
    voice_of_w->over = true;
    story_pass(s, 1000);
    voice_of_d->over = true; /* what was under way */
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
}

/* The new leg fails by a lie, the old one did not: one accusation, of the new leg alone. */
Test(transfer, to_a_leg_that_is_lied_to)
{
    story_refer(s, CALLEE, TARGET, 202);
    voice_of_d->over = true;
    story_call(s, "call-2@dialer", D_HOST ":5060", PROXY ":5060");
    s->received[CALLER] = D_OUT;
    story_stun(s, &(struct asks){ D_HOST ":10002", LIAR, .mapped = STRANGER ":10002" });
    story_up(s, SAYS(STRANGER ":10002"), SAYS(W_OUT ":42000"));
    story_play(s, D_HOST ":10002", W_OUT ":42000", 3);
    voice_of_w->over = true;
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .call = 0, .verdict = VERDICT_OK);
    EXPECT(s, .call = 1, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .server = LIAR);
}
