/* Sessions of which only ICE checks are seen (SPEC §2), and consent to send (RFC 7675). */
#include <criterion/criterion.h>

#include "support/story.h"

static void expect_sessions(struct story *s, uint32_t n)
{
    uint32_t found = story_unsignalled(s);

    cr_expect_eq(found, n, "%u sessions without signalling, expected %u", found, n);
}

/* ---- ICE alone ---- */

/* Two browsers: D is controlling and nominates. `checks` gets both sides' checks. */
static struct story *ice_talk(struct act *checks[PARTIES])
{
    struct story *s = story_new(D_HOST);

    checks[CALLER] = story_checks(s, D_RTP, W_RTP, "wfrag:dfrag", D_RTP_OUT);
    checks[CALLEE] = story_checks(s, W_RTP, D_RTP, "dfrag:wfrag", W_RTP);
    checks[CALLER]->nominates = true;
    story_pass(s, 600);
    checks[CALLER]->every_ms = checks[CALLEE]->every_ms = 5000;
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    return s;
}

Test(ice_alone, roles_and_nomination)
{
    struct act *checks[PARTIES];
    struct story *s = ice_talk(checks);
    struct ice_finding ice;

    EXPECT(s, .verdict = VERDICT_OK);
    ice = s->found->ice;
    cr_expect(ice.used && ice.has_controlling && ice.controlling == CALLER && !ice.has_lite && ice.restarts == 0);
    cr_expect(ice.nominated.frame && addr_eq(&ice.local, &checks[CALLER]->from) && addr_eq(&ice.remote, &checks[CALLER]->to));
    story_free(s);
}

/* New fragments on the same addresses while the media goes on: one session. */
Test(ice_alone, a_restart)
{
    struct act *checks[PARTIES];
    struct story *s = ice_talk(checks);

    checks[CALLER]->user = "wnew:dnew";
    checks[CALLEE]->user = "dnew:wnew";
    story_pass(s, 15 * 1000);
    expect_sessions(s, 1);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_eq(s->found->ice.restarts, 1);
    story_free(s);
}

/*
 * A browser restarts with new sockets, and pairs D's old one with W's new one for a while: what W sends to D's new one does not go astray.
 */
Test(ice_alone, a_restart_pairs_an_old_socket_with_a_new_one)
{
    struct story *s = story_new(D_HOST);
    const char *d_new = D_HOST ":10002", *w_new = W_OUT ":41000";

    story_checks(s, D_RTP, W_RTP, "w1:d1", D_RTP_OUT);
    story_checks(s, W_RTP, D_RTP, "d1:w1", W_RTP);
    story_pass(s, 3000);
    story_hush(s);
    story_checks(s, D_RTP, w_new, "w2:d1", D_RTP_OUT);
    story_checks(s, d_new, w_new, "w2:d2", D_OUT ":10002");
    story_checks(s, w_new, d_new, "d2:w2", w_new);
    story_play(s, d_new, w_new, 1);
    story_play(s, w_new, d_new, 2);
    story_pass(s, 10 * 1000);
    expect_sessions(s, 3);
    for (uint32_t i = 0; i < 3; i++)
        cr_expect(!verdict_is_failure(story_judge(s, i)->verdict), "session %u", i);
    story_free(s);
}

/* ... also where an address was tried before it, and never after. */
Test(ice_alone, a_restart_and_an_old_attempt)
{
    struct act *checks[PARTIES], *vain;
    struct story *s = story_new(D_HOST);

    vain = story_checks(s, D_RTP, W_RTP_HOME, "wfrag:dfrag", NULL);
    checks[CALLER] = story_checks(s, D_RTP, W_RTP, "wfrag:dfrag", D_RTP_OUT);
    checks[CALLEE] = story_checks(s, W_RTP, D_RTP, "dfrag:wfrag", W_RTP);
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    vain->over = true;
    checks[CALLER]->user = "wnew:dnew";
    checks[CALLEE]->user = "dnew:wnew";
    story_pass(s, 10 * 1000);
    expect_sessions(s, 1);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* Only one side's fragment is new: another peer behind the same address. */
Test(ice_alone, one_new_fragment_is_no_restart)
{
    struct act *checks[PARTIES], *other;
    struct story *s = ice_talk(checks);

    other = story_checks(s, D_RTP, W_OUT ":40002", "wfrag:dfrag", NULL);
    story_pass(s, 1000);
    other->over = true;
    checks[CALLER]->user = "wnew:dfrag";
    checks[CALLEE]->user = "dfrag:wnew";
    story_pass(s, 15 * 1000);
    expect_sessions(s, 2);
    story_free(s);
}

/* A server that only answers (RFC 8445 §2.5): no check of its own is expected. */
Test(ice_alone, a_lite_agent)
{
    struct story *s = story_new(D_HOST);
    struct act *w = story_checks(s, W_RTP, D_RTP, "dfrag:wfrag", W_RTP);

    w->nominates = true;
    story_pass(s, 600);
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect(s->found->ice.has_lite && s->found->ice.lite == CALLEE, "D, which is b, only answers");
    story_free(s);
}

/* Every check is answered, and there is nothing else. `before_ms`: so long the capture ran before. */
static struct story *checks_alone(unsigned before_ms, bool nominates)
{
    struct story *s = story_new(D_HOST);
    struct act *d;

    story_stun(s, &(struct asks){ D_HOST ":12000", HONEST, .mapped = D_OUT ":12000" });
    story_pass(s, before_ms);
    d = story_checks(s, D_RTP, W_RTP, "wfrag:dfrag", D_RTP_OUT);
    d->controls = true;
    d->nominates = nominates;
    story_checks(s, W_RTP, D_RTP, "dfrag:wfrag", W_RTP);
    story_pass(s, 15 * 1000);
    return s;
}

/* The controlling agent never chooses: no DTLS, no media. */
Test(ice_alone, nobody_nominates)
{
    struct story *s = checks_alone(10 * 1000, false);

    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_UNKNOWN);
    story_free(s);
}

