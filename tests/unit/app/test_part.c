/* pack.c and part.c: what is recorded of a part that was packed is what is recorded of its frames, whatever lies across its ends. */
#include <unistd.h>

#include "app/pack.h"
#include "app/part.h"
#include "wire.h"

#define A_SIP "192.0.2.1:5060"
#define B_SIP "192.0.2.2:5060"
#define A_RTP "192.0.2.1:10000"
#define B_RTP "192.0.2.2:20000"

enum { SEQ = 1000, PATH = 64 };

static struct wire wire;
static unsigned seq;
static struct pipeline *direct, *packed;
static char error[CAPTURE_ERROR];

static void setup(void)
{
    direct = pipeline_new();
    packed = pipeline_new();
    cr_assert(direct && packed && pipeline_inputs(direct, 2) && pipeline_inputs(packed, 2));
    memset(&wire, 0, sizeof wire);
    seq = 0;
}

static void teardown(void)
{
    pipeline_free(direct);
    pipeline_free(packed);
}

TestSuite(part, .init = setup, .fini = teardown);

static void voice(unsigned packets)
{
    while (packets--)
        wire_rtp(&wire, A_RTP, B_RTP, seq++);
}

static size_t invite(char out[WIRE_MAX])
{
    return wire_sip(out, "INVITE sip:b@example.com SIP/2.0", "INVITE", "c1", A_RTP);
}

static size_t answer(char out[WIRE_MAX])
{
    return wire_sip(out, "SIP/2.0 200 OK", "INVITE", "c1", B_RTP);
}

static struct frame *latest(void)
{
    return &wire.frame[wire.n - 1];
}

/* ---- both ways ---- */

static void pack(struct wire *w, size_t from, size_t to, const char *path)
{
    struct pipeline *p = pipeline_new();
    struct reduced_input in[] = { { .told = { .path = "a" }, .place = "" }, { .told = { .path = "b" }, .place = "" } };
    struct reduced_whole whole = { .input = in, .inputs = 2 };
    struct reduced_out *o = reduced_create(path, NULL, 0, error);
    struct pack *k;

    cr_assert(p && pipeline_inputs(p, 2) && o, "%s", error);
    k = pack_new(p, o);
    pack_begin(k, w->frame[from].ts_ns);
    for (size_t i = from; i < to; i++)
        cr_assert(pack_frames(k, &w->frame[i], 1));
    cr_assert(pack_end(k, &whole));
    cr_assert(reduced_close(o, &whole, error), "%s", error);
    free(whole.copy);
    pack_free(k);
    pipeline_free(p);
}

/* The frames up to `cut` are one part, the others another; false: what was packed is refused. */
static bool read_parts(size_t cut)
{
    const size_t from[] = { 0, cut }, to[] = { cut, wire.n };
    bool fine = true;

    for (size_t i = 0; i < 2 && fine; i++) {
        char path[PATH] = "/tmp/rtpwatch-test-part-XXXXXX";
        struct reduced *r;

        close(mkstemp(path));
        pack(&wire, from[i], to[i], path);
        r = reduced_open(path, error);
        cr_assert(r, "%s", error);
        fine = part_read(r, 0, packed, error);
        reduced_free(r);
        unlink(path);
    }
    return fine;
}

static void read_frames(void)
{
    for (size_t i = 0; i < wire.n; i++)
        pipeline_frame(direct, &wire.frame[i]);
}

static void same(size_t cut)
{
    read_frames();
    cr_assert(read_parts(cut), "%s", error);
    cr_assert_eq(direct->packets, packed->packets);
    cr_assert_arr_eq(direct->done, packed->done, sizeof direct->done);
    cr_assert_arr_eq(&direct->faults, &packed->faults, sizeof direct->faults);
    cr_assert_eq(direct->clock.now_ns, packed->clock.now_ns);
    cr_assert_eq(direct->track->flows.used, packed->track->flows.used);
    cr_assert_eq(direct->track->streams.used, packed->track->streams.used);
    for (uint32_t i = 0; i < direct->track->flows.used; i++)
        cr_assert_arr_eq(track_flow_at(direct->track, i), track_flow_at(packed->track, i), sizeof(struct flow), "flow %u", i);
    for (uint32_t i = 0; i < direct->track->streams.used; i++)
        cr_assert_arr_eq(track_stream_at(direct->track, i), track_stream_at(packed->track, i), sizeof(struct stream), "stream %u",
                         i);
}

