/* Packets inside others, as mirror ports and overlays send them. */
#include "support/sweep.h"
#include "unit/net/packets.h"

enum { GRE = 47, VXLAN_AT = 4789, GENEVE_AT = 6081 };

/* From 10.9.0.1 to 10.9.0.2, TTL 9: nothing of it may be told of what is inside. */
static size_t put_outer(struct packet *p, unsigned proto)
{
    size_t at = put_ip4(p, proto, 7, 0x4000);

    p->v[at + 8] = 9;
    p->v[at + 13] = p->v[at + 17] = 9;
    return at;
}

static void put_bytes(struct packet *p, struct span s)
{
    put(p, s.p, s.n);
}

#define RAW(text)                                                                                                                \
    {                                                                                                                            \
        (const uint8_t *)(text), sizeof(text) - 1                                                                                \
    }
#define BYTES(text) ((struct span)RAW(text))

/* What is inside, from the first byte behind the tunnel's header on. */
enum inner { INNER_IP4, INNER_IP6, INNER_ETHERNET, INNER_TAGGED };

static void put_inner(struct packet *p, enum inner inner)
{
    if (inner >= INNER_ETHERNET)
        put_eth(p, inner == INNER_TAGGED ? 0x8100 : 0x0800);
    if (inner == INNER_TAGGED)
        put32(p, 0x00640800);
    if (inner == INNER_IP6)
        put_ip6_udp(p, "hello");
    else
        put_ip4_udp(p, "hello");
}

static struct packet gre(struct span header, enum inner inner)
{
    struct packet p = { 0 };
    size_t at;

    put_eth(&p, 0x0800);
    at = put_outer(&p, GRE);
    put_bytes(&p, header);
    put_inner(&p, inner);
    end_ip4(&p, at);
    return p;
}

static struct packet over_udp(unsigned port, struct span header, enum inner inner)
{
    struct packet p = { 0 };
    size_t at, udp;

    put_eth(&p, 0x0800);
    at = put_outer(&p, UDP);
    udp = p.n;
    put16(&p, 50000);
    put16(&p, port);
    put32(&p, 0);
    put_bytes(&p, header);
    put_inner(&p, inner);
    set16(&p, udp + 4, (unsigned)(p.n - udp));
    end_ip4(&p, at);
    return p;
}

static struct packet mpls(struct span labels, enum inner inner)
{
    struct packet p = { 0 };

    put_eth(&p, 0x8847);
    put_bytes(&p, labels);
    put_inner(&p, inner);
    return p;
}

static void expect_inner(struct bench *b, const struct packet *p, bool v6, const char *what)
{
    cr_assert_eq(bench_packet(b, LINK_ETH, p), NET_UDP, "%s", what);
    cr_expect(got_text(b, "hello"), "%s", what);
    cr_expect(is_addr(&b->got.src, v6 ? "[2001:db8::1]:5060" : "10.0.0.1:5060"), "%s", what);
    cr_expect(is_addr(&b->got.dst, v6 ? "[2001:db8::2]:5080" : "10.0.0.2:5080"), "%s", what);
    cr_expect_eq(b->got.ttl, v6 ? 63 : 64, "%s", what);
    cr_expect_eq(b->got.v6, v6, "%s", what);
    cr_expect(b->got.inside, "%s", what);
    cr_expect_eq(b->got.since, b->frame, "%s", what);
}

