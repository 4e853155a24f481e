/* quality.c: loss, gaps and a MOS, and the warning that a call sounds bad. */
#include <criterion/criterion.h>

#include "support/story.h"

#define D_RTCP D_HOST ":10001"
#define W_RTCP W_OUT ":40001"

enum { FROM_D = 1, FROM_W = 2, PT_OTHER = 9 /* G.722 */ };

/* W's audio loses each `lose_every`th packet. */
static struct story *a_call(unsigned lose_every, unsigned seconds)
{
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, FROM_D);
    story_play(s, W_RTP, D_RTP, FROM_W)->lose_every = lose_every;
    story_pass(s, seconds * 1000);
    return s;
}

static const struct direction_finding *judged(struct story *s, enum party from)
{
    story_judge(s, 0);
    return story_direction(s, from);
}

static const char *warned(const struct story *s)
{
    for (size_t i = 0; i < s->found->warnings_n; i++)
        if (strcmp(s->found->warning[i].kind, "poor_quality") == 0)
            return s->found->warning[i].text;
    return NULL;
}

static bool near(double got, double want)
{
    return got > want - 0.02 && got < want + 0.02;
}

Test(quality, no_loss)
{
    struct story *s = a_call(0, 10);
    const struct direction_finding *d = judged(s, CALLEE);

    cr_expect(d->has_quality && d->loss_percent == 0);
    cr_expect_not(d->quality.by_rtcp);
    cr_expect(near(d->mos, 4.41), "%f", d->mos);
    cr_expect(strstr(d->mos_assumed, "Bpl 25.1") && strstr(d->mos_assumed, "assumed"));
    cr_expect_eq(d->quality.gaps, 0);
    cr_expect_null(warned(s));
    story_free(s);
}

Test(quality, a_tenth_is_lost)
{
    struct story *s = a_call(10, 10);
    const struct direction_finding *d = judged(s, CALLEE);

    cr_expect(d->verdict == DIR_RECEIVED && d->loss_percent > 9 && d->loss_percent < 11);
    cr_assert_not_null(warned(s));
    cr_expect(strstr(warned(s), "% of it is lost"), "%s", warned(s));
    story_free(s);
}

Test(quality, two_percent_are_lost)
{
    struct story *s = a_call(50, 10);
    const struct direction_finding *d = judged(s, CALLEE);

    cr_expect(d->loss_percent > 1.5 && d->loss_percent < 2.5, "%f", d->loss_percent);
    cr_expect(d->mos > 4, "%f", d->mos);
    cr_expect_null(warned(s));
    story_free(s);
}

/* What the capture lost, the network need not have lost. */
Test(quality, a_capture_with_drops_warns_of_nothing)
{
    struct story *s = a_call(10, 10);

    s->options.dropped = true;
    cr_expect_eq(judged(s, CALLEE)->mos, 0);
    cr_expect_null(warned(s));
    story_free(s);
}

Test(quality, too_short_for_a_score)
{
    struct story *s = a_call(5, 2);
    const struct direction_finding *d = judged(s, CALLEE);

    cr_expect(d->has_quality);
    cr_expect_eq(d->mos, 0);
    cr_expect_null(d->mos_assumed);
    cr_expect_null(warned(s));
    story_free(s);
}

Test(quality, no_score_for_a_codec_without_values)
{
    struct story *s = a_call(0, 1);

    s->act[1].over = true;
    story_play(s, W_RTP, D_RTP, FROM_W + 1)->pt = PT_OTHER;
    story_pass(s, 10 * 1000);
    cr_expect_eq(judged(s, CALLEE)->mos, 0);
    cr_expect_str_eq(story_direction(s, CALLEE)->codec, "G722");
    story_free(s);
}

/* Five seconds of nothing, and the sender's numbers went on meanwhile. */
Test(quality, an_outage_in_mid_call_is_loss_and_a_gap)
{
    struct story *s = a_call(0, 10);
    const struct direction_finding *d;

    s->act[1].lose_every = 1;
    story_pass(s, 5 * 1000);
    s->act[1].lose_every = 0;
    story_pass(s, 10 * 1000);
    d = judged(s, CALLEE);
    cr_expect(d->loss_percent > 19 && d->loss_percent < 21, "%f", d->loss_percent);
    cr_expect_eq(d->quality.gaps, 1);
    cr_expect(d->quality.longest_gap_ns > SECONDS(5) && d->quality.longest_gap_ns < SECONDS(6));
    story_free(s);
}

/* The same pause, made by the sender. */
Test(quality, a_pause_of_the_sender_is_neither)
{
    struct story *s = a_call(0, 10);
    const struct direction_finding *d;

    s->act[1].over = true;
    story_pass(s, 5 * 1000);
    s->act[1].over = false;
    story_pass(s, 10 * 1000);
    d = judged(s, CALLEE);
    cr_expect(d->loss_percent == 0 && d->quality.gaps == 0, "%f", d->loss_percent);
    story_free(s);
}

/* ---- what leaves from here is rated by who receives it ---- */

Test(quality, the_receiver_reports_loss)
{
    struct story *s = a_call(0, 1);
    struct act *r = story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D);
    const struct direction_finding *d;

    story_pass(s, 4 * 1000);
    r->reports_lost = 100;
    story_pass(s, 15 * 1000);
    d = judged(s, CALLER);
    cr_expect_eq(d->verdict, DIR_RECEIVED);
    cr_expect(d->has_quality && d->quality.by_rtcp);
    cr_expect(d->loss_percent > 9 && d->loss_percent < 12, "%f", d->loss_percent);
    cr_assert_not_null(warned(s));
    cr_expect(strstr(warned(s), "its receiver's reports"), "%s", warned(s));
    story_free(s);
}

Test(quality, the_receiver_reports_none)
{
    struct story *s = a_call(0, 1);

    story_report(s, W_RTCP, D_RTCP, FROM_W, FROM_D);
    story_pass(s, 20 * 1000);
    cr_expect(judged(s, CALLER)->has_quality && story_direction(s, CALLER)->loss_percent == 0);
    cr_expect_null(warned(s));
    story_free(s);
}

Test(quality, nobody_reports)
{
    struct story *s = a_call(0, 10);

    cr_expect_not(judged(s, CALLER)->has_quality);
    story_free(s);
}

/* A second agreement: what was lost under the first is not forgotten. */
Test(quality, over_all_spans)
{
    struct story *s = a_call(10, 10);

    story_reinvite(s, CALLER, SAYS(D_RTP_OUT, .dir = SDP_SENDONLY), SAYS(W_RTP, .dir = SDP_RECVONLY));
    s->act[1].over = true;
    story_pass(s, 10 * 1000);
    cr_expect(judged(s, CALLEE)->loss_percent > 8, "%f", story_direction(s, CALLEE)->loss_percent);
    story_free(s);
}
