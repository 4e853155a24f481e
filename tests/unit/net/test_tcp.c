#include "unit/net/packets.h"

#include "support/sweep.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, HEARD_ROOM = 600000, HEARD_CALLS = 400 };
enum { TO_B, TO_A }; /* the two directions */

/* A sink that writes down what it hears and consumes `take` bytes of each call. */
struct ear {
    size_t take; /* SIZE_MAX - 1: all; TCP_IGNORE */
    size_t calls, n;
    char heard[HEARD_ROOM]; /* all that was consumed */
    size_t given[HEARD_CALLS];
    uint64_t frame[HEARD_CALLS];
    bool gap[HEARD_CALLS];
    uint16_t src_port[HEARD_CALLS];
};

static const size_t all = SIZE_MAX - 1;

static size_t hear(void *self, const struct net_packet *segment, struct span bytes, bool after_gap)
{
    struct ear *e = self;
    size_t used = e->take < bytes.n ? e->take : bytes.n;

    cr_assert_lt(e->calls, HEARD_CALLS);
    e->given[e->calls] = bytes.n;
    e->frame[e->calls] = segment->frame;
    e->gap[e->calls] = after_gap;
    e->src_port[e->calls++] = segment->src.port;
    if (e->take == TCP_IGNORE)
        return TCP_IGNORE;
    cr_assert_leq(e->n + used, HEARD_ROOM);
    memcpy(e->heard + e->n, bytes.p, used);
    e->n += used;
    return used;
}

static struct ear *ear_new(void)
{
    struct ear *e = calloc(1, sizeof *e);

    cr_assert_not_null(e);
    e->take = all;
    return e;
}

static bool heard(const struct ear *e, const char *text)
{
    return e->n == strlen(text) && memcmp(e->heard, text, e->n) == 0;
}

struct seg {
    unsigned way, flags;
    uint32_t seq, ack;
    struct span data;
    size_t cut; /* bytes at the end that were not captured */
    unsigned port;
};

static enum net_kind send(struct bench *b, struct seg s)
{
    struct packet p = { .n = 0 };
    size_t at = put_ip4(&p, TCP, 1, 0);

    if (s.way == TO_A)
        memcpy(p.v + 12, "\x0a\0\0\2\x0a\0\0\1", 8);
    s.port = s.port ? s.port : 40000;
    put16(&p, s.way == TO_B ? s.port : 5060);
    put16(&p, s.way == TO_B ? 5060 : s.port);
    put32(&p, s.seq);
    put32(&p, s.ack);
    put16(&p, 0x8000 | s.flags); /* twelve bytes of options */
    put_many(&p, 0, 6);
    put_many(&p, 1, 12);
    put(&p, s.data.p, s.data.n);
    end_ip4(&p, at);
    b->now_ns += 1000000;
    return bench_bytes(b, LINK_RAW4, (struct span){ p.v, p.n - s.cut }, p.n);
}

static void data(struct bench *b, uint32_t seq, const char *text)
{
    cr_assert_eq(send(b, (struct seg){ TO_B, ACK, seq, 0, span_str(text), 0, 0 }), NET_TCP);
}

static void plain(struct bench *b, unsigned way, unsigned flags, uint32_t seq, uint32_t ack)
{
    cr_assert_eq(send(b, (struct seg){ way, flags, seq, ack, SPAN_NONE, 0, 0 }), NET_TCP);
}

static struct ear *ear;
static struct bench *bench;

static void set_up(void)
{
    ear = ear_new();
    bench = bench_new((struct tcp_sink){ ear, hear });
}

static void tear_down(void)
{
    bench_free(bench);
    free(ear);
}

TestSuite(tcp, .init = set_up, .fini = tear_down);

Test(tcp, in_order)
{
    plain(bench, TO_B, SYN, 99, 0);
    plain(bench, TO_A, SYN | ACK, 499, 100);
    data(bench, 100, "abc");
    data(bench, 103, "def");
    send(bench, (struct seg){ TO_A, ACK, 500, 106, SPAN("xyz"), 0, 0 });
    cr_expect(heard(ear, "abcdefxyz"));
    cr_expect_eq(ear->calls, 3);
    cr_expect_not(ear->gap[0] || ear->gap[1] || ear->gap[2]);
    cr_expect_eq(ear->frame[1], 4);
    cr_expect_eq(ear->src_port[1], 40000);
    cr_expect_eq(ear->src_port[2], 5060);
    cr_expect_eq(net_stats(bench->net)->tcp_gaps, 0);
    cr_expect_eq(net_stats(bench->net)->kinds[NET_TCP], 5);
}

