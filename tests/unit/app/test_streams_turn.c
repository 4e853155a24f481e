/* STUN and TURN over TCP (RFC 8489 §6.2.2, RFC 8656 §12.5), beside the SIP that comes the same way: see rtpwatch/app/streams.c. */
#include "app/pipeline.h"

#include <criterion/criterion.h>

enum { LINK_RAW_IP = 101, HEADERS = 40, FRAME_MAX = 1500, MESSAGE = 20 };
enum { CLIENT = 1, SERVER = 2 }; /* 192.0.2.1:40000 and 192.0.2.2:3478 */

static struct pipeline *p;
static uint64_t frames;
static uint32_t sent[SERVER + 1]; /* bytes in each direction */

static void setup(void)
{
    p = pipeline_new();
    cr_assert_not_null(p);
    frames = 0;
    sent[CLIENT] = sent[SERVER] = 0;
}

static void teardown(void)
{
    pipeline_free(p);
}

TestSuite(streams_turn, .init = setup, .fini = teardown);

static void put16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* A segment between the client and the server, in a frame that is an IP packet. */
static void tcp(uint8_t from, const void *payload, size_t n)
{
    uint8_t b[FRAME_MAX] = { 0x45, [8] = 64, [9] = 6, [12] = 192, [14] = 2, [16] = 192, [18] = 2, [32] = 0x50, [33] = 0x18 };
    struct frame f = { .ts_ns = (int64_t)++frames, .link = LINK_RAW_IP, .bytes = { b, HEADERS + n } };

    cr_assert_leq(f.bytes.n, sizeof b);
    put16(b + 2, f.bytes.n);
    b[15] = from;
    b[19] = (uint8_t)(CLIENT + SERVER - from);
    put16(b + 20, from == CLIENT ? 40000 : 3478);
    put16(b + 22, from == CLIENT ? 3478 : 40000);
    put16(b + 24, sent[from] >> 16);
    put16(b + 26, sent[from] & 0xffff);
    memcpy(b + HEADERS, payload, n);
    sent[from] += (uint32_t)n;
    f.id = frame_id(0, frames);
    f.wire = f.bytes.n;
    pipeline_frame(p, &f);
}

/* A STUN message with attributes as they stand, written to `out`; its length. */
static size_t stun_make(uint8_t *out, uint16_t type, uint8_t tid, const void *attrs, size_t n)
{
    memset(out, 0, MESSAGE);
    put16(out, type);
    put16(out + 2, n);
    memcpy(out + 4, (const uint8_t[]){ 0x21, 0x12, 0xa4, 0x42 }, 4);
    out[19] = tid;
    memcpy(out + MESSAGE, attrs, n);
    return MESSAGE + n;
}

static void stun(uint8_t from, uint16_t type, uint8_t tid, const void *attrs, size_t n)
{
    uint8_t m[FRAME_MAX];

    tcp(from, m, stun_make(m, type, tid, attrs, n));
}

static const uint8_t relayed[] = { 0x00, 0x16, 0, 8, 0, 1, 0xe2, 0x42, 0xe1, 0x12, 0xa6, 0x40 }; /* 192.0.2.2:50000 */
/* Channel 0x4142, "AB", to 192.0.2.3:60000. */
static const uint8_t bind[] = { 0x00, 0x0c, 0, 4, 0x41, 0x42, 0, 0, 0x00, 0x12, 0, 8, 0, 1, 0xcb, 0x72, 0xe1, 0x12, 0xa6, 0x41 };
static const char options[] =
    "BYE sip:a@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:b@192.0.2.1>;tag=1\r\n"
    "To: <sip:a@192.0.2.2>;tag=2\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n";

static void allocate(void)
{
    stun(CLIENT, 0x0003, 1, "", 0);
    stun(SERVER, 0x0103, 1, relayed, sizeof relayed);
    stun(CLIENT, 0x0009, 2, bind, sizeof bind);
    stun(SERVER, 0x0109, 2, "", 0);
}

Test(streams_turn, an_allocation_over_tcp)
{
    allocate();
    cr_assert_eq(p->done[DONE_STUN], 4);
    cr_assert_eq(p->track->allocs.used, 1);
    cr_assert_eq(p->track->servers.used, 1);
    cr_assert_eq(track_server_at(p->track, 0)->responses, 2);
}

Test(streams_turn, several_messages_in_one_segment)
{
    uint8_t b[FRAME_MAX];
    size_t n = stun_make(b, 0x0003, 1, "", 0);

    n += stun_make(b + n, 0x0001, 2, "", 0);
    tcp(CLIENT, b, n);
    cr_assert_eq(track_server_at(p->track, 0)->requests, 2);
}

