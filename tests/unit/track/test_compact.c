/*
 * A notebook that is written for days: what is given up, and that what stays is judged as if nothing had been. Each story is told twice,
 * once with the notebook compacted again and again, and what is found must be the same to the last sentence.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/story_turn.h"
#include "verdict/unsignalled.h"

#define TO_W "wfrag:dfrag"
#define TO_D "dfrag:wfrag"

static struct story *s;
static bool compacting;

/* Time passes, second by second; with or without a sweep after each. */
static void pass(unsigned seconds)
{
    while (seconds--) {
        story_pass(s, 1000);
        if (compacting)
            cr_assert(track_compact(s->track, s->now_ns));
    }
}

/* ---- stories ---- */

static void incident(void)
{
    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = STRANGER ":10000" });
    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    story_up(s, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    pass(20);
    story_bye(s, CALLER);
    pass(1);
}

static void healthy_after_many(void)
{
    for (unsigned i = 0; i < 5; i++) {
        char id[16], rtp[32], out[32];

        snprintf(id, sizeof id, "call-%u", i);
        snprintf(rtp, sizeof rtp, D_HOST ":%u", 10000 + 2 * i);
        snprintf(out, sizeof out, D_OUT ":%u", 10000 + 2 * i);
        story_call(s, id, D_HOST ":5060", PROXY ":5060");
        story_stun(s, &(struct asks){ rtp, HONEST, .mapped = out });
        story_up(s, SAYS(out), SAYS(W_RTP));
        story_play(s, rtp, W_RTP, 1);
        story_play(s, W_RTP, rtp, 2);
        story_report(s, W_RTP, rtp, 2, 1);
        pass(8);
        story_hush(s);
        if (i < 4)
            story_bye(s, CALLEE);
        pass(i < 4 ? 90 : 1);
    }
}

static void ice_and_a_restart(void)
{
    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = STRANGER ":10000" });
    story_up(s,
             SAYS(D_RTP_OUT, .ufrag = "dfrag",
                  .cand = { { SDP_CAND_HOST, D_RTP, NULL }, { SDP_CAND_SRFLX, STRANGER ":10000", D_RTP } }),
             SAYS(W_RTP, .ufrag = "wfrag", .cand = { { SDP_CAND_SRFLX, W_RTP, W_RTP_HOME } }));
    story_checks(s, D_RTP, W_RTP, TO_W, D_RTP_OUT)->nominates = true;
    story_checks(s, W_RTP, D_RTP, TO_D, W_RTP);
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    pass(70);
    story_bye(s, CALLER);
    pass(1);
}

static void relayed(void)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_permit(s, W_RTP);
    story_up(s, SAYS(RELAYED, .ufrag = "dfrag", .cand = { { SDP_CAND_RELAY, RELAYED, D_RTP_OUT } }),
             SAYS(W_RTP, .ufrag = "wfrag", .cand = { { SDP_CAND_SRFLX, W_RTP, W_RTP_HOME } }));
    story_checks(s, RELAYED, W_RTP, TO_W, RELAYED);
    story_play(s, RELAYED, W_RTP, 1);
    story_play(s, W_RTP, RELAYED, 2);
    pass(100);
    story_bye(s, CALLER);
    pass(1);
}

static void media_stops_in_mid_call(void)
{
    struct act *w;

    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    w = story_play(s, W_RTP, D_RTP, 2);
    pass(90);
    w->over = true;
    pass(30);
    story_bye(s, CALLER);
    pass(1);
}

/* ---- told twice ---- */

