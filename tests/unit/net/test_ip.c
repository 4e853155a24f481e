#include "unit/net/packets.h"

#include "support/sweep.h"

Test(ip4, padding_of_the_frame_is_cut_off)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };

    put_eth(&p, 0x0800);
    put_ip4_udp(&p, "hi");
    put_many(&p, 0xaa, 16);
    set16(&p, 14 + 20 + 4, 0); /* a UDP length of 0: all that the IP packet holds */
    cr_assert_eq(bench_packet(b, LINK_ETH, &p), NET_UDP);
    cr_expect(got_text(b, "hi"));
    bench_free(b);
}

Test(ip4, total_length_zero_takes_what_is_there)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };

    put_ip4_udp(&p, "large send");
    set16(&p, 2, 0);
    cr_assert_eq(bench_packet(b, LINK_RAW4, &p), NET_UDP);
    cr_expect(got_text(b, "large send"));
    cr_expect_eq(b->faults.count[FAULT_IP_SHORT] + b->faults.count[FAULT_IP_HEADER], 0);
    bench_free(b);
}

Test(ip4, options_are_stepped_over)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };
    size_t at = put_ip4(&p, UDP, 1, 0);

    p.v[0] = 0x47;
    put_many(&p, 1, 8);
    put_udp(&p, "hello");
    end_ip4(&p, at);
    cr_assert_eq(bench_packet(b, LINK_RAW4, &p), NET_UDP);
    cr_expect(got_text(b, "hello"));
    bench_free(b);
}

Test(ip4, impossible_headers)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };

    put_ip4_udp(&p, "hello");
    p.v[0] = 0x44;
    cr_expect_eq(bench_packet(b, LINK_RAW4, &p), NET_BAD);
    p.v[0] = 0x55;
    cr_expect_eq(bench_packet(b, LINK_RAW4, &p), NET_BAD);
    p.v[0] = 0x45;
    set16(&p, 2, 19);
    cr_expect_eq(bench_packet(b, LINK_RAW4, &p), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_IP_HEADER], 3);
    cr_expect_eq(bench_bytes(b, LINK_RAW4, (struct span){ p.v, 19 }, 19), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_IP_SHORT], 1);
    bench_free(b);
}

Test(ip4, longer_than_its_frame_counts_as_not_captured)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };

    put_ip4_udp(&p, "hello, world");
    p.n -= 5;
    cr_assert_eq(bench_packet(b, LINK_RAW4, &p), NET_UDP);
    cr_expect(span_eq(rd_rest(&b->got.payload), SPAN("hello, ")));
    cr_expect_eq(b->got.payload.uncap, 5);
    cr_expect_eq(b->faults.count[FAULT_IP_SHORT], 1);
    bench_free(b);
}

Test(ip4, snap_length)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };

    put_ip4_udp(&p, "hello, world");
    cr_assert_eq(bench_bytes(b, LINK_RAW4, (struct span){ p.v, p.n - 7 }, p.n), NET_UDP);
    cr_expect(span_eq(rd_rest(&b->got.payload), SPAN("hello")));
    cr_expect_eq(b->got.payload.uncap, 7);
    cr_expect_eq(b->faults.count[FAULT_IP_SHORT] + b->faults.count[FAULT_UDP_LENGTH], 0);
    bench_free(b);
}

Test(udp, length_field)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };

    put_ip4_udp(&p, "hello");
    set16(&p, 24, 8 + 4);
    cr_expect_eq(bench_packet(b, LINK_RAW4, &p), NET_UDP);
    cr_expect(got_text(b, "hell"));
    cr_expect_eq(b->faults.count[FAULT_UDP_LENGTH], 0);
    set16(&p, 24, 8 + 6);
    cr_expect_eq(bench_packet(b, LINK_RAW4, &p), NET_UDP);
    cr_expect(got_text(b, "hello"));
    set16(&p, 24, 7);
    cr_expect_eq(bench_packet(b, LINK_RAW4, &p), NET_UDP);
    cr_expect(got_text(b, "hello"));
    cr_expect_eq(b->faults.count[FAULT_UDP_LENGTH], 2);
    set16(&p, 2, 27);
    cr_expect_eq(bench_packet(b, LINK_RAW4, &p), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_UDP_LENGTH], 3);
    bench_free(b);
}

Test(udp, empty_datagram)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };

    put_ip4_udp(&p, "");
    cr_assert_eq(bench_packet(b, LINK_RAW4, &p), NET_UDP);
    cr_expect(got_text(b, ""));
    cr_expect_eq(b->faults.count[FAULT_UDP_LENGTH], 0);
    bench_free(b);
}

/* Hop-by-hop, routing, destination options, AH, atomic fragment, then UDP. */
static struct packet chained(void)
{
    struct packet p = { 0 };
    size_t at = put_ip6(&p, 0);

    put(&p, "\x2b\0\1\4\0\0\0\0", 8); /* hop-by-hop: PadN */
    put(&p, "\x3c\1\0\0\0\0\0\0", 8); /* routing, 16 bytes */
    put_many(&p, 0, 8);
    put(&p, "\x33\0\1\4\0\0\0\0", 8);          /* destination options */
    put(&p, "\x2c\4\0\0\0\0\0\1\0\0\0\1", 12); /* AH, 24 bytes */
    put_many(&p, 0xcc, 12);
    put(&p, "\x11\0\0\0\0\0\0\7", 8); /* RFC 6946: neither offset nor more */
    put_udp(&p, "hello");
    end_ip6(&p, at);
    return p;
}