/* ---- calls across the cut: the ports were in use before, and the first agreement ends those records ---- */

/* What the second part knows of the call is not enough to see what the answer ends. */
Test(part, begins_before_the_answer)
{
    char m[WIRE_MAX];
    size_t cut;

    voice(10);
    wire_udp(&wire, A_SIP, B_SIP, m, invite(m));
    voice(30);
    cut = wire.n;
    voice(30);
    wire_udp(&wire, B_SIP, A_SIP, m, answer(m));
    voice(30);
    same(cut);
    cr_assert_eq(direct->track->streams.used, 2);
}

Test(part, ends_behind_the_answer)
{
    char m[WIRE_MAX];
    size_t cut;

    voice(10);
    wire_udp(&wire, A_SIP, B_SIP, m, invite(m));
    voice(30);
    wire_udp(&wire, B_SIP, A_SIP, m, answer(m));
    voice(30);
    cut = wire.n;
    voice(30);
    same(cut);
    cr_assert_eq(direct->track->streams.used, 2);
}

/* Descriptions from behind a NAT: the ports that they name count for the hosts that sent them, as track/offer.c has it. */
Test(part, with_a_call_from_behind_a_nat)
{
    char m[WIRE_MAX];
    size_t cut;

    voice(30);
    cut = wire.n;
    voice(30);
    wire_udp(&wire, A_SIP, B_SIP, m, wire_sip(m, "INVITE sip:b@example.com SIP/2.0", "INVITE", "c1", "10.0.0.1:10000"));
    voice(30);
    wire_udp(&wire, B_SIP, A_SIP, m, wire_sip(m, "SIP/2.0 200 OK", "INVITE", "c1", "10.0.0.2:20000"));
    voice(30);
    same(cut);
    cr_assert_eq(direct->track->streams.used, 2);
}

/* The second part holds the end of a message alone: who reads it does not see that there is one. */
static void answer_in_segments(unsigned packets_between)
{
    char m[WIRE_MAX];
    size_t n = invite(m), half, cut;

    voice(10);
    wire_tcp(&wire, A_SIP, B_SIP, SEQ, m, n);
    voice(30);
    n = answer(m);
    half = n - 40;
    wire_tcp(&wire, B_SIP, A_SIP, SEQ, m, half);
    cut = wire.n;
    voice(packets_between);
    wire_tcp(&wire, B_SIP, A_SIP, SEQ + (uint32_t)half, m + half, n - half);
    voice(30);
    same(cut);
    cr_assert_eq(direct->track->streams.used, 2);
}

Test(part, begins_within_a_message_over_tcp)
{
    answer_in_segments(30);
}

/* The frame comes later, as number `to`; all get the numbers and times of their new places. */
static void move(size_t from, size_t to)
{
    struct frame f = wire.frame[from];

    memmove(&wire.frame[from], &wire.frame[from + 1], (to - from) * sizeof f);
    wire.frame[to] = f;
    for (size_t i = 0; i < wire.n; i++) {
        wire.frame[i].id = frame_id(0, i + 1);
        wire.frame[i].ts_ns = SECONDS(1000) + (int64_t)i * 10 * NS_PER_MS;
    }
}

Test(part, begins_within_a_fragmented_message)
{
    char m[WIRE_MAX];
    size_t cut;

    voice(10);
    wire_udp(&wire, A_SIP, B_SIP, m, invite(m));
    voice(30);
    wire_fragments(&wire, B_SIP, A_SIP, m, answer(m), 64);
    cut = wire.n - 1;
    voice(60);
    move(cut, cut + 30);
    same(cut);
    cr_assert_eq(direct->track->streams.used, 2);
}

