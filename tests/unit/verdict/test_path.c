/* path.c: the legs in a row, and where the audio is lost. The PBX of pbx.h: agent (caller of 0) -> PBX -> carrier (callee of 1). */
#include "support/pbx.h"

TestSuite(path, .init = pbx_open, .fini = pbx_close);

enum { FROM_AGENT = 1, TO_CARRIER, FROM_CARRIER, TO_AGENT };

static void agent_speaks(void)
{
    voice_of(AGENT_RTP, PBX_IN, FROM_AGENT);
}

static void pbx_passes_on(void)
{
    voice_of(PBX_OUT, CARRIER_RTP, TO_CARRIER);
}

static void carrier_speaks(void)
{
    voice_of(CARRIER_RTP, PBX_OUT, FROM_CARRIER);
}

static void pbx_passes_back(void)
{
    voice_of(PBX_IN, AGENT_RTP, TO_AGENT);
}

/* The far parties' reports: what they hear, 0 nothing. */
static void agent_hears(uint32_t ssrc)
{
    story_report(pbx.s, AGENT ":40001", PBX ":10001", FROM_AGENT, ssrc);
}

static void carrier_hears(uint32_t ssrc)
{
    story_report(pbx.s, CARRIER ":50001", PBX ":12001", FROM_CARRIER, ssrc);
}

/* 20 s, then the judgement; the path through the second call is the same as through the first. */
static const struct path *judged(void)
{
    struct path first;

    story_pass(pbx.s, 20000);
    pbx_judge();
    path_make(&pbx.report, 0, &first);
    pbx_path(1);
    cr_assert_eq(first.legs, 2);
    cr_assert_eq(pbx.path.legs, 2);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(first.leg[i].session, pbx.path.leg[i].session);
    cr_expect_eq(first.losses, pbx.path.losses);
    path_done(&first);
    return &pbx.path;
}

static void expect_lost(const struct path *p, bool backward, enum lost_where where, size_t leg, const char *text)
{
    cr_assert_eq(p->losses, 1, "%zu losses: %s", p->losses, p->losses ? p->lost[0].text : "");
    cr_expect_eq(p->lost[0].backward, backward);
    cr_expect_str_eq(lost_where_word(p->lost[0].where), lost_where_word(where));
    cr_expect_eq(p->lost[0].leg, leg);
    cr_expect_str_eq(p->lost[0].text, text);
}

Test(path, the_callers_leg_comes_first)
{
    const struct path *p;

    both_legs();
    agent_speaks();
    pbx_passes_on();
    carrier_speaks();
    pbx_passes_back();
    p = judged();
    cr_expect_eq(p->leg[0].session, 0);
    cr_expect_eq(p->leg[1].session, 1);
    cr_expect_str_eq(p->node[0], "dialer", "as the story names a caller");
    cr_expect_str_eq(p->node[1], PBX);
    cr_expect_str_eq(p->node[2], "agent");
    cr_expect_eq(p->losses, 0);
}

Test(path, a_call_without_links_has_none)
{
    agent_calls(NULL, NULL);
    pbx_calls_carrier(NULL, NULL);
    pbx_judge();
    cr_expect_eq(pbx_path(0)->legs, 0);
    cr_expect_eq(pbx_path(1)->legs, 0);
}

Test(path, lost_after_the_pbx)
{
    both_legs();
    agent_speaks();
    pbx_passes_on();
    carrier_speaks();
    pbx_passes_back();
    agent_hears(TO_AGENT);
    carrier_hears(0);
    expect_lost(judged(), false, LOST_LEG, 1, "The audio of dialer is lost between " PBX " and agent.");
}

/* Its reports come, and say that it sends. */
Test(path, lost_before_the_pbx)
{
    both_legs();
    pbx_passes_on();
    carrier_speaks();
    pbx_passes_back();
    agent_hears(TO_AGENT);
    carrier_hears(TO_CARRIER);
    expect_lost(judged(), false, LOST_LEG, 0, "The audio of dialer is lost between dialer and " PBX ".");
}

/* Where the PBX itself is the first party, as of a call that it made and another that a header joins to it. */
Test(path, the_dialer_itself_sends_none)
{
    const struct path *p;

    pbx_call(LEG_IN, PBX_SIP, AGENT_SIP, NULL, NULL);
    story_up(pbx.s, SAYS(PBX_IN), SAYS(AGENT_RTP));
    pbx_call(LEG_OUT, AGENT_SIP, CARRIER_SIP, "X-Call-ID", LEG_IN);
    story_up(pbx.s, SAYS(AGENT ":42000"), SAYS(CARRIER_RTP));
    agent_speaks();
    p = judged();
    expect_lost(p, false, LOST_SOURCE, 0, "dialer sends no audio to " AGENT ".");
}

