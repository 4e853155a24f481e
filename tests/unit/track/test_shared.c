/* What many calls say in the same words: see rtpwatch/track/shared.c. */
#include <stdio.h>

#include "messages.h"

TestSuite(shared, .init = setup, .fini = teardown);

/* The description of a call of its own, whose caller names itself so and offers one payload type under that name. */
static const struct call *call_with(unsigned nth, const char *agent, uint8_t pt, const char *encoding)
{
    struct sip_msg m = sip_request(SIP_INVITE, 1, "a", "");
    struct made_sdp *sdp = audio(CALLER_MEDIA);
    char id[32];

    m.call_id = (struct span){ (const uint8_t *)id, (size_t)snprintf(id, sizeof id, "%u@192.0.2.10", nth) };
    m.user_agent = span_str(agent);
    sdp->sdp.media[0].format[0] = (struct sdp_format){ .pt = pt, .apt = pt, .encoding = span_str(encoding), .clock_hz = 8000 };
    caller_says(m, sdp);
    cr_assert_eq(t->calls.live, nth + 1);
    return track_call_at(t, nth);
}

static const struct format_desc *formats_of(const struct call *c)
{
    cr_assert_eq(c->sdps->media[0].formats_n, 1);
    return c->sdps->media[0].formats;
}

Test(shared, the_same_words_are_kept_once)
{
    const struct call *a = call_with(0, "dialer 1.0", 96, "opus"), *b = call_with(1, "dialer 1.0", 96, "opus");

    cr_expect_str_eq(a->agent[CALLER], "dialer 1.0");
    cr_expect_eq(a->agent[CALLER], b->agent[CALLER]);
    cr_expect_eq(formats_of(a), formats_of(b));
    cr_expect_str_eq(a->sdps->media[0].codec, "opus");
    cr_expect_str_eq(b->sdps->media[0].codec, "opus");
}

Test(shared, one_payload_type_under_two_names)
{
    const struct call *a = call_with(0, "dialer 1.0", 96, "opus"), *b = call_with(1, "dialer 1.0", 96, "G7221");

    cr_expect_neq(formats_of(a), formats_of(b));
    cr_expect_str_eq(formats_of(a)->encoding, "opus");
    cr_expect_str_eq(formats_of(b)->encoding, "G7221");
}

Test(shared, who_says_nothing_is_unknown)
{
    cr_expect_str_eq(call_with(0, "", 0, "PCMU")->agent[CALLER], "");
    cr_expect_str_eq(call_with(1, "dialer 1.0", 0, "PCMU")->agent[CALLER], "dialer 1.0");
}

/* Whoever makes up a name for each call fills the table, and no more; each call keeps its own. */
Test(shared, more_than_there_are_cells)
{
    enum { CALLS = 4 * TRACK_SHARED_TEXTS };
    const struct call *c;
    char agent[CALLS][32], encoding[CALLS][16];

    for (unsigned i = 0; i < CALLS; i++) {
        (void)snprintf(agent[i], sizeof *agent, "scanner of the number %u", i);
        (void)snprintf(encoding[i], sizeof *encoding, "codec%u", i);
        call_with(i, agent[i], (uint8_t)(96 + i % 32), encoding[i]);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        c = track_call_at(t, i);
        cr_assert_str_eq(c->agent[CALLER], agent[i]);
        cr_assert_str_eq(formats_of(c)->encoding, encoding[i]);
    }
    cr_expect_leq(t->shared.arena.bytes, TRACK_SHARED_TEXTS * 64 + TRACK_SHARED_FORMATS * 64);
}

/* So that no memory is asked for beside the record that each call has (TRACK_CALL_ROOM). */
Test(shared, a_call_with_two_plain_descriptions_fits_in_its_room)
{
    struct sip_msg asks = sip_request(SIP_INVITE, 1, "ada85cb4", ""),
                   answers = sip_reply(200, SIP_INVITE, 1, "ada85cb4", "8d131af0");

    asks.call_id = answers.call_id = SPAN("a5b4b1a61d59f1d6-0@dialer1");
    asks.user_agent = SPAN("dialer 1.0 of the outbound department, Berlin");
    answers.user_agent = SPAN("a webphone in a browser that has a long name");
    caller_says(asks, audio(CALLER_MEDIA));
    callee_says(answers, audio(CALLEE_MEDIA));
    cr_assert_not_null(the_call()->agreements);
    cr_expect_neq(the_call()->room, POOL_NONE);
    cr_expect_eq(the_call()->arena.bytes, 0);
}
