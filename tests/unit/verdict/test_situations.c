/* The incident and its like (SPEC §4): STUN servers that lie to one party or to both, and the honest ones that look like liars. */
#include <criterion/criterion.h>

#include "support/story.h"

/* The dialer asks both servers from its RTP socket, as two answers for one socket. */
static void ask(struct story *s, const char *server, const char *mapped)
{
    story_stun(s, &(struct asks){ D_RTP, server, .mapped = mapped });
}

static bool named_in_evidence(const struct story *s, const char *name)
{
    for (size_t i = 0; i < s->found->evidence_n; i++)
        if (strstr(s->found->evidence[i].text, name))
            return true;
    return false;
}

static void talk_and_hang_up(struct story *s, unsigned seconds)
{
    story_pass(s, seconds * 1000);
    story_bye(s, CALLER);
}

/* ---- the dialer's server lies: what W sends to the lie is never seen here ---- */

Test(situations, the_dialers_server_lies)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    story_dns(s, "stun.example.net", "192.0.2.19");
    ask(s, LIAR, STRANGER ":10000");
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_PROVEN, .server = LIAR);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    cr_expect_eq(story_server(s, LIAR).verdict, SERVER_BAD);
    cr_expect_eq(story_server(s, HONEST).verdict, SERVER_GOOD, "who tells the truth beside a liar is not blamed");
    cr_expect_str_eq(story_server(s, LIAR).name->name, "stun.example.net");
    cr_expect(named_in_evidence(s, "stun.example.net"));
    story_free(s);
}

Test(situations, the_dialers_server_is_honest_and_a_firewall_is_not)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    cr_expect_eq(story_server(s, HONEST).verdict, SERVER_GOOD);
    story_free(s);
}

/* Asterisk's way: no magic cookie, MAPPED-ADDRESS alone, one server. Its SIP is all that speaks against it: another socket. */
Test(situations, a_lie_in_rfc3489_style)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = STRANGER ":10000", .classic = true });
    story_up(s, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY,
           .server = LIAR);
    story_free(s);
}

Test(situations, the_truth_in_rfc3489_style)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT, .classic = true });
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The incident: one call after another is told the same wrong IP, each for a socket of its own. */
Test(situations, every_call_gets_the_same_lie)
{
    static const char *const sockets[] = { D_HOST ":10000", D_HOST ":10020", D_HOST ":10040" };
    static const char *const lies[] = { STRANGER ":10000", STRANGER ":10020", STRANGER ":10040" };
    static const char *const ids[] = { "call-1@dialer", "call-2@dialer", "call-3@dialer" };
    struct story *s = story_new(D_HOST);

    for (uint32_t i = 0; i < 3; i++) {
        story_call(s, ids[i], D_HOST ":5060", PROXY ":5060");
        s->received[CALLER] = D_OUT;
        story_stun(s, &(struct asks){ sockets[i], LIAR, .mapped = lies[i], .classic = true });
        story_up(s, SAYS(lies[i]), SAYS(W_RTP));
        story_play(s, sockets[i], W_RTP, i + 1);
        talk_and_hang_up(s, 10);
    }
    for (uint32_t i = 0; i < 3; i++)
        EXPECT(s, .call = i, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY,
               .most = CONFIDENCE_LIKELY, .server = LIAR);
    story_free(s);
}

/* SIP leaves by one uplink and media by the other: legal, so the SIP's word counts for nothing where media does arrive. */
Test(situations, two_uplinks_and_media_arrives)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = "192.0.2.200";
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(situations, two_uplinks_and_a_firewall_is_never_proof)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = "192.0.2.200";
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    cr_expect_leq(story_judge(s, 0)->confidence, CONFIDENCE_LIKELY);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    story_free(s);
}

/* No server at all: somebody wrote a wrong outside address into the dialer's settings. */
Test(situations, the_dialers_outside_address_is_set_wrong_by_hand)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    story_up(s, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_SUSPECTED, .most = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

Test(situations, the_dialers_outside_address_is_set_right_by_hand)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* ---- the webphone's server lies ---- */

/* Its STUN exchange is outside this capture: the candidate is named, the server is not. */
Test(situations, the_webphones_server_lies)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS(STRANGER ":40000"));
    story_play(s, D_RTP, STRANGER ":40000", 1);
    story_play(s, W_RTP, D_RTP, 2);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    story_free(s);
}

