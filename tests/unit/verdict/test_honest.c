/* Whole calls in which an honest STUN server, or the wrong party, could be blamed. */
#include <criterion/criterion.h>

#include "support/story_turn.h"
#include "verdict/join.h"

#define OTHER    "198.18.40.1:3478" /* an honest server of another operator */
#define RTPPROXY "192.0.2.61:30000" /* beside the SIP proxy */
#define TO_W     "wfrag:dfrag"

#define D_SAYS(srflx) SAYS(srflx, .ufrag = "dfrag", .cand = { { SDP_CAND_HOST, D_RTP, NULL }, { SDP_CAND_SRFLX, srflx, D_RTP } })
#define D_SAYS_HOST   SAYS(D_RTP, .ufrag = "dfrag", .cand = { { SDP_CAND_HOST, D_RTP, NULL } })
#define W_SAYS        SAYS(W_RTP, .ufrag = "wfrag", .cand = { { SDP_CAND_HOST, W_RTP_HOME, NULL }, { SDP_CAND_SRFLX, W_RTP, NULL } })

static struct story *s;

static void setup(void)
{
    s = story_new(D_HOST);
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(honest, .init = setup, .fini = teardown);

static void ask(const char *server, const char *mapped)
{
    story_stun(s, &(struct asks){ D_RTP, server, .mapped = mapped });
}

static void checks_in_vain(void)
{
    story_checks(s, D_RTP, W_RTP, TO_W, NULL);
    story_pass(s, 12 * 1000);
    story_bye(s, CALLER);
}

/* SIP by one uplink, media by the other, and all is well: the server is not even suspected. */
Test(honest, two_uplinks_and_the_call_is_well)
{
    s->received[CALLER] = "192.0.2.200";
    ask(HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_SUSPECT);
}

/* The proxy puts its media relay into the description; that the webphone signals from elsewhere is no wonder. */
Test(honest, a_media_relay_beside_the_proxy_and_nothing_comes)
{
    story_call(s, "call-1@webphone", PROXY ":5060", D_HOST ":5060");
    s->via[CALLER] = W_HOME;
    s->via[CALLEE] = D_HOST;
    s->received[CALLER] = W_OUT;
    story_up(s, SAYS(RTPPROXY), SAYS(D_RTP_OUT));
    story_play(s, D_RTP, RTPPROXY, 1);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLEE, DIR_UNKNOWN);
}

/* The capture missed the server's answer; that it came shows in the description. */
Test(honest, its_answer_is_not_captured)
{
    ask(HONEST, NULL);
    story_up(s, D_SAYS(D_RTP_OUT), W_SAYS);
    checks_in_vain();
    cr_expect_eq(story_judge(s, 0)->verdict, VERDICT_SETUP_FAILED);
    cr_expect_eq(s->found->server, POOL_NONE);
    cr_expect_neq(s->found->cause, CAUSE_STUN_UNANSWERED);
}

Test(honest, its_answer_is_not_captured_since_packets_were_lost)
{
    s->options.dropped = true;
    ask(HONEST, NULL);
    story_up(s, D_SAYS_HOST, W_SAYS);
    checks_in_vain();
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
}

/* Servers of two operators are silent: most likely UDP to them is shut here. */
Test(honest, two_servers_of_two_operators_are_silent)
{
    ask(HONEST, NULL);
    ask(OTHER, NULL);
    story_up(s, D_SAYS_HOST, W_SAYS);
    checks_in_vain();
    cr_expect_leq(story_judge(s, 0)->confidence, CONFIDENCE_SUSPECTED);
}

/*
 * A program that asks the other party itself, without credentials and all the time, to open its NAT (Linphone): no server was asked, and
 * the private address is the cause.
 */
Test(honest, the_other_party_is_no_stun_server)
{
    story_up(s, SAYS(D_RTP), SAYS(W_RTP));
    ask(W_RTP, NULL);
    ask(W_OUT ":40001", NULL); /* its RTCP */
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PRIVATE_ADDRESS, .least = CONFIDENCE_SUSPECTED);
}

/* One answer was a lie, the other was the truth; ICE had both to choose from, so the lie is not why nothing passes. */
Test(honest, a_lie_beside_the_truth_and_a_firewall)
{
    s->received[CALLER] = D_OUT;
    ask(LIAR, STRANGER ":10000");
    ask(HONEST, D_RTP_OUT);
    story_up(s,
             SAYS(D_RTP_OUT, .ufrag = "dfrag",
                  .cand = { { SDP_CAND_HOST, D_RTP, NULL },
                            { SDP_CAND_SRFLX, D_RTP_OUT, D_RTP },
                            { SDP_CAND_SRFLX, STRANGER ":10000", D_RTP } }),
             W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_SUSPECTED, .warned = LIAR);
}

static void says(const char *from, const char *to, struct stun_msg *m)
{
    struct datagram d;
    struct flow *f = story_packet(s, from, to, 68, &d);

    track_stun(s->track, f, &d, m);
    story_pass(s, 20);
}

