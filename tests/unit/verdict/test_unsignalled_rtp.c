/* Sessions of which only RTP is seen (SPEC §2). */
#include <criterion/criterion.h>

#include "support/story.h"

#define W_VOID STRANGER ":40000" /* where W is not */

static void ask(struct story *s, const char *server, const char *mapped)
{
    story_stun(s, &(struct asks){ D_RTP, server, .mapped = mapped, .classic = true });
}

/* The host's other sockets were told the truth, at two moments: what its mapping is held against where no SIP is seen. */
static void other_sockets_are_told(struct story *s)
{
    story_stun(s, &(struct asks){ D_HOST ":12000", HONEST, .mapped = D_OUT ":12000", .classic = true });
    story_pass(s, 6 * 1000);
    story_stun(s, &(struct asks){ D_HOST ":12010", HONEST, .mapped = D_OUT ":12010", .classic = true });
    story_pass(s, 6 * 1000);
}

static void expect_sessions(struct story *s, uint32_t n)
{
    uint32_t found = story_unsignalled(s);

    cr_expect_eq(found, n, "%u sessions without signalling, expected %u", found, n);
}

/* ---- RTP alone ---- */

Test(rtp_alone, both_are_heard)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_hush(s);
    story_pass(s, 5 * 1000);
    expect_sessions(s, 1);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_eq(s->found->call->kind, SESSION_RTP);
    cr_expect_eq(s->found->call->state, CALL_OVER);
    cr_expect(addr_eq(&s->found->call->sdps->media->addr, &s->act[0].from), "a is the party that is here");
    story_free(s);
}

Test(rtp_alone, one_direction_alone_tells_nothing)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 10 * 1000);
    expect_sessions(s, 1);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

Test(rtp_alone, what_only_arrives_tells_nothing)
{
    struct story *s = story_new(D_HOST);

    struct local_net here = { s->here, 128 };

    s->options.locals = &here;
    s->options.locals_n = 1;
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    expect_sessions(s, 1);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    story_free(s);
}

Test(rtp_alone, paging_never_fails)
{
    struct story *s = story_new(D_HOST);

    other_sockets_are_told(s);
    ask(s, LIAR, STRANGER ":10000");
    story_play(s, D_RTP, "239.255.12.42:5004", 1);
    story_pass(s, 20 * 1000);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

Test(rtp_alone, a_few_packets_are_no_session)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 200);
    expect_sessions(s, 0);
    story_free(s);
}

/* An Asterisk dialer whose SIP is inside WSS: STUN from the RTP socket, media from there, and nothing ever comes. */
Test(rtp_alone, a_lie_that_only_the_socket_joins_to_its_call)
{
    struct story *s = story_new(D_HOST);

    other_sockets_are_told(s);
    ask(s, LIAR, STRANGER ":10000");
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 12 * 1000);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .server = LIAR, .least = CONFIDENCE_LIKELY);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

Test(rtp_alone, a_lie_that_contradicts_itself_is_proven)
{
    struct story *s = story_new(D_HOST);

    ask(s, LIAR, "127.0.0.1:10000");
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 12 * 1000);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .server = LIAR, .least = CONFIDENCE_PROVEN);
    story_free(s);
}

/* The other party sends to the wrong port of this host, which answers that nobody listens there. */
Test(rtp_alone, a_wrong_port)
{
    struct story *s = story_new(D_HOST);

    ask(s, LIAR, D_OUT ":11171");
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_HOST ":11171", 2);
    for (unsigned i = 0; i < 10; i++) {
        story_pass(s, 1000);
        story_icmp(s, D_HOST ":0", W_RTP, D_HOST ":11171", ICMP_PORT_UNREACHABLE);
    }
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .server = LIAR, .least = CONFIDENCE_LIKELY);
    story_free(s);
}

