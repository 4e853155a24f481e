/* ICE: lies that it recovers from and lies that it does not, NATs that defeat it, servers that do not answer (SPEC §4). */
#include <criterion/criterion.h>

#include "support/story.h"

#define TO_W "wfrag:dfrag" /* USERNAME of D's checks: the asked party's fragment first (RFC 8445 §7.2.2) */
#define TO_D "dfrag:wfrag"

/* D offers its host address and what its server said of it. */
#define D_SAYS(srflx) SAYS(srflx, .ufrag = "dfrag", .cand = { { SDP_CAND_HOST, D_RTP, NULL }, { SDP_CAND_SRFLX, srflx, D_RTP } })
#define D_SAYS_HOST   SAYS(D_RTP, .ufrag = "dfrag", .cand = { { SDP_CAND_HOST, D_RTP, NULL } })
#define W_SAYS(srflx)                                                                                                            \
    SAYS(srflx, .ufrag = "wfrag", .cand = { { SDP_CAND_HOST, W_RTP_HOME, NULL }, { SDP_CAND_SRFLX, srflx, NULL } })

static void ask(struct story *s, const char *server, const char *mapped)
{
    story_stun(s, &(struct asks){ D_RTP, server, .mapped = mapped });
}

/* D checks what W offered, and nobody answers. What W sends to D's addresses is not seen here. */
static void checks_in_vain(struct story *s)
{
    story_checks(s, D_RTP, W_RTP, TO_W, NULL);
    story_checks(s, D_RTP, W_RTP_HOME, TO_W, NULL);
    story_pass(s, 12 * 1000);
    story_bye(s, CALLER);
}

/* D's checks are answered and so are W's, then both talk. */
static void connect_and_talk(struct story *s)
{
    story_checks(s, D_RTP, W_RTP, TO_W, D_RTP_OUT);
    story_checks(s, W_RTP, D_RTP, TO_D, W_RTP);
    story_pass(s, 600);
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
}

/* ---- it connects ---- */

Test(ice, connects)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS(W_RTP));
    connect_and_talk(s);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLER, DIR_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    story_free(s);
}

/* D's browser names its host by mDNS, and answers before its server does: its port is all that tells its socket. */
Test(ice, connects_with_a_host_that_is_a_name)
{
    struct story *s = story_new(D_HOST);

    story_up(s, SAYS("0.0.0.0:9", .ufrag = "dfrag", .cand = { { SDP_CAND_HOST, "[::]:10000", NULL } }), W_SAYS(W_RTP));
    connect_and_talk(s);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLER, DIR_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    story_free(s);
}

/* The server lied; the pair that works is peer-reflexive. All is well, and the next call may not be: a warning. */
Test(ice, recovers_from_a_lie)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, LIAR, STRANGER ":10000");
    story_up(s, D_SAYS(STRANGER ":10000"), W_SAYS(W_RTP));
    connect_and_talk(s);
    EXPECT(s, .verdict = VERDICT_OK, .warned = LIAR);
    cr_expect_eq(story_server(s, LIAR).verdict, SERVER_BAD);
    story_free(s);
}

/* ... also where the checks' answers alone show it. */
Test(ice, recovers_from_a_lie_that_only_the_peer_contradicts)
{
    struct story *s = story_new(D_HOST);

    ask(s, LIAR, STRANGER ":10000");
    story_up(s, D_SAYS(STRANGER ":10000"), W_SAYS(W_RTP));
    connect_and_talk(s);
    EXPECT(s, .verdict = VERDICT_OK, .warned = LIAR);
    cr_expect_neq(story_server(s, LIAR).verdict, SERVER_GOOD);
    story_free(s);
}

/* Two servers, one lies, both candidates are offered: only the liar is named. */
Test(ice, recovers_from_one_liar_of_two)
{
    struct story *s = story_new(D_HOST);

    ask(s, LIAR, STRANGER ":10000");
    ask(s, HONEST, D_RTP_OUT);
    story_up(s,
             SAYS(D_RTP_OUT, .ufrag = "dfrag",
                  .cand = { { SDP_CAND_HOST, D_RTP, NULL },
                            { SDP_CAND_SRFLX, D_RTP_OUT, D_RTP },
                            { SDP_CAND_SRFLX, STRANGER ":10000", D_RTP } }),
             W_SAYS(W_RTP));
    connect_and_talk(s);
    EXPECT(s, .verdict = VERDICT_OK, .warned = LIAR);
    cr_expect_eq(story_server(s, HONEST).verdict, SERVER_GOOD);
    story_free(s);
}