/* All that was found of the call that is still in the notebook, as text. */
static void write_down(struct strbuf *out)
{
    uint32_t last = s->track->calls.used - 1;
    const struct session_finding *f = story_judge(s, last);

    strbuf_fmt(out, "%s %s %s\n", verdict_word(f->verdict), cause_word(f->cause), confidence_word(f->confidence));
    for (size_t i = 0; i < f->directions_n; i++)
        strbuf_fmt(out, "%s sent %lu received %lu of %lu %s\n", dir_verdict_word(f->direction[i].verdict),
                   (unsigned long)f->direction[i].sent, (unsigned long)f->direction[i].received,
                   (unsigned long)f->direction[i].expected_packets, f->direction[i].why);
    for (size_t i = 0; i < f->candidates_n; i++)
        strbuf_fmt(out, "%s %s\n", f->candidate[i].type, candidate_status_word(f->candidate[i].status));
    for (size_t i = 0; i < f->evidence_n; i++)
        strbuf_fmt(out, "%lu %s\n", (unsigned long)f->evidence[i].at.frame, f->evidence[i].text);
    for (size_t i = 0; i < f->warnings_n; i++)
        strbuf_fmt(out, "%s\n", f->warning[i].text);
}

static void tell_twice(void (*story)(void))
{
    struct strbuf plain = { 0 }, swept = { 0 };

    for (unsigned i = 0; i < 2; i++) {
        s = story_new(D_HOST);
        s->received[CALLER] = D_OUT;
        compacting = i == 1;
        story();
        write_down(i ? &swept : &plain);
        story_free(s);
    }
    cr_expect_str_eq(strbuf_str(&swept), strbuf_str(&plain));
    strbuf_done(&plain);
    strbuf_done(&swept);
}

Test(compact, the_incident_is_judged_the_same)
{
    tell_twice(incident);
}

Test(compact, a_call_after_others_is_judged_the_same)
{
    tell_twice(healthy_after_many);
}

Test(compact, ice_is_judged_the_same)
{
    tell_twice(ice_and_a_restart);
}

Test(compact, what_goes_through_a_relay_is_judged_the_same)
{
    tell_twice(relayed);
}

Test(compact, media_that_stops_is_judged_the_same)
{
    tell_twice(media_stops_in_mid_call);
}

/* ---- what is given up ---- */

static void setup(void)
{
    s = story_new(D_HOST);
    s->received[CALLER] = D_OUT;
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(giving_up, .init = setup, .fini = teardown);

static char id[16]; /* the story borrows it */

static void one_call_at(unsigned port, unsigned number)
{
    char rtp[32], out[32];

    snprintf(id, sizeof id, "call-%u", number);
    snprintf(rtp, sizeof rtp, D_HOST ":%u", 10000 + 2 * port);
    snprintf(out, sizeof out, D_OUT ":%u", 10000 + 2 * port);
    story_call(s, id, D_HOST ":5060", PROXY ":5060");
    story_stun(s, &(struct asks){ rtp, HONEST, .mapped = out });
    story_up(s, SAYS(out), SAYS(W_RTP));
    story_play(s, rtp, W_RTP, number);
    story_play(s, W_RTP, rtp, number + 100000);
    story_report(s, W_RTP, rtp, number + 100000, number)->every_ms = 50;
    story_pass(s, 200);
    s->acts = 0;
}

static void one_call(unsigned number)
{
    one_call_at(number % 20000, number);
}

Test(giving_up, all_of_a_call_that_ended)
{
    one_call(1);
    story_bye(s, CALLER);
    story_pass(s, 30 * 1000);
    cr_assert(track_compact(s->track, s->now_ns));
    cr_expect_eq(s->track->calls.used, 1, "it has just ended");
    story_pass(s, 16 * 60 * 1000);
    cr_assert(track_compact(s->track, s->now_ns));
    cr_expect_eq(s->track->calls.used, 0);
    cr_expect_eq(s->track->flows.used, 0);
    cr_expect_eq(s->track->streams.used, 0);
    cr_expect_eq(s->track->stun_txs.used, 0);
    cr_expect_eq(s->track->sockets.used, 0);
    cr_expect_eq(s->track->servers.used, 1, "its counts are told at the end");
    cr_expect_eq(s->track->by_socket.used + s->track->by_flow.used + s->track->by_call_id.used, 0);
}

Test(giving_up, a_call_without_an_end_ends_when_it_is_silent)
{
    one_call(1);
    story_pass(s, 9 * 60 * 1000);
    cr_assert(track_compact(s->track, s->now_ns));
    cr_expect(track_call_at(s->track, 0)->state == CALL_UP);
    story_pass(s, 2 * 60 * 1000);
    cr_assert(track_compact(s->track, s->now_ns));
    cr_assert_eq(s->track->calls.used, 1, "so that its end can be told");
    cr_expect(track_call_at(s->track, 0)->state == CALL_OVER && track_call_at(s->track, 0)->ended.frame);
    story_pass(s, 2 * 60 * 1000);
    cr_assert(track_compact(s->track, s->now_ns));
    cr_expect_eq(s->track->calls.used, 0);
}

Test(giving_up, a_call_whose_media_lasts_stays)
{
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1)->every_ms = 1000;
    for (unsigned i = 0; i < 40; i++) {
        story_pass(s, 60 * 1000);
        cr_assert(track_compact(s->track, s->now_ns));
    }
    cr_assert_eq(s->track->calls.used, 1);
    cr_expect(track_call_at(s->track, 0)->state == CALL_UP);
}