/* Its reports come, and do not say so: no call failed, and nothing is lost. */
Test(path, the_agent_is_mute)
{
    both_legs();
    pbx_passes_on();
    carrier_speaks();
    pbx_passes_back();
    story_report(pbx.s, AGENT ":40001", PBX ":10001", FROM_AGENT, TO_AGENT)->no_sr = true;
    carrier_hears(TO_CARRIER);
    cr_expect_eq(judged()->losses, 0);
    cr_expect_eq(pbx.report.by_verdict[VERDICT_OK], 2);
}

/* The same, and the carrier does not hear the PBX: what it does not hear is not the agent. */
Test(path, the_agent_is_mute_and_the_carrier_hears_nobody)
{
    both_legs();
    pbx_passes_on();
    carrier_speaks();
    pbx_passes_back();
    story_report(pbx.s, AGENT ":40001", PBX ":10001", FROM_AGENT, TO_AGENT)->no_sr = true;
    carrier_hears(0);
    expect_lost(judged(), false, LOST_LEG, 1, "What " PBX " sends is lost between " PBX " and agent.");
}

/* Nothing of the agent comes, no reports either: its firewall. The PBX plays silence to the carrier all the same. */
Test(path, lost_before_the_pbx_for_certain)
{
    both_legs();
    pbx_passes_on();
    carrier_speaks();
    pbx_passes_back();
    carrier_hears(TO_CARRIER);
    expect_lost(judged(), false, LOST_LEG, 0, "The audio of dialer is lost between dialer and " PBX ".");
}

Test(path, lost_inside_the_pbx)
{
    both_legs();
    agent_speaks();
    carrier_speaks();
    pbx_passes_back();
    agent_hears(TO_AGENT);
    expect_lost(judged(), false, LOST_INSIDE, 1, PBX " receives the audio of dialer and sends none on to agent.");
}

Test(path, lost_inside_the_pbx_on_the_way_back)
{
    both_legs();
    agent_speaks();
    pbx_passes_on();
    carrier_speaks();
    carrier_hears(TO_CARRIER);
    expect_lost(judged(), true, LOST_INSIDE, 0, PBX " receives the audio of agent and sends none on to dialer.");
}

/* The PBX sends nothing to the carrier because nothing comes from the agent. */
Test(path, nothing_inside_where_nothing_comes_in)
{
    both_legs();
    carrier_speaks();
    pbx_passes_back();
    expect_lost(judged(), false, LOST_LEG, 0, "The audio of dialer is lost between dialer and " PBX ".");
}

/* The agent spoke to an announcement; when the carrier answered, it was silent. */
Test(path, nothing_inside_where_it_came_in_before)
{
    struct act *speech;
    const struct path *p;

    agent_calls(NULL, NULL);
    speech = story_play(pbx.s, AGENT_RTP, PBX_IN, FROM_AGENT);
    pbx_passes_back();
    agent_hears(TO_AGENT);
    story_pass(pbx.s, 20000);
    speech->over = true;
    pbx_calls_carrier("X-Call-ID", LEG_IN);
    carrier_speaks();
    p = judged();
    for (size_t i = 0; i < p->losses; i++)
        cr_expect_neq(p->lost[i].where, LOST_INSIDE, "%s", p->lost[i].text);
}

Test(path, the_carrier_is_lost_before_the_pbx)
{
    both_legs();
    agent_speaks();
    pbx_passes_on();
    pbx_passes_back();
    agent_hears(TO_AGENT);
    expect_lost(judged(), true, LOST_LEG, 1, "The audio of agent is lost between agent and " PBX ".");
}

Test(path, lost_both_ways_at_two_places)
{
    const struct path *p;

    both_legs();
    agent_speaks();
    pbx_passes_on();
    carrier_hears(0);
    carrier_speaks();
    p = judged();
    cr_assert_eq(p->losses, 2);
    cr_expect(!p->lost[0].backward && p->lost[0].where == LOST_LEG && p->lost[0].leg == 1);
    cr_expect(p->lost[1].backward && p->lost[1].where == LOST_INSIDE && p->lost[1].leg == 0);
}

Test(path, the_second_leg_rings)
{
    const struct path *p;

    agent_calls(NULL, NULL);
    agent_speaks();
    pbx_passes_back();
    pbx_call(LEG_OUT, PBX_SIP, CARRIER_SIP, "X-Call-ID", LEG_IN);
    story_request(pbx.s, CALLER, SIP_INVITE, SAYS(PBX_OUT));
    story_reply(pbx.s, 180, NULL);
    p = judged();
    cr_expect_eq(p->losses, 0);
}

