/* turn.c: allocations and what they carry (RFC 8656). */
#include <stdio.h>

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

Test(turn, a_401_to_a_hashed_user_name_is_one)
{
    struct stun_msg asks = turn_of(STUN_REQUEST, STUN_ALLOCATE, 1), refused = turn_of(STUN_ERROR, STUN_ALLOCATE, 1);
    struct addr server = addr_of(SERVER);

    asks.has_userhash = true;
    refused.error = 401;
    stun_between(CLIENT, SERVER, asks);
    stun_between(SERVER, CLIENT, refused);
    cr_assert_eq(track_find_server(t, &server)->challenges, 0);
    cr_assert_eq(track_find_server(t, &server)->errors, 1);
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
    cr_assert_eq(the_alloc()->deleted.frame, 6);
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

/* ---- when it ends ---- */

static void refresh(uint8_t id, uint16_t error, uint32_t lifetime_s)
{
    struct stun_msg asks = turn_of(STUN_REQUEST, STUN_REFRESH, id),
                    answer = turn_of(error ? STUN_ERROR : STUN_SUCCESS, STUN_REFRESH, id);

    asks.username = SPAN("agent1");
    answer.error = error;
    answer.has_lifetime = !error;
    answer.lifetime_s = lifetime_s;
    stun_between(CLIENT, SERVER, asks);
    stun_between(SERVER, CLIENT, answer);
}

static void data(const char *src, const char *dst, const char *peer)
{
    struct datagram d = next_frame(src, dst), inner;
    struct addr a = addr_of(peer);

    cr_assert(track_turn_data(t, flow_between(src, dst), &d, &a, 100, &inner));
}

static void data_out(void)
{
    data(CLIENT, SERVER, PEER);
}

Test(turn, data_after_its_end)
{
    allocate();
    wait_ms(599 * 1000);
    data_out();
    cr_assert_eq(the_alloc()->late_out.n, 0);
    wait_ms(2000);
    data_out();
    data(SERVER, CLIENT, PEER);
    cr_assert_eq(the_alloc()->late_out.n, 1);
    cr_assert_eq(the_alloc()->late_in.n, 1);
}

Test(turn, data_after_a_refresh)
{
    allocate();
    wait_ms(500 * 1000);
    refresh(3, 0, 600);
    wait_ms(599 * 1000);
    data_out();
    cr_assert_eq(the_alloc()->late_out.n, 0);
}

Test(turn, a_refused_refresh_prolongs_nothing)
{
    struct addr server = addr_of(SERVER);
    int64_t end;

    allocate();
    end = turn_alloc_end(the_alloc());
    wait_ms(500 * 1000);
    refresh(3, 437, 0);
    cr_assert_eq(turn_alloc_end(the_alloc()), end);
    cr_assert_eq(the_alloc()->deleted.frame, 0);
    cr_assert_eq(track_find_server(t, &server)->turn_refused, 1);
}

Test(turn, a_stale_nonce_is_no_refusal)
{
    struct addr server = addr_of(SERVER);

    allocate();
    refresh(3, 438, 0);
    refresh(4, 0, 600);
    cr_assert_eq(track_find_server(t, &server)->turn_refused, 0);
    cr_assert_eq(track_find_server(t, &server)->errors, 0);
    cr_assert_eq(track_find_server(t, &server)->challenges, 2);
    cr_assert_eq(track_find_server(t, &server)->allocations, 1);
}

Test(turn, another_server_is_named)
{
    struct stun_msg elsewhere = turn_of(STUN_ERROR, STUN_ALLOCATE, 1);
    const struct stun_tx *x;

    elsewhere.error = 300;
    elsewhere.has_alternate = true;
    elsewhere.alternate = addr_of("203.0.113.79:3478");
    stun_between(CLIENT, SERVER, turn_of(STUN_REQUEST, STUN_ALLOCATE, 1));
    stun_between(SERVER, CLIENT, elsewhere);
    x = track_tx_at(t, socket_at(CLIENT)->asked);
    cr_assert(x && addr_is(&x->more->alternate, "203.0.113.79:3478"));
}

/* ---- permissions ---- */

static void permit(uint8_t id, uint16_t error, const char *peer)
{
    struct stun_msg asks = turn_of(STUN_REQUEST, STUN_CREATE_PERMISSION, id),
                    answer = turn_of(error ? STUN_ERROR : STUN_SUCCESS, STUN_CREATE_PERMISSION, id);

    asks.username = SPAN("agent1");
    asks.has_peer = true;
    asks.peer = addr_of(peer);
    answer.error = error;
    stun_between(CLIENT, SERVER, asks);
    stun_between(SERVER, CLIENT, answer);
}

static struct turn_peer *the_peer(void)
{
    struct addr a = addr_of(PEER);

    return track_turn_peer(t, the_alloc(), &a);
}

Test(turn, a_permission)
{
    allocate();
    cr_assert_null(the_peer());
    permit(3, 0, "198.51.100.20:7");
    cr_assert_not_null(the_peer(), "it is the IP's, whatever the port");
    cr_assert_eq(the_peer()->asked.n, 1);
    cr_assert_eq(the_peer()->granted.last.frame, 6);
    data_out();
    data(SERVER, CLIENT, PEER);
    cr_assert_eq(the_peer()->out.n, 1);
    cr_assert_eq(the_peer()->in.n, 1);
    cr_assert_eq(the_peer()->unpermitted.n, 0);
}

Test(turn, a_refused_permission)
{
    allocate();
    permit(3, 403, PEER);
    cr_assert_eq(the_peer()->refused.last.frame, 6);
    cr_assert_eq(the_peer()->error, 403);
    data_out();
    cr_assert_eq(the_peer()->unpermitted.n, 1);
    permit(4, 438, PEER);
    cr_assert_eq(the_peer()->refused.n, 1, "a stale nonce is none");
}

Test(turn, data_without_a_permission)
{
    allocate();
    data_out();
    cr_assert_eq(the_peer()->unpermitted.n, 1);
    cr_assert_eq(the_peer()->asked.n, 0);
}

/* The answer may not be in the capture. */
Test(turn, data_while_a_permission_is_asked)
{
    struct stun_msg asks = turn_of(STUN_REQUEST, STUN_CREATE_PERMISSION, 3);

    allocate();
    asks.has_peer = true;
    asks.peer = addr_of(PEER);
    stun_between(CLIENT, SERVER, asks);
    data_out();
    cr_assert_eq(the_peer()->unpermitted.n, 0);
}

Test(turn, a_permission_lapses)
{
    allocate();
    permit(3, 0, PEER);
    wait_ms(299 * 1000);
    data_out();
    cr_assert_eq(the_peer()->unpermitted.n, 0);
    wait_ms(10 * 1000);
    data_out();
    cr_assert_eq(the_peer()->unpermitted.n, 1);
    permit(4, 0, PEER);
    data_out();
    cr_assert_eq(the_peer()->unpermitted.n, 1, "asked again");
}

/* RFC 8656 §12: it installs a permission too. The request for a permission that is answered later is another one. */
Test(turn, a_channel_is_a_permission)
{
    struct stun_msg granted = turn_of(STUN_SUCCESS, STUN_CHANNEL_BIND, 0x40),
                    other = turn_of(STUN_REQUEST, STUN_CREATE_PERMISSION, 5);

    allocate();
    cr_assert(bind_channel(0x4040, PEER));
    other.has_peer = true;
    other.peer = addr_of(PEER);
    stun_between(CLIENT, SERVER, other);
    stun_between(SERVER, CLIENT, granted);
    cr_assert_eq(the_peer()->granted.n, 1);
}

Test(turn, one_request_names_several_peers)
{
    static const struct stun_def xor_peer = { STUN_XOR_PEER_ADDRESS, 8, 20, STUN_XADDR, "XOR-PEER-ADDRESS" };
    static const uint8_t second[] = { 0, 1, 0x21 ^ 0x4e, 0x12 ^ 0x20, 0x21 ^ 198, 0x12 ^ 51, 0xa4 ^ 100, 0x42 ^ 77 };
    struct stun_msg asks = turn_of(STUN_REQUEST, STUN_CREATE_PERMISSION, 3),
                    answer = turn_of(STUN_SUCCESS, STUN_CREATE_PERMISSION, 3);
    struct addr other = addr_of("198.51.100.77:1");

    allocate();
    asks.has_peer = true;
    asks.peer = addr_of(PEER);
    asks.attrs = 1;
    asks.attr[0] = (struct stun_attr){ STUN_XOR_PEER_ADDRESS, &xor_peer, { second, sizeof second } };
    stun_between(CLIENT, SERVER, asks);
    stun_between(SERVER, CLIENT, answer);
    cr_assert_eq(the_peer()->granted.n, 1);
    cr_assert_not_null(track_turn_peer(t, the_alloc(), &other));
    cr_assert_eq(track_turn_peer(t, the_alloc(), &other)->granted.n, 1);
}

Test(turn, peers_beyond_the_kept)
{
    char peer[ADDR_TEXT];

    allocate();
    for (int i = 0; i < TURN_PEERS_KEPT + 3; i++) {
        snprintf(peer, sizeof peer, "198.51.100.%d:1", i);
        data(CLIENT, SERVER, peer);
    }
    cr_assert_eq(the_alloc()->peers_n, TURN_PEERS_KEPT);
    cr_assert_eq(the_alloc()->not_kept, 3);
    cr_assert_eq(the_alloc()->data_out.n, TURN_PEERS_KEPT + 3);
}

Test(turn, peers_beyond_the_cap)
{
    t->turn_peers.cap = 0;
    allocate();
    permit(3, 0, PEER);
    cr_assert_null(the_peer());
    cr_assert_eq(t->turn_peers.refused, 1);
}

/* A channel is bound to another peer when ten minutes have freed it, and not before (RFC 8656 §12). */
Test(turn, a_channel_is_bound_anew)
{
    allocate();
    cr_assert(bind_channel(0x4000, PEER));
    cr_assert_not(bind_channel(0x4000, "198.51.100.99:1"));
    wait_ms(700 * 1000);
    cr_assert(bind_channel(0x4000, "198.51.100.99:1"));
    cr_assert_eq(the_alloc()->channels, 1);
}