/* Its media was the call's, and does not become a session that nobody announced; the port is in use again. */
Test(giving_up, media_of_a_call_goes_with_it)
{
    struct unsignalled u;
    struct view v;

    one_call(1);
    story_pass(s, 5000);
    story_play(s, D_HOST ":10002", W_RTP, 5);
    story_pass(s, 3000);
    story_bye(s, CALLER);
    s->acts = 0;
    story_call(s, "another", D_HOST ":5060", PROXY ":5060");
    story_up(s, SAYS(D_OUT ":12000"), SAYS(W_RTP));
    story_play(s, D_HOST ":12000", W_RTP, 9);
    story_pass(s, 70 * 1000);
    cr_assert(track_compact(s->track, s->now_ns));
    cr_assert_eq(s->track->calls.used, 1);
    view_make(&v, s->track, &s->options, s->now_ns);
    unsignalled_make(&u, &v);
    cr_expect_eq(u.calls.used, 0);
    unsignalled_done(&u);
}

static bool given_up(uint32_t ssrc)
{
    for (uint32_t i = 0; i < s->track->streams.used; i++)
        if (track_stream_at(s->track, i)->ssrc == ssrc)
            return track_stream_at(s->track, i)->given_up;
    cr_assert(false, "stream %u is gone", ssrc);
    return false;
}

/* Calls that share one address, a short one within a long one: what began there behind both is nobody's. */
Test(giving_up, only_what_began_while_some_call_was_there)
{
    story_call(s, "long", D_HOST ":5060", PROXY ":5060");
    story_up(s, SAYS(D_OUT ":10000"), SAYS(W_RTP));
    story_call(s, "short", D_HOST ":5060", PROXY ":5060");
    story_up(s, SAYS(D_OUT ":10002"), SAYS(W_RTP));
    story_pass(s, 4000);
    story_bye(s, CALLER);
    story_pass(s, 40 * 1000);
    story_play(s, STRANGER ":2000", W_RTP, 1);
    story_pass(s, 1000);
    track_call_at(s->track, 0)->ended = track_call_at(s->track, 0)->last = (struct seen){ s->now_ns, s->frame };
    story_pass(s, 30 * 1000);
    story_play(s, STRANGER ":2002", W_RTP, 2);
    story_pass(s, 5 * 1000);
    story_play(s, STRANGER ":2004", W_RTP, 3);
    story_pass(s, 30 * 1000);
    cr_assert(track_compact(s->track, s->now_ns));
    cr_assert_eq(s->track->calls.used, 0);
    cr_expect(given_up(1), "behind the short one, within the long one");
    cr_expect(given_up(2), "when late packets may still come");
    cr_expect_not(given_up(3), "behind both");
}

