/* The host's NAT got another address between two moments (a new lease): what is seen then says nothing of what was true before. */
#include <criterion/criterion.h>

#include "support/story.h"
#include "verdict/verdict_private.h"

#define SERVER "192.0.2.30:3478"
#define MOVED  "198.18.200.9" /* where the host is seen from later */

enum { HALF_AN_HOUR_MS = 1800 * 1000 };

static struct story *s;

/* The server tells the truth of then. */
static void setup(void)
{
    s = story_new(D_HOST);
    story_stun(s, &(struct asks){ D_RTP, SERVER, .mapped = D_RTP_OUT });
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(claim_moved, .init = setup, .fini = teardown);

static enum claim_status first_answer(void)
{
    struct claim c;

    view_make(&s->view, s->track, &s->options, s->now_ns);
    claim_judge(&s->view, 0, false, &c);
    return c.status;
}

static void sip_shows(const char *outside)
{
    s->received[CALLER] = outside;
    story_request(s, CALLER, SIP_INVITE, NULL);
    story_reply(s, 180, NULL);
}

Test(claim_moved, before_a_peer_saw_its_socket)
{
    story_pass(s, HALF_AN_HOUR_MS);
    story_checks(s, D_RTP, W_RTP, "w:d", MOVED ":10000");
    story_pass(s, 600);
    cr_expect_eq(first_answer(), CLAIM_OPEN);
}

/* One pair for an hour: its peer saw the one address, and then the other. */
Test(claim_moved, while_a_peer_saw_its_socket)
{
    struct act *checks = story_checks(s, D_RTP, W_RTP, "w:d", D_RTP_OUT);

    story_pass(s, HALF_AN_HOUR_MS);
    cr_assert(addr_parse(SPAN(MOVED ":10000"), &checks->seen_as));
    story_pass(s, HALF_AN_HOUR_MS);
    cr_expect_neq(first_answer(), CLAIM_WRONG);
}

/* Nothing moved, and the pair lasts long: its peer's word holds from its first answer on. */
Test(claim_moved, never_and_the_pair_lasts)
{
    story_checks(s, D_RTP, W_RTP, "w:d", MOVED ":10000");
    story_pass(s, 2 * HALF_AN_HOUR_MS);
    cr_expect_eq(first_answer(), CLAIM_WRONG);
}

Test(claim_moved, before_its_sip_showed_it)
{
    story_pass(s, HALF_AN_HOUR_MS);
    sip_shows(MOVED);
    cr_expect_eq(first_answer(), CLAIM_OPEN);
}

/* Its SIP shows one address before and long after. */
Test(claim_moved, never_and_its_sip_shows_it)
{
    story_free(s);
    s = story_new(D_HOST);
    sip_shows(MOVED);
    story_pass(s, HALF_AN_HOUR_MS);
    story_stun(s, &(struct asks){ D_RTP, SERVER, .mapped = D_RTP_OUT });
    story_pass(s, HALF_AN_HOUR_MS);
    sip_shows(MOVED);
    cr_expect_eq(first_answer(), CLAIM_WRONG);
}

/* The whole: the call of then went well, without ICE, and a call of the new address does not make its server a liar. */
Test(claim_moved, between_two_calls)
{
    struct server_finding f;

    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    story_pass(s, HALF_AN_HOUR_MS);
    story_checks(s, D_RTP, W_RTP, "w:d", MOVED ":10000");
    story_pass(s, 600);
    EXPECT(s, .verdict = VERDICT_OK);
    f = story_server(s, SERVER);
    cr_expect(!f.contradicted && !f.suspected);
}
