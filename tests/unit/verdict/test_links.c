/* links.c, links_media.c: which sessions belong together. The PBX of pbx.h has two calls; 0 comes in, 1 goes out. */
#include "support/pbx.h"

TestSuite(links, .init = pbx_open, .fini = pbx_close);

static void expect_link(enum link_by by, const char *header)
{
    const struct link *a, *b;

    pbx_judge();
    a = link_of(0);
    b = link_of(1);
    cr_assert(a && b, "they are not joined");
    cr_expect_eq(a->other, 1);
    cr_expect_eq(b->other, 0);
    cr_expect_str_eq(link_by_word(a->by), link_by_word(by));
    cr_expect_str_eq(a->header, header);
    cr_expect(a->legs && a->end == CALLEE && a->other_end == CALLER, "the PBX is callee of one and caller of the other");
    cr_expect(b->legs && b->end == CALLER && b->other_end == CALLEE);
    cr_expect(a->at.frame > 0 && a->at.frame <= pbx.s->frame && a->at.frame == b->at.frame);
    cr_expect_eq(links_of(0), 1);
    cr_expect_eq(links_of(1), 1);
}

static void expect_none(void)
{
    pbx_judge();
    for (uint32_t i = 0; i < pbx.report.sessions; i++)
        cr_expect_eq(links_of(i), 0, "session %u has %zu", i, links_of(i));
}

/* ---- by a header ---- */

Test(links, a_header_names_the_other_call)
{
    agent_calls(NULL, NULL);
    pbx_calls_carrier("X-Call-ID", LEG_IN);
    expect_link(LINK_BY_HEADER, "X-Call-ID");
    cr_expect_eq(link_of(0)->at.frame, 5, "the INVITE of the second");
}

Test(links, a_header_names_no_call)
{
    agent_calls(NULL, NULL);
    pbx_calls_carrier("X-Call-ID", "leg-0@agent");
    expect_none();
}

Test(links, a_header_names_its_own_call)
{
    agent_calls("X-CID", LEG_IN);
    pbx_calls_carrier("X-CID", LEG_OUT);
    expect_none();
}

Test(links, both_carry_the_first_ones_call_id)
{
    agent_calls("X-CID", LEG_IN);
    pbx_calls_carrier("X-CID", LEG_IN);
    expect_link(LINK_BY_HEADER, "X-CID");
}

Test(links, both_carry_the_same_value)
{
    agent_calls("X-Correlation-ID", "7f0c1d22");
    pbx_calls_carrier("X-Correlation-ID", "7f0c1d22");
    expect_link(LINK_BY_HEADER, "X-Correlation-ID");
}

Test(links, both_carry_the_same_value_in_two_headers)
{
    agent_calls("X-Correlation-ID", "7f0c1d22");
    pbx_calls_carrier("Cisco-Guid", "7f0c1d22");
    expect_none();
}

Test(links, both_carry_a_value_that_says_nothing)
{
    agent_calls("X-Correlation-ID", "none");
    pbx_calls_carrier("X-Correlation-ID", "none");
    expect_none();
}

Test(links, both_carry_the_same_value_one_after_the_other)
{
    agent_calls("X-Correlation-ID", "7f0c1d22");
    story_bye(pbx.s, CALLER);
    story_pass(pbx.s, 1000);
    pbx_calls_carrier("X-Correlation-ID", "7f0c1d22");
    expect_none();
}

/* Of a campaign each call has the same value, and all are the dialer's. */
Test(links, three_calls_of_the_pbx_carry_the_same_value)
{
    static const char *const ids[] = { "c1@pbx", "c2@pbx", "c3@pbx" };
    static const char *const rtp[] = { PBX ":12000", PBX ":12002", PBX ":12004" };

    for (size_t i = 0; i < 3; i++) {
        pbx_call(ids[i], PBX_SIP, CARRIER_SIP, "X-Correlation-ID", "campaign-77");
        story_up(pbx.s, SAYS(rtp[i]), SAYS(CARRIER_RTP));
    }
    expect_none();
}