/* Both are on one network: the peer sees D's private address, which says nothing of its outside one. */
Test(ice, connects_inside_one_network)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT),
             SAYS("172.31.16.20:40000", .ufrag = "wfrag", .cand = { { SDP_CAND_HOST, "172.31.16.20:40000", NULL } }));
    story_checks(s, D_RTP, "172.31.16.20:40000", TO_W, D_RTP);
    story_checks(s, "172.31.16.20:40000", D_RTP, TO_D, "172.31.16.20:40000");
    story_pass(s, 600);
    story_play(s, D_RTP, "172.31.16.20:40000", 1);
    story_play(s, "172.31.16.20:40000", D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    story_free(s);
}

/* The NAT gives the peer another port than the server saw (RFC 4787 §4.1): the IP is right and nobody lied. */
Test(ice, connects_through_a_symmetric_nat)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_OUT ":61000");
    story_up(s, D_SAYS(D_OUT ":61000"), W_SAYS(W_RTP));
    story_checks(s, D_RTP, W_RTP, TO_W, D_OUT ":61777");
    story_checks(s, W_RTP, D_RTP, TO_D, W_RTP);
    story_pass(s, 600);
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    story_free(s);
}

/* ---- it never connects ---- */

Test(ice, a_lie_keeps_it_from_connecting)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, LIAR, STRANGER ":10000");
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(STRANGER ":10000"), W_SAYS(W_RTP));
    checks_in_vain(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_PROVEN, .server = LIAR);
    story_free(s);
}

/* One server alone, in RFC 3489 style; its SIP shows another outside address. */
Test(ice, a_lie_in_rfc3489_style_keeps_it_from_connecting)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = STRANGER ":10000", .classic = true });
    story_up(s, D_SAYS(STRANGER ":10000"), W_SAYS(W_RTP));
    checks_in_vain(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY,
           .most = CONFIDENCE_LIKELY, .server = LIAR);
    story_free(s);
}

/* D's answers leave and do not arrive, as W's do not: a pair needs an answer to each agent's own check (RFC 8445 §7.3.1.4). */
Test(ice, checks_arrive_and_no_answer_does)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS(W_RTP));
    story_checks(s, W_RTP, D_RTP, TO_D, W_RTP)->nominates = true;
    checks_in_vain(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED);
    cr_expect(strstr(s->found->evidence[0].text, "an answer left here, and the checks back on that pair got none"));
    story_free(s);
}

/* D does not check that pair itself: whether its answers arrive is not seen. */
Test(ice, checks_arrive_and_none_goes_back)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS(W_RTP));
    story_checks(s, W_RTP, D_RTP, TO_D, W_RTP)->controls = true;
    story_checks(s, D_RTP, W_RTP_HOME, TO_W, NULL);
    story_pass(s, 12 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_UNKNOWN);
    cr_expect(strstr(s->found->evidence[0].text, "never nominated"));
    story_free(s);
}

Test(ice, right_addresses_and_no_way)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS(W_RTP));
    checks_in_vain(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    story_free(s);
}

/* W's server lied. W's checks reach D from W's true address, and D's answers are lost: D's NAT knows no way back. */
Test(ice, the_webphones_lie_keeps_it_from_connecting)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS(STRANGER ":40000"));
    story_checks(s, D_RTP, STRANGER ":40000", TO_W, NULL);
    story_checks(s, D_RTP, W_RTP_HOME, TO_W, NULL);
    story_checks(s, W_RTP, D_RTP, TO_D, NULL);
    story_pass(s, 12 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_SUSPECTED,
           .most = CONFIDENCE_LIKELY);
    story_free(s);
}

/*
 * W's signalling comes straight to D from elsewhere than W says, and D's own server told D that same address: the server is named, as
 * surely as W's address is bad, and not where D was told the truth.
 */
