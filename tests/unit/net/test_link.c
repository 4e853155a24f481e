#include "unit/net/packets.h"

#include "support/sweep.h"

enum {
    DLT_NULL_ = 0,
    DLT_RAW_ = 12,
    DLT_RAW_OPENBSD_ = 14,
    LINKTYPE_RAW_ = 101,
    DLT_LOOP_ = 108,
    DLT_SLL_ = 113,
    DLT_SLL2_ = 276
};

static void expect_v4(struct bench *b, int link, const struct packet *p)
{
    cr_assert_eq(bench_packet(b, link, p), NET_UDP, "link %d", link);
    cr_expect(got_text(b, "hello"));
    cr_expect(is_addr(&b->got.src, "10.0.0.1:5060"));
    cr_expect(is_addr(&b->got.dst, "10.0.0.2:5080"));
    cr_expect_not(b->got.v6);
    cr_expect_eq(b->got.ttl, 64);
    cr_expect_eq(b->got.frame, b->frame);
    cr_expect_eq(b->got.ts_ns, b->now_ns);
}

static void expect_v6(struct bench *b, int link, const struct packet *p)
{
    cr_assert_eq(bench_packet(b, link, p), NET_UDP, "link %d", link);
    cr_expect(got_text(b, "hello"));
    cr_expect(is_addr(&b->got.src, "[2001:db8::1]:5060"));
    cr_expect(is_addr(&b->got.dst, "[2001:db8::2]:5080"));
    cr_expect(b->got.v6);
    cr_expect_eq(b->got.ttl, 63);
}

static void put_sll(struct packet *p, unsigned type, unsigned ethertype)
{
    put16(p, type);
    put16(p, 1);
    put16(p, 6);
    put_many(p, 0, 8);
    put16(p, ethertype);
}

static void put_sll2(struct packet *p, unsigned type, unsigned ethertype)
{
    put16(p, ethertype);
    put16(p, 0);
    put32(p, 3);
    put16(p, 1);
    put8(p, type);
    put8(p, 6);
    put_many(p, 0, 8);
}

static void put_pppoe(struct packet *p, unsigned length, unsigned protocol)
{
    put16(p, 0x1100);
    put16(p, 7);
    put16(p, length + 2);
    put16(p, protocol);
}

Test(link, ethernet)
{
    struct bench *b = bench_udp();
    struct packet four = { 0 }, six = { 0 };

    put_eth(&four, 0x0800);
    put_ip4_udp(&four, "hello");
    expect_v4(b, LINK_ETH, &four);
    put_eth(&six, 0x86dd);
    put_ip6_udp(&six, "hello");
    expect_v6(b, LINK_ETH, &six);
    cr_expect_eq(net_stats(b->net)->kinds[NET_UDP], 2);
    bench_free(b);
}

static enum net_kind tagged(struct bench *b, const unsigned *tags, size_t n)
{
    struct packet p = { 0 };

    put_eth(&p, tags[0]);
    for (size_t i = 1; i <= n; i++) {
        put16(&p, 100);
        put16(&p, i < n ? tags[i] : 0x0800);
    }
    put_ip4_udp(&p, "hello");
    return bench_packet(b, LINK_ETH, &p);
}

Test(link, vlan_tags_up_to_the_depth)
{
    static const unsigned tags[NET_DEPTH + 1] = { 0x88a8, 0x8100, 0x9100, 0x8100, 0x8100 };
    struct bench *b = bench_udp();

    for (size_t n = 1; n <= NET_DEPTH; n++) {
        cr_assert_eq(tagged(b, tags, n), NET_UDP, "%zu tags", n);
        cr_expect(got_text(b, "hello"));
    }
    cr_expect_eq(tagged(b, tags, NET_DEPTH + 1), NET_UNSUPPORTED);
    cr_expect_eq(b->faults.count[FAULT_IP_DEPTH], 1);
    cr_expect_eq(b->faults.first_frame[FAULT_IP_DEPTH], NET_DEPTH + 1);
    bench_free(b);
}

