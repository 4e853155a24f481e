/* offer.c and call_sdp.c: offer and answer (RFC 3264; RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311 §5). */
#include "messages.h"

TestSuite(offer, .init = setup, .fini = teardown);

#define CALLER_MOVED "192.0.2.10:11000"
#define CALLEE_MOVED "198.51.100.20:21000"

static unsigned agreements(void)
{
    unsigned n = 0;

    for (const struct agreement *a = the_call()->agreements; a; a = a->next)
        n++;
    return n;
}

static void expect_agreement(const struct agreement *a, const char *caller, const char *callee, uint64_t frame, bool confirmed)
{
    cr_assert_not_null(a);
    cr_assert(a->by[CALLER] && a->by[CALLEE]);
    cr_assert(addr_is(&a->by[CALLER]->media[0].addr, caller));
    cr_assert(addr_is(&a->by[CALLEE]->media[0].addr, callee));
    cr_assert_eq(a->by[CALLER]->party, CALLER);
    cr_assert_eq(a->by[CALLEE]->party, CALLEE);
    cr_assert_eq(a->since.frame, frame);
    cr_assert_eq(a->confirmed, confirmed);
}

static const struct agreement *latest(void)
{
    const struct agreement *a = the_call()->agreements;

    while (a && a->next)
        a = a->next;
    return a;
}

static void expect_latest(const char *caller, const char *callee, uint64_t frame, bool confirmed)
{
    expect_agreement(latest(), caller, callee, frame, confirmed);
}

Test(offer, in_invite_and_200)
{
    invite(1, CALLER_MEDIA);
    cr_assert_eq(agreements(), 0);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    cr_assert_eq(agreements(), 1);
    expect_latest(CALLER_MEDIA, CALLEE_MEDIA, 2, true);
    cr_assert_eq(the_call()->agreements->leg, 0);
    cr_assert_eq(the_call()->agreements->cseq, 1);
}

Test(offer, early_media_is_agreed_and_later_confirmed)
{
    invite(1, CALLER_MEDIA);
    invite_gets(183, 1, "b", CALLEE_MEDIA);
    expect_latest(CALLER_MEDIA, CALLEE_MEDIA, 2, false);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    cr_assert_eq(agreements(), 1, "the same answer again");
    expect_latest(CALLER_MEDIA, CALLEE_MEDIA, 2, true);
    cr_assert_eq(the_call()->sdps_n, 2);
}

Test(offer, a_200_without_sdp_confirms)
{
    invite(1, CALLER_MEDIA);
    invite_gets(183, 1, "b", CALLEE_MEDIA);
    invite_gets(200, 1, "b", NULL);
    cr_assert_eq(agreements(), 1);
    expect_latest(CALLER_MEDIA, CALLEE_MEDIA, 2, true);
}

Test(offer, retransmissions_agree_once)
{
    invite(1, CALLER_MEDIA);
    invite(1, CALLER_MEDIA);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    invite(1, CALLER_MEDIA);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    cr_assert_eq(agreements(), 1);
    cr_assert_eq(the_call()->sdps_n, 2);
    cr_assert_eq(the_call()->sdps->at.frame, 1, "the first time it was said");
}

Test(offer, late_in_200_and_ack)
{
    invite(1, NULL);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    cr_assert_eq(agreements(), 0, "that was the offer");
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    caller_says(sip_request(SIP_ACK, 1, "a", "b"), audio(CALLER_MEDIA));
    expect_latest(CALLER_MEDIA, CALLEE_MEDIA, 4, true);
    caller_says(sip_request(SIP_ACK, 1, "a", "b"), audio(CALLER_MEDIA));
    cr_assert_eq(agreements(), 1);
}

Test(offer, late_in_183_and_prack)
{
    invite(1, NULL);
    invite_gets(183, 1, "b", CALLEE_MEDIA);
    caller_says(sip_request(SIP_PRACK, 2, "a", "b"), audio(CALLER_MEDIA));
    expect_latest(CALLER_MEDIA, CALLEE_MEDIA, 3, false);
    callee_says(sip_reply(200, SIP_PRACK, 2, "a", "b"), NULL);
    cr_assert_not(the_call()->agreements->confirmed, "a 200 to PRACK answers no call");
    invite_gets(200, 1, "b", NULL);
    expect_latest(CALLER_MEDIA, CALLEE_MEDIA, 3, true);
}

