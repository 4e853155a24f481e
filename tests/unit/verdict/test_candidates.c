/* The table of what was advertised: whose it is, which server supplied it, and what became of it (SPEC §5). */
#include <criterion/criterion.h>

#include "support/story.h"

static const struct candidate_finding *candidate(struct story *s, const char *address)
{
    char text[ADDR_TEXT];

    for (size_t i = 0; i < s->found->candidates_n; i++)
        if (strcmp(addr_text(&s->found->candidate[i].addr, text), address) == 0)
            return &s->found->candidate[i];
    cr_assert_fail("no candidate %s", address);
    return NULL;
}

static const char *supplier(struct story *s, const char *address, char text[ADDR_TEXT])
{
    const struct stun_server *x = track_server_at(s->track, candidate(s, address)->server);

    return x ? addr_text(&x->addr, text) : "unknown";
}

Test(candidates, each_has_its_server_and_its_end)
{
    struct story *s = story_new(D_HOST);
    char text[ADDR_TEXT];

    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = STRANGER ":10000" });
    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    story_up(s,
             SAYS(D_RTP_OUT, .ufrag = "dfrag",
                  .cand = { { SDP_CAND_HOST, D_RTP, NULL },
                            { SDP_CAND_SRFLX, D_RTP_OUT, D_RTP },
                            { SDP_CAND_SRFLX, STRANGER ":10000", D_RTP } }),
             SAYS(W_RTP, .ufrag = "wfrag", .cand = { { SDP_CAND_HOST, W_RTP_HOME, NULL }, { SDP_CAND_SRFLX, W_RTP, NULL } }));
    story_checks(s, D_RTP, W_RTP, "wfrag:dfrag", D_RTP_OUT);
    story_checks(s, D_RTP, W_RTP_HOME, "wfrag:dfrag", NULL);
    story_pass(s, 600);
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 5000);
    story_bye(s, CALLER);
    story_judge(s, 0);
    cr_expect_str_eq(supplier(s, D_RTP_OUT, text), HONEST);
    cr_expect_str_eq(supplier(s, STRANGER ":10000", text), LIAR);
    cr_expect_str_eq(supplier(s, W_RTP, text), "unknown", "the webphone's STUN exchange is not in this capture");
    cr_expect(candidate(s, STRANGER ":10000")->wrong);
    cr_expect(!candidate(s, D_RTP_OUT)->wrong);
    cr_expect_eq(candidate(s, W_RTP)->status, CANDIDATE_USED);
    cr_expect_eq(candidate(s, W_RTP_HOME)->status, CANDIDATE_UNREACHABLE);
    cr_expect_gt(candidate(s, W_RTP_HOME)->checks_sent, 5);
    cr_expect_eq(candidate(s, W_RTP_HOME)->checks_answered, 0);
    story_free(s);
}

/* Without ICE the c= and m= address is the candidate. */
Test(candidates, an_sdp_address_that_nobody_answers_from)
{
    struct story *s = story_new(D_HOST);

    story_up(s, SAYS(D_RTP_OUT), SAYS(STRANGER ":40000"));
    story_play(s, D_RTP, STRANGER ":40000", 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 5000);
    story_bye(s, CALLER);
    story_judge(s, 0);
    cr_expect_str_eq(candidate(s, STRANGER ":40000")->type, "sdp");
    cr_expect_eq(candidate(s, STRANGER ":40000")->party, CALLEE);
    cr_expect_eq(candidate(s, STRANGER ":40000")->status, CANDIDATE_UNREACHABLE);
    cr_expect_gt(candidate(s, STRANGER ":40000")->rtp_packets, 200);
    story_free(s);
}

/* A later server's word about the same address does not take the credit from the one before the description. */
Test(candidates, the_supplier_is_who_answered_before_the_description)
{
    struct story *s = story_new(D_HOST);
    char text[ADDR_TEXT];

    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = D_RTP_OUT });
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 5000);
    story_bye(s, CALLER);
    story_judge(s, 0);
    cr_expect_str_eq(supplier(s, D_RTP_OUT, text), HONEST);
    story_free(s);
}