Test(tcp, a_hole_that_is_filled)
{
    plain(bench, TO_B, SYN, 99, 0);
    data(bench, 100, "abc");
    data(bench, 109, "jkl");
    data(bench, 106, "ghi");
    cr_expect(heard(ear, "abc"));
    data(bench, 103, "def");
    cr_expect(heard(ear, "abcdefghijkl"));
    for (size_t i = 1; i < ear->calls; i++)
        cr_expect_eq(ear->frame[i], 5, "the segment that closed the hole completes them all");
    cr_expect_eq(net_stats(bench->net)->tcp_out_of_order, 2);
    cr_expect_eq(net_stats(bench->net)->tcp_gaps, 0);
}

Test(tcp, repeated_bytes_are_trimmed)
{
    plain(bench, TO_B, SYN, 99, 0);
    data(bench, 100, "abcdef");
    data(bench, 100, "abcdef");
    data(bench, 103, "defghi");
    data(bench, 112, "mno");
    data(bench, 112, "mno");
    data(bench, 111, "lmnopq"); /* overlaps what waits */
    data(bench, 106, "ghijklm");
    cr_expect(heard(ear, "abcdefghijklmnopq"));
    cr_expect_eq(net_stats(bench->net)->tcp_retransmitted, 4);
}

Test(tcp, keep_alive)
{
    plain(bench, TO_B, SYN, 99, 0);
    data(bench, 100, "abc");
    data(bench, 102, "\1");
    plain(bench, TO_B, ACK, 102, 0);
    data(bench, 103, "def");
    cr_expect(heard(ear, "abcdef"));
    cr_expect_eq(net_stats(bench->net)->tcp_retransmitted, 0);
}

Test(tcp, sequence_numbers_wrap)
{
    plain(bench, TO_B, SYN, 0xfffffffa, 0);
    data(bench, 0xfffffffb, "abc");
    data(bench, 1, "ghi");
    data(bench, 0xfffffffe, "def");
    data(bench, 0xfffffffe, "defghi");
    data(bench, 4, "jkl");
    cr_expect(heard(ear, "abcdefghijkl"));
    cr_expect_eq(net_stats(bench->net)->tcp_gaps, 0);
}

Test(tcp, data_with_the_syn)
{
    send(bench, (struct seg){ TO_B, SYN, 99, 0, SPAN("abc"), 0, 0 }); /* RFC 7413 */
    data(bench, 103, "def");
    cr_expect(heard(ear, "abcdef"));
    cr_expect_not(ear->gap[0]);
}

Test(tcp, from_the_middle)
{
    plain(bench, TO_B, ACK, 4000, 0);
    cr_expect_eq(ear->calls, 0);
    data(bench, 5000, "abc");
    data(bench, 5003, "def");
    cr_expect(heard(ear, "abcdef"));
    cr_expect(ear->gap[0]);
    cr_expect_not(ear->gap[1]);
    cr_expect_eq(bench->faults.count[FAULT_TCP_GAP], 0); /* nothing that should be in the capture is missing */
}

Test(tcp, a_hole_the_other_side_has_acknowledged)
{
    plain(bench, TO_B, SYN, 99, 0);
    ear->take = 0;
    data(bench, 100, "abc");
    data(bench, 106, "ghi");
    plain(bench, TO_A, ACK, 500, 103);
    cr_expect_eq(ear->calls, 1);
    ear->take = all;
    plain(bench, TO_A, ACK, 500, 109);
    cr_expect(heard(ear, "ghi"), "what began before the hole is dropped");
    cr_expect(ear->gap[1]);
    cr_expect_eq(ear->frame[1], 3);
    cr_expect_eq(ear->src_port[1], 40000);
    cr_expect_eq(net_stats(bench->net)->tcp_gaps, 1);
    cr_expect_eq(bench->faults.first_frame[FAULT_TCP_GAP], 3);
    data(bench, 103, "def"); /* too late */
    data(bench, 109, "jkl");
    cr_expect(heard(ear, "ghijkl"));
    cr_expect_not(ear->gap[2]);
}