/* The same silence after a true answer: a mute webphone, a firewall, a recording; nobody knows. */
Test(rtp_alone, the_server_is_honest_and_nothing_comes)
{
    struct story *s = story_new(D_HOST);

    other_sockets_are_told(s);
    ask(s, HONEST, D_RTP_OUT);
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 12 * 1000);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    cr_expect_neq(story_server(s, HONEST).verdict, SERVER_BAD);
    story_free(s);
}

/* The answer was wrong, and the webphone's media comes all the same: it was not used. */
Test(rtp_alone, a_lie_and_media_arrives)
{
    struct story *s = story_new(D_HOST);

    other_sockets_are_told(s);
    ask(s, LIAR, STRANGER ":10000");
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 12 * 1000);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* ... or its reports come: it knows where this host is, and is mute. */
Test(rtp_alone, a_lie_and_reports_arrive)
{
    struct story *s = story_new(D_HOST);

    other_sockets_are_told(s);
    ask(s, LIAR, STRANGER ":10000");
    story_play(s, D_RTP, W_RTP, 1);
    story_report(s, W_OUT ":40001", D_HOST ":10001", 2, 1)->no_sr = true;
    story_pass(s, 12 * 1000);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    EXPECT_DIRECTION(s, CALLER, DIR_RECEIVED);
    story_free(s);
}

/* A lie that came after the media began was not told to the other party. */
Test(rtp_alone, a_lie_that_comes_too_late)
{
    struct story *s = story_new(D_HOST);

    other_sockets_are_told(s);
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 6 * 1000);
    ask(s, LIAR, STRANGER ":10000");
    story_pass(s, 6 * 1000);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

/* Two servers were asked, and the one that was asked last told the truth. */
Test(rtp_alone, the_last_answer_is_the_one_that_counts)
{
    struct story *s = story_new(D_HOST);

    other_sockets_are_told(s);
    ask(s, LIAR, STRANGER ":10000");
    ask(s, HONEST, D_RTP_OUT);
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 12 * 1000);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

Test(rtp_alone, silence_in_a_capture_with_drops)
{
    struct story *s = story_new(D_HOST);

    s->options.dropped = true;
    other_sockets_are_told(s);
    ask(s, LIAR, STRANGER ":10000");
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 12 * 1000);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

/* The capture began in mid call: what D sends goes to an address where W is not, and W says that it hears nobody. */
Test(rtp_alone, the_webphone_is_elsewhere_and_hears_nobody)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_VOID, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_report(s, W_OUT ":40001", D_HOST ":10001", 2, 0);
    story_pass(s, 12 * 1000);
    expect_sessions(s, 1);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .most = CONFIDENCE_SUSPECTED);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    story_free(s);
}

/* Without a report nobody knows: a media server may well send from one address and listen at another. */
Test(rtp_alone, it_comes_from_elsewhere_than_it_goes_to)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_VOID, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 12 * 1000);
    expect_sessions(s, 1);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

/* A socket that serves many: who belongs to whom is not known, and nothing is joined. */
Test(rtp_alone, one_socket_for_many)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_VOID, 1);
    story_play(s, D_RTP, STRANGER ":41000", 3);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 12 * 1000);
    expect_sessions(s, 3);
    story_free(s);
}

/* The RTCP socket was told the truth and the RTP socket was not. */
Test(rtp_alone, a_lie_about_the_rtp_socket_alone)
{
    struct story *s = story_new(D_HOST);

    other_sockets_are_told(s);
    ask(s, LIAR, STRANGER ":10000");
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2)->lost = true;
    story_report(s, W_OUT ":40001", D_HOST ":10001", 2, 1);
    story_pass(s, 15 * 1000);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .server = LIAR);
    story_free(s);
}

Test(rtp_alone, the_webphone_says_that_it_sends)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2)->lost = true;
    story_report(s, W_OUT ":40001", D_HOST ":10001", 2, 1);
    story_pass(s, 15 * 1000);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    EXPECT_DIRECTION(s, CALLER, DIR_RECEIVED);
    story_free(s);
}