Test(path, of_two_forks_the_answered_one)
{
    agent_calls(NULL, NULL);
    pbx_call("fork-1@pbx", PBX_SIP, CARRIER_SIP, "X-CID", LEG_IN);
    story_request(pbx.s, CALLER, SIP_INVITE, SAYS(PBX_OUT));
    pbx_calls_carrier("X-CID", LEG_IN);
    pbx_judge();
    cr_assert_eq(pbx_path(0)->legs, 2);
    cr_expect_eq(pbx.path.leg[1].session, 2);
    cr_assert_eq(pbx_path(1)->legs, 2, "and the other is told with its own");
    cr_expect_eq(pbx.path.leg[1].session, 1);
}

Test(path, a_dialer_called_both)
{
    const struct path *p;

    pbx_call(LEG_IN, PBX_SIP, AGENT_SIP, NULL, NULL);
    story_up(pbx.s, SAYS(PBX_IN), SAYS(AGENT_RTP));
    pbx_calls_carrier("X-Call-ID", LEG_IN);
    agent_speaks();
    carrier_speaks();
    pbx_passes_back();
    agent_hears(TO_AGENT);
    p = judged();
    cr_expect_eq(p->leg[0].near, CALLEE, "the agent was called");
    cr_expect_eq(p->leg[1].near, CALLER);
    expect_lost(p, false, LOST_INSIDE, 1, PBX " receives the audio of agent and sends none on to agent.");
}

#define SBC "192.0.2.90"

Test(path, three_legs_in_a_row)
{
    const struct path *p;

    both_legs();
    pbx_call("leg-3@carrier", CARRIER_SIP, SBC ":5060", "X-Call-ID", LEG_OUT);
    story_up(pbx.s, SAYS(CARRIER ":52000"), SAYS(SBC ":60000"));
    pbx_judge();
    for (uint32_t i = 0; i < 3; i++) {
        p = pbx_path(i);
        cr_assert_eq(p->legs, 3);
        for (size_t k = 0; k < 3; k++)
            cr_expect_eq(p->leg[k].session, k);
        cr_expect_str_eq(p->node[1], PBX);
        cr_expect_str_eq(p->node[2], CARRIER);
    }
}

/* Each names the other; the way ends where it would begin anew. */
Test(path, two_that_name_each_other)
{
    agent_calls("X-Call-ID", LEG_OUT);
    pbx_calls_carrier("X-Call-ID", LEG_IN);
    pbx_judge();
    cr_expect_eq(pbx_path(0)->legs, 2);
    cr_expect_eq(links_of(0), 1);
}

Test(path, longer_than_is_kept)
{
    enum { CALLS = PATH_LEGS + 2 };
    char ids[CALLS][16], hosts[CALLS + 1][32];

    for (unsigned i = 0; i <= CALLS; i++)
        snprintf(hosts[i], sizeof hosts[i], "192.0.2.%u:5060", 100 + i);
    for (unsigned i = 0; i < CALLS; i++) {
        snprintf(ids[i], sizeof ids[i], "leg-%u", i);
        pbx_call(ids[i], hosts[i], hosts[i + 1], i ? "X-Call-ID" : NULL, i ? ids[i - 1] : NULL);
        story_up(pbx.s, SAYS(AGENT_RTP), SAYS(CARRIER_RTP));
    }
    pbx_judge();
    cr_expect_eq(pbx_path(0)->legs, PATH_LEGS);
    cr_expect_eq(pbx_path(CALLS - 1)->legs, PATH_LEGS);
}

/* ICE of the agent's leg never connects: that leg is at fault in both directions, and the PBX is not. */
Test(path, one_leg_never_comes_up)
{
    const struct path *p;

    pbx_call(LEG_IN, AGENT_SIP, PBX_SIP, NULL, NULL);
    story_up(pbx.s, SAYS(AGENT_RTP, .ufrag = "agent", .cand = { { SDP_CAND_HOST, AGENT_RTP, NULL } }),
             SAYS(PBX_IN, .ufrag = "pbx", .cand = { { SDP_CAND_HOST, PBX_IN, NULL } }));
    pbx_calls_carrier("X-Call-ID", LEG_IN);
    story_checks(pbx.s, PBX_IN, AGENT_RTP, "agent:pbx", NULL);
    carrier_speaks();
    p = judged();
    cr_assert_eq(p->losses, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_expect(p->lost[i].where == LOST_LEG && p->lost[i].leg == 0, "%s", p->lost[i].text);
        cr_expect_not_null(strstr(p->lost[i].text, "media was never set up"));
    }
}
