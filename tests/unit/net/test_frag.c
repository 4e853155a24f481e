#include "unit/net/packets.h"

#include "support/sweep.h"

enum { MORE = 0x2000 };

/* The bytes [from, to) of `whole` as a fragment, of which only `captured` bytes were kept by the snap length. */
static enum net_kind part4(struct bench *b, unsigned id, const struct packet *whole, size_t from, size_t to, size_t captured)
{
    struct packet p = { 0 };
    size_t at = put_ip4(&p, UDP, id, (unsigned)(from / 8) | (to < whole->n ? MORE : 0u));

    put(&p, whole->v + from, to - from);
    end_ip4(&p, at);
    return bench_bytes(b, LINK_RAW4, (struct span){ p.v, 20 + captured }, p.n);
}

static enum net_kind piece4(struct bench *b, unsigned id, const struct packet *whole, size_t from, size_t to)
{
    return part4(b, id, whole, from, to, to - from);
}

static enum net_kind piece6(struct bench *b, uint32_t id, const struct packet *whole, size_t from, size_t to, unsigned next)
{
    struct packet p = { 0 };
    size_t at = put_ip6(&p, 44);

    put16(&p, next << 8);
    put16(&p, (unsigned)from | (to < whole->n));
    put32(&p, id);
    put(&p, whole->v + from, to - from);
    end_ip6(&p, at);
    return bench_packet(b, LINK_RAW6, &p);
}

/* A datagram of 108 bytes: eight of header, then text of which each position differs from its neighbours. */
static struct packet datagram(void)
{
    struct packet p = { 0 };
    char text[101] = "";

    for (int i = 0; i < 100; i++)
        text[i] = (char)('!' + i % 90);
    put_udp(&p, text);
    return p;
}

static bool whole_came(const struct bench *b, const struct packet *whole)
{
    return span_eq(rd_rest(&b->got.payload), (struct span){ whole->v + 8, whole->n - 8 }) && !b->got.payload.uncap &&
           b->got.frame == b->frame && b->got.src.port == 5060;
}

Test(frag, in_order_and_backwards)
{
    struct bench *b = bench_udp();
    struct packet w = datagram();

    cr_expect_eq(piece4(b, 7, &w, 0, 48), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 7, &w, 48, 96), NET_FRAGMENT);
    cr_assert_eq(piece4(b, 7, &w, 96, w.n), NET_UDP);
    cr_expect(whole_came(b, &w));
    cr_expect_eq(piece4(b, 7, &w, 96, w.n), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 7, &w, 48, 96), NET_FRAGMENT);
    cr_assert_eq(piece4(b, 7, &w, 0, 48), NET_UDP);
    cr_expect(whole_came(b, &w));
    cr_expect_eq(net_stats(b->net)->fragments, 6);
    cr_expect_eq(net_stats(b->net)->reassembled, 2);
    cr_expect_eq(net_stats(b->net)->kinds[NET_FRAGMENT], 4);
    bench_free(b);
}

Test(frag, version_6)
{
    struct bench *b = bench_udp();
    struct packet w = datagram();

    cr_expect_eq(piece6(b, 70000, &w, 48, w.n, 6), NET_FRAGMENT);
    cr_expect_eq(piece6(b, 70000 + 65536, &w, 0, 48, UDP), NET_FRAGMENT); /* the identification has 32 bits */
    cr_assert_eq(piece6(b, 70000, &w, 0, 48, UDP), NET_UDP); /* RFC 8200 §4.5: the first fragment says what is carried */
    cr_expect(whole_came(b, &w));
    cr_expect(b->got.v6);
    bench_free(b);
}

Test(frag, one_unit_is_missing)
{
    struct bench *b = bench_udp();
    struct packet w = datagram();

    cr_expect_eq(piece4(b, 7, &w, 0, 48), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 7, &w, 56, w.n), NET_FRAGMENT);
    cr_assert_eq(piece4(b, 7, &w, 48, 56), NET_UDP);
    cr_expect(whole_came(b, &w));
    bench_free(b);
}

Test(frag, packets_are_kept_apart)
{
    struct bench *b = bench_udp();
    struct packet w = datagram();

    cr_expect_eq(piece4(b, 1, &w, 0, 48), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 2, &w, 48, w.n), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 2, &w, 0, 48), NET_UDP);
    cr_expect_eq(piece4(b, 1, &w, 48, w.n), NET_UDP);
    bench_free(b);
}

