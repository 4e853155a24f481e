/* call.c: calls (RFC 3261 §12 to §15). */
#include "messages.h"

TestSuite(call, .init = setup, .fini = teardown);

Test(call, a_plain_call)
{
    struct call *c;

    invite(1, CALLER_MEDIA);
    c = the_call();
    cr_assert_eq(c->state, CALL_TRYING);
    cr_assert_str_eq(c->call_id, "5f3c@192.0.2.10");
    cr_assert_str_eq(c->from_uri, "sip:agent1@example.com");
    cr_assert_str_eq(c->to_uri, "sip:18005550100@example.com");
    cr_assert_str_eq(c->from_tag, "a");
    cr_assert(c->seen_from_start);
    cr_assert_eq(c->started.frame, 1);
    invite_gets(180, 1, "b", NULL);
    cr_assert_eq(c->state, CALL_RINGING);
    cr_assert_eq(c->ringing.frame, 2);
    cr_assert_eq(c->answered.frame, 0);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    cr_assert_eq(c->state, CALL_UP);
    cr_assert_eq(c->answered.frame, 3);
    cr_assert_eq(c->status, 200);
    ack(1, "b");
    caller_says(sip_request(SIP_BYE, 2, "a", "b"), NULL);
    cr_assert_eq(c->state, CALL_OVER);
    cr_assert_eq(c->ended.frame, 5);
    cr_assert(c->ended_by_known);
    cr_assert_eq(c->ended_by, CALLER);
    callee_says(sip_reply(200, SIP_BYE, 2, "a", "b"), NULL);
    cr_assert_eq(c->messages, 6);
    cr_assert_eq(c->last.frame, 6);
    cr_assert_eq(c->legs, 1);
    cr_assert_str_eq(c->leg[0].to_tag, "b");
    cr_assert_eq(c->leg[0].answered.frame, 3);
    cr_assert_eq(c->bad_moves, 0);
    cr_assert(addr_is(&c->signalling[CALLER], CALLER_SIP));
    cr_assert(addr_is(&c->signalling[CALLEE], CALLEE_SIP));
}

Test(call, the_callee_hangs_up)
{
    struct call *c = answered_call();

    callee_says(sip_request(SIP_BYE, 1, "b", "a"), NULL);
    cr_assert_eq(c->state, CALL_OVER);
    cr_assert(c->ended_by_known);
    cr_assert_eq(c->ended_by, CALLEE);
    caller_says(sip_request(SIP_BYE, 2, "a", "b"), NULL); /* crossing */
    cr_assert_eq(c->ended_by, CALLEE, "the first");
    cr_assert_eq(c->ended.frame, 5);
    cr_assert_eq(c->legs, 1, "the callee's From tag is the leg's");
}

Test(call, trying_is_not_ringing)
{
    invite(1, CALLER_MEDIA);
    invite_gets(100, 1, "", NULL);
    cr_assert_eq(the_call()->ringing.frame, 0);
    cr_assert_eq(the_call()->state, CALL_TRYING, "100 says that a server has it, no more (RFC 3261 §8.2.6.1)");
    cr_assert_eq(the_call()->legs, 0);
    invite_gets(183, 1, "b", NULL);
    cr_assert_eq(the_call()->state, CALL_RINGING);
}

Test(call, early_media)
{
    invite(1, CALLER_MEDIA);
    invite_gets(180, 1, "b", NULL);
    invite_gets(183, 1, "b", CALLEE_MEDIA);
    cr_assert_eq(the_call()->state, CALL_EARLY);
    cr_assert_eq(the_call()->leg[0].early.frame, 3);
    invite_gets(180, 1, "b", NULL);
    cr_assert_eq(the_call()->state, CALL_EARLY, "the media goes on");
    cr_assert_eq(the_call()->bad_moves, 0);
}