static const struct {
    const char *what;
    struct span header;
    enum inner inner;
} gres[] = {
    { "GRE", RAW("\0\0\x08\0"), INNER_IP4 },
    { "GRE, IPv6", RAW("\0\0\x86\xdd"), INNER_IP6 },
    { "GRE with a key", RAW("\x20\0\x08\0\0\0\0\7"), INNER_IP4 },
    { "GRE with checksum, key and sequence number", RAW("\xb0\0\x08\0abcdefghijkl"), INNER_IP4 },
    { "GRE TAP", RAW("\0\0\x65\x58"), INNER_ETHERNET },
    { "GRE TAP, tagged", RAW("\x20\0\x65\x58\0\0\0\7"), INNER_TAGGED },
    { "GRE with MPLS", RAW("\0\0\x88\x47\0\1\1\x40"), INNER_IP4 },
    { "ERSPAN I", RAW("\0\0\x88\xbe"), INNER_ETHERNET },
    { "ERSPAN II", RAW("\x10\0\x88\xbe\0\0\0\1\x10\x64\0\7\0\0\0\1"), INNER_ETHERNET },
    { "ERSPAN II, tagged", RAW("\x10\0\x88\xbe\0\0\0\1\x10\x64\0\7\0\0\0\1"), INNER_TAGGED },
    { "ERSPAN III", RAW("\x10\0\x22\xeb\0\0\0\1\x20\x64\0\7timeSGFT"), INNER_ETHERNET },
    { "ERSPAN III with what its platform adds", RAW("\x10\0\x22\xeb\0\0\0\1\x20\x64\0\7time\0\0\x80\1platform"), INNER_ETHERNET },
    { "ERSPAN III with IP", RAW("\x10\0\x22\xeb\0\0\0\1\x20\x64\0\7time\0\0\x88\0"), INNER_IP4 },
};
enum { GRES = sizeof gres / sizeof *gres };

Test(tunnel, gre_and_erspan)
{
    struct bench *b = bench_udp();

    for (size_t i = 0; i < GRES; i++) {
        struct packet p = gre(gres[i].header, gres[i].inner);

        expect_inner(b, &p, gres[i].inner == INNER_IP6, gres[i].what);
    }
    cr_expect_eq(net_stats(b->net)->kinds[NET_UDP], GRES);
    bench_free(b);
}

Test(tunnel, gre_over_ipv6)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };
    size_t at;

    put_eth(&p, 0x86dd);
    at = put_ip6(&p, GRE);
    put32(&p, 0x00006558);
    put_inner(&p, INNER_ETHERNET);
    end_ip6(&p, at);
    expect_inner(b, &p, false, "GRE TAP over IPv6");
    bench_free(b);
}

Test(tunnel, gre_of_another_kind_is_counted)
{
    static const struct span headers[] = { RAW("\x20\x01\x88\x0b\0\0\0\0"), RAW("\x40\0\x08\0\0\0\0\0"), RAW("\0\0\x88\x3e") };
    struct bench *b = bench_udp();

    for (size_t i = 0; i < 3; i++) {
        struct packet p = gre(headers[i], INNER_IP4);

        cr_expect_eq(bench_packet(b, LINK_ETH, &p), NET_OTHER_IP, "case %zu", i);
    }
    cr_expect_eq(b->faults.count[FAULT_IP_PROTOCOL], 3);
    bench_free(b);
}

Test(tunnel, vxlan_and_geneve)
{
    struct bench *b = bench_udp();
    struct packet p = over_udp(VXLAN_AT, BYTES("\x08\0\0\0\0\0\x2a\0"), INNER_ETHERNET);

    expect_inner(b, &p, false, "VXLAN");
    p = over_udp(VXLAN_AT, BYTES("\x08\0\0\0\0\0\x2a\0"), INNER_TAGGED);
    expect_inner(b, &p, false, "VXLAN, tagged");
    p = over_udp(GENEVE_AT, BYTES("\0\0\x65\x58\0\0\x2a\0"), INNER_ETHERNET);
    expect_inner(b, &p, false, "GENEVE");
    p = over_udp(GENEVE_AT, BYTES("\x03\x40\x65\x58\0\0\x2a\0class.option"), INNER_ETHERNET);
    expect_inner(b, &p, false, "GENEVE with options");
    p = over_udp(GENEVE_AT, BYTES("\0\0\x86\xdd\0\0\x2a\0"), INNER_IP6);
    expect_inner(b, &p, true, "GENEVE with IPv6");
    bench_free(b);
}

