/* selection.c: which flows, frames and names belong to one call, and which to its neighbours. */
#include <criterion/criterion.h>

#include "support/story.h"
#include "verdict/selection.h"

#define D2_RTP     D_HOST ":10002"
#define D2_RTP_OUT D_OUT ":10002"
#define W2_RTP     W_OUT ":40002"
#define VOID_RTP   "198.18.9.9:10000"

static struct story *s;
static struct selection selection;

static void setup(void)
{
    s = story_new(D_HOST);
}

static void teardown(void)
{
    selection_done(&selection);
    story_free(s);
}

TestSuite(selection, .init = setup, .fini = teardown);

/* What belongs to session number `call`, with its own number. */
static void choose(uint32_t call)
{
    struct owners all;
    const struct session_finding *f = story_judge(s, call);

    owners_make(&all, &s->view, &s->unsignalled);
    selection_add(&selection, &s->view, &all, f->call, call);
    owners_done(&all);
    selection_ready(&selection, &s->view);
}

static bool flow_at(const char *src, const char *dst, int64_t ns)
{
    uint32_t sessions[SELECTION_SESSIONS];
    struct addr a, b;

    cr_assert(addr_parse(span_str(src), &a) && addr_parse(span_str(dst), &b));
    return selection_of_flow(&selection, &a, &b, ns, sessions, 0) > 0;
}

static bool flow(const char *src, const char *dst)
{
    return flow_at(src, dst, s->now_ns);
}

static bool frame(uint64_t number)
{
    uint32_t sessions[SELECTION_SESSIONS];

    return selection_of_frame(&selection, number, sessions, 0) > 0;
}

static bool name(const char *text)
{
    uint32_t sessions[SELECTION_SESSIONS];

    return selection_of_name(&selection, text, s->now_ns, sessions, 0) > 0;
}

static void one_call(const char *id, const char *rtp, const char *out, const char *peer, const char *server)
{
    story_call(s, id, D_HOST ":5060", PROXY ":5060");
    story_stun(s, &(struct asks){ .from = rtp, .server = server, .mapped = out });
    story_up(s, SAYS(out), SAYS(peer));
    story_play(s, rtp, peer, 1);
    story_play(s, peer, rtp, 2);
}

Test(selection, its_media_both_ways_and_its_question)
{
    one_call("one", D_RTP, D_RTP_OUT, W_RTP, LIAR);
    one_call("two", D2_RTP, D2_RTP_OUT, W2_RTP, HONEST);
    story_pass(s, 5000);
    choose(0);
    cr_expect(flow(D_RTP, W_RTP));
    cr_expect(flow(W_RTP, D_RTP));
    cr_expect(flow(D_RTP, LIAR));
    cr_expect(flow(LIAR, D_RTP));
    cr_expect_not(flow(D2_RTP, W2_RTP));
    cr_expect_not(flow(W2_RTP, D2_RTP));
    cr_expect_not(flow(D2_RTP, HONEST));
}

/* The question was asked before the INVITE; a flow counts from it on, and not from the beginning of the capture. */
Test(selection, from_its_question_to_its_end)
{
    int64_t asked;

    story_pass(s, 90000);
    asked = s->now_ns;
    one_call("one", D_RTP, D_RTP_OUT, W_RTP, LIAR);
    story_pass(s, 5000);
    story_bye(s, CALLER);
    story_pass(s, 20000);
    choose(0);
    cr_expect(flow_at(D_RTP, LIAR, asked + NS_PER_MS * 200));
    cr_expect_not(flow_at(D_RTP, LIAR, asked - SECONDS(70)));
    cr_expect_not(flow_at(D_RTP, W_RTP, s->now_ns), "its port may be another call's by then");
}

/* W was told a lie and its packets to it leave from behind a NAT that no one advertised. */
Test(selection, what_is_sent_to_the_lie)
{
    story_call(s, "one", D_HOST ":5060", PROXY ":5060");
    story_stun(s, &(struct asks){ .from = D_RTP, .server = LIAR, .mapped = VOID_RTP });
    story_up(s, SAYS(VOID_RTP), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_OUT ":51111", VOID_RTP, 2);
    story_pass(s, 5000);
    choose(0);
    cr_expect(flow(W_OUT ":51111", VOID_RTP));
    cr_expect(flow(D_RTP, W_RTP));
}