/* What comes so late is not looked for. Then the stream is found split in the middle of a run, and nothing is told rather than wrong. */
Test(part, is_refused_where_an_answer_was_not_foreseen)
{
    char m[WIRE_MAX];
    size_t n = invite(m), half, cut;

    voice(10);
    wire_tcp(&wire, A_SIP, B_SIP, SEQ, m, n);
    voice(10);
    n = answer(m);
    half = n - 40;
    wire_tcp(&wire, B_SIP, A_SIP, SEQ, m, half);
    cut = wire.n;
    for (unsigned i = 0; i < 200; i++) {
        voice(1);
        latest()->ts_ns += i * 160 * (int64_t)NS_PER_MS;
    }
    n -= half;
    wire_tcp(&wire, B_SIP, A_SIP, SEQ + (uint32_t)half, m + half, n);
    latest()->ts_ns = wire.frame[wire.n - 2].ts_ns + NS_PER_MS;
    voice(1);
    latest()->ts_ns = wire.frame[wire.n - 2].ts_ns + NS_PER_MS;
    read_frames();
    cr_assert_eq(direct->track->streams.used, 2);
    cr_assert_not(read_parts(cut));
    cr_assert(strstr(error, "reduce this file together"), "%s", error);
}

/* ---- packets that are there twice ---- */

/* The latest frame once more, from the other input, a moment later. */
static void again(void)
{
    struct frame f = *latest();

    cr_assert_lt(wire.n, WIRE_FRAMES);
    f.ts_ns += NS_PER_US;
    f.id = frame_id(1, wire.n + 1);
    wire.frame[wire.n++] = f;
}

Test(part, holds_copies)
{
    size_t cut;

    for (unsigned i = 0; i < 40; i++) {
        voice(1);
        again();
    }
    cut = wire.n;
    for (unsigned i = 0; i < 40; i++) {
        voice(1);
        again();
    }
    same(cut);
    cr_assert_eq(direct->done[DONE_DUPLICATE], 80);
}

Test(part, begins_with_a_copy_of_the_part_before)
{
    size_t cut;

    voice(40);
    cut = wire.n;
    again();
    voice(40);
    same(cut);
    cr_assert_eq(direct->done[DONE_DUPLICATE], 1);
}

/* ---- through a relay, captured on both sides of it: what leaves it is a datagram of the flow that its inside is ---- */

#define RELAY  "192.0.2.2:3478"
#define CLIENT "192.0.2.1:40000"

static void stun(const char *from, const char *to, uint16_t type, uint8_t tid, const uint8_t *attrs, size_t n)
{
    uint8_t m[64] = { (uint8_t)(type >> 8), (uint8_t)type, 0, (uint8_t)n, 0x21, 0x12, 0xa4, 0x42, [19] = tid };

    memcpy(m + 20, attrs, n);
    wire_udp(&wire, from, to, m, 20 + n);
}

/* An allocation of 192.0.2.2:50000, with channel 0x4142 to 192.0.2.3:60000 (RFC 8656 §7.3, §12.3). */
static void allocate(void)
{
    static const uint8_t relayed[] = { 0x00, 0x16, 0, 8, 0, 1, 0xe2, 0x42, 0xe1, 0x12, 0xa6, 0x40 };
    static const uint8_t bind[] = {
        0x00, 0x0c, 0, 4, 0x41, 0x42, 0, 0, 0x00, 0x12, 0, 8, 0, 1, 0xcb, 0x72, 0xe1, 0x12, 0xa6, 0x41
    };

    stun(CLIENT, RELAY, 0x0003, 1, relayed, 0);
    stun(RELAY, CLIENT, 0x0103, 1, relayed, sizeof relayed);
    stun(CLIENT, RELAY, 0x0009, 2, bind, sizeof bind);
    stun(RELAY, CLIENT, 0x0109, 2, relayed, 0);
}

/* `both`: into the relay as well; else it leaves the relay alone. */
static void relayed_voice(unsigned packets, bool both)
{
    uint8_t m[4 + 172] = { 0x41, 0x42, 0, 172, 0x80, [12] = 1, [15] = 7 };

    for (; packets--; seq++) {
        wire_put16(m + 6, seq);
        if (both)
            wire_udp(&wire, CLIENT, RELAY, m, sizeof m);
        wire_udp(&wire, "192.0.2.2:50000", "192.0.2.3:60000", m + 4, sizeof m - 4);
    }
}

