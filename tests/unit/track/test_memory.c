/* What a live call takes of memory: told by the story of many of them, all at once. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/story.h"

enum { CALLS = 4096, CALL_MOST = 4096, BUSY_CALL_MOST = 5632, STREAM_MOST = 512, TEXT = 48 };

static struct story *s;

static void setup(void)
{
    s = story_new(D_HOST);
}

static void teardown(void)
{
    story_free(s);
}

static void tell(void *self, const char *table, size_t bytes)
{
    (void)self;
    if (bytes >= CALLS)
        printf("%10.1f  %s\n", (double)bytes / CALLS, table);
}

/* Bytes a call; a table for who wants to know of what. */
static double bytes_a_call(const char *what)
{
    size_t sum;

    printf("bytes a call, %s:\n", what);
    sum = track_memory(s->track, tell, NULL);
    printf("%10.1f  in all\n", (double)sum / CALLS);
    return (double)sum / CALLS;
}

/* Addresses of the i-th call: a webphone in a home of its own, and one host of the dialer with many ports. */
struct ends {
    char id[TEXT], d_ufrag[TEXT], w_ufrag[TEXT], to_w[TEXT], to_d[TEXT];
    char d_rtp[TEXT], d_rtcp[TEXT], d_out[TEXT], d_out_rtcp[TEXT];
    char w_home[TEXT], w_other[TEXT], w_out[TEXT], w_relay[TEXT];
};

static void ends_make(struct ends *e, unsigned i)
{
    unsigned home = i / 250, host = i % 250 + 1, port = 10000 + 2 * i;

    snprintf(e->id, TEXT, "a84b4c76e66710-%05u@dialer.example.com", i);
    snprintf(e->d_ufrag, TEXT, "d%04x", i);
    snprintf(e->w_ufrag, TEXT, "w%04x", i);
    snprintf(e->to_w, TEXT, "%.8s:%.8s", e->w_ufrag, e->d_ufrag);
    snprintf(e->to_d, TEXT, "%.8s:%.8s", e->d_ufrag, e->w_ufrag);
    snprintf(e->d_rtp, TEXT, D_HOST ":%u", port);
    snprintf(e->d_rtcp, TEXT, D_HOST ":%u", port + 1);
    snprintf(e->d_out, TEXT, D_OUT ":%u", port);
    snprintf(e->d_out_rtcp, TEXT, D_OUT ":%u", port + 1);
    snprintf(e->w_home, TEXT, "192.168.%u.%u:50000", home, host);
    snprintf(e->w_other, TEXT, "10.8.%u.%u:50000", home, host);
    snprintf(e->w_out, TEXT, "198.51.%u.%u:50000", home, host);
    snprintf(e->w_relay, TEXT, "192.0.2.77:%u", port);
}

/* One check at the beginning, and then for consent (RFC 7675 §5.1). */
static struct act *checks(const char *from, const char *to, const char *user, const char *seen_as)
{
    struct act *a = story_checks(s, from, to, user, seen_as);

    a->every_ms = 5000;
    return a;
}

/* Two streams and eight candidates: D asks its STUN server, each side checks the other, and voice goes both ways. */
static void ice_call(const struct ends *e, unsigned i)
{
    story_call(s, e->id, D_HOST ":5060", PROXY ":5060");
    s->received[CALLER] = D_OUT;
    story_stun(s, &(struct asks){ e->d_rtp, HONEST, .mapped = e->d_out });
    story_up(s,
             SAYS(e->d_out, .ufrag = e->d_ufrag,
                  .cand = { { SDP_CAND_HOST, e->d_rtp, NULL },
                            { SDP_CAND_HOST, e->d_rtcp, NULL },
                            { SDP_CAND_SRFLX, e->d_out, e->d_rtp },
                            { SDP_CAND_SRFLX, e->d_out_rtcp, e->d_rtcp } }),
             SAYS(e->w_out, .ufrag = e->w_ufrag,
                  .cand = { { SDP_CAND_HOST, e->w_home, NULL },
                            { SDP_CAND_HOST, e->w_other, NULL },
                            { SDP_CAND_SRFLX, e->w_out, e->w_home },
                            { SDP_CAND_RELAY, e->w_relay, e->w_out } }));
    checks(e->d_rtp, e->w_out, e->to_w, e->d_out)->nominates = true;
    checks(e->w_out, e->d_rtp, e->to_d, e->w_out);
    story_play(s, e->d_rtp, e->w_out, 2 * i + 1);
    story_play(s, e->w_out, e->d_rtp, 2 * i + 2);
}

/* And what often goes with it: reports both ways, and checks of two candidates that do not answer. */
static void more_of_it(const struct ends *e, unsigned i)
{
    checks(e->d_rtp, e->w_home, e->to_w, NULL);
    checks(e->d_rtp, e->w_relay, e->to_w, NULL);
    story_report(s, e->d_rtp, e->w_out, 2 * i + 1, 2 * i + 2);
    story_report(s, e->w_out, e->d_rtp, 2 * i + 2, 2 * i + 1);
}

static double calls_of(void (*more)(const struct ends *, unsigned), const char *what)
{
    struct ends e;

    for (unsigned i = 0; i < CALLS; i++) {
        ends_make(&e, i);
        ice_call(&e, i);
        if (more)
            more(&e, i);
        story_pass(s, 5000);
        s->acts = 0;
    }
    cr_assert_eq(s->track->calls.live, CALLS);
    cr_assert_eq(s->track->streams.live, 2 * CALLS);
    return bytes_a_call(what);
}

/* Voice without signalling, each stream between two addresses of its own. */
static void stream(unsigned i)
{
    struct ends e;

    ends_make(&e, i);
    story_play(s, e.d_rtp, e.w_out, i + 1);
    story_pass(s, 100);
    s->acts = 0;
}

TestSuite(memory, .init = setup, .fini = teardown, .timeout = 60);

Test(memory, a_live_call_with_two_streams_and_eight_candidates)
{
    cr_expect_leq(calls_of(NULL, "two streams and eight candidates"), CALL_MOST);
}

Test(memory, with_reports_and_checks_of_other_candidates)
{
    cr_expect_leq(calls_of(more_of_it, "and RTCP, and two more pairs that are checked"), BUSY_CALL_MOST);
}

Test(memory, a_stream)
{
    double each;

    for (unsigned i = 0; i < CALLS; i++)
        stream(i);
    each = bytes_a_call("a stream");
    cr_assert_eq(s->track->streams.live, CALLS);
    cr_expect_leq(each, STREAM_MOST);
}

/* The parts are all there is: an empty notebook has nothing but itself. */
Test(memory, of_nothing)
{
    cr_expect_eq(track_memory(s->track, NULL, NULL), sizeof *s->track);
}