/* Wherever a message is cut, its beginning waits for its end. */
Test(streams_turn, a_message_in_two_segments)
{
    uint8_t b[FRAME_MAX];
    size_t n;

    stun(CLIENT, 0x0001, 1, "", 0);
    for (size_t cut = 1; cut < MESSAGE + sizeof bind; cut++) {
        n = stun_make(b, 0x0009, (uint8_t)(cut + 1), bind, sizeof bind);
        tcp(CLIENT, b, cut);
        cr_assert_eq(track_server_at(p->track, 0)->requests, cut);
        tcp(CLIENT, b + cut, n - cut);
        cr_assert_eq(track_server_at(p->track, 0)->requests, cut + 1, "cut at %zu", cut);
    }
}

/* ChannelData is padded to four bytes: the next message is found behind the padding. */
Test(streams_turn, channel_data)
{
    static const uint8_t data[] = { 0x41, 0x42, 0,    13,   0x80, 0,  0,    1, 0, 0, 0, 0, 1, 2, 3, 4, 9, 0,
                                    0,    0,    0x41, 0x42, 0,    12, 0x80, 0, 0, 2, 0, 0, 0, 0, 1, 2, 3, 4 };

    allocate();
    tcp(CLIENT, data, sizeof data);
    cr_assert_eq(p->done[DONE_TURN_DATA], 1);
    cr_assert_eq(track_alloc_at(p->track, 0)->data_out.n, 2);
    cr_assert_eq(p->track->streams.used, 1, "its RTP is looked at");
    cr_assert_eq(track_stream_at(p->track, 0)->packets.n, 2);
    stun(CLIENT, 0x0004, 3, "", 0);
    cr_assert_eq(p->done[DONE_STUN], 5);
}

Test(streams_turn, channel_data_in_pieces)
{
    static const uint8_t data[] = { 0x41, 0x42, 0, 12, 0x80, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4 };

    allocate();
    for (size_t i = 0; i < sizeof data; i++)
        tcp(CLIENT, data + i, 1);
    cr_assert_eq(p->done[DONE_TURN_DATA], 1);
    cr_assert_eq(track_alloc_at(p->track, 0)->data_out.n, 1);
}

/* Without an allocation there is no ChannelData: the letters are SIP. */
Test(streams_turn, sip_is_no_channel_data)
{
    tcp(CLIENT, options, sizeof options - 1);
    cr_assert_eq(p->done[DONE_SIP], 1);
    cr_assert_eq(p->done[DONE_TURN_DATA], 0);
}

/* What is left of something unknown does not stand before a message: it is passed over. */
Test(streams_turn, sip_behind_a_few_odd_bytes)
{
    tcp(CLIENT, "\1\2\3", 3);
    tcp(CLIENT, options, sizeof options - 1);
    cr_assert_eq(p->done[DONE_SIP], 1);
}

/* ICE-TCP writes each packet's length before it (RFC 4571 §2, RFC 6544 §3). */
Test(streams_turn, stun_that_is_framed)
{
    static const uint8_t user[] = { 0x00, 0x06, 0, 3, 'a', ':', 'b', 0 };
    uint8_t b[FRAME_MAX];
    size_t n = stun_make(b + 2, 0x0001, 1, user, sizeof user);

    put16(b, n);
    tcp(CLIENT, b, n + 2);
    cr_assert_eq(p->done[DONE_STUN], 1);
    cr_assert_eq(p->track->checks.used, 1);
    tcp(CLIENT, b, 9);
    tcp(CLIENT, b + 9, n + 2 - 9);
    cr_assert_eq(((struct check *)pool_at(&p->track->checks, 0))->requests.n, 2);
}

/* The largest length there is waits for all of it, which a connection's buffer holds. */
Test(streams_turn, the_largest_length)
{
    uint8_t b[FRAME_MAX] = { 0 };

    stun_make(b, 0x0001, 1, "", 0);
    put16(b + 2, 0xfffc);
    tcp(CLIENT, b, MESSAGE);
    memset(b, 0, sizeof b);
    for (int i = 0; i < 60; i++)
        tcp(CLIENT, b, 1400);
    stun(SERVER, 0x0101, 9, "", 0);
    pipeline_finish(p);
    cr_assert_eq(p->packets, frames);
    cr_assert_eq(track_server_at(p->track, 0)->requests, 1, "all 65,532 bytes came, and none of them is an attribute");
}

Test(streams_turn, a_broken_message)
{
    static const uint8_t overrun[] = { 0x00, 0x20, 0, 255, 0, 1, 0x21, 0x13, 0xe1, 0x12, 0xa6, 0x42 };

    stun(CLIENT, 0x0001, 1, overrun, sizeof overrun);
    cr_assert_eq(p->faults.count[FAULT_STUN_ATTR_OVERRUN], 1);
    cr_assert_eq(p->done[DONE_TCP], 1);
    stun(CLIENT, 0x0001, 2, "", 0);
    cr_assert_eq(p->done[DONE_STUN], 1, "the next segment is read again");
}