/* Its count stands still: it sent once, before the capture, and is on hold or mute since. */
Test(rtp_alone, the_webphones_count_stands_still)
{
    struct story *s = story_new(D_HOST);
    struct act *before;

    before = story_play(s, W_RTP, D_RTP, 2);
    before->sent = before->highest = 400;
    before->over = true;
    story_play(s, D_RTP, W_RTP, 1);
    story_report(s, W_OUT ":40001", D_HOST ":10001", 2, 1);
    story_pass(s, 15 * 1000);
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    story_free(s);
}

Test(rtp_alone, nobody_listens)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_RTP, 1);
    for (unsigned i = 0; i < 8; i++) {
        story_icmp(s, W_OUT ":0", D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
        story_pass(s, 1000);
    }
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PORT_UNREACHABLE, .least = CONFIDENCE_PROVEN);
    story_free(s);
}

/* The other party hung up a moment before; its BYE is not seen. */
Test(rtp_alone, icmp_at_the_end)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    s->act[1].over = true;
    for (unsigned i = 0; i < 3; i++) {
        story_pass(s, 1000);
        story_icmp(s, W_OUT ":0", D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
    }
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* It falls silent: on hold, mute or gone, and no description tells. */
Test(rtp_alone, the_webphone_falls_silent)
{
    struct story *s = story_new(D_HOST);
    struct act *w;

    story_play(s, D_RTP, W_RTP, 1);
    w = story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    w->over = true;
    story_pass(s, 20 * 1000);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

Test(rtp_alone, a_long_silence_ends_it)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_hush(s);
    story_pass(s, 40 * 1000);
    story_play(s, D_RTP, W_RTP, 3);
    story_play(s, W_RTP, D_RTP, 4);
    story_pass(s, 10 * 1000);
    expect_sessions(s, 2);
    EXPECT(s, .call = 0, .verdict = VERDICT_OK);
    EXPECT(s, .call = 1, .verdict = VERDICT_OK);
    cr_expect_eq(s->found->call->ssrc[CALLER], 3);
    story_free(s);
}

Test(rtp_alone, a_short_silence_does_not)
{
    struct story *s = story_new(D_HOST);

    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 10 * 1000);
    story_hush(s);
    story_pass(s, 20 * 1000);
    s->act[0].over = s->act[1].over = false;
    story_pass(s, 10 * 1000);
    expect_sessions(s, 1);
    story_free(s);
}

/* ---- whose is it? ---- */

/* Early and late media, a latched source, media toward a wrong address, and what comes beside the described one: all the call's. */
Test(rtp_alone, a_calls_media_is_the_calls)
{
    struct story *s = story_new(D_HOST);

    story_up(s, SAYS(D_RTP_OUT), SAYS(W_VOID));
    story_play(s, D_RTP, W_VOID, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 5 * 1000);
    story_play(s, D_RTP, W_RTP, 3);
    story_pass(s, 5 * 1000);
    story_bye(s, CALLER);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 3 * 1000);
    expect_sessions(s, 0);
    story_free(s);
}

/* The same port an hour later, and no SIP is seen. */
Test(rtp_alone, a_port_of_an_earlier_call)
{
    struct story *s = story_new(D_HOST);

    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 5 * 1000);
    story_bye(s, CALLER);
    story_pass(s, 600 * 1000);
    story_play(s, D_RTP, STRANGER ":40000", 3);
    story_play(s, STRANGER ":40000", D_RTP, 4);
    story_pass(s, 5 * 1000);
    expect_sessions(s, 1);
    EXPECT(s, .call = 1, .verdict = VERDICT_OK);
    story_free(s);
}

Test(rtp_alone, what_ice_explains_is_not_rtp_alone)
{
    struct story *s = story_new(D_HOST);

    story_checks(s, D_RTP, W_RTP, "wfrag:dfrag", D_RTP_OUT);
    story_checks(s, W_RTP, D_RTP, "dfrag:wfrag", W_RTP);
    story_pass(s, 600);
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 5 * 1000);
    expect_sessions(s, 1);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_eq(s->found->call->kind, SESSION_ICE);
    story_free(s);
}