Test(frag, repeated_fragments_are_harmless)
{
    struct bench *b = bench_udp();
    struct packet w = datagram();

    cr_expect_eq(piece4(b, 1, &w, 0, 48), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 1, &w, 0, 48), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 1, &w, 32, 96), NET_FRAGMENT); /* overlaps with the same bytes */
    cr_assert_eq(piece4(b, 1, &w, 96, w.n), NET_UDP);
    cr_expect(whole_came(b, &w));
    cr_expect_eq(b->faults.count[FAULT_FRAG_OVERLAP], 0);
    bench_free(b);
}

Test(frag, a_differing_overlap_gives_the_packet_up)
{
    struct bench *b = bench_udp();
    struct packet w = datagram(), other = datagram();

    other.v[40] ^= 1;
    cr_expect_eq(piece4(b, 1, &w, 0, 48), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 1, &other, 40, 96), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_FRAG_OVERLAP], 1);
    cr_expect_eq(b->faults.first_frame[FAULT_FRAG_OVERLAP], 2);
    cr_expect_eq(piece4(b, 1, &w, 48, w.n), NET_BAD); /* RFC 5722: those that come later too */
    b->now_ns += SECONDS(NET_FRAGMENT_TIMEOUT_S + 1);
    cr_expect_eq(piece4(b, 1, &w, 0, 48), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 1, &w, 48, w.n), NET_UDP);
    cr_expect_eq(b->faults.count[FAULT_FRAG_OVERLAP], 1);
    cr_expect_eq(b->faults.count[FAULT_FRAG_TIMEOUT], 0);
    bench_free(b);
}

Test(frag, two_ends_give_the_packet_up)
{
    struct bench *b = bench_udp();
    struct packet w = datagram(), shorter = datagram(), longer = datagram();

    shorter.n = 90;
    put_many(&longer, 'x', 20);
    cr_expect_eq(piece4(b, 1, &w, 48, w.n), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 1, &shorter, 48, shorter.n), NET_BAD);
    cr_expect_eq(piece4(b, 2, &w, 48, w.n), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 2, &longer, 96, 112), NET_BAD);
    cr_expect_eq(piece4(b, 3, &longer, 96, 112), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 3, &w, 96, w.n), NET_BAD);
    cr_expect_eq(piece4(b, 4, &w, 48, w.n), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 4, &longer, 112, longer.n), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_FRAG_OVERLAP], 4);
    bench_free(b);
}

Test(frag, lengths_that_cannot_be)
{
    struct bench *b = bench_udp();
    struct packet w = datagram(), p = { 0 };
    size_t at;

    cr_expect_eq(piece4(b, 1, &w, 0, 47), NET_BAD); /* more to come, and no multiple of eight */
    cr_expect_eq(b->faults.count[FAULT_IP_HEADER], 1);
    at = put_ip4(&p, UDP, 2, 0x1fff);
    put_many(&p, 0, 8);
    end_ip4(&p, at);
    cr_expect_eq(bench_packet(b, LINK_RAW4, &p), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_FRAG_TOO_LARGE], 1);
    bench_free(b);
}

Test(frag, as_large_as_a_packet_can_be)
{
    struct bench *b = bench_udp();
    struct packet w = { 0 };

    put_udp(&w, "");
    put_many(&w, 'a', 65520 - 8);
    set16(&w, 4, 65520);
    for (size_t at = 0; at < 65520; at += 1456)
        cr_assert_eq(piece4(b, 1, &w, at, at + 1456), at + 1456 < 65520 ? NET_FRAGMENT : NET_UDP);
    cr_expect(whole_came(b, &w));
    bench_free(b);
}

Test(frag, time_out)
{
    struct bench *b = bench_udp();
    struct packet w = datagram();

    cr_expect_eq(piece4(b, 1, &w, 0, 48), NET_FRAGMENT);
    b->now_ns += SECONDS(NET_FRAGMENT_TIMEOUT_S);
    cr_expect_eq(piece4(b, 2, &w, 0, 48), NET_FRAGMENT);
    cr_expect_eq(b->faults.count[FAULT_FRAG_TIMEOUT], 0);
    b->now_ns += 1;
    cr_expect_eq(piece4(b, 1, &w, 48, w.n), NET_FRAGMENT); /* its beginning is gone */
    cr_expect_eq(b->faults.count[FAULT_FRAG_TIMEOUT], 1);
    cr_expect_eq(b->faults.first_frame[FAULT_FRAG_TIMEOUT], 1);
    net_flush(b->net);
    cr_expect_eq(b->faults.count[FAULT_FRAG_TIMEOUT], 3);
    bench_free(b);
}

Test(frag, full_table_gives_up_the_oldest)
{
    struct bench *b = bench_udp();
    struct packet w = datagram();

    for (unsigned id = 0; id <= NET_FRAGMENTED_KEPT; id++)
        cr_assert_eq(piece4(b, id, &w, 0, 48), NET_FRAGMENT);
    cr_expect_eq(b->faults.count[FAULT_FRAG_TABLE_FULL], 1);
    cr_expect_eq(piece4(b, 1, &w, 48, w.n), NET_UDP);
    cr_expect_eq(piece4(b, 0, &w, 48, w.n), NET_FRAGMENT);
    bench_free(b);
}

