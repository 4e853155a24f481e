/* What a mirror that shows one direction alone, or each packet several times, may not be taken for. */
#include <criterion/criterion.h>

#include "support/story.h"
#include "verdict/verdict_private.h"

enum { CALLS = 4 /* of so many, silence in one direction is the mirror's */ };

static struct story *s;

static void setup(void)
{
    s = story_new(D_HOST);
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(one_sided, .init = setup, .fini = teardown);

/* Calls one after the other, on the same sockets. Of each, what goes from `from` to `to` is seen. */
static void calls(unsigned n, const char *from, const char *to)
{
    static const char *const ids[] = { "call-1", "call-2", "call-3", "call-4" };

    for (unsigned i = 0; i < n; i++) {
        story_call(s, ids[i], D_HOST ":5060", W_OUT ":5060");
        story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
        story_play(s, from, to, i + 1);
        story_pass(s, 8000);
        story_bye(s, CALLER);
        story_hush(s);
        story_pass(s, 100);
    }
}

static bool hedged(const struct story *st)
{
    for (size_t i = 0; i < st->found->evidence_n; i++)
        if (strstr(st->found->evidence[i].text, "or a mirror shows one direction only"))
            return true;
    return false;
}

Test(one_sided, nothing_comes_to_any_call)
{
    calls(CALLS, D_RTP, W_RTP);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_SUSPECTED);
    cr_expect(hedged(s));
}

Test(one_sided, nothing_leaves_for_any_call)
{
    calls(CALLS, W_RTP, D_RTP);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_UNKNOWN);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    cr_expect(hedged(s));
}

/* Of fewer calls it is told, and hedged. */
Test(one_sided, nothing_comes_to_three_calls)
{
    calls(CALLS - 1, D_RTP, W_RTP);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
}

/* One answer of a STUN server shows that the other direction is captured. */
Test(one_sided, something_else_comes)
{
    story_stun(s, &(struct asks){ D_HOST ":10020", HONEST, .mapped = D_OUT ":10020" });
    calls(CALLS, D_RTP, W_RTP);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED);
}

/* Who captures on the host itself sees both ways. */
Test(one_sided, the_host_itself_captures)
{
    s->cooked = true;
    calls(CALLS, D_RTP, W_RTP);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_LIKELY);
}

/* As live capture knows of its own interfaces. */
Test(one_sided, the_capturing_host_is_the_local_one)
{
    s->options.on_host = true;
    calls(CALLS, D_RTP, W_RTP);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .least = CONFIDENCE_LIKELY);
    cr_expect_not(hedged(s));
}

Test(one_sided, no_server_is_silent_there)
{
    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = NULL });
    calls(CALLS, D_RTP, W_RTP);
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
    cr_expect_neq(s->found->cause, CAUSE_STUN_UNANSWERED);
}

/* ---- from outside to a private address: its network is here ---- */

Test(one_sided, what_came_through_the_nat_is_not_lost)
{
    story_free(s);
    s = story_new(NULL);
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, W_RTP, D_RTP, 1);
    story_pass(s, 8000);
    story_bye(s, CALLER);
    cr_expect_not(verdict_is_failure(story_judge(s, 0)->verdict));
}

/* ---- each packet several times ---- */

static bool blamed(uint32_t tx)
{
    struct claim c;

    view_make(&s->view, s->track, &s->options, s->now_ns);
    claim_judge(&s->view, tx, false, &c);
    return c.status == CLAIM_WRONG;
}

/* A packet to the claimed port, seen three times, is one packet. */
Test(one_sided, copies_of_a_packet_to_another_port)
{
    struct datagram d;

    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_OUT ":10777" });
    story_play(s, D_RTP, W_RTP, 1);
    for (unsigned i = 0; i < 3; i++)
        story_packet(s, W_RTP, D_HOST ":10777", 172, &d);
    story_pass(s, 1000);
    cr_expect_not(blamed(0));
}

/* The socket inside and its outside at the NAT, both seen: two transactions, each answered with that outside. */
Test(one_sided, both_sides_of_a_nat)
{
    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    story_stun(s, &(struct asks){ D_RTP_OUT, HONEST, .mapped = D_RTP_OUT });
    cr_expect_not(blamed(0));
    cr_expect_not(blamed(1));
}