/* One comes in and the others go out, and still: who carries a value that so many carry is no leg of anybody. */
Test(links, more_calls_than_legs_carry_the_same_value)
{
    static const char *const ids[] = { "c1@pbx", "c2@pbx", "c3@pbx", "c4@pbx" };

    agent_calls("X-Correlation-ID", "campaign-77");
    for (size_t i = 0; i < LINK_SHARED_MAX; i++) {
        pbx_call(ids[i], PBX_SIP, CARRIER_SIP, "X-Correlation-ID", "campaign-77");
        story_up(pbx.s, SAYS(PBX_OUT), SAYS(CARRIER_RTP));
    }
    expect_none();
}

Test(links, a_dialer_joins_the_two_calls_that_it_made)
{
    pbx_call(LEG_IN, PBX_SIP, AGENT_SIP, "X-Correlation-ID", "7f0c1d22");
    story_up(pbx.s, SAYS(PBX_IN), SAYS(AGENT_RTP));
    pbx_calls_carrier("X-Correlation-ID", "7f0c1d22");
    pbx_judge();
    cr_assert_eq(links_of(0), 1);
    cr_expect(link_of(0)->legs && link_of(0)->end == CALLER && link_of(0)->other_end == CALLER);
}

Test(links, a_header_that_nobody_named)
{
    agent_calls("X-Trunk-Call", "7f0c1d22");
    pbx_calls_carrier("X-Trunk-Call", "7f0c1d22");
    expect_none();
}

Test(links, a_header_that_the_user_named)
{
    cr_assert(track_link_header(pbx.s->track, "X-Trunk-Call"));
    agent_calls("X-Trunk-Call", "7f0c1d22");
    pbx_calls_carrier("X-Trunk-Call", "7f0c1d22");
    expect_link(LINK_BY_HEADER, "X-Trunk-Call");
}

/* A call that takes over another is related to it, and no leg of its path. */
Test(links, a_call_replaces_another)
{
    agent_calls(NULL, NULL);
    pbx_calls_carrier("Replaces", LEG_IN ";to-tag=1;from-tag=2");
    pbx_judge();
    cr_assert_eq(links_of(0), 1);
    cr_expect_not(link_of(0)->legs);
    cr_expect_eq(pbx_path(0)->legs, 0);
}

/* An attended transfer (RFC 5589 §7): the PBX asks the agent to take over its call to the carrier. */
Test(links, a_refer_names_the_call_it_replaces)
{
    pbx_calls_carrier(NULL, NULL);
    agent_calls(NULL, NULL);
    pbx.s->header[0].name = "Refer-To";
    pbx.s->header[0].value = "<sip:carrier@example.net?Replaces=leg-2%40pbx%3Bto-tag%3D1%3Bfrom-tag%3D2>";
    story_request(pbx.s, CALLEE, SIP_REFER, NULL);
    story_reply(pbx.s, 202, NULL);
    pbx_judge();
    cr_assert_eq(links_of(0), 1);
    cr_expect_eq(link_of(0)->other, 1);
    cr_expect_str_eq(link_of(0)->header, "Refer-To");
    cr_expect_not(link_of(0)->legs);
}

Test(links, a_header_names_a_call_that_is_over)
{
    agent_calls(NULL, NULL);
    story_bye(pbx.s, CALLER);
    story_pass(pbx.s, 1000);
    pbx_calls_carrier("X-Call-ID", LEG_IN);
    pbx_judge();
    cr_assert_eq(links_of(0), 1);
    cr_expect_not(link_of(0)->legs, "no audio goes from the one to the other");
}

/* A border controller has an address for each side; the header says enough. */
Test(links, a_header_joins_calls_of_two_addresses)
{
    agent_calls(NULL, NULL);
    pbx_call(LEG_OUT, STRANGER ":5060", CARRIER_SIP, "X-Call-ID", LEG_IN);
    story_up(pbx.s, SAYS(STRANGER ":12000"), SAYS(CARRIER_RTP));
    expect_link(LINK_BY_HEADER, "X-Call-ID");
}

Test(links, a_shared_value_does_not_join_calls_of_two_addresses)
{
    agent_calls("X-Correlation-ID", "7f0c1d22");
    pbx_call(LEG_OUT, STRANGER ":5060", CARRIER_SIP, "X-Correlation-ID", "7f0c1d22");
    story_up(pbx.s, SAYS(STRANGER ":12000"), SAYS(CARRIER_RTP));
    expect_none();
}