Test(frag, snap_length)
{
    struct bench *b = bench_udp();
    struct packet w = datagram();

    cr_expect_eq(piece4(b, 1, &w, 0, 48), NET_FRAGMENT);
    cr_assert_eq(part4(b, 1, &w, 48, w.n, 20), NET_UDP);
    cr_expect(span_eq(rd_rest(&b->got.payload), (struct span){ w.v + 8, 60 }));
    cr_expect_eq(b->got.payload.uncap, 40);
    /* Cut at the front, what lies behind the cut cannot be used, and its loss is told. */
    cr_expect_eq(part4(b, 2, &w, 0, 48, 20), NET_FRAGMENT);
    cr_assert_eq(piece4(b, 2, &w, 48, w.n), NET_UDP);
    cr_expect(span_eq(rd_rest(&b->got.payload), (struct span){ w.v + 8, 12 }));
    cr_expect_eq(b->got.payload.uncap, 88);
    /* The same cut fragment again is no overlap. */
    cr_expect_eq(part4(b, 3, &w, 0, 48, 20), NET_FRAGMENT);
    cr_expect_eq(part4(b, 3, &w, 0, 48, 20), NET_FRAGMENT);
    cr_expect_eq(piece4(b, 3, &w, 0, 48), NET_FRAGMENT);
    cr_expect_eq(b->faults.count[FAULT_FRAG_OVERLAP], 0);
    bench_free(b);
}

Test(frag, inside_a_tunnel)
{
    struct bench *b = bench_udp();
    struct packet inner = { 0 }, w = datagram();
    size_t at = put_ip4(&inner, UDP, 9, MORE);

    put(&inner, w.v, 48);
    end_ip4(&inner, at);
    for (size_t from = 0; from < inner.n; from += 40) { /* the outer packet is fragmented too */
        size_t to = from + 40 < inner.n ? from + 40 : inner.n;
        struct packet p = { 0 };

        at = put_ip4(&p, 4, 3, (unsigned)(from / 8) | (to < inner.n ? MORE : 0u));
        put(&p, inner.v + from, to - from);
        end_ip4(&p, at);
        cr_expect_eq(bench_packet(b, LINK_RAW4, &p), NET_FRAGMENT);
    }
    cr_assert_eq(piece4(b, 9, &w, 48, w.n), NET_UDP);
    cr_expect(whole_came(b, &w));
    bench_free(b);
}

static void sweep_fragment(struct rd r, bool full, void *self)
{
    struct bench *b = self;
    struct packet w = datagram();
    enum net_kind kind;

    b->now_ns += SECONDS(NET_FRAGMENT_TIMEOUT_S) + 1;
    cr_assert_eq(piece4(b, 1, &w, 0, 48), NET_FRAGMENT);
    kind = bench_bytes(b, LINK_RAW4, rd_rest(&r), rd_wire_left(&r));
    cr_assert_lt(kind, NET_KINDS);
    if (full)
        cr_assert(kind == NET_UDP && whole_came(b, &w));
}

Test(frag, sweeps)
{
    struct bench *b = bench_udp();
    struct packet w = datagram(), p = { 0 };
    size_t at = put_ip4(&p, UDP, 1, 48 / 8);

    put(&p, w.v + 48, w.n - 48);
    end_ip4(&p, at);
    sweep((struct span){ p.v, p.n }, sweep_fragment, b);
    net_flush(b->net);
    bench_free(b);
}

/* Fragments of one packet with whatever offsets, lengths and bytes: nothing may be written outside. */
Test(frag, noise)
{
    struct bench *b = bench_udp();
    uint32_t state = 7;

    for (unsigned round = 0; round < 20000; round++) {
        struct packet p = { .n = 0 };
        size_t at;

        state = state * 1664525u + 1013904223u;
        at = put_ip4(&p, UDP, state >> 28, state >> 8 & (round % 4 ? 0x201f : 0x3fff));
        put_many(&p, state >> 14 & 1, (state >> 16 & 15) * 8 + (state >> 20) % 50 / 49);
        end_ip4(&p, at);
        b->now_ns += state >> 4;
        cr_assert_lt(bench_bytes(b, LINK_RAW4, (struct span){ p.v, p.n - (round % 7 == 0 && p.n > 24) }, p.n), NET_KINDS);
    }
    net_flush(b->net);
    cr_expect_gt(net_stats(b->net)->reassembled, 0);
    bench_free(b);
}