static void one_address_for_both(const char *of_w, const char *of_d, struct outcome want)
{
    struct story *s = story_new(D_HOST);
    struct datagram d;

    story_packet(s, W_OUT ":55555", D_HOST ":443", 300, &d);
    track_connection(s->track, &d);
    story_call(s, "one@wss", W_OUT ":55555", D_HOST ":443");
    s->received[CALLER] = W_OUT;
    ask(s, LIAR, of_d);
    story_up(s, W_SAYS(of_w), D_SAYS(of_d));
    story_checks(s, D_RTP, of_w, TO_W, NULL);
    story_checks(s, D_RTP, W_RTP_HOME, TO_W, NULL);
    story_pass(s, 12 * 1000);
    story_bye(s, CALLER);
    want.verdict = VERDICT_SETUP_FAILED;
    want.cause = want.cause ? want.cause : CAUSE_BAD_CANDIDATE;
    {
        const char *differs = story_differs(s, &want);

        cr_expect(*differs == '\0', "%s", differs);
    }
    story_free(s);
}

Test(ice, one_address_is_told_to_both)
{
    one_address_for_both("198.51.100.77:40000", "198.51.100.77:10000",
                         (struct outcome){ .server = LIAR, .least = CONFIDENCE_SUSPECTED, .most = CONFIDENCE_SUSPECTED });
    one_address_for_both(STRANGER ":40000", STRANGER ":10000",
                         (struct outcome){ .server = LIAR, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY });
    one_address_for_both("198.51.100.77:40000", D_RTP_OUT, /* beside what sent the description: a proxy's media relay is */
                         (struct outcome){ .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_SUSPECTED });
    one_address_for_both(STRANGER ":40000", D_RTP_OUT, (struct outcome){ .most = CONFIDENCE_LIKELY });
}

/* A stranger answers the checks and cannot sign the answers with W's password: they are no evidence, neither for a way ... */
Test(ice, a_forged_answer_is_no_connection)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS(W_RTP));
    story_checks(s, D_RTP, W_RTP, TO_W, D_RTP_OUT)->forged = true;
    story_pass(s, 12 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    story_free(s);
}

/* ... nor against a server. */
Test(ice, a_forged_answer_accuses_nobody)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS(W_RTP));
    story_checks(s, D_RTP, W_RTP, TO_W, STRANGER ":7")->forged = true;
    story_pass(s, 12 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_SUSPECT);
    story_free(s);
}

/* Two servers saw one socket on two ports: no server can tell what a peer needs, and there is no relay. */
Test(ice, a_symmetric_nat_keeps_it_from_connecting)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_OUT ":61000");
    ask(s, "192.0.2.31:3478", D_OUT ":61001");
    story_up(s,
             SAYS(D_OUT ":61000", .ufrag = "dfrag",
                  .cand = { { SDP_CAND_HOST, D_RTP, NULL },
                            { SDP_CAND_SRFLX, D_OUT ":61000", D_RTP },
                            { SDP_CAND_SRFLX, D_OUT ":61001", D_RTP } }),
             W_SAYS(W_RTP));
    checks_in_vain(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_SYMMETRIC_NAT, .least = CONFIDENCE_SUSPECTED);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    story_free(s);
}

/* The dialer's NAT has several outside addresses of one network: two servers disagree honestly. */
Test(ice, a_pool_of_outside_addresses_is_never_proof)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = "203.0.113.12";
    ask(s, HONEST, D_RTP_OUT);
    ask(s, "192.0.2.31:3478", "203.0.113.11:10000");
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS(W_RTP));
    checks_in_vain(s);
    cr_expect_eq(story_judge(s, 0)->verdict, VERDICT_SETUP_FAILED);
    cr_expect_leq(story_judge(s, 0)->confidence, CONFIDENCE_SUSPECTED);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    cr_expect_neq(story_server(s, "192.0.2.31:3478").verdict, SERVER_BAD);
    story_free(s);
}

/* ---- both behind one NAT ---- */

#define NEIGHBOUR_SAYS                                                                                                           \
    SAYS(D_OUT ":40000", .ufrag = "wfrag",                                                                                       \
         .cand = { { SDP_CAND_HOST, "172.31.40.50:40000", NULL }, { SDP_CAND_SRFLX, D_OUT ":40000", NULL } })