Test(offer, a_second_one_in_prack_and_its_200)
{
    invite(1, CALLER_MEDIA);
    invite_gets(183, 1, "b", CALLEE_MEDIA);
    caller_says(sip_request(SIP_PRACK, 2, "a", "b"), audio(CALLER_MOVED));
    callee_says(sip_reply(200, SIP_PRACK, 2, "a", "b"), audio(CALLEE_MOVED));
    cr_assert_eq(agreements(), 2);
    expect_agreement(the_call()->agreements, CALLER_MEDIA, CALLEE_MEDIA, 2, false);
    cr_assert(addr_is(&latest()->by[CALLER]->media[0].addr, CALLER_MOVED));
    cr_assert(addr_is(&latest()->by[CALLEE]->media[0].addr, CALLEE_MOVED));
}

Test(offer, in_update_before_the_answer)
{
    invite(1, CALLER_MEDIA);
    invite_gets(183, 1, "b", CALLEE_MEDIA);
    caller_says(sip_request(SIP_UPDATE, 2, "a", "b"), audio(CALLER_MOVED));
    callee_says(sip_reply(200, SIP_UPDATE, 2, "a", "b"), audio(CALLEE_MOVED));
    cr_assert_eq(agreements(), 2);
    invite_gets(200, 1, "b", NULL);
    cr_assert_eq(agreements(), 2);
    expect_agreement(the_call()->agreements, CALLER_MEDIA, CALLEE_MEDIA, 2, true);
    expect_latest(CALLER_MOVED, CALLEE_MOVED, 4, true);
}

Test(offer, in_update_from_the_callee)
{
    answered_call();
    callee_says(sip_request(SIP_UPDATE, 1, "b", "a"), audio(CALLEE_MOVED));
    caller_says(sip_reply(200, SIP_UPDATE, 1, "b", "a"), audio(CALLER_MOVED));
    cr_assert_eq(agreements(), 2);
    expect_latest(CALLER_MOVED, CALLEE_MOVED, 6, true);
}

Test(offer, re_invite)
{
    answered_call();
    caller_says(sip_request(SIP_INVITE, 2, "a", "b"), audio(CALLER_MOVED));
    cr_assert_eq(agreements(), 1);
    callee_says(sip_reply(200, SIP_INVITE, 2, "a", "b"), audio(CALLEE_MEDIA));
    cr_assert_eq(agreements(), 2);
    expect_agreement(the_call()->agreements, CALLER_MEDIA, CALLEE_MEDIA, 3, true);
    expect_latest(CALLER_MOVED, CALLEE_MEDIA, 6, true);
}

Test(offer, re_invite_from_the_callee)
{
    answered_call();
    callee_says(sip_request(SIP_INVITE, 1, "b", "a"), audio(CALLEE_MOVED));
    caller_says(sip_reply(200, SIP_INVITE, 1, "b", "a"), audio(CALLER_MEDIA));
    cr_assert_eq(agreements(), 2);
    expect_latest(CALLER_MEDIA, CALLEE_MOVED, 6, true);
}

Test(offer, re_invite_with_a_late_offer)
{
    answered_call();
    callee_says(sip_request(SIP_INVITE, 5, "b", "a"), NULL);
    caller_says(sip_reply(200, SIP_INVITE, 5, "b", "a"), audio(CALLER_MOVED));
    cr_assert_eq(agreements(), 1);
    callee_says(sip_request(SIP_ACK, 5, "b", "a"), audio(CALLEE_MOVED));
    expect_latest(CALLER_MOVED, CALLEE_MOVED, 7, true);
}

