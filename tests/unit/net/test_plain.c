/* The short way of plain.c gives the same as the general way: the same kind, packet and faults, frame for frame. */
#include "unit/net/packets.h"

#include "net/net_private.h"

enum { IP_AT = 14, UDP_AT = 34, TEXT_AT = 42, NEITHER = 0xaa };

/* Two of each, as fragments and streams leave something behind. */
struct ways {
    struct bench *usual;   /* net_frame() */
    struct bench *general; /* link_input() */
};

static struct ways ways_new(void)
{
    return (struct ways){ bench_udp(), bench_udp() };
}

static void ways_free(struct ways *w)
{
    bench_free(w->usual);
    bench_free(w->general);
}

static enum net_kind general_way(struct bench *b, const struct frame *f)
{
    struct decode d = { .net = b->net, .frame = f, .out = &b->got };
    struct rd r = rd_init(f->bytes, f->wire);

    b->got.ts_ns = f->ts_ns;
    b->got.frame = f->id;
    b->got.direction = NET_DIR_UNKNOWN;
    return link_input(&d, &r);
}

static void expect_same_packet(const struct net_packet *a, const struct net_packet *b)
{
    cr_assert_eq(a->ts_ns, b->ts_ns);
    cr_assert_eq(a->frame, b->frame);
    cr_assert(addr_eq(&a->src, &b->src));
    cr_assert(addr_eq(&a->dst, &b->dst));
    cr_assert_eq(a->ttl, b->ttl);
    cr_assert_eq(a->v6, b->v6);
    cr_assert_eq(a->direction, b->direction);
    cr_assert(span_eq(rd_rest(&a->payload), rd_rest(&b->payload)));
    cr_assert_eq(a->payload.uncap, b->payload.uncap);
    cr_assert_eq(a->payload.err, b->payload.err);
}

/* Whether the frame goes the short way. One that does not leaves the packet as it was. */
static bool is_plain(const struct frame *f)
{
    struct net_packet got, before;

    memset(&got, NEITHER, sizeof got);
    memset(&before, NEITHER, sizeof before);
    if (plain_udp(f, &got))
        return true;
    cr_assert_eq(memcmp(&got, &before, sizeof got), 0);
    return false;
}

static bool same_frame(struct ways *w, int link, struct span bytes, size_t wire)
{
    struct frame f = { SECONDS(1700000000), ++w->usual->frame, link, bytes, wire };
    enum net_kind usual, general;
    bool plain = is_plain(&f);

    memset(&w->usual->got, NEITHER, sizeof w->usual->got);
    memset(&w->general->got, NEITHER / 2, sizeof w->general->got);
    usual = net_frame(w->usual->net, &f, &w->usual->got);
    general = general_way(w->general, &f);
    cr_assert_eq(usual, general, "%d, not %d", (int)usual, (int)general);
    if (usual == NET_UDP || usual == NET_ICMP)
        expect_same_packet(&w->usual->got, &w->general->got);
    cr_assert_eq(memcmp(&w->usual->faults, &w->general->faults, sizeof w->usual->faults), 0);
    cr_assert(!plain || usual == NET_UDP);
    return plain;
}

static bool same(struct ways *w, const struct packet *p)
{
    return same_frame(w, LINK_ETH, (struct span){ p->v, p->n }, p->n);
}

static struct packet plain_frame(const char *text)
{
    struct packet p = { 0 };

    put_eth(&p, 0x0800);
    put_ip4_udp(&p, text);
    return p;
}

Test(plain, what_voice_comes_in)
{
    struct packet p = plain_frame("voice");
    struct ways w = ways_new();

    cr_expect(same(&w, &p));
    cr_expect(got_text(w.usual, "voice"));
    cr_expect(is_addr(&w.usual->got.src, "10.0.0.1:5060"));
    cr_expect(is_addr(&w.usual->got.dst, "10.0.0.2:5080"));
    cr_expect_eq(w.usual->got.ttl, 64);
    cr_expect_eq(net_stats(w.usual->net)->kinds[NET_UDP], 1);
    p = plain_frame("");
    cr_expect(same(&w, &p));
    cr_expect(got_text(w.usual, ""));
    ways_free(&w);
}

Test(plain, padding_of_the_frame_is_cut_off)
{
    struct packet p = plain_frame("voice");
    struct ways w = ways_new();

    put_many(&p, 0xaa, 13);
    cr_expect(same(&w, &p));
    cr_expect(got_text(w.usual, "voice"));
    set16(&p, IP_AT + 2, 36); /* three bytes behind the datagram, in the IP packet */
    cr_expect(same(&w, &p));
    cr_expect(got_text(w.usual, "voice"));
    ways_free(&w);
}

