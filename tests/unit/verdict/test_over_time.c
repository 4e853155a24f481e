/* What changes while a call goes on: media that stops and comes back, and ICE that begins anew (SPEC §4). */
#include <criterion/criterion.h>

#include "support/story.h"

static struct act *talk(struct story *s)
{
    struct act *w;

    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    w = story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 8 * 1000);
    return w;
}

static const char *warned(struct story *s)
{
    for (size_t i = 0; i < s->found->warnings_n; i++)
        if (strcmp(s->found->warning[i].kind, "interrupted") == 0)
            return s->found->warning[i].text;
    return NULL;
}

/* ---- media stops and comes back ---- */

Test(gap, lost_on_the_way)
{
    struct story *s = story_new(D_HOST);
    struct act *w = talk(s);
    const struct direction_finding *d;
    int64_t from = s->now_ns;

    w->lost = true;
    story_pass(s, 9 * 1000);
    w->lost = false;
    story_pass(s, 8 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect(warned(s) && strstr(warned(s), "9.0 s"), "%s", warned(s) ? warned(s) : "no warning");
    d = story_direction(s, CALLEE);
    cr_expect_eq(d->stopped.ns, from);
    cr_expect(d->resumed.ns - from >= SECONDS(9) && d->resumed.ns - from < SECONDS(10));
    story_free(s);
}

/* It sent nothing: the numbers go on where they stopped. */
Test(gap, the_webphone_is_mute_for_a_while)
{
    struct story *s = story_new(D_HOST);
    struct act *w = talk(s);

    story_report(s, W_OUT ":40001", D_HOST ":10001", 2, 1);
    w->over = true;
    story_pass(s, 9 * 1000);
    w->over = false;
    story_pass(s, 8 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_null(warned(s));
    cr_expect(story_direction(s, CALLEE)->resumed.frame > 0, "when is told all the same");
    story_free(s);
}

Test(gap, comfort_noise)
{
    struct story *s = story_new(D_HOST);
    struct act *w = talk(s);

    for (unsigned i = 0; i < 3; i++) {
        w->pt = 13;
        w->every_ms = 4000;
        story_pass(s, 12 * 1000);
        w->pt = 0;
        w->every_ms = 20;
        story_pass(s, 4 * 1000);
    }
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_null(warned(s));
    story_free(s);
}

Test(gap, short_enough_to_be_forgotten)
{
    struct story *s = story_new(D_HOST);
    struct act *w = talk(s);

    w->lost = true;
    story_pass(s, 4 * 1000);
    w->lost = false;
    story_pass(s, 8 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_null(warned(s));
    cr_expect(story_direction(s, CALLEE)->resumed.frame > 0);
    story_free(s);
}

Test(gap, in_a_capture_with_drops)
{
    struct story *s = story_new(D_HOST);
    struct act *w = talk(s);

    s->options.dropped = true;
    w->lost = true;
    story_pass(s, 9 * 1000);
    w->lost = false;
    story_pass(s, 8 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_null(warned(s));
    story_free(s);
}

Test(gap, hold)
{
    struct story *s = story_new(D_HOST);
    struct act *w = talk(s);

    story_reinvite(s, CALLER, SAYS(D_RTP_OUT, .dir = SDP_INACTIVE), SAYS(W_RTP, .dir = SDP_INACTIVE));
    w->lost = true;
    story_pass(s, 12 * 1000);
    story_reinvite(s, CALLER, SAYS(D_RTP_OUT), SAYS(W_RTP));
    w->lost = false;
    story_pass(s, 8 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_null(warned(s));
    story_free(s);
}

/* ---- ICE in a call ---- */

#define D_SAYS(frag)                                                                                                             \
    SAYS(D_RTP_OUT, .ufrag = frag, .cand = { { SDP_CAND_HOST, D_RTP, NULL }, { SDP_CAND_SRFLX, D_RTP_OUT, D_RTP } })
#define W_SAYS(frag) SAYS(W_RTP, .ufrag = frag, .cand = { { SDP_CAND_HOST, W_RTP_HOME, NULL }, { SDP_CAND_SRFLX, W_RTP, NULL } })

static struct story *ice_call(struct act *checks[PARTIES])
{
    struct story *s = story_new(D_HOST);

    story_up(s, D_SAYS("dfrag"), W_SAYS("wfrag"));
    checks[CALLER] = story_checks(s, D_RTP, W_RTP, "wfrag:dfrag", D_RTP_OUT);
    checks[CALLEE] = story_checks(s, W_RTP, D_RTP, "dfrag:wfrag", W_RTP);
    checks[CALLER]->nominates = true;
    story_pass(s, 600);
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    return s;
}

Test(ice_restart, begins_a_new_span)
{
    struct act *checks[PARTIES];
    struct story *s = ice_call(checks);

    story_reinvite(s, CALLER, D_SAYS("dnew"), W_SAYS("wnew"));
    checks[CALLER]->user = "wnew:dnew";
    checks[CALLEE]->user = "dnew:wnew";
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_eq(s->found->ice.restarts, 1);
    cr_expect_eq(story_unsignalled(s), 0);
    story_free(s);
}

Test(ice_restart, a_refresh_is_none)
{
    struct act *checks[PARTIES];
    struct story *s = ice_call(checks);

    story_reinvite(s, CALLER, D_SAYS("dfrag"), W_SAYS("wfrag"));
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_eq(s->found->ice.restarts, 0);
    cr_expect(s->found->ice.has_controlling && s->found->ice.controlling == CALLER);
    story_free(s);
}

/* A lite server in a call: it sends no checks, and a webphone without a microphone is mute, not cut off. */
Test(ice_restart, a_lite_party_sends_no_checks)
{
    struct story *s = story_new(D_HOST);
    struct act *w;

    story_up(s, SAYS(D_RTP, .ufrag = "dfrag", .lite = true, .cand = { { SDP_CAND_HOST, D_RTP, NULL } }), W_SAYS("wfrag"));
    w = story_checks(s, W_RTP, D_RTP, "dfrag:wfrag", W_RTP);
    w->nominates = true;
    story_pass(s, 600);
    story_play(s, D_RTP, W_RTP, 1);
    story_report(s, W_RTP, D_RTP, 2, 1)->no_sr = true;
    story_pass(s, 15 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_SENT);
    cr_expect(s->found->ice.has_lite && s->found->ice.lite == CALLER);
    story_free(s);
}