Test(link, pppoe)
{
    struct bench *b = bench_udp();
    struct packet four = { 0 }, six = { 0 }, lcp = { 0 }, discovery = { 0 };

    put_eth(&four, 0x8864);
    put_pppoe(&four, 33, 0x0021);
    put_ip4_udp(&four, "hello");
    put_many(&four, 0xee, 4);
    expect_v4(b, LINK_ETH, &four);
    put_eth(&six, 0x8864);
    put_pppoe(&six, 53, 0x0057);
    put_ip6_udp(&six, "hello");
    expect_v6(b, LINK_ETH, &six);
    put_eth(&lcp, 0x8864);
    put_pppoe(&lcp, 8, 0xc021);
    put_many(&lcp, 0, 8);
    cr_expect_eq(bench_packet(b, LINK_ETH, &lcp), NET_NOT_IP);
    put_eth(&discovery, 0x8863);
    put_many(&discovery, 0, 20);
    cr_expect_eq(bench_packet(b, LINK_ETH, &discovery), NET_NOT_IP);
    four.v[14 + 4] = 0xff; /* a length behind the frame's end */
    cr_expect_eq(bench_packet(b, LINK_ETH, &four), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_LINK_SHORT], 1);
    bench_free(b);
}

Test(link, linux_cooked_tells_the_direction)
{
    static const struct {
        unsigned type;
        enum net_direction direction;
    } cases[] = { { 0, NET_DIR_IN }, { 1, NET_DIR_UNKNOWN }, { 3, NET_DIR_UNKNOWN }, { 4, NET_DIR_OUT } };
    struct bench *b = bench_udp();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct packet one = { 0 }, two = { 0 }, six = { 0 }, vlan = { 0 };

        put_sll(&one, cases[i].type, 0x0800);
        put_ip4_udp(&one, "hello");
        expect_v4(b, DLT_SLL_, &one);
        cr_expect_eq(b->got.direction, cases[i].direction);
        put_sll2(&two, cases[i].type, 0x0800);
        put_ip4_udp(&two, "hello");
        expect_v4(b, DLT_SLL2_, &two);
        cr_expect_eq(b->got.direction, cases[i].direction);
        put_sll2(&six, cases[i].type, 0x86dd);
        put_ip6_udp(&six, "hello");
        expect_v6(b, DLT_SLL2_, &six);
        put_sll(&vlan, cases[i].type, 0x8100);
        put16(&vlan, 12);
        put16(&vlan, 0x0800);
        put_ip4_udp(&vlan, "hello");
        expect_v4(b, DLT_SLL_, &vlan);
    }
    bench_free(b);
}

Test(link, the_direction_does_not_stick)
{
    struct bench *b = bench_udp();
    struct packet out = { 0 }, eth = { 0 };

    put_sll(&out, 4, 0x0800);
    put_ip4_udp(&out, "hello");
    expect_v4(b, DLT_SLL_, &out);
    put_eth(&eth, 0x0800);
    put_ip4_udp(&eth, "hello");
    expect_v4(b, LINK_ETH, &eth);
    cr_expect_eq(b->got.direction, NET_DIR_UNKNOWN);
    bench_free(b);
}

Test(link, address_families_in_both_byte_orders)
{
    static const uint8_t six[] = { 10, 24, 28, 30 };
    struct bench *b = bench_udp();
    struct packet p = { 0 };

    put32(&p, 2);
    put_ip4_udp(&p, "hello");
    expect_v4(b, DLT_NULL_, &p);
    expect_v4(b, DLT_LOOP_, &p);
    memcpy(p.v, "\2\0\0\0", 4);
    expect_v4(b, DLT_NULL_, &p);
    p.n = 4;
    put_ip6_udp(&p, "hello");
    for (size_t i = 0; i < sizeof six; i++) {
        memcpy(p.v, (uint8_t[]){ 0, 0, 0, six[i] }, 4);
        expect_v6(b, DLT_LOOP_, &p);
        memcpy(p.v, (uint8_t[]){ six[i], 0, 0, 0 }, 4);
        expect_v6(b, DLT_NULL_, &p);
    }
    memcpy(p.v, "\7\0\0\0", 4);
    cr_expect_eq(bench_packet(b, DLT_NULL_, &p), NET_NOT_IP);
    memcpy(p.v, "\2\0\0\2", 4);
    cr_expect_eq(bench_packet(b, DLT_NULL_, &p), NET_NOT_IP);
    bench_free(b);
}

Test(link, raw_ip)
{
    static const int raw[] = { DLT_RAW_, DLT_RAW_OPENBSD_, LINKTYPE_RAW_ };
    struct bench *b = bench_udp();
    struct packet four = { 0 }, six = { 0 };

    put_ip4_udp(&four, "hello");
    put_ip6_udp(&six, "hello");
    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++) {
        expect_v4(b, raw[i], &four);
        expect_v6(b, raw[i], &six);
    }
    expect_v4(b, LINK_RAW4, &four);
    expect_v6(b, LINK_RAW6, &six);
    cr_expect_eq(bench_packet(b, LINK_RAW4, &six), NET_BAD);
    cr_expect_eq(bench_packet(b, LINK_RAW6, &four), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_IP_HEADER], 1);
    cr_expect_eq(b->faults.count[FAULT_IP_SHORT], 1); /* 33 bytes are no IPv6 header */
    bench_free(b);
}