/* One field otherwise. */
Test(plain, near_misses)
{
    static const struct {
        const char *what;
        size_t at;
        unsigned value; /* 16 bits */
        bool plain;
    } cases[] = {
        { "another type of service", IP_AT, 0x45b8, true },
        { "another identification", IP_AT + 4, 0xffff, true },
        { "no flags", IP_AT + 6, 0, true },
        { "don't fragment", IP_AT + 6, 0x4000, true },
        { "the reserved flag", IP_AT + 6, 0x8000, true },
        { "more fragments", IP_AT + 6, 0x2000, false },
        { "more fragments, don't fragment", IP_AT + 6, 0x6000, false },
        { "a fragment's offset, low", IP_AT + 6, 0x0001, false },
        { "a fragment's offset, high", IP_AT + 6, 0x1000, false },
        { "TTL 0", IP_AT + 8, 0x0011, true },
        { "TTL 255", IP_AT + 8, 0xff11, true },
        { "a wrong header checksum", IP_AT + 10, 0xdead, true },
        { "a wrong UDP checksum", UDP_AT + 6, 0xdead, true },
        { "port 0", UDP_AT, 0, true },
        { "ICMP", IP_AT + 8, 0x4001, false },
        { "IP in IP", IP_AT + 8, 0x4004, false },
        { "TCP", IP_AT + 8, 0x4006, false },
        { "UDP-Lite", IP_AT + 8, 0x4088, false },
        { "options", IP_AT, 0x4600, false },
        { "a header too short", IP_AT, 0x4400, false },
        { "version 6", IP_AT, 0x6500, false },
        { "total length 0", IP_AT + 2, 0, false },
        { "total length of a header", IP_AT + 2, 20, false },
        { "total length one short", IP_AT + 2, 32, false },
        { "total length one too long", IP_AT + 2, 34, false },
        { "UDP length 0", UDP_AT + 4, 0, false },
        { "UDP length 7", UDP_AT + 4, 7, false },
        { "UDP length 8", UDP_AT + 4, 8, true },
        { "UDP length one short", UDP_AT + 4, 12, true },
        { "UDP length one too long", UDP_AT + 4, 14, false },
        { "UDP length 65535", UDP_AT + 4, 65535, false },
        { "IPv6 as ethertype", IP_AT - 2, 0x86dd, false },
        { "ARP as ethertype", IP_AT - 2, 0x0806, false },
        { "802.1Q as ethertype", IP_AT - 2, 0x8100, false },
        { "a length as ethertype", IP_AT - 2, 0x002f, false },
    };
    struct ways w = ways_new();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct packet p = plain_frame("voice");

        set16(&p, cases[i].at, cases[i].value);
        cr_expect_eq(same(&w, &p), cases[i].plain, "%s", cases[i].what);
    }
    ways_free(&w);
}

Test(plain, other_wrappings)
{
    struct ways w = ways_new();
    struct packet p = { 0 };
    size_t at;

    put_eth(&p, 0x8100);
    put32(&p, 0x00640800);
    put_ip4_udp(&p, "tagged");
    cr_expect_not(same(&w, &p));
    cr_expect(got_text(w.usual, "tagged"));
    p.n = 0;
    put_eth(&p, 0x86dd);
    put_ip6_udp(&p, "IPv6");
    cr_expect_not(same(&w, &p));
    cr_expect(got_text(w.usual, "IPv6"));
    p.n = 0;
    put_eth(&p, 0x0800);
    at = put_ip4(&p, UDP, 1, 0);
    p.v[at] = 0x46;
    put_many(&p, 1, 4);
    put_udp(&p, "options");
    end_ip4(&p, at);
    cr_expect_not(same(&w, &p));
    cr_expect(got_text(w.usual, "options"));
    ways_free(&w);
}

Test(plain, fragments_are_put_together)
{
    struct ways w = ways_new();
    struct packet p = { 0 };
    size_t at;

    put_eth(&p, 0x0800);
    at = put_ip4(&p, UDP, 9, 0x2000);
    put_udp(&p, "12345678abcd");
    p.n -= 4;
    end_ip4(&p, at);
    cr_expect_not(same(&w, &p));
    p.n = 0;
    put_eth(&p, 0x0800);
    at = put_ip4(&p, UDP, 9, 2);
    put(&p, "abcd", 4);
    end_ip4(&p, at);
    cr_expect_not(same(&w, &p));
    cr_expect(got_text(w.usual, "12345678abcd"));
    ways_free(&w);
}

