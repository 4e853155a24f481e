/* server_history.c: when a STUN server was wrong, and where it changed its word. */
#include <criterion/criterion.h>

#include "support/story.h"

static struct story *s;

/* The SIP server sees D come from D_OUT, and so does the honest STUN server: who says otherwise is contradicted. */
static void setup(void)
{
    s = story_new(D_HOST);
    s->received[CALLER] = D_OUT;
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(server_history, .init = setup, .fini = teardown);

#define RIGHT D_RTP_OUT
#define WRONG STRANGER ":10000"

/* What the liar answers to D's socket; afterwards ten seconds pass. Gives the answer's frame. */
static uint64_t liar_says(const char *mapped)
{
    uint64_t frame;

    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = mapped });
    frame = s->frame;
    story_pass(s, 10000);
    return frame;
}

static bool is(const struct addr *a, const char *want)
{
    struct addr b;

    return addr_parse(span_str(want), &b) && addr_eq(a, &b);
}

Test(server_history, it_turns_and_heals_on_one_socket)
{
    uint64_t right = liar_says(RIGHT), wrong = liar_says(WRONG), again = liar_says(RIGHT);
    struct server_finding f;

    liar_says(RIGHT);
    f = story_server(s, LIAR);
    cr_expect_eq(f.first_bad.frame, wrong);
    cr_expect_eq(f.last_bad.frame, wrong);
    cr_expect_eq(f.right_before.frame, right);
    cr_expect_eq(f.healed.frame, again);
    cr_expect(is(&f.turned.socket, D_RTP) && is(&f.turned.from, RIGHT) && is(&f.turned.to, WRONG));
    cr_expect_eq(f.turned.before.frame, right);
    cr_expect_eq(f.turned.at.frame, wrong);
    cr_assert_eq(f.changes, 2);
    cr_expect(f.change[0].wrong && !f.change[1].wrong);
    cr_expect_eq(f.change[1].at.frame, again);
}

Test(server_history, it_was_always_wrong)
{
    struct server_finding f;

    liar_says(WRONG);
    liar_says(WRONG);
    f = story_server(s, LIAR);
    cr_expect(f.first_bad.frame && f.last_bad.frame > f.first_bad.frame);
    cr_expect_eq(f.right_before.frame + f.healed.frame + f.turned.at.frame + f.changes, 0);
}

Test(server_history, one_right_answer_is_no_recovery)
{
    liar_says(WRONG);
    liar_says(RIGHT);
    cr_expect_eq(story_server(s, LIAR).healed.frame, 0);
}

Test(server_history, right_and_wrong_again_is_no_recovery)
{
    uint64_t last;
    struct server_finding f;

    liar_says(WRONG);
    liar_says(RIGHT);
    liar_says(RIGHT);
    last = liar_says(WRONG);
    f = story_server(s, LIAR);
    cr_expect_eq(f.last_bad.frame, last);
    cr_expect_eq(f.healed.frame, 0);
}

Test(server_history, a_nat_that_moves_the_socket_is_a_change_and_no_fault)
{
    struct server_finding f;

    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_OUT ":10007" });
    f = story_server(s, HONEST);
    cr_assert_eq(f.changes, 1);
    cr_expect_not(f.change[0].wrong);
    cr_expect(is(&f.change[0].from, D_RTP_OUT) && is(&f.change[0].to, D_OUT ":10007"));
    cr_expect_eq(f.turned.at.frame + f.first_bad.frame, 0);
}

Test(server_history, another_socket_is_no_change)
{
    story_stun(s, &(struct asks){ D_HOST ":10002", HONEST, .mapped = D_OUT ":10002" });
    cr_expect_eq(story_server(s, HONEST).changes, 0);
}

Test(server_history, the_latest_changes_are_kept)
{
    uint64_t last = 0;
    struct server_finding f;

    for (unsigned i = 0; i < 6; i++) {
        liar_says(RIGHT);
        last = liar_says(WRONG);
    }
    f = story_server(s, LIAR);
    cr_expect_eq(f.changes, 11);
    cr_assert_eq(f.changes_n, CHANGES_KEPT);
    cr_expect_eq(f.change[CHANGES_KEPT - 1].at.frame, last);
}
