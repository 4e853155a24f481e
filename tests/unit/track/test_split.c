/* socket_split_streams(): what it closes, and that a port with the flows of thousands of calls costs it no more than what is new there. */
#include "messages.h"
#include "track/track_private.h"

TestSuite(split, .init = setup, .fini = teardown);

enum { CLIENTS = 200, SERVERS = 3, ROUNDS = 3000 };

static struct addr client(unsigned i)
{
    struct addr a = addr_of("192.0.2.1:20000");

    a.ip[15] = (uint8_t)i;
    return a;
}

static struct addr server(unsigned i)
{
    struct addr a = addr_of("198.51.100.1:10000");

    a.ip[15] = (uint8_t)i;
    return a;
}

static void packet(struct addr src, struct addr dst, uint32_t ssrc)
{
    struct datagram d = next_frame(CALLER_MEDIA, CALLEE_MEDIA);
    struct rtp_msg m = { .ssrc = ssrc };

    d.src = src;
    d.dst = dst;
    wait_ms(20);
    (void)track_rtp(t, track_flow(t, &d), &d, &m);
}

static int64_t ago_ns(int64_t ms)
{
    return SECONDS(1700000000) + us_now * NS_PER_US - ms * NS_PER_MS;
}

static bool touches(const struct stream *s, struct addr a)
{
    const struct flow *f = track_flow_at(t, s->flow);

    return addr_eq(&f->src, &a) || addr_eq(&f->dst, &a);
}

/* Splits at `a`, and compares all streams with what each of them should be. */
static void split(struct addr a, int64_t ns)
{
    static bool closed[4 * ROUNDS];

    cr_assert_leq(t->streams.used, 4 * ROUNDS);
    for (uint32_t i = 0; i < t->streams.used; i++) {
        const struct stream *s = track_stream_at(t, i);

        closed[i] = s->closed || (touches(s, a) && s->packets.first.ns < ns);
    }
    socket_split_streams(t, &a, ns);
    for (uint32_t i = 0; i < t->streams.used; i++)
        cr_assert_eq(track_stream_at(t, i)->closed, closed[i], "stream %u", i);
}

/* Few flows at one address and many at another, streams that a split leaves open, several splits without a stream between them. */
Test(split, closes_what_began_before)
{
    uint32_t dice = 1;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct addr a, b;

        dice = dice * 1664525 + 1013904223;
        a = client(dice >> 8 & 0xff);
        b = server((dice >> 16) % SERVERS);
        if (dice >> 28 < 11)
            packet(dice & 0x80 ? a : b, dice & 0x80 ? b : a, dice >> 20);
        else
            split(dice >> 28 < 14 ? b : a, dice & 0x100 ? INT64_MAX : ago_ns(dice >> 10 & 0x3ff));
    }
    cr_assert_gt(socket_at("198.51.100.1:10000")->closed_below, 0);
}

/* Of the calls before nothing is looked at again. */
Test(split, looks_at_what_is_new)
{
    struct addr port = server(0);
    const struct socket *s;

    for (unsigned i = 0; i < CLIENTS; i++) {
        socket_split_streams(t, &port, ago_ns(0));
        packet(client(i), port, i);
        packet(port, client(i), 1000 + i);
        s = track_find_socket(t, &port);
        cr_assert_eq(s->closed_below, t->streams.used - 2, "call %u", i);
    }
    cr_assert_eq(t->flows.used, 2 * CLIENTS);
}

/* Slots have other numbers then. */
Test(split, goes_on_when_the_notebook_was_made_smaller)
{
    struct addr port = server(0);

    for (unsigned i = 0; i < CLIENTS; i++) {
        packet(client(i), port, i);
        split(port, INT64_MAX);
    }
    wait_ms(3600 * 1000);
    packet(client(1), port, 77);
    cr_assert(track_compact(t, ago_ns(0)));
    cr_assert_lt(t->streams.used, CLIENTS);
    cr_assert_not(track_stream_at(t, t->streams.used - 1)->closed);
    split(port, INT64_MAX);
    cr_assert(track_stream_at(t, t->streams.used - 1)->closed);
}