/* RFC 3261 §14.1: the session goes on as if there had been no re-INVITE. */
Test(offer, a_refused_re_invite_keeps_the_old_agreement)
{
    answered_call();
    caller_says(sip_request(SIP_INVITE, 2, "a", "b"), audio(CALLER_MOVED));
    callee_says(sip_reply(488, SIP_INVITE, 2, "a", "b"), NULL);
    ack(2, "b");
    cr_assert_eq(agreements(), 1);
    expect_latest(CALLER_MEDIA, CALLEE_MEDIA, 3, true);
    cr_assert_null(the_call()->offer);
    callee_says(sip_request(SIP_INVITE, 7, "b", "a"), audio(CALLEE_MOVED));
    caller_says(sip_reply(200, SIP_INVITE, 7, "b", "a"), audio(CALLER_MEDIA));
    expect_latest(CALLER_MEDIA, CALLEE_MOVED, 9, true);
}

Test(offer, an_sdp_in_a_refusal_is_no_answer)
{
    invite(1, CALLER_MEDIA);
    invite_gets(488, 1, "b", CALLEE_MEDIA); /* RFC 3261 §21.4.26: what could be done instead */
    cr_assert_eq(agreements(), 0);
}

Test(offer, again_after_a_challenge)
{
    invite(1, CALLER_MEDIA);
    invite_gets(407, 1, "p", NULL);
    invite(2, CALLER_MOVED);
    invite_gets(200, 2, "b", CALLEE_MEDIA);
    cr_assert_eq(agreements(), 1);
    expect_latest(CALLER_MOVED, CALLEE_MEDIA, 4, true);
}

Test(offer, each_fork_has_its_own_agreement)
{
    invite(1, CALLER_MEDIA);
    invite_gets(183, 1, "b1", CALLEE_MEDIA);
    invite_gets(183, 1, "b2", CALLEE_MOVED);
    cr_assert_eq(agreements(), 2);
    invite_gets(200, 1, "b2", CALLEE_MOVED);
    cr_assert_eq(agreements(), 2);
    expect_agreement(the_call()->agreements, CALLER_MEDIA, CALLEE_MEDIA, 2, false);
    cr_assert_eq(the_call()->agreements->leg, 0);
    expect_latest(CALLER_MEDIA, CALLEE_MOVED, 3, true);
    cr_assert_eq(latest()->leg, 1);
}

Test(offer, two_forks_with_the_same_answer)
{
    invite(1, CALLER_MEDIA);
    invite_gets(183, 1, "b1", CALLEE_MEDIA);
    invite_gets(183, 1, "b2", CALLEE_MEDIA);
    cr_assert_eq(agreements(), 2);
    cr_assert_eq(latest()->leg, 1);
}

/* A 200 whose ACK was lost comes again while the next offer is out: it is no offer of its own. */
Test(offer, an_old_200_between_a_new_offer_and_its_answer)
{
    answered_call();
    caller_says(sip_request(SIP_INVITE, 2, "a", "b"), audio(CALLER_MOVED));
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    callee_says(sip_reply(200, SIP_INVITE, 2, "a", "b"), audio(CALLEE_MOVED));
    cr_assert_eq(agreements(), 2);
    expect_latest(CALLER_MOVED, CALLEE_MOVED, 7, true);
}

/* After an UPDATE the 200 to the INVITE may repeat the first answer: it neither offers nor turns the agreement back. */
Test(offer, a_200_that_repeats_the_183_after_an_update)
{
    invite(1, CALLER_MEDIA);
    invite_gets(183, 1, "b", CALLEE_MEDIA);
    caller_says(sip_request(SIP_UPDATE, 2, "a", "b"), audio(CALLER_MOVED));
    callee_says(sip_reply(200, SIP_UPDATE, 2, "a", "b"), audio(CALLEE_MOVED));
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    cr_assert_eq(agreements(), 2);
    expect_latest(CALLER_MOVED, CALLEE_MOVED, 4, true);
    cr_assert_not(the_call()->offer_in_response, "nothing waits for an answer in the ACK");
}

Test(offer, seen_from_its_answer_there_is_no_agreement)
{
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    ack(1, "b");
    cr_assert_eq(agreements(), 0);
    cr_assert_eq(the_call()->sdps_n, 1);
    cr_assert(socket_at(CALLEE_MEDIA)->advertised, "where media is wanted is known all the same");
}

/* ---- what is kept of a description ---- */

