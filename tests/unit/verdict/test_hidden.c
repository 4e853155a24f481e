/* A session whose checks nobody answers in the clear, while a TURN relay over TLS may carry it. */
#include <criterion/criterion.h>

#include "support/story.h"

#define RELAY_CLIENT D_HOST ":50000"
#define RELAY        "192.0.2.60:443"

static struct datagram segment(struct story *s, const char *from, const char *to)
{
    struct datagram d = { 0 };

    cr_assert(addr_parse(span_str(from), &d.src) && addr_parse(span_str(to), &d.dst));
    d.at = (struct seen){ s->now_ns, ++s->frame };
    return d;
}

static void connects(struct story *s)
{
    struct datagram d = segment(s, RELAY_CLIENT, RELAY);

    track_connection(s->track, &d);
}

/* So many segments a second each way, for twelve seconds. */
static void carries(struct story *s, unsigned a_second)
{
    for (unsigned i = 0; i < 12 * a_second; i++) {
        struct datagram there = segment(s, RELAY_CLIENT, RELAY), back = segment(s, RELAY, RELAY_CLIENT);

        track_segment(s->track, &there);
        track_segment(s->track, &back);
        story_pass(s, 1000 / a_second);
    }
}

/* ICE checks of a host here, which nobody answers; no signalling. */
static struct story *checks_in_vain(void)
{
    struct story *s = story_new(D_HOST);

    story_pass(s, 1000);
    story_checks(s, D_RTP, W_RTP, "wfrag:dfrag", NULL);
    return s;
}

static void nothing_is_known(struct story *s)
{
    EXPECT(s, .verdict = VERDICT_UNKNOWN);
    cr_expect(s->found->server == POOL_NONE, "nobody is accused");
    story_free(s);
}

static void has_failed(struct story *s)
{
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED);
    story_free(s);
}

Test(hidden, a_relay_inside_tls_may_carry_it)
{
    struct story *s = checks_in_vain();

    connects(s);
    carries(s, 50);
    nothing_is_known(s);
}

Test(hidden, a_relay_inside_tls_may_carry_a_call)
{
    struct story *s = story_new(D_HOST);

    story_call(s, "one@wss", W_OUT ":55555", D_HOST ":443");
    connects(s);
    story_up(s, SAYS(W_RTP, .ufrag = "wfrag", .cand = { { SDP_CAND_HOST, W_RTP, NULL } }),
             SAYS(D_RTP, .ufrag = "dfrag", .cand = { { SDP_CAND_HOST, D_RTP, NULL } }));
    story_checks(s, D_RTP, W_RTP, "wfrag:dfrag", NULL);
    carries(s, 50);
    story_bye(s, CALLER);
    nothing_is_known(s);
}

/* A page or a file is fetched meanwhile: much comes, and little goes. */
Test(hidden, a_download)
{
    struct story *s = checks_in_vain();

    connects(s);
    for (unsigned i = 0; i < 600; i++) {
        struct datagram there = segment(s, RELAY_CLIENT, RELAY), back = segment(s, RELAY, RELAY_CLIENT);

        if (i % 50 == 0)
            track_segment(s->track, &there);
        track_segment(s->track, &back);
        story_pass(s, 20);
    }
    has_failed(s);
}

/* Signalling is seldom, even where it begins with the call. */
Test(hidden, signalling_inside_tls)
{
    struct story *s = checks_in_vain();

    connects(s);
    carries(s, 1);
    has_failed(s);
}

/* Its secrets are known: were it a relay, what it carries would have been seen. */
Test(hidden, a_connection_that_is_read)
{
    struct story *s = checks_in_vain();
    struct datagram d = segment(s, RELAY, RELAY_CLIENT);

    connects(s);
    track_connection_read(s->track, &d);
    carries(s, 50);
    has_failed(s);
}

/* A proxy's connection, in use since long before. */
Test(hidden, a_connection_from_before)
{
    struct story *s = story_new(D_HOST);

    connects(s);
    story_pass(s, 120 * 1000);
    story_checks(s, D_RTP, W_RTP, "wfrag:dfrag", NULL);
    carries(s, 50);
    has_failed(s);
}