/* Calls may use those ports: what is no tunnel's header is a datagram like others. */
Test(tunnel, a_port_proves_nothing)
{
    static const struct {
        unsigned port;
        struct span payload;
    } cases[] = {
        { VXLAN_AT, RAW("\x80\0\0\1\0\0\0\xa0ssrc, and voice") },
        { VXLAN_AT, RAW("\x90\x88\0\1\0\0\0\0ssrc, and voice") },
        { VXLAN_AT, RAW("\x88\0\0\1\0\0\0\0eight contributing sources") },
        { VXLAN_AT, RAW("\0\1\0\0\x21\x12\xa4\x42transaction!") },
        { VXLAN_AT, RAW("\x08\0\0\0\0\0\x2a\1a reserved byte") },
        { VXLAN_AT, RAW("\x08\0\0\0\0\0\x2a") },
        { VXLAN_AT, RAW("SIP/2.0 200 OK") },
        { GENEVE_AT, RAW("\x80\0\x65\x58\0\0\0\0ssrc, and voice") },
        { GENEVE_AT, RAW("\0\1\x65\x58\0\0\0\0a reserved bit") },
        { GENEVE_AT, RAW("\0\0\x65\x58\0\0\0\1a reserved byte") },
        { GENEVE_AT, RAW("\0\0\x08\6\0\0\0\0ARP") },
        { GENEVE_AT, RAW("\0\0\x65\x58\0\0\0") },
        { 5080, RAW("\x08\0\0\0\0\0\x2a\0VXLAN elsewhere") },
    };
    struct bench *b = bench_udp();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct packet p = over_udp(cases[i].port, cases[i].payload, INNER_IP4);

        cr_assert_eq(bench_packet(b, LINK_ETH, &p), NET_UDP, "case %zu", i);
        cr_expect(is_addr(&b->got.src, "10.9.0.1:50000"), "case %zu", i);
        cr_expect_eq(b->got.dst.port, cases[i].port, "case %zu", i);
        cr_expect_not(b->got.inside, "case %zu", i);
        cr_expect(span_starts(rd_rest(&b->got.payload), cases[i].payload), "case %zu", i);
    }
    bench_free(b);
}

Test(tunnel, mpls_labels)
{
    struct bench *b = bench_udp();
    struct packet p = mpls(BYTES("\0\1\1\x40"), INNER_IP4);

    expect_inner(b, &p, false, "one label");
    p = mpls(BYTES("\0\1\0\x40\0\2\0\x40\0\3\1\x40"), INNER_IP6);
    expect_inner(b, &p, true, "three labels");
    p = mpls(BYTES("\0\1\1\x40\0\0\0\1"), INNER_ETHERNET);
    expect_inner(b, &p, false, "a pseudowire");
    p = mpls(BYTES("\0\1\1\x40\x90\0\0\1"), INNER_IP4);
    cr_expect_eq(bench_packet(b, LINK_ETH, &p), NET_UNSUPPORTED);
    cr_expect_eq(b->faults.count[FAULT_LINK_UNSUPPORTED], 1);
    p.n = 0;
    put_eth(&p, 0x8847);
    put_many(&p, 0, 80); /* labels without end */
    cr_expect_eq(bench_packet(b, LINK_ETH, &p), NET_UNSUPPORTED);
    cr_expect_eq(b->faults.count[FAULT_IP_DEPTH], 1);
    bench_free(b);
}

/* Who captured the outer packet as it left did not send what is inside. */
Test(tunnel, the_direction_is_the_outer_packets)
{
    struct packet inner = gre(BYTES("\0\0\x08\0"), INNER_IP4), p = { 0 };
    struct bench *b = bench_udp();

    put16(&p, 4);
    put_many(&p, 0, 12);
    put(&p, inner.v + 12, inner.n - 12);
    cr_assert_eq(bench_packet(b, 113, &p), NET_UDP);
    cr_expect(got_text(b, "hello"));
    cr_expect_eq(b->got.direction, NET_DIR_UNKNOWN);
    bench_free(b);
}