Test(tcp, too_many_wait_for_a_hole)
{
    char text[2] = "a";

    plain(bench, TO_B, SYN, 99, 0);
    for (uint32_t i = 0; i < NET_TCP_OUT_OF_ORDER; i++) {
        text[0] = (char)('A' + i % 26);
        data(bench, 101 + i, text);
    }
    cr_expect_eq(ear->calls, 0);
    data(bench, 101 + NET_TCP_OUT_OF_ORDER, "z");
    cr_expect_eq(ear->n, NET_TCP_OUT_OF_ORDER + 1);
    cr_expect(ear->gap[0]);
    cr_expect_not(ear->gap[1]);
    cr_expect_eq(ear->frame[0], 2);
    cr_expect_eq(net_stats(bench->net)->tcp_gaps, 1);
}

Test(tcp, flush_gives_up_holes)
{
    plain(bench, TO_B, SYN, 99, 0);
    data(bench, 103, "def");
    data(bench, 109, "jkl");
    net_flush(bench->net);
    cr_expect(heard(ear, "defjkl"));
    cr_expect(ear->gap[0] && ear->gap[1]);
    cr_expect_eq(bench->faults.count[FAULT_TCP_GAP], 2);
}

Test(tcp, reset_gives_up_holes_and_its_data_is_no_stream)
{
    plain(bench, TO_B, SYN, 99, 0);
    data(bench, 103, "def");
    send(bench, (struct seg){ TO_A, RST, 500, 0, SPAN("no such call"), 0, 0 });
    cr_expect(heard(ear, "def"));
    cr_expect_eq(bench->faults.count[FAULT_TCP_GAP], 1);
}

Test(tcp, what_is_left_comes_again)
{
    plain(bench, TO_B, SYN, 99, 0);
    ear->take = 0;
    data(bench, 100, "ab");
    data(bench, 102, "cd");
    ear->take = 3;
    data(bench, 104, "ef");
    ear->take = all;
    data(bench, 106, "gh");
    cr_expect(heard(ear, "abcdefgh"));
    cr_expect_eq(ear->given[0], 2);
    cr_expect_eq(ear->given[1], 4);
    cr_expect_eq(ear->given[2], 6);
    cr_expect_eq(ear->given[3], 5);
    cr_expect_eq(ear->frame[3], 5);
}

Test(tcp, the_gap_is_told_until_something_is_consumed)
{
    ear->take = 0;
    data(bench, 100, "ab");
    data(bench, 102, "cd");
    ear->take = all;
    data(bench, 104, "ef");
    data(bench, 106, "gh");
    cr_expect(ear->gap[0] && ear->gap[1] && ear->gap[2]);
    cr_expect_not(ear->gap[3]);
    cr_expect(heard(ear, "abcdefgh"));
}

Test(tcp, ignored_until_a_new_connection)
{
    plain(bench, TO_B, SYN, 99, 0);
    ear->take = TCP_IGNORE;
    data(bench, 100, "abc");
    ear->take = all;
    data(bench, 103, "def");
    data(bench, 109, "jkl");
    plain(bench, TO_B, SYN, 99, 0); /* repeated */
    data(bench, 106, "ghi");
    send(bench, (struct seg){ TO_A, ACK, 500, 112, SPAN("xyz"), 0, 0 });
    cr_expect(heard(ear, "xyz"), "the other direction is asked for itself");
    cr_expect_eq(net_stats(bench->net)->tcp_out_of_order, 0);
    plain(bench, TO_B, SYN, 70000, 0);
    data(bench, 70001, "new");
    cr_expect(heard(ear, "xyznew"));
    cr_expect_not(ear->gap[2]);
}

Test(tcp, a_new_connection_on_the_same_ports)
{
    plain(bench, TO_B, SYN, 99, 0);
    plain(bench, TO_A, SYN | ACK, 499, 100);
    ear->take = 0;
    data(bench, 100, "old");
    ear->take = all;
    send(bench, (struct seg){ TO_A, ACK, 500, 103, SPAN("old"), 0, 0 });
    plain(bench, TO_B, SYN, 50000, 0);
    plain(bench, TO_A, SYN | ACK, 300, 50001);
    data(bench, 50001, "new");
    send(bench, (struct seg){ TO_A, ACK, 301, 50004, SPAN("New"), 0, 0 });
    cr_expect(heard(ear, "oldnewNew"));
    cr_expect_eq(net_stats(bench->net)->tcp_gaps, 0);
}