Test(call, busy)
{
    invite(1, CALLER_MEDIA);
    invite_gets(486, 1, "b", NULL);
    ack(1, "b");
    cr_assert_eq(the_call()->state, CALL_OVER);
    cr_assert_eq(the_call()->status, 486);
    cr_assert_eq(the_call()->ended.frame, 2);
    cr_assert_eq(the_call()->answered.frame, 0);
    cr_assert_not(the_call()->ended_by_known);
    invite(1, CALLER_MEDIA); /* a retransmission that comes late */
    cr_assert_eq(the_call()->state, CALL_OVER);
}

Test(call, cancelled)
{
    invite(1, CALLER_MEDIA);
    invite_gets(180, 1, "b", NULL);
    caller_says(sip_request(SIP_CANCEL, 1, "a", ""), NULL);
    cr_assert(the_call()->cancelled);
    cr_assert_eq(the_call()->state, CALL_RINGING, "a CANCEL asks; the 487 ends (RFC 3261 §9)");
    callee_says(sip_reply(200, SIP_CANCEL, 1, "a", "b"), NULL);
    cr_assert_eq(the_call()->state, CALL_RINGING, "a 200 to the CANCEL answers no call");
    cr_assert_eq(the_call()->answered.frame, 0);
    invite_gets(487, 1, "b", NULL);
    cr_assert_eq(the_call()->state, CALL_OVER);
    cr_assert_eq(the_call()->status, 487);
}

Test(call, a_cancel_that_comes_too_late)
{
    invite(1, CALLER_MEDIA);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    caller_says(sip_request(SIP_CANCEL, 1, "a", ""), NULL);
    cr_assert_eq(the_call()->state, CALL_UP);
    cr_assert_eq(the_call()->status, 200);
}

/* ---- asked to try again ---- */

static struct call *retried_after(unsigned status)
{
    invite(1, CALLER_MEDIA);
    invite_gets(status, 1, "p", NULL);
    ack(1, "p");
    cr_assert_eq(the_call()->state, CALL_OVER);
    invite(2, CALLER_MEDIA);
    return the_call();
}

Test(call, authentication)
{
    struct call *c = retried_after(407);

    cr_assert_eq(c->state, CALL_TRYING);
    cr_assert_eq(c->status, 0);
    cr_assert_eq(c->ended.frame, 0);
    cr_assert_eq(c->started.frame, 1);
    invite_gets(180, 2, "b", NULL);
    invite_gets(200, 2, "b", CALLEE_MEDIA);
    cr_assert_eq(c->state, CALL_UP);
    cr_assert_eq(c->status, 200);
    cr_assert_str_eq(c->leg[c->answered_leg].to_tag, "b");
    cr_assert_eq(c->bad_moves, 0);
}

/* RFC 3261 §8.1.3.4, §8.1.3.5, §22.2; RFC 4028 §6; RFC 3329: all are answered by the same call's next INVITE. */
Test(call, each_way_to_be_asked_again)
{
    static const unsigned again[] = { 302, 401, 407, 413, 415, 416, 420, 422, 494 };

    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        cr_assert_eq(retried_after(again[i])->state, CALL_TRYING, "after %u", again[i]);
        teardown();
        setup();
    }
}

Test(call, a_wrong_password_ends_it)
{
    struct call *c = retried_after(401);

    invite_gets(403, 2, "p", NULL);
    cr_assert_eq(c->state, CALL_OVER);
    cr_assert_eq(c->status, 403);
}

/* Over UDP the 407 is repeated until its ACK arrives: it is about the first INVITE, not about the second. */
Test(call, a_challenge_repeated_after_the_next_try_began)
{
    struct call *c = retried_after(407);

    invite_gets(407, 1, "p", NULL);
    cr_assert_eq(c->state, CALL_TRYING);
    cr_assert_eq(c->status, 0);
    invite_gets(180, 2, "b", NULL);
    invite_gets(200, 2, "b", CALLEE_MEDIA);
    cr_assert_eq(c->state, CALL_UP);
    cr_assert_eq(c->status, 200);
}

/* ---- forks ---- */

