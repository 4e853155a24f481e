/* Whole frames through all stages: what is counted, and that nothing vanishes: see rtpwatch/app/pipeline.c. */
#include "app/pipeline.h"

#include <criterion/criterion.h>

enum { LINK_RAW_IP = 101, IP4_HEADER = 20, UDP_HEADER = 8, STUN_HEADER_BYTES = 20, FRAME_MAX = 256 };
enum { CLIENT = 1, SERVER = 2 }; /* 192.0.2.1:40000 and 192.0.2.2:3478 */

static struct pipeline *p;
static uint64_t frames;

static void setup(void)
{
    p = pipeline_new();
    cr_assert_not_null(p);
    frames = 0;
}

static void teardown(void)
{
    pipeline_free(p);
}

/* The end of input: each frame has been counted once, and no count has gone below nothing. */
static void finish(void)
{
    uint64_t sum = 0;

    pipeline_finish(p);
    for (unsigned i = 0; i < DISPOSITIONS_N; i++) {
        cr_assert_leq(p->done[i], frames);
        sum += p->done[i];
    }
    cr_assert_eq(sum, frames);
    cr_assert_eq(p->packets, frames);
}

static void put16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* A datagram between the client and the server, in a frame that is an IP packet. */
static void udp(uint8_t from, const void *payload, size_t n)
{
    uint8_t b[FRAME_MAX] = { 0x45, [8] = 64, [9] = 17, [12] = 192, [14] = 2, [16] = 192, [18] = 2 };
    struct frame f = { .ts_ns = (int64_t)++frames, .link = LINK_RAW_IP, .bytes = { b, IP4_HEADER + UDP_HEADER + n } };

    cr_assert_leq(f.bytes.n, sizeof b);
    put16(b + 2, f.bytes.n);
    b[15] = from;
    b[19] = (uint8_t)(CLIENT + SERVER - from);
    put16(b + 20, from == CLIENT ? 40000 : 3478);
    put16(b + 22, from == CLIENT ? 3478 : 40000);
    put16(b + 24, UDP_HEADER + n);
    memcpy(b + IP4_HEADER + UDP_HEADER, payload, n);
    f.id = frame_id(0, frames);
    f.wire = f.bytes.n;
    pipeline_frame(p, &f);
}

/* A STUN message with attributes as they stand; `tid` is its transaction id's last byte. */
static void stun(uint8_t from, uint16_t type, uint8_t tid, const void *attrs, uint8_t n)
{
    uint8_t m[FRAME_MAX] = { [4] = 0x21, 0x12, 0xa4, 0x42, [19] = tid };

    put16(m, type);
    put16(m + 2, n);
    memcpy(m + STUN_HEADER_BYTES, attrs, n);
    udp(from, m, (size_t)STUN_HEADER_BYTES + n);
}

Test(pipeline, a_broken_stun_message_is_told, .init = setup, .fini = teardown)
{
    uint8_t xor_mapped[] = { 0x00, 0x20, 0, 255, 0, 1, 0x21, 0x13, 0xe1, 0x12, 0xa6, 0x42 };

    stun(SERVER, 0x0101, 1, xor_mapped, sizeof xor_mapped);
    cr_assert_eq(p->done[DONE_UNEXPLAINED], 1);
    cr_assert_eq(p->faults.count[FAULT_STUN_ATTR_OVERRUN], 1);
    xor_mapped[3] = 8;
    stun(SERVER, 0x0101, 1, xor_mapped, sizeof xor_mapped);
    cr_assert_eq(p->done[DONE_STUN], 1);
    cr_assert_eq(p->faults.count[FAULT_STUN_ATTR_OVERRUN], 1);
    finish();
}

Test(pipeline, what_proves_to_be_no_rtp_is_unexplained, .init = setup, .fini = teardown)
{
    for (uint8_t i = 0; i < 3; i++)
        udp(CLIENT, (const uint8_t[]){ 0x80, 0, 0, (uint8_t)(i * 50), 0, 0, 0, i, 1, 2, 3, 4 }, 12);
    cr_assert_eq(p->done[DONE_RTP], 3);
    finish();
    cr_assert_eq(p->done[DONE_RTP], 0);
    cr_assert_eq(p->done[DONE_UNEXPLAINED], 3);
}

/* The client holds 192.0.2.2:50000 at the server and binds channel 0x4000 to 192.0.2.3:60000 (RFC 8656 §7, §12). */
static void allocate(void)
{
    static const uint8_t relayed[] = { 0x00, 0x16, 0, 8, 0, 1, 0xe2, 0x42, 0xe1, 0x12, 0xa6, 0x40 };
    static const uint8_t bind[] = { 0x00, 0x0c, 0, 4, 0x40, 0, 0, 0, 0x00, 0x12, 0, 8, 0, 1, 0xcb, 0x72, 0xe1, 0x12, 0xa6, 0x41 };

    stun(CLIENT, 0x0003, 1, "", 0);
    stun(SERVER, 0x0103, 1, relayed, sizeof relayed);
    stun(CLIENT, 0x0009, 2, bind, sizeof bind);
    stun(SERVER, 0x0109, 2, "", 0);
}

Test(pipeline, what_a_relay_carries_is_no_frame_of_its_own, .init = setup, .fini = teardown)
{
    static const uint8_t data[] = { 0x40, 0, 0, 12, 0x80, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4 };

    allocate();
    udp(CLIENT, data, sizeof data);
    cr_assert_eq(p->done[DONE_STUN], 4);
    cr_assert_eq(p->done[DONE_TURN_DATA], 1);
    cr_assert_eq(p->track->streams.used, 1, "yet its RTP is looked at");
    finish();
}

Test(pipeline, a_channel_above_those_of_rfc8656, .init = setup, .fini = teardown)
{
    static const uint8_t bind[] = { 0x00, 0x0c, 0, 4, 0x65, 0, 0, 0, 0x00, 0x12, 0, 8, 0, 1, 0xcb, 0x72, 0xe1, 0x12, 0xa6, 0x41 };
    uint8_t data[] = { 0x65, 0, 0, 12, 0x80, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4 };

    allocate();
    stun(CLIENT, 0x0009, 3, bind, sizeof bind);
    udp(CLIENT, data, sizeof data);
    cr_assert_eq(p->done[DONE_TURN_DATA], 1);
    data[1] = 1;
    udp(CLIENT, data, sizeof data);
    cr_assert_eq(p->done[DONE_UNEXPLAINED], 1, "not bound");
    finish();
}
