/* turn.c: allocations and what they carry (RFC 8656). */
#include "messages.h"

TestSuite(turn, .init = setup, .fini = teardown);

#define CLIENT  "192.0.2.10:10000"
#define SERVER  "203.0.113.78:3478"
#define RELAYED "203.0.113.78:49152"
#define PEER    "198.51.100.20:20000"

static struct stun_msg turn_of(enum stun_class cls, uint16_t method, uint8_t id)
{
    struct stun_msg m = stun_of(cls, id);

    m.method = method;
    return m;
}

static struct turn_alloc *the_alloc(void)
{
    const struct flow *f = flow_between(CLIENT, SERVER);

    return f ? track_alloc_at(t, f->alloc) : NULL;
}

/* The usual way: a challenge, then the same with credentials (RFC 8489 §9.2). */
static void allocate(void)
{
    struct stun_msg challenge = turn_of(STUN_ERROR, STUN_ALLOCATE, 1), again = turn_of(STUN_REQUEST, STUN_ALLOCATE, 2),
                    granted = turn_of(STUN_SUCCESS, STUN_ALLOCATE, 2);

    challenge.error = 401;
    again.username = SPAN("agent1");
    granted.has_relayed = granted.has_lifetime = true;
    granted.relayed = addr_of(RELAYED);
    granted.lifetime_s = 600;
    stun_between(CLIENT, SERVER, turn_of(STUN_REQUEST, STUN_ALLOCATE, 1));
    stun_between(SERVER, CLIENT, challenge);
    stun_between(CLIENT, SERVER, again);
    stun_between(SERVER, CLIENT, granted);
}

Test(turn, an_allocation)
{
    struct addr server = addr_of(SERVER);

    allocate();
    cr_assert_not_null(the_alloc());
    cr_assert(addr_is(&the_alloc()->client, CLIENT));
    cr_assert(addr_is(&the_alloc()->relayed, RELAYED));
    cr_assert_eq(the_alloc()->made.frame, 4);
    cr_assert_eq(the_alloc()->lifetime_s, 600);
    cr_assert_eq(track_server_at(t, the_alloc()->server), track_find_server(t, &server));
    cr_assert_eq(track_alloc_at(t, socket_at(RELAYED)->relay), the_alloc());
    cr_assert_eq(flow_between(SERVER, CLIENT)->alloc, flow_between(CLIENT, SERVER)->alloc);
}

Test(turn, a_challenge_is_no_error)
{
    struct addr server = addr_of(SERVER);

    allocate();
    cr_assert_eq(track_find_server(t, &server)->challenges, 1);
    cr_assert_eq(track_find_server(t, &server)->errors, 0);
    cr_assert_eq(track_find_server(t, &server)->responses, 2);
}

Test(turn, a_401_to_credentials_is_one)
{
    struct stun_msg asks = turn_of(STUN_REQUEST, STUN_ALLOCATE, 1), refused = turn_of(STUN_ERROR, STUN_ALLOCATE, 1);
    struct addr server = addr_of(SERVER);

    asks.username = SPAN("agent1");
    refused.error = 401;
    stun_between(CLIENT, SERVER, asks);
    stun_between(SERVER, CLIENT, refused);
    cr_assert_eq(track_find_server(t, &server)->challenges, 0);
    cr_assert_eq(track_find_server(t, &server)->errors, 1);
    cr_assert_null(the_alloc());
}

Test(turn, refresh)
{
    struct stun_msg refreshed = turn_of(STUN_SUCCESS, STUN_REFRESH, 3);

    allocate();
    stun_between(CLIENT, SERVER, turn_of(STUN_REQUEST, STUN_REFRESH, 3));
    cr_assert_eq(the_alloc()->refreshed.frame, 4, "not before it is granted");
    refreshed.has_lifetime = true;
    stun_between(SERVER, CLIENT, refreshed);
    cr_assert_eq(the_alloc()->refreshed.frame, 6);
    cr_assert_eq(the_alloc()->lifetime_s, 0, "given back");
    cr_assert_eq(t->allocs.live, 1);
}

static bool bind_channel(uint16_t number, const char *peer)
{
    struct stun_msg m = turn_of(STUN_REQUEST, STUN_CHANNEL_BIND, (uint8_t)number);
    struct addr known;

    m.has_channel = m.has_peer = true;
    m.channel = number;
    m.peer = addr_of(peer);
    stun_between(CLIENT, SERVER, m);
    return track_turn_channel(t, flow_between(CLIENT, SERVER), number, &known) && addr_eq(&known, &m.peer);
}

Test(turn, channels)
{
    struct addr peer;

    cr_assert_not(bind_channel(0x4000, PEER), "no allocation");
    allocate();
    cr_assert(bind_channel(0x4000, PEER));
    cr_assert(bind_channel(0x4000, PEER), "each ten minutes it is bound again");
    cr_assert_eq(the_alloc()->channels, 1);
    cr_assert(bind_channel(0x4001, "198.51.100.20:20002"));
    cr_assert_not(track_turn_channel(t, flow_between(CLIENT, SERVER), 0x4002, &peer));
}

Test(turn, channels_beyond_the_kept)
{
    struct addr peer;

    allocate();
    for (uint16_t i = 0; i < TURN_CHANNELS_KEPT + 5; i++)
        cr_assert_eq(bind_channel((uint16_t)(0x4000 + i), PEER), i < TURN_CHANNELS_KEPT);
    cr_assert_not(track_turn_channel(t, flow_between(CLIENT, SERVER), 0x4000 + TURN_CHANNELS_KEPT, &peer));
}

Test(turn, data_out_and_in_as_at_the_relay)
{
    struct datagram d = next_frame(CLIENT, SERVER), back = next_frame(SERVER, CLIENT), inner;
    struct addr peer = addr_of(PEER);

    allocate();
    cr_assert(track_turn_data(t, flow_between(CLIENT, SERVER), &d, &peer, 100, &inner));
    cr_assert(addr_is(&inner.src, RELAYED) && addr_is(&inner.dst, PEER));
    cr_assert(inner.relayed && inner.size == 100 && inner.at.frame == d.at.frame && inner.ttl == 0);
    cr_assert(track_turn_data(t, flow_between(SERVER, CLIENT), &back, &peer, 50, &inner));
    cr_assert(addr_is(&inner.src, PEER) && addr_is(&inner.dst, RELAYED));
    cr_assert_eq(the_alloc()->data_out.n, 1);
    cr_assert_eq(the_alloc()->data_in.n, 1);
}

Test(turn, data_without_an_allocation)
{
    struct datagram d = next_frame(CLIENT, SERVER), inner;
    struct addr peer = addr_of(PEER);

    cr_assert_not(track_turn_data(t, track_flow(t, &d), &d, &peer, 100, &inner));
}

Test(turn, allocations_beyond_the_cap)
{
    t->allocs.cap = 0;
    allocate();
    cr_assert_null(the_alloc());
    cr_assert_eq(t->allocs.refused, 1);
}
