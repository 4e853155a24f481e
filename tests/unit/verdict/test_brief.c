/* What is not looked at by who only counts. That it counts the same, story_judge() holds against each story. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/story.h"

static struct story *s;

static void setup(void)
{
    s = story_new(D_HOST);
}

/* As before a call; the first one lies. */
static void ask_servers(void)
{
    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = "203.0.113.99:10000" });
    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(brief, .init = setup, .fini = teardown);

static void talk_for(unsigned ms)
{
    story_up(s, SAYS("203.0.113.99:10000"), SAYS(W_RTP));
    story_pass(s, ms);
    story_bye(s, CALLER);
}

/* The story must be told and judged as a call first. For free(), its arena is gone. */
static struct session_finding *judged_briefly(void)
{
    struct session_finding *brief = malloc(sizeof *brief);

    cr_assert_not_null(brief);
    judge_call_briefly(&s->view, track_call_at(s->track, 0), brief);
    session_finding_done(brief);
    return brief;
}

static size_t directions_counted(void)
{
    struct session_finding *brief = judged_briefly();
    size_t n = brief->directions_n;

    free(brief);
    return n;
}

static size_t servers_named(const struct session_finding *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->candidates_n; i++)
        n += f->candidate[i].server != POOL_NONE;
    return n;
}

static void expect_settled(bool yes)
{
    EXPECT(s, .verdict = VERDICT_NOT_EXPECTED);
    cr_expect_eq(s->found->directions_n, 2, "it is told whole");
    cr_expect_eq(directions_counted(), yes ? 0 : 2);
}

Test(brief, hung_up_at_once)
{
    talk_for(500);
    expect_settled(true);
}

Test(brief, refused_after_early_media)
{
    story_request(s, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    story_reply(s, 183, SAYS(W_RTP));
    story_pass(s, 9000);
    story_reply(s, 486, NULL);
    expect_settled(true);
}

/* Another call's media is in the capture, so this one's might have been. */
Test(brief, hung_up_at_once_beside_a_call_with_media)
{
    story_play(s, D_HOST ":20000", W_OUT ":50000", 7);
    talk_for(500);
    expect_settled(false);
}

/* What the other place saw is joined to the directions. */
Test(brief, hung_up_at_once_at_one_of_several_places)
{
    s->options.several = true;
    talk_for(500);
    expect_settled(false);
}

/* Its directions tell nothing; its candidates name the server that supplied them, and that counts the call. */
static void expect_named_and_settled(void)
{
    struct session_finding *brief;

    expect_settled(true);
    brief = judged_briefly();
    cr_expect(servers_named(brief) > 0);
    cr_expect_eq(servers_named(brief), servers_named(s->found));
    cr_expect_eq(brief->warnings_n, s->found->warnings_n);
    free(brief);
}

Test(brief, hung_up_at_once_after_a_stun_servers_answer)
{
    ask_servers();
    talk_for(500);
    expect_named_and_settled();
}

Test(brief, refused_after_a_stun_servers_answer)
{
    ask_servers();
    story_request(s, CALLER, SIP_INVITE, SAYS("203.0.113.99:10000"));
    story_reply(s, 183, SAYS(W_RTP));
    story_pass(s, 9000);
    story_reply(s, 486, NULL);
    expect_named_and_settled();
}

/* A filter let SIP and STUN through, and no voice. */
Test(brief, the_server_is_named_without_any_voice)
{
    ask_servers();
    talk_for(10 * 1000);
    story_judge(s, 0);
    cr_expect(servers_named(s->found) > 0);
}

Test(brief, still_up)
{
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_judge(s, 0);
    cr_expect_eq(s->found->verdict, VERDICT_UNKNOWN);
    cr_expect_eq(directions_counted(), 2);
}

Test(brief, long_enough_to_be_missed)
{
    ask_servers();
    talk_for(10 * 1000);
    story_judge(s, 0);
    cr_expect(verdict_is_failure(s->found->verdict));
    cr_expect_eq(directions_counted(), 2);
}