Test(links, so_many_forks_and_no_more)
{
    enum { FORKS = LINKS_KEPT + 1 };
    char ids[FORKS][16];

    agent_calls(NULL, NULL);
    for (unsigned i = 0; i < FORKS; i++) {
        snprintf(ids[i], sizeof ids[i], "fork-%u@pbx", i);
        pbx_call(ids[i], PBX_SIP, CARRIER_SIP, "X-CID", LEG_IN);
        story_request(pbx.s, CALLER, SIP_INVITE, SAYS(PBX_OUT));
    }
    pbx_judge();
    cr_expect_eq(links_of(0), LINKS_KEPT);
    cr_expect_eq(links_of(1), 1);
    cr_expect_eq(links_of(FORKS), 0);
    cr_expect_eq(pbx.report.links.dropped, 1);
}

/* ---- by the Call-ID ---- */

Test(links, a_call_id_with_a_suffix)
{
    agent_calls(NULL, NULL);
    pbx_call(LEG_IN "_b2b-1", PBX_SIP, CARRIER_SIP, NULL, NULL);
    story_up(pbx.s, SAYS(PBX_OUT), SAYS(CARRIER_RTP));
    expect_link(LINK_BY_CALL_ID, "");
}

Test(links, a_call_id_with_a_suffix_of_no_call)
{
    agent_calls(NULL, NULL);
    pbx_call("leg-0@agent_b2b-1", PBX_SIP, CARRIER_SIP, NULL, NULL);
    story_up(pbx.s, SAYS(PBX_OUT), SAYS(CARRIER_RTP));
    expect_none();
}

Test(links, call_ids_that_only_begin_alike)
{
    agent_calls(NULL, NULL);
    pbx_call(LEG_IN "-1", PBX_SIP, CARRIER_SIP, NULL, NULL);
    story_up(pbx.s, SAYS(PBX_OUT), SAYS(CARRIER_RTP));
    expect_none();
}

/* ---- by Session-ID (RFC 7989) ---- */

#define UUID_A "ab30317f1a784dc48ff824d0d3715d86"
#define UUID_B "47755a9de7794ba387653f2099600ef2"
#define UUID_C "c000000000000000000000000000000c"
#define NOBODY "00000000000000000000000000000000"

/* A call that is answered; the callee's end is `callee`. */
static void call_with_session_id(const char *invite, const char *answer, const struct says *offer, const struct says *described)
{
    pbx.s->header[0].name = "Session-ID";
    pbx.s->header[0].value = invite;
    story_request(pbx.s, CALLER, SIP_INVITE, offer);
    pbx.s->header[0].value = answer;
    story_reply(pbx.s, 200, described);
}

static void agent_with(const char *invite, const char *answer)
{
    pbx_call(LEG_IN, AGENT_SIP, PBX_SIP, NULL, NULL);
    call_with_session_id(invite, answer, SAYS(AGENT_RTP), SAYS(PBX_IN));
}

static void carrier_with(const char *invite, const char *answer)
{
    pbx_call(LEG_OUT, PBX_SIP, CARRIER_SIP, NULL, NULL);
    call_with_session_id(invite, answer, SAYS(PBX_OUT), SAYS(CARRIER_RTP));
}

Test(links, one_session_end_to_end)
{
    agent_with(UUID_A ";remote=" NOBODY, UUID_B ";remote=" UUID_A);
    carrier_with(UUID_A ";remote=" NOBODY, UUID_B ";remote=" UUID_A);
    expect_link(LINK_BY_SESSION_ID, "");
}

Test(links, one_session_and_the_other_end_is_not_known_yet)
{
    agent_with(UUID_A ";remote=" NOBODY, NOBODY ";remote=" UUID_A);
    carrier_with(UUID_A ";remote=" NOBODY, UUID_B ";remote=" UUID_A);
    expect_link(LINK_BY_SESSION_ID, "");
}

Test(links, two_sessions_of_one_party)
{
    agent_with(UUID_A ";remote=" NOBODY, UUID_B ";remote=" UUID_A);
    carrier_with(UUID_A ";remote=" NOBODY, UUID_C ";remote=" UUID_A);
    expect_none();
}

Test(links, two_sessions_that_know_no_end)
{
    agent_with(NOBODY ";remote=" NOBODY, NOBODY ";remote=" NOBODY);
    carrier_with(NOBODY ";remote=" NOBODY, NOBODY ";remote=" NOBODY);
    expect_none();
}