/* A server that tells everybody the same address does not make one call of all. */
Test(selection, the_same_lie_for_all)
{
    story_call(s, "one", D_HOST ":5060", PROXY ":5060");
    story_stun(s, &(struct asks){ .from = D_RTP, .server = LIAR, .mapped = VOID_RTP });
    story_up(s, SAYS(VOID_RTP), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_call(s, "two", D_HOST ":5060", PROXY ":5060");
    story_stun(s, &(struct asks){ .from = D2_RTP, .server = LIAR, .mapped = VOID_RTP });
    story_up(s, SAYS(VOID_RTP), SAYS(W2_RTP));
    story_play(s, D2_RTP, W2_RTP, 2);
    story_pass(s, 5000);
    choose(0);
    cr_expect(flow(D_RTP, W_RTP));
    cr_expect(flow(D_RTP, LIAR));
    cr_expect_not(flow(D2_RTP, W2_RTP));
    cr_expect_not(flow(D2_RTP, LIAR));
}

/* A media server with one port for all its calls. */
Test(selection, a_port_that_calls_share)
{
    story_call(s, "one", D_HOST ":5060", PROXY ":5060");
    story_up(s, SAYS(D_RTP), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, STRANGER ":7000", D_RTP, 3);
    story_call(s, "two", D_HOST ":5060", PROXY ":5060");
    story_up(s, SAYS(D_RTP), SAYS(W2_RTP));
    story_play(s, D_RTP, W2_RTP, 2);
    story_play(s, W2_RTP, D_RTP, 4);
    story_pass(s, 5000);
    choose(0);
    cr_expect(flow(D_RTP, W_RTP));
    cr_expect_not(flow(D_RTP, W2_RTP));
    cr_expect_not(flow(W2_RTP, D_RTP));
    cr_expect(flow(STRANGER ":7000", D_RTP), "nobody's: it may be this call's");
}

/* The same with ICE and addresses that no SDP told: the checks name the call. */
Test(selection, checks_name_their_call)
{
    story_call(s, "one", D_HOST ":5060", PROXY ":5060");
    story_up(s, SAYS(D_RTP, .ufrag = "dddd"), SAYS(W_RTP, .ufrag = "wwww"));
    story_checks(s, W_OUT ":50001", D_RTP, "dddd:wwww", NULL);
    story_checks(s, W_OUT ":50002", D_RTP, "dddd:zzzz", NULL);
    story_checks(s, W_OUT ":50003", D_RTP, "eeee:xxxx", NULL);
    story_play(s, D_RTP, W_OUT ":50003", 9);
    story_pass(s, 5000);
    choose(0);
    cr_expect(flow(W_OUT ":50001", D_RTP));
    cr_expect(flow(W_OUT ":50002", D_RTP), "a fork: the fragment is the call's");
    cr_expect_not(flow(W_OUT ":50003", D_RTP));
    cr_expect_not(flow(D_RTP, W_OUT ":50003"), "nor what goes the other way");
}

Test(selection, rtcp_beside_it_and_nothing_else_there)
{
    one_call("one", D_RTP, D_RTP_OUT, W_RTP, HONEST);
    story_report(s, D_HOST ":10001", W_OUT ":40001", 1, 0);
    story_play(s, D_HOST ":10001", STRANGER ":9", 77);
    story_pass(s, 8000);
    choose(0);
    cr_expect(flow(D_HOST ":10001", W_OUT ":40001"));
    cr_expect_not(flow(D_HOST ":10001", STRANGER ":9"));
}

/* What a STUN server said an hour ago is what the address was made from. */
Test(selection, an_old_answer_with_its_question)
{
    uint64_t question, answer;

    story_stun(s, &(struct asks){ .from = D_RTP, .server = LIAR, .mapped = VOID_RTP });
    answer = s->frame;
    question = answer - 1;
    story_pass(s, 3600 * 1000);
    story_call(s, "one", D_HOST ":5060", PROXY ":5060");
    story_up(s, SAYS(VOID_RTP), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 5000);
    choose(0);
    cr_expect(frame(answer));
    cr_expect(frame(question));
    cr_expect(flow(D_RTP, W_RTP), "the socket behind the address is found by it");
}

static const struct stun_tx *asks(const char *from, const char *mapped)
{
    story_stun(s, &(struct asks){ .from = from, .server = HONEST, .mapped = mapped });
    return track_tx_at(s->track, s->track->stun_txs.used - 1);
}

Test(selection, an_answer_that_is_cited_brings_its_question)
{
    const struct stun_tx *cited, *other;

    one_call("one", D_RTP, D_RTP_OUT, W_RTP, LIAR);
    cited = asks(D_HOST ":7777", D_OUT ":7777");
    other = asks(D_HOST ":7778", D_OUT ":7778");
    story_pass(s, 1000);
    selection_cite(&selection, cited->answer.frame, 0);
    choose(0);
    cr_expect(frame(cited->answer.frame));
    cr_expect(frame(cited->requests.first.frame));
    cr_expect_not(frame(other->answer.frame));
    cr_expect_not(frame(other->requests.first.frame));
}

Test(selection, the_name_of_its_server_alone)
{
    story_dns(s, "stun.liar.example", "192.0.2.19");
    story_dns(s, "stun.honest.example", "192.0.2.30");
    one_call("one", D_RTP, D_RTP_OUT, W_RTP, LIAR);
    one_call("two", D2_RTP, D2_RTP_OUT, W2_RTP, HONEST);
    story_pass(s, 5000);
    choose(0);
    cr_expect(name("stun.liar.example"));
    cr_expect_not(name("stun.honest.example"));
}

Test(selection, by_call_id_alone)
{
    uint32_t sessions[SELECTION_SESSIONS];

    one_call("one", D_RTP, D_RTP_OUT, W_RTP, LIAR);
    one_call("two", D2_RTP, D2_RTP_OUT, W2_RTP, HONEST);
    story_pass(s, 5000);
    choose(1);
    cr_expect_eq(selection_of_call(&selection, selection_call_key(SPAN("two")), sessions, 0), 1);
    cr_expect_eq(sessions[0], 1);
    cr_expect_eq(selection_of_call(&selection, selection_call_key(SPAN("one")), sessions, 0), 0);
    cr_expect_not(flow(PROXY ":5060", D_HOST ":5060"), "signalling goes by its Call-ID, not by its addresses");
}

/* One that is added again is not there twice, and one that is dropped is not there. */
Test(selection, again_and_never)
{
    size_t flows, frames;

    one_call("one", D_RTP, D_RTP_OUT, W_RTP, LIAR);
    story_pass(s, 5000);
    choose(0);
    flows = selection.flows;
    frames = selection.frames.n;
    selection_drop(&selection, 0);
    choose(0);
    cr_expect_eq(selection.flows, flows);
    cr_expect_eq(selection.frames.n, frames);
    selection_drop(&selection, 0);
    selection_ready(&selection, &s->view);
    cr_expect_not(flow(D_RTP, W_RTP));
    cr_expect_eq(selection.flows + selection.frames.n + selection.names.n + selection.calls.n, 0);
}

static uint64_t connects(const char *client, const char *server)
{
    struct datagram d;

    story_packet(s, client, server, 300, &d);
    track_connection(s->track, &d);
    return d.at.frame;
}

/* TLS from the one peer of the host: it shows where that is. With two nobody knows whose the session is. */
Test(selection, the_connection_of_an_unsignalled_session)
{
    uint64_t one = connects(W_OUT ":55555", D_HOST ":443"), two;

    story_checks(s, D_RTP, W_RTP, "wwww:dddd", NULL);
    story_pass(s, 8000);
    choose(0);
    cr_expect(frame(one));
    selection_drop(&selection, 0);
    two = connects(STRANGER ":44444", D_HOST ":443");
    choose(0);
    cr_expect_not(frame(one));
    cr_expect_not(frame(two));
}

/* No signalling: the two fragments of the checks are the session. */
Test(selection, without_signalling)
{
    story_checks(s, D_RTP, W_RTP, "wwww:dddd", NULL);
    story_checks(s, D2_RTP, W2_RTP, "yyyy:xxxx", NULL);
    story_pass(s, 8000);
    cr_assert_eq(story_unsignalled(s), 2);
    choose(0);
    cr_expect(flow(D_RTP, W_RTP));
    cr_expect_not(flow(D2_RTP, W2_RTP));
}