Test(offer, what_is_kept)
{
    struct made_sdp *made = audio_ice(CALLER_MEDIA, "evtj", "VOkJxbRl1RmTxUk/WvJxBt", "203.0.113.10:33333");
    struct sdp_media *m = made->sdp.media;
    const struct sdp_fact *f;

    m->rtcp_mux = true;
    m->ptime_ms = 20;
    m->mid = SPAN("0");
    m->dir = SDP_SENDONLY;
    m->fingerprint = SPAN("sha-256 00:11");
    m->formats = 2;
    m->format[1] = m->format[0];
    m->format[0] = (struct sdp_format){ .pt = 101, .encoding = SPAN("telephone-event"), .clock_hz = 8000 };
    made->sdp.ice_lite = true;
    caller_says(sip_request(SIP_INVITE, 1, "a", ""), made);
    f = the_call()->sdps;
    cr_assert_not_null(f);
    cr_assert(f->ice_lite && f->medias == 1 && f->cands == 1 && f->party == CALLER && f->cseq == 1);
    cr_assert(addr_is(&f->from, CALLER_SIP) && addr_is(&f->to, CALLEE_SIP));
    cr_assert(f->media[0].rtcp_mux && f->media[0].ice && f->media[0].dtls && !f->media[0].rejected);
    cr_assert_eq(f->media[0].dir, SDP_SENDONLY);
    cr_assert_str_eq(f->media[0].codec, "PCMU", "not the tones");
    cr_assert_eq(f->media[0].ptime_ms, 20);
    cr_assert_str_eq(f->media[0].mid, "0");
    cr_assert_str_empty(f->media[0].host, "an address, no name");
    cr_assert_str_eq(f->media[0].ufrag, "evtj");
    cr_assert_str_eq(f->media[0].pwd, "VOkJxbRl1RmTxUk/WvJxBt");
    cr_assert(addr_is(&f->cand[0].addr, "203.0.113.10:33333"));
    cr_assert_eq(f->cand[0].type, SDP_CAND_SRFLX);
    cr_assert(socket_at("203.0.113.10:33333")->advertised);
    cr_assert(socket_at(CALLER_MEDIA)->advertised);
}

Test(offer, port_zero_is_rejected_unless_bundled)
{
    struct made_sdp *made = audio("192.0.2.10:0");

    caller_says(sip_request(SIP_INVITE, 1, "a", ""), made);
    cr_assert(the_call()->sdps->media[0].rejected);
    made = audio("192.0.2.10:0");
    made->bytes = SPAN("bundle-only");
    made->sdp.media[0].bundle_only = true; /* RFC 9143 §6 */
    caller_says(sip_request(SIP_INVITE, 2, "a", ""), made);
    cr_assert_not(the_call()->sdps->next->media[0].rejected);
}

static bool came_directly(size_t vias, const char *host)
{
    struct sip_msg m = sip_request(SIP_INVITE, 1, "a", "");
    bool direct;

    m.vias = vias;
    m.via[0].host = span_str(host);
    caller_says(m, audio(CALLER_MEDIA));
    direct = the_call()->sdps->direct;
    teardown();
    setup();
    return direct;
}

Test(offer, one_via_of_the_senders_own_is_direct)
{
    cr_assert(came_directly(1, "192.0.2.10"));
    cr_assert_not(came_directly(2, "192.0.2.10"));
    cr_assert_not(came_directly(1, "192.168.1.5"));
    cr_assert_not(came_directly(1, "pbx.example.com"));
    cr_assert_not(came_directly(0, ""));
}

Test(offer, descriptions_beyond_the_cap_are_refused_and_told)
{
    char text[8] = { 0 };

    for (unsigned i = 0; i < CALL_SDPS_KEPT + 3; i++) {
        struct made_sdp *made = audio(CALLER_MEDIA);

        text[0] = (char)('a' + i / 26);
        text[1] = (char)('a' + i % 26);
        made->bytes = span_str(text);
        caller_says(sip_request(SIP_INVITE, 1, "a", ""), made);
    }
    cr_assert_eq(the_call()->sdps_n, CALL_SDPS_KEPT);
    cr_assert_eq(faults.count[FAULT_SESSION_FACT_LIMIT], 3);
}