Test(part, at_a_relay)
{
    allocate();
    relayed_voice(20, false);
    relayed_voice(10, true);
    relayed_voice(20, false);
    same(wire.n - 10);
    cr_assert_eq(direct->track->streams.used, 1);
    cr_assert_eq(track_stream_at(direct->track, 0)->duplicated, 10);
}

/* The part knows of no allocation, and takes what goes into the relay for nothing. */
Test(part, at_a_relay_with_an_allocation_that_is_older)
{
    size_t cut;

    allocate();
    cut = wire.n;
    relayed_voice(20, false);
    relayed_voice(10, true);
    relayed_voice(20, false);
    same(cut);
    cr_assert_eq(track_stream_at(direct->track, 0)->duplicated, 10);
}

/* ---- odd packets ---- */

/* The flow has had too many SSRCs when the second part begins, which does not know it: what was voice there is unexplained here. */
Test(part, with_voice_that_its_flow_has_no_room_for)
{
    size_t cut;

    for (unsigned i = 0; i < TRACK_STREAMS_PER_FLOW; i++) {
        voice(1);
        wire.bytes[wire.n - 1][WIRE_IP + WIRE_UDP + 10] = (uint8_t)(i + 1);
    }
    cut = wire.n;
    voice(60);
    same(cut);
    cr_assert_geq(direct->done[DONE_UNEXPLAINED], 60);
}

/* After silence a stream has another record; the run of the one before is told before it begins. */
Test(part, with_a_stream_that_falls_silent)
{
    voice(120);
    for (unsigned i = 60; i < 120; i++)
        wire.frame[i].ts_ns += SECONDS(3);
    same(20);
    cr_assert_eq(direct->track->streams.used, 2);
}

/* Each tells a fault, which the report counts. */
Test(part, with_packets_that_were_cut_by_whoever_wrote_the_file)
{
    voice(20);
    for (unsigned i = 0; i < 40; i++) {
        voice(1);
        latest()->wire = latest()->bytes.n -= 50;
    }
    same(10);
    cr_assert_eq(direct->faults.count[FAULT_IP_SHORT], 40);
}

Test(part, out_of_the_order_of_time)
{
    voice(60);
    wire.frame[30].ts_ns -= 25 * NS_PER_MS;
    wire.frame[59].ts_ns -= 25 * NS_PER_MS;
    same(12);
    cr_assert_eq(direct->faults.count[FAULT_TIME_BACKWARDS], 2);
}

/* It is told by the newest time before it, which is that of voice in a run. */
Test(part, with_other_packets_out_of_the_order_of_time)
{
    voice(60);
    wire_udp(&wire, A_SIP, B_SIP, "\r\n\r\n", 4);
    latest()->ts_ns -= 25 * NS_PER_MS;
    voice(20);
    same(12);
    cr_assert_eq(direct->faults.count[FAULT_TIME_BACKWARDS], 1);
}

/* The flow's latest packet is the one that came last, whatever its time. */
Test(part, with_another_packet_of_the_flow_out_of_the_order_of_time)
{
    voice(60);
    wire_udp(&wire, A_RTP, B_RTP, "\r\n\r\n", 4);
    latest()->ts_ns -= 25 * NS_PER_MS;
    same(12);
    cr_assert_eq(track_flow_at(direct->track, 0)->packets.last.frame, wire.frame[wire.n - 1].id);
}

Test(part, voice_is_packed)
{
    uint64_t whole = 0;
    char path[PATH] = "/tmp/rtpwatch-test-part-XXXXXX";
    long size;
    FILE *f;

    voice(240);
    for (size_t i = 0; i < wire.n; i++)
        whole += wire.frame[i].bytes.n;
    close(mkstemp(path));
    pack(&wire, 0, wire.n, path);
    f = fopen(path, "rb");
    cr_assert(f && fseek(f, 0, SEEK_END) == 0);
    size = ftell(f);
    fclose(f);
    unlink(path);
    cr_assert_lt((uint64_t)size, whole / 6);
}