Test(call, forks_are_legs_of_one_call)
{
    struct call *c;

    invite(1, CALLER_MEDIA);
    invite_gets(180, 1, "b1", NULL);
    invite_gets(183, 1, "b2", CALLEE_MEDIA);
    invite_gets(200, 1, "b1", "198.51.100.21:20000");
    c = the_call();
    cr_assert_eq(c->legs, 2);
    cr_assert_str_eq(c->leg[0].to_tag, "b1");
    cr_assert_str_eq(c->leg[1].to_tag, "b2");
    cr_assert_eq(c->answered_leg, 0);
    cr_assert_eq(c->leg[0].answered.frame, 4);
    cr_assert_eq(c->leg[1].answered.frame, 0);
    cr_assert_eq(c->leg[1].early.frame, 3);
    cr_assert_eq(c->leg[0].early.frame, 0);
}

Test(call, two_forks_answer)
{
    invite(1, CALLER_MEDIA);
    invite_gets(200, 1, "b1", CALLEE_MEDIA);
    invite_gets(200, 1, "b2", "198.51.100.21:20000");
    cr_assert_eq(the_call()->answered_leg, 0, "the first");
    cr_assert_eq(the_call()->answered.frame, 2);
    cr_assert_eq(the_call()->leg[1].answered.frame, 3);
}

Test(call, more_forks_than_are_kept)
{
    char tag[] = "b00";

    invite(1, CALLER_MEDIA);
    for (int i = 0; i < CALL_LEGS_KEPT + 5; i++) {
        tag[1] = (char)('0' + i / 10);
        tag[2] = (char)('0' + i % 10);
        invite_gets(180, 1, tag, NULL);
    }
    cr_assert_eq(the_call()->legs, CALL_LEGS_KEPT);
    cr_assert_eq(faults.count[FAULT_SESSION_FACT_LIMIT], 5);
}

/* ---- within the dialog ---- */

Test(call, a_refused_re_invite_ends_nothing)
{
    struct call *c = answered_call();

    caller_says(sip_request(SIP_INVITE, 2, "a", "b"), audio("192.0.2.10:11000"));
    callee_says(sip_reply(488, SIP_INVITE, 2, "a", "b"), NULL);
    cr_assert_eq(c->state, CALL_UP);
    cr_assert_eq(c->status, 200);
    cr_assert_eq(c->ended.frame, 0);
    callee_says(sip_request(SIP_INVITE, 1, "b", "a"), audio("198.51.100.20:21000")); /* the same CSeq as the first INVITE's */
    caller_says(sip_reply(491, SIP_INVITE, 1, "b", "a"), NULL);
    cr_assert_eq(c->state, CALL_UP);
    cr_assert_eq(c->status, 200);
    cr_assert_eq(c->bad_moves, 0);
}

Test(call, retransmissions_move_nothing)
{
    struct call *c;

    invite(1, CALLER_MEDIA);
    invite(1, CALLER_MEDIA);
    invite_gets(180, 1, "b", NULL);
    invite(1, CALLER_MEDIA);
    cr_assert_eq(the_call()->state, CALL_RINGING);
    invite_gets(180, 1, "b", NULL);
    c = the_call();
    cr_assert_eq(c->ringing.frame, 3);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    cr_assert_eq(c->answered.frame, 6);
    cr_assert_eq(c->leg[0].answered.frame, 6);
    invite(1, CALLER_MEDIA);
    cr_assert_eq(c->state, CALL_UP);
    caller_says(sip_request(SIP_BYE, 2, "a", "b"), NULL);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    cr_assert_eq(c->state, CALL_OVER);
    cr_assert_eq(c->answered.frame, 6);
    cr_assert_eq(c->ended.frame, 9);
}

Test(call, after_the_end_nothing_rings)
{
    struct call *c = answered_call();

    caller_says(sip_request(SIP_BYE, 2, "a", "b"), NULL);
    invite_gets(180, 1, "b", NULL);
    cr_assert_eq(c->state, CALL_OVER);
    cr_assert_eq(c->bad_moves, 1, "counted");
}

