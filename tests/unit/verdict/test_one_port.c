/* One RTP socket for all calls, as some media servers have it: what it exchanges with one party says nothing of another one's call. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/story.h"

enum { CALLS = 12 /* more than the places that a direction keeps */, ALL = 100 /* more flows than are looked at */ };

static char ids[ALL][16], addrs[ALL][32];

static const char *id_of(unsigned i)
{
    snprintf(ids[i], sizeof ids[i], "call-%u@dialer", i);
    return ids[i];
}

static const char *phone(unsigned i)
{
    snprintf(addrs[i], sizeof addrs[i], "198.51.100.%u:40000", i + 20);
    return addrs[i];
}

static void ring(struct story *s, unsigned i)
{
    story_call(s, id_of(i), D_HOST ":5060", PROXY ":5060");
    story_up(s, SAYS(D_RTP_OUT), SAYS(phone(i)));
}

static void talk(struct story *s, unsigned i)
{
    story_play(s, D_RTP, phone(i), 100 + i);
    story_play(s, phone(i), D_RTP, 200 + i);
}

Test(one_port, all_is_well)
{
    struct story *s = story_new(D_HOST);

    for (unsigned i = 0; i < CALLS; i++) {
        ring(s, i);
        talk(s, i);
    }
    story_pass(s, 10000);
    for (unsigned i = 0; i < CALLS; i++) {
        EXPECT(s, .call = i, .verdict = VERDICT_OK);
        cr_expect_eq(story_direction(s, CALLER)->sent_to_n, 1);
        cr_expect_eq(story_direction(s, CALLEE)->received_from_n, 1);
    }
    story_free(s);
}

/* The others' media hides nothing. */
Test(one_port, one_is_not_heard)
{
    struct story *s = story_new(D_HOST);

    for (unsigned i = 0; i < CALLS; i++) {
        ring(s, i);
        if (i)
            talk(s, i);
        else
            story_play(s, D_RTP, phone(i), 100);
    }
    story_pass(s, 10000);
    EXPECT(s, .call = 0, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    cr_expect_eq(story_direction(s, CALLEE)->received, 0);
    EXPECT(s, .call = 1, .verdict = VERDICT_OK);
    story_free(s);
}

/* The reports of another party, from its own next port, are not this one's. */
Test(one_port, reports_of_others)
{
    struct story *s = story_new(D_HOST);

    ring(s, 0);
    story_play(s, D_RTP, phone(0), 100);
    ring(s, 1);
    talk(s, 1);
    story_report(s, "198.51.100.21:40001", D_HOST ":10001", 201, 101);
    story_pass(s, 20000);
    EXPECT(s, .call = 0, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLER, DIR_UNKNOWN);
    story_free(s);
}

/* More than are looked at: what is between the two addresses of the descriptions is found, and what is missing accuses nobody. */
Test(one_port, very_many)
{
    struct story *s = story_new(D_HOST);

    ring(s, 0);
    talk(s, 0);
    story_pass(s, 5000);
    for (unsigned i = 1; i < ALL; i++) {
        struct act *out, *in;

        ring(s, i);
        out = story_play(s, D_RTP, phone(i), 100 + i);
        in = i == 1 ? NULL : story_play(s, phone(i), D_RTP, 200 + i);
        story_pass(s, 100);
        if (i > 2) {
            out->over = true;
            in->over = true;
        }
        s->acts = i > 2 ? s->acts - 2 : s->acts;
    }
    story_pass(s, 10000);
    EXPECT(s, .call = 0, .verdict = VERDICT_OK);
    EXPECT(s, .call = 1, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}