/* The dialer latches on to where the webphone's media comes from (symmetric RTP): the lie does no harm. */
Test(situations, the_webphones_server_lies_and_the_dialer_latches)
{
    struct story *s = story_new(D_HOST);
    struct act *out;

    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS(STRANGER ":40000"));
    out = story_play(s, D_RTP, STRANGER ":40000", 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 400);
    story_turn(out, W_RTP);
    story_report(s, W_OUT ":40001", D_HOST ":10001", 2, 1);
    talk_and_hang_up(s, 15);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* The same fault, captured at the webphone: there its server can be named. */
Test(situations, the_webphones_server_lies_seen_at_the_webphone)
{
    struct story *s = story_new(W_HOME);

    story_call(s, "call-1@webphone", W_HOME ":5060", PROXY ":5060");
    s->via[CALLER] = W_HOME;
    s->received[CALLER] = W_OUT;
    story_stun(s, &(struct asks){ W_RTP_HOME, LIAR, .mapped = STRANGER ":40000" });
    story_stun(s, &(struct asks){ W_RTP_HOME, HONEST, .mapped = W_RTP });
    story_up(s, SAYS(STRANGER ":40000"), SAYS(D_RTP_OUT));
    story_play(s, W_RTP_HOME, D_RTP_OUT, 2);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_PROVEN, .server = LIAR);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

/* At the webphone, with the dialer's server lying: the dialer's media shows where it really is. */
Test(situations, the_dialers_server_lies_seen_at_the_webphone)
{
    struct story *s = story_new(W_HOME);

    story_call(s, "call-1@webphone", W_HOME ":5060", PROXY ":5060");
    s->via[CALLER] = W_HOME;
    story_stun(s, &(struct asks){ W_RTP_HOME, HONEST, .mapped = W_RTP });
    story_up(s, SAYS(W_RTP), SAYS(STRANGER ":10000"));
    story_play(s, W_RTP_HOME, STRANGER ":10000", 2);
    story_play(s, D_RTP_OUT, W_RTP_HOME, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    story_free(s);
}

/* ---- both ---- */

Test(situations, both_parties_are_lied_to)
{
    struct story *s = story_new(D_HOST);

    story_call(s, "call-1@webphone", PROXY ":5060", D_HOST ":5060");
    s->via[CALLER] = W_HOME;
    s->via[CALLEE] = D_HOST;
    s->received[CALLER] = W_OUT;
    ask(s, LIAR, STRANGER ":10000");
    ask(s, HONEST, D_RTP_OUT);
    ask(s, "198.19.7.3:3478", D_RTP_OUT);
    story_up(s, SAYS("198.18.7.99:40000"), SAYS(STRANGER ":10000"));
    story_play(s, D_RTP, "198.18.7.99:40000", 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_NO_MEDIA, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .server = LIAR);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

/* A WebRTC phone's Via names "xyz.invalid"; what the server adds to it tells where the phone is all the same. */
Test(situations, a_via_without_an_address_still_tells_where_its_sender_is)
{
    struct story *s = story_new(D_HOST);

    story_call(s, "call-1@webphone", PROXY ":5060", D_HOST ":5060");
    s->via[CALLER] = "df7jal23ls0d.invalid";
    s->received[CALLER] = W_OUT;
    story_up(s, SAYS(STRANGER ":40000"), SAYS(D_RTP_OUT));
    story_play(s, D_RTP, STRANGER ":40000", 1);
    talk_and_hang_up(s, 10);
    story_judge(s, 0);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    cr_expect_eq(story_direction(s, CALLEE)->cause, CAUSE_BAD_CANDIDATE);
    story_free(s);
}

/* ---- two servers ---- */

Test(situations, two_servers_disagree_and_nothing_tells)
{
    struct story *s = story_new(D_HOST);

    ask(s, LIAR, STRANGER ":10000");
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    cr_expect_eq(story_judge(s, 0)->verdict, VERDICT_ONE_WAY);
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE, "one server's word against another's names nobody");
    cr_expect_leq(story_judge(s, 0)->confidence, CONFIDENCE_LIKELY);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    cr_expect_neq(story_server(s, LIAR).verdict, SERVER_BAD);
    story_free(s);
}

/* A liar was asked as well, but the description holds the honest answer: what is lost is lost for another reason. */
Test(situations, a_lie_that_nobody_used_is_not_the_cause)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, LIAR, STRANGER ":10000");
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    story_free(s);
}