Test(tcp, a_syn_captured_behind_its_first_data)
{
    data(bench, 100, "abc");
    plain(bench, TO_B, SYN, 99, 0);
    data(bench, 100, "abc");
    data(bench, 103, "def");
    cr_expect(heard(ear, "abcdef"));
}

Test(tcp, far_away_is_another_connection)
{
    plain(bench, TO_B, SYN, 99, 0);
    data(bench, 100, "abc");
    data(bench, 0xf0000000, "new");
    data(bench, 0xf0000003, "est");
    cr_expect(heard(ear, "abcnewest"));
    cr_expect(ear->gap[1]);
    cr_expect_eq(net_stats(bench->net)->tcp_gaps, 1);
}

Test(tcp, snap_length)
{
    plain(bench, TO_B, SYN, 99, 0);
    send(bench, (struct seg){ TO_B, ACK, 100, 0, SPAN("abcdef"), 2, 0 });
    data(bench, 106, "ghi");
    cr_expect(heard(ear, "abcdghi"));
    cr_expect_not(ear->gap[0]);
    cr_expect(ear->gap[1]);
    send(bench, (struct seg){ TO_B, ACK, 109, 0, SPAN("jkl"), 3 + 4, 0 }); /* into the options */
    data(bench, 112, "mno");
    cr_expect(heard(ear, "abcdghimno"));
    cr_expect_eq(net_stats(bench->net)->tcp_gaps, 2);
}

Test(tcp, a_message_too_large_to_keep)
{
    static char chunk[1001];
    uint32_t seq = 100;

    memset(chunk, 'a', 1000);
    plain(bench, TO_B, SYN, 99, 0);
    ear->take = 0;
    for (; seq < 100 + NET_TCP_BUFFER - 1000; seq += 1000)
        data(bench, seq, chunk);
    cr_expect_eq(bench->faults.count[FAULT_TCP_BUFFER_FULL], 0);
    data(bench, seq, chunk);
    cr_expect_eq(bench->faults.count[FAULT_TCP_BUFFER_FULL], 1);
    cr_expect_eq(ear->given[ear->calls - 1], 1000);
    cr_expect(ear->gap[ear->calls - 1]);
}

Test(tcp, fin)
{
    plain(bench, TO_B, SYN, 99, 0);
    ear->take = 1;
    data(bench, 100, "abc");
    ear->take = all;
    plain(bench, TO_B, FIN | ACK, 103, 0);
    plain(bench, TO_B, FIN | ACK, 103, 0);
    data(bench, 100, "abc");
    cr_expect(heard(ear, "a"));
    data(bench, 103, "z"); /* against the rules; what was unfinished at the FIN is gone */
    cr_expect(heard(ear, "az"));
}

Test(tcp, full_table_gives_up_the_longest_idle)
{
    for (unsigned i = 0; i < NET_TCP_KEPT; i++)
        send(bench, (struct seg){ TO_B, SYN, 99, 0, SPAN_NONE, 0, 1 + i });
    send(bench, (struct seg){ TO_B, ACK, 100, 0, SPAN("a"), 0, 1 });
    cr_expect_eq(bench->faults.count[FAULT_TCP_TABLE_FULL], 0);
    send(bench, (struct seg){ TO_B, SYN, 99, 0, SPAN_NONE, 0, 30000 });
    cr_expect_eq(bench->faults.count[FAULT_TCP_TABLE_FULL], 1);
    send(bench, (struct seg){ TO_B, ACK, 101, 0, SPAN("b"), 0, 1 });
    send(bench, (struct seg){ TO_B, ACK, 100, 0, SPAN("c"), 0, 2 }); /* the one that went */
    cr_expect(heard(ear, "abc"));
    cr_expect_not(ear->gap[1]);
    cr_expect(ear->gap[2]);
}

/* Segments behind holes in many streams: memory has a bound, and the longest idle give theirs first. */
Test(tcp, memory_is_bounded)
{
    static uint8_t big[60000];

    for (unsigned i = 1; i <= 1500; i++) {
        send(bench, (struct seg){ TO_B, SYN, 99, 0, SPAN_NONE, 0, i });
        send(bench, (struct seg){ TO_B, ACK, 200, 0, { big, sizeof big }, 0, i });
    }
    cr_expect_gt(bench->faults.count[FAULT_TCP_TABLE_FULL], 300);
    cr_expect_lt(bench->faults.count[FAULT_TCP_TABLE_FULL], 500);
    cr_expect_eq(ear->calls, 0);
    ear->take = TCP_IGNORE;
    for (unsigned i = 1; i <= 300; i++) /* of those that are still there */
        send(bench, (struct seg){ TO_A, RST, 0, 0, SPAN_NONE, 0, 1500 - i });
    cr_expect_eq(ear->calls, 300);
}