Test(call, user_agents)
{
    struct sip_msg m = sip_request(SIP_INVITE, 1, "a", ""), trying = sip_reply(100, SIP_INVITE, 1, "a", ""),
                   ringing = sip_reply(180, SIP_INVITE, 1, "a", "b");

    m.user_agent = SPAN("Dialer 1");
    trying.user_agent = SPAN("Proxy");
    ringing.user_agent = SPAN("Webphone 2");
    caller_says(m, NULL);
    callee_says(trying, NULL);
    cr_assert_str_eq(the_call()->agent[CALLEE], "", "a proxy says 100 as well");
    callee_says(ringing, NULL);
    cr_assert_str_eq(the_call()->agent[CALLER], "Dialer 1");
    cr_assert_str_eq(the_call()->agent[CALLEE], "Webphone 2");
}

/* ---- seen from its middle ---- */

Test(call, seen_from_its_answer)
{
    invite_gets(200, 5, "b", CALLEE_MEDIA);
    cr_assert_eq(the_call()->state, CALL_UP);
    cr_assert_not(the_call()->seen_from_start);
    cr_assert_eq(the_call()->answered.frame, 1);
    cr_assert_str_eq(the_call()->from_tag, "a");
    caller_says(sip_request(SIP_BYE, 6, "a", "b"), NULL);
    cr_assert_eq(the_call()->state, CALL_OVER);
    cr_assert_eq(the_call()->ended_by, CALLER);
}

Test(call, seen_from_a_re_invite)
{
    callee_says(sip_request(SIP_INVITE, 9, "b", "a"), audio(CALLEE_MEDIA));
    cr_assert_not(the_call()->seen_from_start);
    caller_says(sip_reply(200, SIP_INVITE, 9, "b", "a"), audio(CALLER_MEDIA));
    cr_assert_eq(the_call()->state, CALL_UP);
}

Test(call, seen_from_its_end)
{
    callee_says(sip_request(SIP_BYE, 9, "b", "a"), NULL);
    cr_assert_eq(the_call()->state, CALL_OVER);
    cr_assert_not(the_call()->seen_from_start);
    cr_assert_eq(the_call()->ended.frame, 1);
}

Test(call, what_makes_no_call)
{
    struct sip_msg nameless = sip_request(SIP_INVITE, 1, "a", "");

    nameless.call_id = SPAN_NONE;
    caller_says(nameless, NULL);
    caller_says(sip_request(SIP_REGISTER, 1, "a", ""), NULL);
    caller_says(sip_request(SIP_OPTIONS, 1, "a", ""), NULL);
    caller_says(sip_request(SIP_ACK, 1, "a", "b"), NULL);
    callee_says(sip_reply(200, SIP_BYE, 1, "a", "b"), NULL);
    cr_assert_eq(t->calls.live, 0);
    cr_assert_eq(t->sip_outside_calls, 5);
    cr_assert_eq(t->first.frame, 1);
    cr_assert_eq(t->last.frame, 5);
}

Test(call, calls_are_told_apart_by_call_id)
{
    struct sip_msg second = sip_request(SIP_INVITE, 1, "a", "");

    invite(1, CALLER_MEDIA);
    second.call_id = SPAN("another@192.0.2.10");
    caller_says(second, audio(CALLER_MEDIA));
    cr_assert_eq(t->calls.live, 2);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    cr_assert_eq(track_call_at(t, 0)->state, CALL_UP);
    cr_assert_eq(track_call_at(t, 1)->state, CALL_TRYING);
}

Test(call, calls_beyond_the_cap_are_refused_and_told)
{
    struct sip_msg second = sip_request(SIP_INVITE, 1, "a", "");

    t->calls.cap = 1;
    invite(1, CALLER_MEDIA);
    second.call_id = SPAN("another@192.0.2.10");
    caller_says(second, audio(CALLER_MEDIA));
    cr_assert_eq(t->calls.live, 1);
    cr_assert_eq(faults.count[FAULT_SESSION_TABLE_FULL], 1);
    invite_gets(180, 1, "b", NULL);
    cr_assert_eq(the_call()->state, CALL_RINGING);
}