/* A mirror may cut what it passes on, and says nothing of it: that is not captured, and not broken. */
Test(tunnel, a_mirror_that_cuts)
{
    struct bench *b = bench_udp();
    struct packet p = { 0 };
    size_t at;

    put_eth(&p, 0x0800);
    at = put_outer(&p, GRE);
    put32(&p, 0x00000800);
    put_inner(&p, INNER_IP4);
    p.n -= 3;
    end_ip4(&p, at);
    cr_assert_eq(bench_packet(b, LINK_ETH, &p), NET_UDP);
    cr_expect_eq(rd_left(&b->got.payload), 2);
    cr_expect_eq(b->got.payload.uncap, 3);
    bench_free(b);
}

Test(tunnel, fragments_of_the_outer_packet)
{
    struct bench *b = bench_udp();
    struct packet whole = over_udp(VXLAN_AT, BYTES("\x08\0\0\0\0\0\x2a\0"), INNER_ETHERNET), p = { 0 };
    size_t at, body = 34, first = 40;

    put_eth(&p, 0x0800);
    at = put_ip4(&p, UDP, 7, 0x2000);
    put(&p, whole.v + body, first);
    end_ip4(&p, at);
    cr_expect_eq(bench_packet(b, LINK_ETH, &p), NET_FRAGMENT);
    cr_expect_not(b->got.inside);
    p.n = 0;
    put_eth(&p, 0x0800);
    at = put_ip4(&p, UDP, 7, (unsigned)first / 8);
    put(&p, whole.v + body + first, whole.n - body - first);
    end_ip4(&p, at);
    cr_assert_eq(bench_packet(b, LINK_ETH, &p), NET_UDP);
    cr_expect(got_text(b, "hello"));
    cr_expect(b->got.inside);
    cr_expect_eq(b->got.since, 1);
    bench_free(b);
}

Test(tunnel, as_deep_as_is_followed)
{
    struct bench *b = bench_udp();

    for (unsigned n = 1; n <= NET_DEPTH + 1; n++) {
        struct packet p = { 0 };
        size_t at[NET_DEPTH + 1];

        put_eth(&p, 0x0800);
        for (unsigned i = 0; i < n; i++) {
            at[i] = put_outer(&p, GRE);
            put32(&p, 0x00000800);
        }
        put_inner(&p, INNER_IP4);
        for (unsigned i = 0; i < n; i++)
            end_ip4(&p, at[i]);
        cr_expect_eq(bench_packet(b, LINK_ETH, &p), n <= NET_DEPTH ? NET_UDP : NET_UNSUPPORTED, "%u tunnels", n);
    }
    cr_expect_eq(b->faults.count[FAULT_IP_DEPTH], 1);
    bench_free(b);
}

struct swept {
    struct bench *b;
};

static void sweep_frame(struct rd r, bool full, void *self)
{
    struct swept *s = self;
    enum net_kind kind = bench_bytes(s->b, LINK_ETH, rd_rest(&r), rd_wire_left(&r));

    s->b->now_ns += 1000000;
    cr_assert_lt(kind, NET_KINDS);
    if (full)
        cr_assert_eq(kind, NET_UDP);
    if (kind == NET_UDP || kind == NET_ICMP)
        for (size_t i = 0; i < rd_left(&s->b->got.payload); i++) /* the sanitizer and the guard page look */
            cr_assert_leq(s->b->got.payload.p[i], 255);
}

static void swept(struct swept *s, struct packet p)
{
    sweep((struct span){ p.v, p.n }, sweep_frame, s);
}

Test(tunnel, sweeps)
{
    struct swept s = { .b = bench_udp() };

    for (size_t i = 0; i < GRES; i++)
        swept(&s, gre(gres[i].header, gres[i].inner));
    swept(&s, over_udp(VXLAN_AT, BYTES("\x08\0\0\0\0\0\x2a\0"), INNER_ETHERNET));
    swept(&s, over_udp(GENEVE_AT, BYTES("\x03\x40\x65\x58\0\0\x2a\0class.option"), INNER_TAGGED));
    swept(&s, mpls(BYTES("\0\1\0\x40\0\2\1\x40\0\0\0\1"), INNER_ETHERNET));
    net_flush(s.b->net);
    bench_free(s.b);
}