Test(ice_alone, it_nominates_and_no_media_follows)
{
    struct story *s = checks_alone(10 * 1000, true);

    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

/* The session may be older than the capture: what is seen is consent, and the choice was made before. */
Test(ice_alone, began_before_the_capture)
{
    struct story *s = checks_alone(1000, false);

    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

/* ---- consent (RFC 7675) ---- */

/* W vanishes: nothing comes from there any more, and D's checks are not answered. */
Test(consent, the_peer_is_gone)
{
    struct act *checks[PARTIES];
    struct story *s = ice_talk(checks);

    checks[CALLER]->seen_as = (struct addr){ 0 };
    checks[CALLEE]->over = true;
    s->act[3].over = true;
    story_pass(s, 35 * 1000);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PEER_GONE, .least = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    cr_expect(story_direction(s, CALLER)->stopped.frame > 0);
    story_free(s);
}

Test(consent, its_host_says_that_nobody_listens)
{
    struct act *checks[PARTIES];
    struct story *s = ice_talk(checks);

    checks[CALLER]->seen_as = (struct addr){ 0 };
    checks[CALLEE]->over = true;
    s->act[3].over = true;
    for (unsigned i = 0; i < 35; i++) {
        story_icmp(s, W_OUT ":0", D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
        story_pass(s, 1000);
    }
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PORT_UNREACHABLE, .least = CONFIDENCE_PROVEN);
    story_free(s);
}

/* What W sends still comes, and nothing of D's is answered: the way there is closed. */
Test(consent, one_way_is_closed)
{
    struct act *checks[PARTIES];
    struct story *s = ice_talk(checks);

    checks[CALLER]->seen_as = (struct addr){ 0 };
    story_pass(s, 35 * 1000);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    story_free(s);
}

/* ... but W reports that it hears D: it has only stopped to answer. */
Test(consent, no_answers_and_good_reports)
{
    struct act *checks[PARTIES];
    struct story *s = ice_talk(checks);

    story_report(s, W_RTP, D_RTP, 2, 1);
    checks[CALLER]->seen_as = (struct addr){ 0 };
    story_pass(s, 35 * 1000);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* D asks no more, as agents without RFC 7675 do. */
Test(consent, nobody_asks_any_more)
{
    struct act *checks[PARTIES];
    struct story *s = ice_talk(checks);

    checks[CALLER]->over = checks[CALLEE]->over = true;
    story_pass(s, 35 * 1000);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The old pair dies, since both have moved to another. */
Test(consent, ice_moved_to_another_pair)
{
    struct act *checks[PARTIES], *moved;
    struct story *s = ice_talk(checks);

    moved = story_checks(s, D_RTP, W_OUT ":40002", "wfrag:dfrag", D_RTP_OUT);
    moved->nominates = true;
    story_checks(s, W_OUT ":40002", D_RTP, "dfrag:wfrag", W_OUT ":40002");
    story_pass(s, 1000);
    story_turn(&s->act[2], W_OUT ":40002");
    s->act[3].from = moved->to;
    checks[CALLER]->seen_as = (struct addr){ 0 };
    checks[CALLEE]->over = true;
    story_pass(s, 40 * 1000);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect(addr_eq(&s->found->ice.remote, &moved->to), "the pair that media takes was nominated last");
    story_free(s);
}

/* W is mute, on hold, or listening only: its checks go on. */
Test(consent, a_silent_peer_that_answers)
{
    struct act *checks[PARTIES];
    struct story *s = ice_talk(checks);

    s->act[3].over = true;
    story_pass(s, 35 * 1000);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* W hung up, which is not seen, and D's last packets find nobody. */
Test(consent, icmp_at_the_end)
{
    struct act *checks[PARTIES];
    struct story *s = ice_talk(checks);

    checks[CALLER]->seen_as = (struct addr){ 0 };
    checks[CALLEE]->over = true;
    s->act[3].over = true;
    for (unsigned i = 0; i < 3; i++) {
        story_icmp(s, W_OUT ":0", D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
        story_pass(s, 1000);
    }
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}