Test(link, what_is_not_looked_into_is_counted)
{
    struct bench *b = bench_udp();
    struct packet arp = { 0 }, macsec = { 0 }, cut = { 0 };

    put_eth(&arp, 0x0806);
    put_many(&arp, 0, 28);
    cr_expect_eq(bench_packet(b, LINK_ETH, &arp), NET_NOT_IP);
    put_eth(&macsec, 0x88e5);
    put_many(&macsec, 0, 40);
    cr_expect_eq(bench_packet(b, LINK_ETH, &macsec), NET_UNSUPPORTED);
    cr_expect_eq(bench_packet(b, 105, &macsec), NET_UNSUPPORTED);
    cr_expect_eq(b->faults.count[FAULT_LINK_UNSUPPORTED], 2);
    put_many(&cut, 2, 13);
    cr_expect_eq(bench_packet(b, LINK_ETH, &cut), NET_BAD);
    cr_expect_eq(b->faults.count[FAULT_LINK_SHORT], 1);
    cr_expect_eq(net_stats(b->net)->kinds[NET_UNSUPPORTED], 2);
    cr_expect_eq(net_stats(b->net)->kinds[NET_NOT_IP], 1);
    cr_expect_eq(net_stats(b->net)->kinds[NET_BAD], 1);
    bench_free(b);
}

struct swept {
    struct bench *b;
    int link;
    size_t udp;
};

static void sweep_frame(struct rd r, bool full, void *self)
{
    struct swept *s = self;
    enum net_kind kind = bench_bytes(s->b, s->link, rd_rest(&r), rd_wire_left(&r));

    s->b->now_ns += 1000000;
    s->udp += kind == NET_UDP;
    cr_assert_lt(kind, NET_KINDS);
    if (full)
        cr_assert_eq(kind, NET_UDP);
    if (kind == NET_UDP || kind == NET_ICMP)
        for (size_t i = 0; i < rd_left(&s->b->got.payload); i++) /* the sanitizer and the guard page look */
            cr_assert_leq(s->b->got.payload.p[i], 255);
}

Test(link, sweeps)
{
    static const struct {
        int link;
        void (*header)(struct packet *p, unsigned type, unsigned ethertype);
    } cooked[] = { { DLT_SLL_, put_sll }, { DLT_SLL2_, put_sll2 } };
    struct swept s = { .b = bench_udp() };
    struct packet eth = { 0 }, null = { 0 };
    struct span bytes = { eth.v, 0 };

    for (size_t i = 0; i < sizeof cooked / sizeof *cooked; i++) {
        struct packet p = { 0 };

        cooked[i].header(&p, 4, 0x86dd);
        put_ip6_udp(&p, "hello");
        s.link = cooked[i].link;
        sweep((struct span){ p.v, p.n }, sweep_frame, &s);
    }
    put_eth(&eth, 0x88a8);
    put16(&eth, 5);
    put16(&eth, 0x8864);
    put_pppoe(&eth, 33, 0x0021);
    put_ip4_udp(&eth, "hello");
    bytes.n = eth.n;
    s.link = LINK_ETH;
    sweep(bytes, sweep_frame, &s);
    put32(&null, 0x02000000);
    put_ip4_udp(&null, "hello");
    s.link = DLT_NULL_;
    sweep((struct span){ null.v, null.n }, sweep_frame, &s);
    cr_expect_gt(s.udp, 100);
    net_flush(s.b->net);
    bench_free(s.b);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Bytes that mean nothing, and headers that begin well and go on as noise, through every link type. */
Test(link, noise)
{
    static const int links[] = { 0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 105, -1 };
    static const uint8_t starts[][2] = { { 0x45, 0 }, { 0x60, 0 }, { 0x4f, 0 }, { 0x08, 0 } };
    struct bench *b = bench_udp();
    uint8_t bytes[160];
    uint32_t state = 1;

    for (unsigned round = 0; round < 60000; round++) {
        size_t n = next_random(&state) % sizeof bytes, wire = n + next_random(&state) % 3 * 40;

        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)next_random(&state);
        if (round % 2 && n > 1)
            memcpy(bytes, starts[round / 2 % 4], 2);
        if (round % 3 && n > 9)
            bytes[9] = (uint8_t)(round % 5 ? UDP : TCP);
        b->now_ns += next_random(&state);
        cr_assert_lt(bench_bytes(b, links[round % 12], (struct span){ bytes, n }, wire), NET_KINDS);
    }
    net_flush(b->net);
    bench_free(b);
}