/* Calls come and go for an hour and a half; the tables hold what lasts a quarter of an hour, and no more. */
Test(giving_up, tables_stay_small)
{
    uint32_t calls = 0, flows = 0, txs = 0, rooms = 0;
    size_t texts = 0;

    for (unsigned i = 0; i < 1800; i++) {
        one_call(i);
        story_bye(s, i % 2 ? CALLER : CALLEE);
        story_pass(s, 2800);
        if (i % 20)
            continue;
        cr_assert(track_compact(s->track, s->now_ns));
        if (i == 900) {
            calls = s->track->calls.used;
            flows = s->track->flows.used;
            txs = s->track->stun_txs.used;
            rooms = s->track->call_rooms.used;
            texts = s->track->arena.bytes;
        }
    }
    cr_assert(track_compact(s->track, s->now_ns));
    cr_assert_gt(calls, 0);
    cr_expect_leq(s->track->calls.used, calls + 2);
    cr_expect_leq(s->track->flows.used, flows + 8, "%u and %u", s->track->flows.used, flows);
    cr_expect_leq(s->track->stun_txs.used, txs + 4);
    cr_expect_leq(s->track->arena.bytes, texts + 2000);
    cr_expect_leq(s->track->call_rooms.used, rooms + 2, "a call that begins takes the room of one that is gone");
    cr_expect_eq(s->track->call_rooms.live, s->track->calls.live);
    cr_expect_leq(calls, 30, "those of the last minute, three seconds apart, and up to 20 more");
}

/* The same two ports for one call after another: what the calls before left on them goes with these. */
Test(giving_up, ports_that_are_used_again)
{
    for (unsigned i = 0; i < 3 * TRACK_STREAMS_PER_FLOW; i++) {
        one_call_at(7, i);
        story_bye(s, CALLER);
        story_pass(s, 10 * 1000);
        if (i % 6 == 0)
            cr_assert(track_compact(s->track, s->now_ns));
    }
    cr_assert_leq(s->track->flows.used, 8);
    cr_expect_lt(s->track->streams.used, 40);
    cr_expect_lt(s->track->rtcps.used, 20);
    cr_expect_gt(s->track->streams.used, 10, "those of the last minute");
}

/* The same, where something flows between them all the time and no call is there when room is made. */
Test(giving_up, ports_that_are_used_again_later)
{
    for (unsigned i = 0; i < 60; i++) {
        one_call_at(7, i);
        story_bye(s, CALLER);
        for (unsigned k = 0; k < 4; k++) {
            struct datagram d;

            story_pass(s, 20 * 1000);
            (void)story_packet(s, D_HOST ":10014", W_RTP, 20, &d);
            (void)story_packet(s, W_RTP, D_HOST ":10014", 20, &d);
        }
        cr_assert(track_compact(s->track, s->now_ns));
    }
    cr_expect_lt(s->track->streams.used, 10);
}

/* Without signalling, a session is known by its first packet: it stays as long as the session goes on. */
Test(giving_up, what_nobody_announced_keeps_its_beginning)
{
    struct seen first;

    for (unsigned i = 0; i < 30; i++) {
        story_play(s, D_RTP, W_RTP, 1);
        story_pass(s, 2000);
        s->acts = 0;
        story_pass(s, 60 * 1000);
        if (i == 0)
            first = track_stream_at(s->track, 0)->packets.first;
        cr_assert(track_compact(s->track, s->now_ns));
    }
    cr_expect_eq(s->track->streams.used, 30);
    cr_expect_eq(track_stream_at(s->track, 0)->packets.first.frame, first.frame);
    story_pass(s, 11 * 60 * 1000);
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 2000);
    cr_assert(track_compact(s->track, s->now_ns));
    cr_expect_eq(s->track->streams.used, 1, "a long silence ended it");
}