/* Somebody else answers in the server's name, before it does. */
Test(honest, somebody_else_answers_in_its_name)
{
    struct stun_msg m = { .cls = STUN_REQUEST, .method = STUN_BINDING, .tid = { 0x21, 0x12, 0xa4, 0x42, 7 } };

    s->received[CALLER] = D_OUT;
    says(D_RTP, HONEST, &m);
    m.cls = STUN_SUCCESS;
    m.has_xor_mapped = addr_parse(SPAN(STRANGER ":10000"), &m.xor_mapped);
    says("198.18.66.6:3478", D_RTP, &m);
    cr_assert(addr_parse(SPAN(D_RTP_OUT), &m.xor_mapped));
    says(HONEST, D_RTP, &m);
    story_up(s, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_SUSPECT);
}

/* ---- a TURN server's answer that the capture missed ---- */

static void turn_is_silent(void)
{
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, D_RTP, TURN, .silent = 4 });
}

Test(honest, the_relay_that_it_gave_is_offered)
{
    turn_is_silent();
    story_up(s,
             SAYS(RELAYED, .ufrag = "dfrag", .cand = { { SDP_CAND_HOST, D_RTP, NULL }, { SDP_CAND_RELAY, RELAYED, D_RTP_OUT } }),
             W_SAYS);
    checks_in_vain();
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
}

Test(honest, a_relays_answer_in_a_capture_with_drops)
{
    s->options.dropped = true;
    turn_is_silent();
    story_up(s, D_SAYS_HOST, W_SAYS);
    checks_in_vain();
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
}

/* ---- several spans and calls of one socket ---- */

/* Media arrived at the address that the server told, until the other party put its call on to a device that nothing passes to. */
Test(honest, it_was_heard_before_the_other_party_moved)
{
    struct act *w;

    s->received[CALLER] = "192.0.2.200"; /* its SIP takes another uplink */
    ask(HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    w = story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_reinvite(s, CALLEE, SAYS("198.51.100.99:4000"), SAYS(D_RTP_OUT));
    w->over = true;
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    cr_expect_eq(story_judge(s, 0)->server, POOL_NONE);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_SUSPECT);
}

/* What comes to the socket in a later call says nothing of the answer before. */
Test(honest, not_so_a_port_that_is_used_again)
{
    s->received[CALLER] = D_OUT;
    ask(LIAR, STRANGER ":10000");
    story_up(s, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    story_call(s, "call-2@dialer", D_HOST ":5060", PROXY ":5060");
    s->received[CALLER] = D_OUT;
    ask(HONEST, D_RTP_OUT);
    story_up(s, SAYS(D_RTP_OUT), SAYS("198.51.100.99:4000"));
    story_play(s, D_RTP, "198.51.100.99:4000", 3);
    story_play(s, "198.51.100.99:4000", D_RTP, 4);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .server = LIAR);
}

/* ---- and a liar whom the packets give away ---- */

#define PUBLIC "198.51.100.40" /* a dialer without a NAT */

/* No received= in the replies: the SIP server saw it at its own address, and the STUN server did not. */
static void dialer_without_nat(const char *told)
{
    story_free(s);
    s = story_new(PUBLIC);
    story_call(s, "call-1@dialer", PUBLIC ":5060", PROXY ":5060");
    s->via[CALLER] = PUBLIC;
    story_stun(s, &(struct asks){ PUBLIC ":10000", LIAR, .mapped = told });
    story_up(s, SAYS(told), SAYS(W_RTP));
    story_play(s, PUBLIC ":10000", W_RTP, 1);
    story_pass(s, 10 * 1000);
    story_bye(s, CALLER);
}

Test(honest, not_so_who_tells_a_host_without_a_nat_another_address)
{
    dialer_without_nat(STRANGER ":10000");
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY,
           .server = LIAR);
}

Test(honest, a_host_without_a_nat)
{
    dialer_without_nat(PUBLIC ":10000");
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_LIKELY);
    cr_expect_eq(story_server(s, LIAR).verdict, SERVER_GOOD);
}

/* ---- two places ---- */

/* D's packets arrive at the other place from `from`, and its server, which told it another address, is likely wrong. */
static struct session_finding *arrives_from(const char *from)
{
    struct session_finding *f = s->found;
    struct direction_finding *d = &f->direction[0];

    *f = (struct session_finding){ .cause = CAUSE_BAD_CANDIDATE, .confidence = CONFIDENCE_LIKELY, .server = 0 };
    f->candidates_n = f->directions_n = 1;
    f->candidate[0] = (struct candidate_finding){ .party = CALLER, .component = 1, .server = 0, .wrong = true };
    *d = (struct direction_finding){ .from = CALLER, .sent_seen = true, .received_seen = true };
    d->sent_to_n = d->received_from_n = 1;
    cr_assert(addr_parse(SPAN(STRANGER ":10000"), &f->candidate[0].addr) && addr_parse(SPAN(RTPPROXY), &d->sent_to[0].addr) &&
              addr_parse(span_str(from), &d->received_from[0].addr));
    return f;
}

Test(honest, a_relay_sends_in_its_own_name)
{
    struct session_finding *f = arrives_from("192.0.2.61:30002");

    finding_prove(f);
    cr_expect_eq(f->confidence, CONFIDENCE_LIKELY);
}

Test(honest, not_so_the_senders_own_packets)
{
    struct session_finding *f = arrives_from(D_RTP_OUT);

    finding_prove(f);
    cr_expect_eq(f->confidence, CONFIDENCE_PROVEN);
}