/* Linux cooked, either version: which way the packet went is told there. */
static struct packet cooked_frame(bool v2, unsigned type, unsigned ethertype)
{
    struct packet p = { 0 };

    put16(&p, v2 ? ethertype : type);
    put_many(&p, 1, v2 ? 8 : 12);
    put16(&p, v2 ? type << 8 | 6 : ethertype);
    put_many(&p, 1, v2 ? 8 : 0);
    put_ip4_udp(&p, "voice");
    return p;
}

Test(plain, linux_cooked)
{
    static const unsigned ethertypes[] = { 0x0800, 0x86dd, 0x8100, 0x0806, 4 };
    struct ways w = ways_new();

    for (int v2 = 0; v2 < 2; v2++)
        for (unsigned type = 0; type < 7; type++)
            for (size_t i = 0; i < sizeof ethertypes / sizeof *ethertypes; i++) {
                struct packet p = cooked_frame(v2, type, ethertypes[i]);
                int link = v2 ? LINK_LINUX_SLL2 : LINK_LINUX_SLL;

                cr_expect_eq(same_frame(&w, link, (struct span){ p.v, p.n }, p.n), i == 0, "version %d, type %u", v2 + 1, type);
                for (size_t n = 0; n < p.n; n++)
                    (void)same_frame(&w, link, (struct span){ p.v, n }, p.n);
            }
    ways_free(&w);
}

Test(plain, other_link_types)
{
    static const int links[] = { LINK_NULL, LINK_RAW, LINK_LOOP, LINK_LINUX_SLL, LINK_IPV4, LINK_IPV6, LINK_LINUX_SLL2, 147 };
    struct packet p = plain_frame("voice");
    struct ways w = ways_new();

    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        cr_expect_not(same_frame(&w, links[i], (struct span){ p.v, p.n }, p.n), "link type %d", links[i]);
    ways_free(&w);
}

/* Exactly the captured bytes are there to read: the sanitizers tell a byte too far. */
static bool same_cut(struct ways *w, const struct packet *p, size_t n, size_t wire)
{
    uint8_t *exact = malloc(n + !n);
    bool plain;

    cr_assert_not_null(exact);
    memcpy(exact, p->v, n);
    plain = same_frame(w, LINK_ETH, (struct span){ exact, n }, wire);
    free(exact);
    return plain;
}

Test(plain, cut_anywhere)
{
    struct packet p = plain_frame("voice");
    struct ways w = ways_new();

    for (size_t n = 0; n <= p.n; n++) {
        cr_expect_eq(same_cut(&w, &p, n, n), n == p.n, "the frame ends after %zu", n);
        cr_expect_eq(same_cut(&w, &p, n, p.n), n >= TEXT_AT, "captured to %zu", n);
        cr_expect_eq(same_cut(&w, &p, n, p.n + 1), n >= TEXT_AT, "captured to %zu, with padding", n);
        cr_expect_eq(same_cut(&w, &p, n, p.n - 1), false, "captured to %zu of a frame that is too short", n);
    }
    ways_free(&w);
}

Test(plain, all_lengths_against_each_other)
{
    struct packet p = plain_frame("voice");
    struct ways w = ways_new();
    unsigned room = (unsigned)p.n - IP_AT;

    for (unsigned total = 0; total < room + 3; total++)
        for (unsigned length = 0; length < room; length++) {
            bool fits = total <= room && length >= 8 && length + 20 <= total;

            set16(&p, IP_AT + 2, total);
            set16(&p, UDP_AT + 4, length);
            cr_expect_eq(same_cut(&w, &p, p.n, p.n), fits, "IP %u, UDP %u", total, length);
        }
    ways_free(&w);
}

Test(plain, any_byte_changed)
{
    struct packet p = plain_frame("voice");
    struct ways w = ways_new();
    unsigned plain = 0;

    for (size_t at = 0; at < TEXT_AT; at++) {
        uint8_t was = p.v[at];

        for (unsigned v = 0; v < 256; v++) {
            p.v[at] = (uint8_t)v;
            plain += same_cut(&w, &p, p.n, p.n);
        }
        p.v[at] = was;
    }
    /* MACs 12, service 1, identification 2, TTL 1, checksum 2, addresses 8, ports 4, checksum 2: any value; flags: 4 of 256; */
    /* the UDP length: 8 to 13; all others (ethertype 2, version, total 2, offset, protocol, high byte of the length): one. */
    cr_expect_eq(plain, 32 * 256 + 4 + 6 + 8, "%u", plain);
    ways_free(&w);
}