/* ---- by the media ---- */

enum { SSRC = 0x1234, OTHER = 0x5678 };

static void both_legs_unmarked(void)
{
    agent_calls(NULL, NULL);
    pbx_calls_carrier(NULL, NULL);
}

Test(links, the_media_passes_through)
{
    both_legs_unmarked();
    story_play(pbx.s, AGENT_RTP, PBX_IN, SSRC);
    story_play(pbx.s, PBX_OUT, CARRIER_RTP, SSRC);
    story_pass(pbx.s, 5000);
    expect_link(LINK_BY_MEDIA, "");
}

Test(links, the_media_passes_through_later)
{
    struct act *on;

    both_legs_unmarked();
    story_play(pbx.s, AGENT_RTP, PBX_IN, SSRC);
    story_pass(pbx.s, 3000);
    on = story_play(pbx.s, PBX_OUT, CARRIER_RTP, SSRC);
    on->sent = 150; /* from the very packet that comes in */
    story_pass(pbx.s, 5000);
    expect_link(LINK_BY_MEDIA, "");
}

Test(links, the_media_passes_through_backwards)
{
    both_legs_unmarked();
    story_play(pbx.s, CARRIER_RTP, PBX_OUT, SSRC);
    story_play(pbx.s, PBX_IN, AGENT_RTP, SSRC);
    story_pass(pbx.s, 5000);
    expect_link(LINK_BY_MEDIA, "");
}

Test(links, a_pbx_that_makes_new_rtp)
{
    both_legs_unmarked();
    story_play(pbx.s, AGENT_RTP, PBX_IN, SSRC);
    story_play(pbx.s, PBX_OUT, CARRIER_RTP, OTHER);
    story_pass(pbx.s, 5000);
    expect_none();
}

/* The same numbers at another moment: two recordings of one file. */
Test(links, one_ssrc_that_begins_anew)
{
    both_legs_unmarked();
    story_play(pbx.s, AGENT_RTP, PBX_IN, SSRC);
    story_pass(pbx.s, 3000);
    story_play(pbx.s, PBX_OUT, CARRIER_RTP, SSRC);
    story_pass(pbx.s, 5000);
    expect_none();
}

Test(links, one_ssrc_with_another_payload_type)
{
    both_legs_unmarked();
    story_play(pbx.s, AGENT_RTP, PBX_IN, SSRC);
    story_play(pbx.s, PBX_OUT, CARRIER_RTP, SSRC)->pt = 8;
    story_pass(pbx.s, 5000);
    expect_none();
}

Test(links, one_ssrc_in_two_calls_one_after_the_other)
{
    agent_calls(NULL, NULL);
    story_play(pbx.s, AGENT_RTP, PBX_IN, SSRC);
    story_pass(pbx.s, 5000);
    story_bye(pbx.s, CALLER);
    pbx_calls_carrier(NULL, NULL);
    story_play(pbx.s, PBX_OUT, CARRIER_RTP, SSRC);
    story_pass(pbx.s, 5000);
    expect_none();
}

/* Load generators use one SSRC for all calls: it comes in once and leaves twice. */
Test(links, one_ssrc_leaves_in_two_calls)
{
    both_legs_unmarked();
    pbx_call("leg-3@pbx", PBX_SIP, CARRIER_SIP, NULL, NULL);
    story_up(pbx.s, SAYS(PBX ":12002"), SAYS(CARRIER ":50002"));
    story_play(pbx.s, AGENT_RTP, PBX_IN, SSRC);
    story_play(pbx.s, PBX_OUT, CARRIER_RTP, SSRC);
    story_play(pbx.s, PBX ":12002", CARRIER ":50002", SSRC);
    story_pass(pbx.s, 5000);
    expect_none();
}

Test(links, one_ssrc_comes_in_by_two_calls)
{
    both_legs_unmarked();
    pbx_call("leg-3@agent", AGENT_SIP, PBX_SIP, NULL, NULL);
    story_up(pbx.s, SAYS(AGENT ":40002"), SAYS(PBX ":10002"));
    story_play(pbx.s, AGENT_RTP, PBX_IN, SSRC);
    story_play(pbx.s, AGENT ":40002", PBX ":10002", SSRC);
    story_play(pbx.s, PBX_OUT, CARRIER_RTP, SSRC);
    story_pass(pbx.s, 5000);
    expect_none();
}