/* The NAT does not send packets back inside (hairpinning, RFC 4787 §6), and there is no way inside either. */
Test(ice, one_nat_without_hairpin)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), NEIGHBOUR_SAYS);
    story_checks(s, D_RTP, D_OUT ":40000", TO_W, NULL);
    story_checks(s, D_RTP, "172.31.40.50:40000", TO_W, NULL);
    story_pass(s, 1000);
    story_icmp(s, "172.31.16.1", D_RTP, D_OUT ":40000", ICMP_HOST_UNREACHABLE);
    story_pass(s, 11 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    story_free(s);
}

Test(ice, one_nat_and_a_way_inside)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), NEIGHBOUR_SAYS);
    story_checks(s, D_RTP, D_OUT ":40000", TO_W, NULL);
    story_checks(s, D_RTP, "172.31.40.50:40000", TO_W, D_RTP);
    story_checks(s, "172.31.40.50:40000", D_RTP, TO_D, "172.31.40.50:40000");
    story_pass(s, 600);
    story_play(s, D_RTP, "172.31.40.50:40000", 1);
    story_play(s, "172.31.40.50:40000", D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The same without ICE: the addresses are true, and nothing that is sent to them arrives. */
Test(ice, one_nat_without_hairpin_and_without_ice)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS(D_OUT ":40000"));
    story_play(s, D_RTP, D_OUT ":40000", 1);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    cr_expect(verdict_is_failure(story_judge(s, 0)->verdict));
    cr_expect_eq(story_judge(s, 0)->cause, CAUSE_PATH_BLOCKED);
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
    story_free(s);
}

/* ---- servers that do not help ---- */

Test(ice, the_server_is_silent)
{
    struct story *s = story_new(D_HOST);

    ask(s, LIAR, NULL);
    story_up(s, D_SAYS_HOST, W_SAYS(W_RTP));
    checks_in_vain(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_STUN_UNANSWERED, .least = CONFIDENCE_SUSPECTED, .server = LIAR);
    cr_expect_eq(story_server(s, LIAR).verdict, SERVER_SILENT);
    story_free(s);
}

/* Its row counts the call that failed for it; it does not lie. */
Test(ice, the_server_answers_with_an_error)
{
    struct story *s = story_new(D_HOST);
    struct server_finding row[1];

    story_stun(s, &(struct asks){ D_RTP, LIAR, .error = 500 });
    story_up(s, D_SAYS_HOST, W_SAYS(W_RTP));
    checks_in_vain(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_STUN_ERROR, .least = CONFIDENCE_SUSPECTED, .server = LIAR);
    cr_assert_eq(s->track->servers.used, 1);
    judge_servers(&s->view, row);
    server_add_session(row, s->found);
    server_conclude(row);
    cr_expect_eq(row[0].failed_sessions, 1);
    cr_expect_eq(row[0].verdict, SERVER_UNKNOWN);
    cr_expect(strstr(s->found->evidence[0].text, "answered with error 500 Server Error."));
    story_free(s);
}

/* ICE needed no server: a silent one is no cause. */
Test(ice, the_server_is_silent_and_ice_connects)
{
    struct story *s = story_new(D_HOST);

    ask(s, LIAR, NULL);
    story_up(s, D_SAYS_HOST, W_SAYS(W_RTP));
    connect_and_talk(s);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* One of two servers is silent, the other gave the right candidate: the silent one is not the cause. */
Test(ice, one_server_is_silent_and_the_other_is_not)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, LIAR, NULL);
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS(W_RTP));
    checks_in_vain(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    story_free(s);
}

/* Without ICE and without an answer the dialer describes its private address; nothing can come (SPEC §4: for want of a candidate). */
Test(ice, the_server_is_silent_and_there_is_no_ice)
{
    struct story *s = story_new(D_HOST);

    ask(s, LIAR, NULL);
    story_up(s, SAYS(D_RTP), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_STUN_UNANSWERED, .least = CONFIDENCE_SUSPECTED, .server = LIAR);
    story_free(s);
}

/* The checks had no time: nobody can tell yet. */
Test(ice, the_capture_ends_while_ice_is_busy)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_RTP_OUT);
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS(W_RTP));
    story_checks(s, D_RTP, W_RTP, TO_W, NULL);
    story_pass(s, 1000);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}