/* ---- other ways to be wrong ---- */

/* The NAT keeps ports. What W sends to the claimed port comes to the host, on a port where nobody listens. */
Test(situations, the_server_gives_a_wrong_port)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, LIAR, D_OUT ":10777");
    story_up(s, SAYS(D_OUT ":10777"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_HOST ":10777", 2);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY,
           .server = LIAR);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

/* The NAT maps to another port and back: the port looks wrong and is right. */
Test(situations, a_nat_changes_the_port)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_OUT ":61000");
    story_up(s, SAYS(D_OUT ":61000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(situations, xor_and_plain_address_disagree)
{
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = STRANGER ":10000", .plain = D_RTP_OUT });
    story_up(s, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_PROVEN, .server = LIAR);
    story_free(s);
}

/* RFC 8489 §14.2: some NATs rewrite what looks like an address of theirs; that is why the other one is XORed. */
Test(situations, a_nat_helper_rewrites_the_plain_address)
{
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT, .plain = D_RTP });
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    story_free(s);
}

Test(situations, a_private_address_is_claimed)
{
    struct story *s = story_new(D_HOST);

    ask(s, LIAR, "10.9.8.7:10000");
    story_up(s, SAYS("10.9.8.7:10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY,
           .server = LIAR);
    story_free(s);
}

/* A server inside the same network tells the truth, and it does not help outside. */
Test(situations, a_server_inside_claims_the_inside_address)
{
    struct story *s = story_new(D_HOST);

    ask(s, "172.31.0.53:3478", D_RTP);
    story_up(s, SAYS(D_RTP), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PRIVATE_ADDRESS, .most = CONFIDENCE_LIKELY);
    cr_expect_neq(story_server(s, "172.31.0.53:3478").verdict, SERVER_BAD);
    story_free(s);
}

Test(situations, the_servers_own_address_is_claimed)
{
    struct story *s = story_new(D_HOST);

    s->received[CALLER] = D_OUT;
    ask(s, LIAR, "192.0.2.19:10000");
    story_up(s, SAYS("192.0.2.19:10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_PROVEN, .server = LIAR);
    story_free(s);
}

Test(situations, one_address_for_two_sockets)
{
    struct story *s = story_new(D_HOST);

    ask(s, LIAR, STRANGER ":10000");
    story_stun(s, &(struct asks){ D_HOST ":10001", LIAR, .mapped = STRANGER ":10000" });
    story_up(s, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_PROVEN, .server = LIAR);
    story_free(s);
}

Test(situations, the_rtp_and_the_rtcp_socket_have_one_ip_and_two_ports)
{
    struct story *s = story_new(D_HOST);

    ask(s, HONEST, D_RTP_OUT);
    story_stun(s, &(struct asks){ D_HOST ":10001", HONEST, .mapped = D_OUT ":10001" });
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    story_free(s);
}

/* The dialer moved to another outside address; one server still gives the address of before. */
Test(situations, a_stale_address)
{
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_HOST ":9000", LIAR, .mapped = "192.0.2.140:9000" });
    story_pass(s, 900 * 1000);
    s->received[CALLER] = D_OUT;
    story_stun(s, &(struct asks){ D_HOST ":9002", HONEST, .mapped = D_OUT ":9002" });
    story_pass(s, 10 * 1000);
    story_stun(s, &(struct asks){ D_HOST ":9004", HONEST, .mapped = D_OUT ":9004" });
    story_pass(s, 10 * 1000);
    ask(s, LIAR, "192.0.2.140:10000");
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS("192.0.2.140:10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_SUSPECTED, .server = LIAR);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    story_free(s);
}

/* The dialer moved and its server says so: the old answers do not speak against the new one. */
Test(situations, a_new_address)
{
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_HOST ":9000", HONEST, .mapped = "192.0.2.140:9000" });
    story_pass(s, 10 * 1000);
    story_stun(s, &(struct asks){ D_HOST ":9002", HONEST, .mapped = "192.0.2.140:9002" });
    story_pass(s, 1800 * 1000);
    s->received[CALLER] = D_OUT;
    ask(s, HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    talk_and_hang_up(s, 10);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    story_free(s);
}