Test(ip6, extension_headers)
{
    struct bench *b = bench_udp();
    struct packet p = chained();

    cr_assert_eq(bench_packet(b, LINK_RAW6, &p), NET_UDP);
    cr_expect(got_text(b, "hello"));
    cr_expect_eq(net_stats(b->net)->fragments, 0);
    p.v[40 + 8 + 1] = 200;
    cr_expect_eq(bench_packet(b, LINK_RAW6, &p), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_IP6_EXTENSION], 1);
    bench_free(b);
}

Test(ip6, endless_chain)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };
    size_t at = put_ip6(&p, 60);

    for (unsigned i = 0; i < 100; i++)
        put(&p, "\x3c\0\1\4\0\0\0\0", 8);
    end_ip6(&p, at);
    cr_expect_eq(bench_packet(b, LINK_RAW6, &p), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_IP6_EXTENSION], 1);
    bench_free(b);
}

Test(ip6, atomic_fragments_inside_one_another)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };
    size_t at = put_ip6(&p, 44);

    for (unsigned i = 0; i < 5000; i++)
        put(&p, "\x2c\0\0\0\0\0\0\1", 8);
    end_ip6(&p, at);
    cr_expect_eq(bench_packet(b, LINK_RAW6, &p), NET_UNSUPPORTED);
    cr_expect_eq(b->faults.count[FAULT_IP_DEPTH], 1);
    bench_free(b);
}

Test(ip6, payload_length_zero_takes_what_is_there)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 }, none = { 0 };

    put_ip6_udp(&p, "large send");
    set16(&p, 4, 0);
    cr_assert_eq(bench_packet(b, LINK_RAW6, &p), NET_UDP);
    cr_expect(got_text(b, "large send"));
    (void)put_ip6(&none, 59);
    cr_expect_eq(bench_packet(b, LINK_RAW6, &none), NET_OTHER_IP);
    bench_free(b);
}

Test(ip, icmp_of_its_own_version)
{
    struct bench *b = bench_udp();
    struct packet four = { 0 }, six = { 0 };
    size_t at4 = put_ip4(&four, 1, 1, 0), at6;

    put(&four, "\3\3\0\0quote", 9);
    end_ip4(&four, at4);
    cr_assert_eq(bench_packet(b, LINK_RAW4, &four), NET_ICMP);
    cr_expect_not(b->got.v6);
    cr_expect_eq(rd_left(&b->got.payload), 9);
    cr_expect_eq(b->got.src.port, 0);
    at6 = put_ip6(&six, 58);
    put(&six, "\1\4\0\0quote", 9);
    end_ip6(&six, at6);
    cr_assert_eq(bench_packet(b, LINK_RAW6, &six), NET_ICMP);
    cr_expect(b->got.v6);
    four.v[9] = 58;
    six.v[6] = 1;
    cr_expect_eq(bench_packet(b, LINK_RAW4, &four), NET_OTHER_IP);
    cr_expect_eq(bench_packet(b, LINK_RAW6, &six), NET_OTHER_IP);
    four.v[9] = 2; /* IGMP */
    cr_expect_eq(bench_packet(b, LINK_RAW4, &four), NET_OTHER_IP);
    cr_expect_eq(b->faults.count[FAULT_IP_PROTOCOL], 3);
    bench_free(b);
}

static enum net_kind tunnelled(struct bench *b, unsigned depth)
{
    struct packet p = { 0 };
    size_t at[8];

    for (unsigned i = 0; i < depth; i++)
        at[i] = put_ip4(&p, 4, 1, 0);
    put_ip4_udp(&p, "hello");
    for (unsigned i = 0; i < depth; i++)
        end_ip4(&p, at[i]);
    return bench_packet(b, LINK_RAW4, &p);
}

Test(ip, packets_in_packets_up_to_the_depth)
{
    struct bench *b = bench_udp();
    struct packet six = { 0 }, four = { 0 };
    size_t at;

    for (unsigned depth = 1; depth <= NET_DEPTH; depth++)
        cr_expect_eq(tunnelled(b, depth), NET_UDP, "%u deep", depth);
    cr_expect_eq(tunnelled(b, NET_DEPTH + 1), NET_UNSUPPORTED);
    cr_expect_eq(b->faults.count[FAULT_IP_DEPTH], 1);
    at = put_ip4(&six, 41, 1, 0);
    put_ip6_udp(&six, "hello");
    end_ip4(&six, at);
    cr_assert_eq(bench_packet(b, LINK_RAW4, &six), NET_UDP);
    cr_expect(is_addr(&b->got.src, "[2001:db8::1]:5060"));
    cr_expect(b->got.v6);
    at = put_ip6(&four, 4);
    put_ip4_udp(&four, "hello");
    end_ip6(&four, at);
    cr_assert_eq(bench_packet(b, LINK_RAW6, &four), NET_UDP);
    cr_expect(is_addr(&b->got.src, "10.0.0.1:5060"));
    cr_expect_not(b->got.v6);
    bench_free(b);
}

static void sweep_ip(struct rd r, bool full, void *self)
{
    struct bench *b = self;
    enum net_kind kind = bench_bytes(b, 12, rd_rest(&r), rd_wire_left(&r));

    cr_assert_lt(kind, NET_KINDS);
    if (full)
        cr_assert_eq(kind, NET_UDP);
    if (kind == NET_UDP)
        cr_assert_leq(rd_left(&b->got.payload), rd_left(&r));
}

Test(ip, sweeps)
{
    struct bench *b = bench_udp();
    struct packet four = { 0 }, six = chained();
    size_t at = put_ip4(&four, 41, 1, 0);

    four.v[0] = 0x46;
    put32(&four, 0x01010101);
    put_ip6_udp(&four, "hello");
    end_ip4(&four, at);
    sweep((struct span){ four.v, four.n }, sweep_ip, b);
    sweep((struct span){ six.v, six.n }, sweep_ip, b);
    net_flush(b->net);
    bench_free(b);
}
