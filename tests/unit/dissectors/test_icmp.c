#include "dissectors/icmp.h"

#include <criterion/criterion.h>

#include "support/sweep.h"

static const uint8_t v4_src[4] = { 192, 0, 2, 1 }, v4_dst[4] = { 198, 51, 100, 7 };
static const uint8_t v6_src[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, v6_dst[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 };

/* Port unreachable, quoting 192.0.2.1:10000 -> 198.51.100.7:20000 with four bytes of RTP. */
static const uint8_t port_unreachable[] = {
    3,    3,    0,    0,    0, 0,  0,    0,                                              /* ICMP */
    0x45, 0,    0,    32,   0, 1,  0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7, /* IPv4 */
    0x27, 0x10, 0x4e, 0x20, 0, 12, 0,    0,                                              /* UDP */
    0x80, 0,    0x12, 0x34,                                                              /* payload */
};
enum { IP_AT = 8, UDP_AT = 28, PAYLOAD_AT = 36 };

static enum dis dissect_cut(const uint8_t *p, size_t captured, size_t wire, bool v6, struct icmp_msg *out, struct faults *why)
{
    struct rd r = rd_init((struct span){ p, captured }, wire), before = r;
    enum dis d;

    *why = (struct faults){ 0 };
    d = icmp_dissect(&r, v6, out, why);
    cr_assert_eq(rd_wire_left(&r), d == DIS_OK ? 0 : rd_wire_left(&before), "the reader moves on DIS_OK and on nothing else");
    return d;
}

static enum dis dissect(const uint8_t *p, size_t n, bool v6, struct icmp_msg *out, struct faults *why)
{
    return dissect_cut(p, n, n, v6, out, why);
}

static bool is_v4_quote(const struct icmp_msg *m, uint16_t src_port, uint16_t dst_port)
{
    struct addr src = addr_v4(v4_src, src_port), dst = addr_v4(v4_dst, dst_port);

    return m->quotes && addr_eq(&m->src, &src) && addr_eq(&m->dst, &dst);
}

static bool is_v6_quote(const struct icmp_msg *m, uint16_t src_port, uint16_t dst_port)
{
    struct addr src = addr_v6(v6_src, src_port), dst = addr_v6(v6_dst, dst_port);

    return m->quotes && addr_eq(&m->src, &src) && addr_eq(&m->dst, &dst);
}

Test(icmp, port_unreachable)
{
    struct faults why;
    struct icmp_msg m;

    cr_assert_eq(dissect(port_unreachable, sizeof port_unreachable, false, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(!m.v6 && m.type == 3 && m.code == 3);
    cr_assert_eq(m.what, ICMP_PORT_UNREACHABLE);
    cr_assert_eq(m.quoted_proto, 17);
    cr_assert(is_v4_quote(&m, 10000, 20000));
    cr_assert(span_eq(m.quoted, (struct span){ port_unreachable + PAYLOAD_AT, 4 }));
}

Test(icmp, eight_bytes_are_enough)
{
    struct faults why;
    struct icmp_msg m;

    cr_assert_eq(dissect(port_unreachable, PAYLOAD_AT, false, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is_v4_quote(&m, 10000, 20000));
    cr_assert_eq(m.quoted.n, 0);
}

Test(icmp, seven_bytes_are_not)
{
    struct faults why;
    struct icmp_msg m;

    cr_assert_eq(dissect(port_unreachable, PAYLOAD_AT - 1, false, &m, &why), DIS_OK);
    cr_assert(why.n == 1 && why.v[0].id == FAULT_ICMP_QUOTE);
    cr_assert(is_v4_quote(&m, 0, 0));
    cr_assert_eq(dissect_cut(port_unreachable, PAYLOAD_AT - 1, sizeof port_unreachable, false, &m, &why), DIS_CUT);
    cr_assert_eq(why.n, 0);
    cr_assert(is_v4_quote(&m, 0, 0));
}

Test(icmp, cut_payload_is_no_loss)
{
    struct faults why;
    struct icmp_msg m;

    cr_assert_eq(dissect_cut(port_unreachable, PAYLOAD_AT + 1, sizeof port_unreachable, false, &m, &why), DIS_OK);
    cr_assert(span_eq(m.quoted, (struct span){ port_unreachable + PAYLOAD_AT, 1 }));
}

Test(icmp, header_alone)
{
    struct faults why;
    struct icmp_msg m;

    cr_assert_eq(dissect(port_unreachable, 7, false, &m, &why), DIS_SHORT);
    cr_assert(why.n == 1 && why.v[0].id == FAULT_ICMP_SHORT);
    cr_assert_eq(dissect(port_unreachable, 8, false, &m, &why), DIS_OK);
    cr_assert(why.n == 1 && why.v[0].id == FAULT_ICMP_QUOTE);
    cr_assert(!m.quotes);
    cr_assert_eq(m.what, ICMP_PORT_UNREACHABLE);
    cr_assert_eq(dissect_cut(port_unreachable, 4, 36, false, &m, &why), DIS_CUT);
    cr_assert_eq(m.what, ICMP_PORT_UNREACHABLE);
    cr_assert_eq(dissect(port_unreachable, 0, false, &m, &why), DIS_SHORT);
}

static void change(uint8_t msg[sizeof port_unreachable], size_t at, uint8_t value)
{
    memcpy(msg, port_unreachable, sizeof port_unreachable);
    msg[at] = value;
}

Test(icmp, quote_that_is_no_ipv4)
{
    static const uint8_t version_ihl[] = { 0x65, 0x44, 0x05, 0x00 };
    uint8_t msg[sizeof port_unreachable];
    struct faults why;
    struct icmp_msg m;

    for (size_t i = 0; i < sizeof version_ihl; i++) {
        change(msg, IP_AT, version_ihl[i]);
        cr_assert_eq(dissect(msg, sizeof msg, false, &m, &why), DIS_OK);
        cr_assert(!m.quotes && addr_is_none(&m.src));
        cr_assert(why.n == 1 && why.v[0].id == FAULT_ICMP_QUOTE);
    }
}

Test(icmp, later_fragment_has_no_ports)
{
    uint8_t msg[sizeof port_unreachable];
    struct faults why;
    struct icmp_msg m;

    change(msg, IP_AT + 7, 185);
    cr_assert_eq(dissect(msg, sizeof msg, false, &m, &why), DIS_OK);
    cr_assert(is_v4_quote(&m, 0, 0));
    cr_assert_eq(m.quoted.n, 0);
    change(msg, IP_AT + 6, 0x20); /* more fragments, offset 0: the first */
    cr_assert_eq(dissect(msg, sizeof msg, false, &m, &why), DIS_OK);
    cr_assert(is_v4_quote(&m, 10000, 20000));
}

Test(icmp, tcp_has_ports_and_others_have_not)
{
    uint8_t msg[sizeof port_unreachable];
    struct faults why;
    struct icmp_msg m;

    change(msg, IP_AT + 9, 6);
    cr_assert_eq(dissect(msg, sizeof msg, false, &m, &why), DIS_OK);
    cr_assert(is_v4_quote(&m, 10000, 20000));
    cr_assert(m.quoted_proto == 6 && m.quoted.n == 0);
    change(msg, IP_AT + 9, 47);
    cr_assert_eq(dissect(msg, UDP_AT, false, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is_v4_quote(&m, 0, 0));
    cr_assert_eq(m.quoted_proto, 47);
}

Test(icmp, ip_options)
{
    uint8_t msg[sizeof port_unreachable + 4];
    struct faults why;
    struct icmp_msg m;

    memcpy(msg, port_unreachable, UDP_AT);
    memset(msg + UDP_AT, 1, 4);
    memcpy(msg + UDP_AT + 4, port_unreachable + UDP_AT, sizeof port_unreachable - UDP_AT);
    msg[IP_AT] = 0x46;
    cr_assert_eq(dissect(msg, sizeof msg, false, &m, &why), DIS_OK);
    cr_assert(is_v4_quote(&m, 10000, 20000));
    cr_assert_eq(m.quoted.n, 4);
}

/* RFC 4884 §4: the quote padded to 128 bytes, its length given, and an extension object behind it. */
Test(icmp, extensions_do_not_disturb)
{
    uint8_t msg[8 + 128 + 12] = { 0 };
    struct faults why;
    struct icmp_msg m;

    memcpy(msg, port_unreachable, sizeof port_unreachable);
    msg[8 + 128] = 0x20;
    for (unsigned words = 0; words <= 32; words += 32) {
        msg[5] = (uint8_t)words;
        cr_assert_eq(dissect(msg, sizeof msg, false, &m, &why), DIS_OK);
        cr_assert_eq(why.n, 0);
        cr_assert(is_v4_quote(&m, 10000, 20000));
        cr_assert_eq(m.quoted.n, 4);
    }
    msg[UDP_AT + 5] = 200; /* a longer datagram: the quote ends where the extensions begin */
    cr_assert_eq(dissect(msg, sizeof msg, false, &m, &why), DIS_OK);
    cr_assert_eq(m.quoted.n, 8 + 128 - PAYLOAD_AT);
}

Test(icmp, length_that_rfc4884_does_not_allow_is_ignored)
{
    static const uint8_t words[] = { 1, 31, 255 };
    uint8_t msg[sizeof port_unreachable];
    struct faults why;
    struct icmp_msg m;

    for (size_t i = 0; i < sizeof words; i++) {
        change(msg, 5, words[i]);
        cr_assert_eq(dissect(msg, sizeof msg, false, &m, &why), DIS_OK);
        cr_assert(why.n == 0 && is_v4_quote(&m, 10000, 20000));
    }
}

/* IPv6 packets in a Destination Unreachable; what stands behind the 40 bytes is appended by each test. */
struct v6_error {
    uint8_t b[256];
    size_t n;
};

static void v6_begin(struct v6_error *e, uint8_t type, uint8_t code, uint8_t next_header)
{
    const uint8_t icmp[8] = { type, code }, ip[8] = { 0x60, 0, 0, 0, 0, 12, next_header, 64 };

    memcpy(e->b, icmp, 8);
    memcpy(e->b + 8, ip, 8);
    memcpy(e->b + 16, v6_src, 16);
    memcpy(e->b + 32, v6_dst, 16);
    e->n = 48;
}

static void v6_add(struct v6_error *e, const void *bytes, size_t n)
{
    memcpy(e->b + e->n, bytes, n);
    e->n += n;
}

Test(icmp, v6_port_unreachable)
{
    struct v6_error e;
    struct faults why;
    struct icmp_msg m;

    v6_begin(&e, 1, 4, 17);
    v6_add(&e, port_unreachable + UDP_AT, 12);
    cr_assert_eq(dissect(e.b, e.n, true, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.what, ICMP_PORT_UNREACHABLE);
    cr_assert(m.v6 && m.quoted_proto == 17 && is_v6_quote(&m, 10000, 20000));
    cr_assert(span_eq(m.quoted, (struct span){ e.b + 56, 4 }));
}

Test(icmp, v6_extension_headers)
{
    static const uint8_t hop_by_hop[8] = { 43, 0, 1, 4 }, routing[24] = { 60, 2 }, destination[8] = { 51, 0, 1, 4 };
    static const uint8_t ah[12] = { 44, 1 }, first_fragment[8] = { 17, 0, 0, 1 };
    struct v6_error e;
    struct faults why;
    struct icmp_msg m;

    v6_begin(&e, 1, 4, 0);
    v6_add(&e, hop_by_hop, sizeof hop_by_hop);
    v6_add(&e, routing, sizeof routing);
    v6_add(&e, destination, sizeof destination);
    v6_add(&e, ah, sizeof ah);
    v6_add(&e, first_fragment, sizeof first_fragment);
    v6_add(&e, port_unreachable + UDP_AT, 12);
    cr_assert_eq(dissect(e.b, e.n, true, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(m.quoted_proto == 17 && is_v6_quote(&m, 10000, 20000));
    cr_assert_eq(m.quoted.n, 4);
}

/* RFC 4884 §4.4: here the length counts words of eight bytes, and stands in another place. */
Test(icmp, v6_extensions_do_not_disturb)
{
    static const uint8_t zeros[8 + 128 + 12 - 60], too_long = 200;
    struct v6_error e;
    struct faults why;
    struct icmp_msg m;

    v6_begin(&e, 1, 4, 17);
    v6_add(&e, port_unreachable + UDP_AT, 12);
    v6_add(&e, zeros, sizeof zeros);
    e.b[4] = 16;
    e.b[53] = too_long;
    cr_assert_eq(dissect(e.b, e.n, true, &m, &why), DIS_OK);
    cr_assert(why.n == 0 && is_v6_quote(&m, 10000, 20000));
    cr_assert_eq(m.quoted.n, 8 + 128 - 56);
}

Test(icmp, v6_later_fragment_has_no_ports)
{
    static const uint8_t fragment[8] = { 17, 0, 0x05, 0xa8 };
    struct v6_error e;
    struct faults why;
    struct icmp_msg m;

    v6_begin(&e, 1, 4, 44);
    v6_add(&e, fragment, sizeof fragment);
    v6_add(&e, port_unreachable + UDP_AT, 12);
    cr_assert_eq(dissect(e.b, e.n, true, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(m.quoted_proto == 17 && is_v6_quote(&m, 0, 0));
}

Test(icmp, v6_extension_header_past_the_quote)
{
    static const uint8_t hop_by_hop[8] = { 17, 200 };
    struct v6_error e;
    struct faults why;
    struct icmp_msg m;

    v6_begin(&e, 1, 4, 0);
    v6_add(&e, hop_by_hop, sizeof hop_by_hop);
    cr_assert_eq(dissect(e.b, e.n, true, &m, &why), DIS_OK);
    cr_assert(why.n == 1 && why.v[0].id == FAULT_ICMP_QUOTE);
    cr_assert(is_v6_quote(&m, 0, 0));
}

Test(icmp, v6_quote_that_is_no_ipv6)
{
    struct v6_error e;
    struct faults why;
    struct icmp_msg m;

    v6_begin(&e, 1, 4, 17);
    v6_add(&e, port_unreachable + UDP_AT, 12);
    e.b[IP_AT] = 0x45;
    cr_assert_eq(dissect(e.b, e.n, true, &m, &why), DIS_OK);
    cr_assert(!m.quotes && why.n == 1 && why.v[0].id == FAULT_ICMP_QUOTE);
}

struct meaning {
    uint8_t type, code;
    enum icmp_what what;
};

static void check_meanings(const struct meaning *v, size_t n, bool v6)
{
    struct v6_error e;
    struct faults why;
    struct icmp_msg m;

    for (size_t i = 0; i < n; i++) {
        v6_begin(&e, v[i].type, v[i].code, 17);
        (void)dissect(e.b, e.n, v6, &m, &why);
        cr_assert_eq(m.what, v[i].what, "type %u code %u: %s", v[i].type, v[i].code, icmp_what_name(m.what));
    }
}

Test(icmp, what_v4_types_mean)
{
    static const struct meaning v[] = {
        { 0, 0, ICMP_NO_ERROR },          { 8, 0, ICMP_NO_ERROR },         { 13, 0, ICMP_NO_ERROR },
        { 3, 0, ICMP_NET_UNREACHABLE },   { 3, 1, ICMP_HOST_UNREACHABLE }, { 3, 2, ICMP_PROTOCOL_UNREACHABLE },
        { 3, 3, ICMP_PORT_UNREACHABLE },  { 3, 4, ICMP_TOO_BIG },          { 3, 5, ICMP_OTHER_ERROR },
        { 3, 6, ICMP_NET_UNREACHABLE },   { 3, 7, ICMP_HOST_UNREACHABLE }, { 3, 9, ICMP_ADMIN_PROHIBITED },
        { 3, 10, ICMP_ADMIN_PROHIBITED }, { 3, 11, ICMP_NET_UNREACHABLE }, { 3, 12, ICMP_HOST_UNREACHABLE },
        { 3, 13, ICMP_ADMIN_PROHIBITED }, { 3, 14, ICMP_OTHER_ERROR },     { 3, 255, ICMP_OTHER_ERROR },
        { 4, 0, ICMP_OTHER_ERROR },       { 5, 1, ICMP_OTHER_ERROR },      { 11, 0, ICMP_TIME_EXCEEDED },
        { 11, 1, ICMP_TIME_EXCEEDED },    { 12, 0, ICMP_OTHER_ERROR },     { 200, 0, ICMP_NO_ERROR },
    };

    check_meanings(v, sizeof v / sizeof *v, false);
}

Test(icmp, what_v6_types_mean)
{
    static const struct meaning v[] = {
        { 128, 0, ICMP_NO_ERROR },       { 135, 0, ICMP_NO_ERROR },
        { 1, 0, ICMP_NET_UNREACHABLE },  { 1, 1, ICMP_ADMIN_PROHIBITED },
        { 1, 2, ICMP_OTHER_ERROR },      { 1, 3, ICMP_HOST_UNREACHABLE },
        { 1, 4, ICMP_PORT_UNREACHABLE }, { 1, 5, ICMP_ADMIN_PROHIBITED },
        { 1, 6, ICMP_ADMIN_PROHIBITED }, { 1, 7, ICMP_OTHER_ERROR },
        { 2, 0, ICMP_TOO_BIG },          { 3, 0, ICMP_TIME_EXCEEDED },
        { 4, 0, ICMP_OTHER_ERROR },      { 4, 1, ICMP_PROTOCOL_UNREACHABLE },
        { 100, 0, ICMP_OTHER_ERROR },
    };

    check_meanings(v, sizeof v / sizeof *v, true);
}

Test(icmp, no_error_quotes_nothing)
{
    uint8_t msg[sizeof port_unreachable];
    struct faults why;
    struct icmp_msg m;

    change(msg, 0, 8);
    cr_assert_eq(dissect(msg, sizeof msg, false, &m, &why), DIS_OK);
    cr_assert(!m.quotes && why.n == 0);
    cr_assert_eq(dissect(msg, 3, false, &m, &why), DIS_SHORT);
}

Test(icmp, names)
{
    cr_assert_str_eq(icmp_what_name(ICMP_PORT_UNREACHABLE), "port unreachable");
    cr_assert_str_eq(icmp_what_name(ICMP_NO_ERROR), "no error");
    for (int w = ICMP_NO_ERROR; w <= ICMP_OTHER_ERROR + 1; w++)
        cr_assert_not_null(icmp_what_name((enum icmp_what)w));
}

static void swept(struct rd r, bool full, void *self)
{
    const bool *v6 = self;
    struct rd before = r;
    struct faults why = { 0 };
    struct icmp_msg m;
    enum dis d = icmp_dissect(&r, *v6, &m, &why);

    cr_assert(!full || (d == DIS_OK && m.quotes && m.src.port == 10000));
    cr_assert(d != DIS_NOT_MINE && d != DIS_BAD);
    cr_assert(d == DIS_OK || r.p == before.p);
    cr_assert(!m.quoted.p || (m.quoted.p >= before.p && m.quoted.p + m.quoted.n <= before.end));
}

Test(icmp, sweep)
{
    static const uint8_t hop_by_hop[8] = { 44, 0, 1, 4 }, fragment[8] = { 17, 0, 0, 1 };
    struct v6_error e;
    bool v4 = false, v6 = true;

    sweep((struct span){ port_unreachable, sizeof port_unreachable }, swept, &v4);
    v6_begin(&e, 1, 4, 0);
    v6_add(&e, hop_by_hop, sizeof hop_by_hop);
    v6_add(&e, fragment, sizeof fragment);
    v6_add(&e, port_unreachable + UDP_AT, 12);
    sweep((struct span){ e.b, e.n }, swept, &v6);
}