/* It sends back what it gets (an echo test), beside another call that has the same SSRC. */
Test(links, one_ssrc_is_sent_back)
{
    both_legs_unmarked();
    story_play(pbx.s, AGENT_RTP, PBX_IN, SSRC);
    story_play(pbx.s, PBX_IN, AGENT_RTP, SSRC);
    story_play(pbx.s, PBX_OUT, CARRIER_RTP, SSRC);
    story_pass(pbx.s, 5000);
    expect_none();
}

Test(links, one_ssrc_in_very_many_calls)
{
    enum { CALLS = 22 };
    char ids[CALLS][16], ours[CALLS][32], theirs[CALLS][32];

    for (unsigned i = 0; i < CALLS; i++) {
        snprintf(ids[i], sizeof ids[i], "call-%u", i);
        snprintf(ours[i], sizeof ours[i], PBX ":%u", 12000 + 2 * i);
        snprintf(theirs[i], sizeof theirs[i], CARRIER ":%u", 50000 + 2 * i);
        pbx_call(ids[i], i % 2 ? PBX_SIP : CARRIER_SIP, i % 2 ? CARRIER_SIP : PBX_SIP, NULL, NULL);
        story_up(pbx.s, SAYS(i % 2 ? ours[i] : theirs[i]), SAYS(i % 2 ? theirs[i] : ours[i]));
        story_play(pbx.s, i % 2 ? ours[i] : theirs[i], i % 2 ? theirs[i] : ours[i], SSRC);
    }
    story_pass(pbx.s, 5000);
    expect_none();
}

/* The webphone's signalling is encrypted: its leg is a session of ICE checks. */
Test(links, the_media_of_a_leg_without_signalling_passes_through)
{
    pbx_calls_carrier(NULL, NULL);
    story_checks(pbx.s, AGENT_RTP, PBX_IN, "pbx:agent", AGENT_RTP);
    story_checks(pbx.s, PBX_IN, AGENT_RTP, "agent:pbx", PBX_IN);
    story_play(pbx.s, AGENT_RTP, PBX_IN, SSRC);
    story_play(pbx.s, PBX_OUT, CARRIER_RTP, SSRC);
    story_pass(pbx.s, 5000);
    pbx_judge();
    cr_assert_eq(pbx.report.sessions, 2);
    cr_assert_eq(links_of(0), 1);
    cr_expect_eq(link_of(0)->by, LINK_BY_MEDIA);
    cr_assert_eq(pbx_path(0)->legs, 2);
    cr_expect_str_eq(pbx.path.node[1], PBX);
}

/* ---- at several places ---- */

/* Each place sees one of the legs, and their clocks differ. */
Test(links, two_places_see_one_leg_each)
{
    struct story *far = story_new(CARRIER);
    struct vantage_input in[2] = { { .name = "pbx" }, { .name = "carrier" } };

    agent_calls(NULL, NULL);
    story_pass(pbx.s, 10000);
    in[0].track = pbx.s->track;
    in[0].now_ns = pbx.s->now_ns;
    story_call(far, LEG_OUT, PBX_SIP, CARRIER_SIP);
    far->header[0].name = "X-Call-ID";
    far->header[0].value = LEG_IN;
    story_up(far, SAYS(PBX_OUT), SAYS(CARRIER_RTP));
    in[1].track = far->track;
    in[1].now_ns = far->now_ns;
    cr_assert(report_make(&pbx.report, in, 2));
    cr_expect_eq(pbx.report.sessions, 2);
    cr_assert_eq(links_of(0), 1);
    cr_expect_eq(link_of(0)->other, 1);
    cr_expect_eq(pbx_path(1)->legs, 2);
    report_done(&pbx.report);
    story_free(far);
}

/* Both places see both legs: they are joined once. */
Test(links, two_places_see_both_legs)
{
    struct vantage_input in[2] = { { .name = "pbx" }, { .name = "again" } };

    both_legs();
    for (size_t i = 0; i < 2; i++) {
        in[i].track = pbx.s->track;
        in[i].now_ns = pbx.s->now_ns;
    }
    cr_assert(report_make(&pbx.report, in, 2));
    cr_expect_eq(pbx.report.sessions, 2);
    cr_expect_eq(links_of(0), 1);
    cr_expect_eq(links_of(1), 1);
}