Test(tcp, impossible_header)
{
    struct packet p = { 0 };
    size_t at = put_ip4(&p, TCP, 1, 0);

    put_many(&p, 0, 20);
    end_ip4(&p, at);
    cr_expect_eq(bench_packet(bench, LINK_RAW4, &p), NET_BAD);
    p.v[20 + 12] = 0x60; /* 24 bytes, of which there are 20 */
    cr_expect_eq(bench_packet(bench, LINK_RAW4, &p), NET_BAD);
    set16(&p, 2, 39);
    cr_expect_eq(bench_packet(bench, LINK_RAW4, &p), NET_BAD);
    cr_expect_eq(bench->faults.count[FAULT_TCP_HEADER], 3);
}

static void sweep_segment(struct rd r, bool full, void *self)
{
    struct bench *b = self;

    ear->calls = ear->n = 0;
    plain(b, TO_B, SYN, 99, 0);
    data(b, 100, "abc");
    data(b, 106, "ghi");
    cr_assert_lt(bench_bytes(b, LINK_RAW4, rd_rest(&r), rd_wire_left(&r)), NET_KINDS);
    if (full)
        cr_assert(heard(ear, "abcdefghi"));
    net_flush(b->net);
    plain(b, TO_B, SYN, 1, 0); /* so that the next SYN is a new one */
}

Test(tcp, sweeps)
{
    struct packet p = { 0 };
    size_t at = put_ip4(&p, TCP, 1, 0);

    put(&p, "\x9c\x40\x13\xc4\0\0\0\x67\0\0\0\0\x50\x10\0\0\0\0\0\0def", 23);
    end_ip4(&p, at);
    sweep((struct span){ p.v, p.n }, sweep_segment, bench);
}

/* A text sent in pieces, in any order and repeated, comes out as it was. */
Test(tcp, any_order)
{
    static const char text[] = "INVITE sip:18005551212@203.0.113.5 SIP/2.0 Via: SIP/2.0/TCP 172.31.16.10:5060";
    uint32_t state = 3;

    for (unsigned round = 0; round < 200; round++) {
        ear->calls = ear->n = 0;
        plain(bench, TO_B, SYN, 0xffffffd0 + round * 1000, 0);
        for (unsigned i = 0; i < 60 && ear->n < sizeof text - 1; i++) {
            uint32_t from, n;

            state = state * 1664525u + 1013904223u;
            from = (state >> 16) % (sizeof text - 1);
            n = 1 + (state >> 24) % 20;
            send(bench, (struct seg){ TO_B, ACK, 0xffffffd1 + round * 1000 + from, 0, span_part(SPAN(text), from, n), 0, 0 });
        }
        data(bench, 0xffffffd1 + round * 1000, text);
        cr_assert(heard(ear, text), "round %u", round);
        for (size_t i = 0; i < ear->calls; i++)
            cr_assert_not(ear->gap[i]);
    }
}

/* Flags, numbers and lengths at random between few addresses. */
Test(tcp, noise)
{
    uint32_t state = 11;
    static uint8_t bytes[300];

    for (unsigned round = 0; round < 100000; round++) {
        struct seg s = { .data = { bytes, 0 } };

        state = state * 1664525u + 1013904223u;
        s.way = state >> 31;
        s.flags = state >> 8 & (round % 16 ? ACK | FIN : 0x1f);
        s.seq = (state >> 12 & 0x3ff) + (round % 64 ? 0 : state);
        s.ack = state >> 14 & 0x7ff;
        s.data.n = (state >> 16) % sizeof bytes;
        s.cut = state >> 20 & 63 ? 0 : s.data.n / 2;
        s.port = 40000 + (state >> 27 & 3);
        ear->calls = ear->n = 0;
        ear->take = round % 1000 == 0 ? TCP_IGNORE : (state >> 9) % 400;
        cr_assert_eq(send(bench, s), NET_TCP);
    }
    ear->calls = ear->n = 0;
    net_flush(bench->net);
    cr_expect_gt(net_stats(bench->net)->tcp_gaps, 0);
}
