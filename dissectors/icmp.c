/*
 * An ICMP or ICMPv6 error, followed by the packet that it is about (RFC 792, RFC 4443 §3, RFC 4884 §4):
 *
 *   0                   1                   2                   3
 *  |     type      |     code      |           checksum            |
 *  |  6: length    |  4: length    |    unused, MTU, ...           |
 *  |            the packet, as much of it as was quoted ...        |
 */
#include "dissectors/icmp.h"

enum { HEADER = 8, QUOTE_MIN_WITH_EXTENSIONS = 128, V4_HEADER = 20, UDP_HEADER = 8 };

enum { V4_UNREACHABLE = 3, V4_QUENCH = 4, V4_REDIRECT = 5, V4_TIME_EXCEEDED = 11, V4_PARAMETER = 12 };
enum { PROTO_TCP = 6, PROTO_UDP = 17 };
enum { EXT_HOP_BY_HOP = 0, EXT_ROUTING = 43, EXT_FRAGMENT = 44, EXT_AH = 51, EXT_DESTINATION = 60 };
enum { V6_UNREACHABLE = 1, V6_TOO_BIG = 2, V6_TIME_EXCEEDED = 3, V6_PARAMETER = 4, V6_INFORMATIONAL = 128 };

/* Destination Unreachable by code: RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
static const enum icmp_what v4_unreachable[] = {
    ICMP_NET_UNREACHABLE,  ICMP_HOST_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE, ICMP_PORT_UNREACHABLE, ICMP_TOO_BIG,
    ICMP_OTHER_ERROR,      ICMP_NET_UNREACHABLE,  ICMP_HOST_UNREACHABLE,     ICMP_OTHER_ERROR,      ICMP_ADMIN_PROHIBITED,
    ICMP_ADMIN_PROHIBITED, ICMP_NET_UNREACHABLE,  ICMP_HOST_UNREACHABLE,     ICMP_ADMIN_PROHIBITED,
};

/* RFC 4443 §3.1: source policy and reject route (5 and 6) are kinds of administratively prohibited (1). */
static const enum icmp_what v6_unreachable[] = {
    ICMP_NET_UNREACHABLE,  ICMP_ADMIN_PROHIBITED, ICMP_OTHER_ERROR,      ICMP_HOST_UNREACHABLE,
    ICMP_PORT_UNREACHABLE, ICMP_ADMIN_PROHIBITED, ICMP_ADMIN_PROHIBITED,
};

#define BY_CODE(table, code) ((code) < sizeof(table) / sizeof *(table) ? (table)[code] : ICMP_OTHER_ERROR)

static enum icmp_what what_v4(uint8_t type, uint8_t code)
{
    switch (type) {
    case V4_UNREACHABLE: return BY_CODE(v4_unreachable, code);
    case V4_TIME_EXCEEDED: return ICMP_TIME_EXCEEDED;
    case V4_QUENCH:
    case V4_REDIRECT:
    case V4_PARAMETER: return ICMP_OTHER_ERROR;
    default: return ICMP_NO_ERROR;
    }
}

static enum icmp_what what_v6(uint8_t type, uint8_t code)
{
    switch (type) {
    case V6_UNREACHABLE: return BY_CODE(v6_unreachable, code);
    case V6_TOO_BIG: return ICMP_TOO_BIG;
    case V6_TIME_EXCEEDED: return ICMP_TIME_EXCEEDED;
    case V6_PARAMETER: return code == 1 ? ICMP_PROTOCOL_UNREACHABLE : ICMP_OTHER_ERROR; /* RFC 4443 §3.4 */
    default: return type < V6_INFORMATIONAL ? ICMP_OTHER_ERROR : ICMP_NO_ERROR;         /* RFC 4443 §2.1 */
    }
}

static bool has_quote_length(const struct icmp_msg *m)
{
    if (m->v6)
        return m->type == V6_UNREACHABLE || m->type == V6_TIME_EXCEEDED;
    return m->type == V4_UNREACHABLE || m->type == V4_TIME_EXCEEDED || m->type == V4_PARAMETER;
}

/* The quote without the extensions behind it (RFC 4884 §4). A length that RFC 4884 does not allow is an old sender's padding. */
static struct rd quote_reader(const struct icmp_msg *m, struct rd *r)
{
    uint32_t rest_of_header = rd_u32(r);
    size_t all = rd_wire_left(r), n = m->v6 ? 8u * (rest_of_header >> 24) : 4u * (rest_of_header >> 16 & 255);
    bool extended = has_quote_length(m) && n >= QUOTE_MIN_WITH_EXTENSIONS && n <= all;

    return rd_sub(r, extended ? n : all);
}

/*
 * The ports, and what was quoted behind a UDP header. The length in that header bounds it, since some pad the quote; the total length
 * in the IP header is no bound: there are systems that quote it in host byte order, or reduced by the header's length.
 */
static void read_ports(struct icmp_msg *m, struct rd *q)
{
    uint16_t src, dst, length;

    if (m->quoted_proto != PROTO_UDP && m->quoted_proto != PROTO_TCP)
        return;
    src = rd_u16(q);
    dst = rd_u16(q);
    length = rd_u16(q);
    (void)rd_u16(q); /* checksum */
    if (q->err)
        return;
    m->src.port = src;
    m->dst.port = dst;
    if (m->quoted_proto == PROTO_UDP)
        m->quoted = span_part(rd_rest(q), 0, length > UDP_HEADER ? length - UDP_HEADER : 0);
}

static void read_addresses(struct icmp_msg *m, struct rd *q, size_t n)
{
    struct span src = rd_take(q, n), dst = rd_take(q, n);

    m->quotes = src.p && dst.p;
    if (!m->quotes)
        return;
    m->src = n == 4 ? addr_v4(src.p, 0) : addr_v6(src.p, 0);
    m->dst = n == 4 ? addr_v4(dst.p, 0) : addr_v6(dst.p, 0);
}

/* RFC 791 §3.1. False where it is no IPv4 header. */
static bool read_v4(struct icmp_msg *m, struct rd *q)
{
    uint8_t version_ihl = rd_u8(q), proto;
    size_t header = (size_t)(version_ihl & 15u) * 4;
    uint16_t fragment;

    if (version_ihl >> 4 != 4 || header < V4_HEADER)
        return false;
    (void)rd_take(q, 5); /* TOS, total length, identification */
    fragment = rd_u16(q);
    (void)rd_u8(q); /* TTL */
    proto = rd_u8(q);
    (void)rd_u16(q); /* checksum */
    read_addresses(m, q, 4);
    (void)rd_take(q, header - V4_HEADER);
    m->quoted_proto = proto;
    if (!(fragment & 0x1fff))
        read_ports(m, q);
    return true;
}

static bool is_extension(uint8_t proto)
{
    return proto == EXT_HOP_BY_HOP || proto == EXT_ROUTING || proto == EXT_FRAGMENT || proto == EXT_AH ||
           proto == EXT_DESTINATION;
}

/* Extension headers (RFC 8200 §4) up to what they carry, whose number is returned. Of a later fragment there is no more to read. */
static uint8_t skip_extensions(struct rd *q, uint8_t proto, bool *later_fragment)
{
    while (!q->err && !*later_fragment && is_extension(proto)) {
        uint8_t next = rd_u8(q), length = rd_u8(q);

        if (proto == EXT_FRAGMENT)
            *later_fragment = rd_u16(q) >> 3;
        (void)rd_take(q, proto == EXT_FRAGMENT ? 4u : proto == EXT_AH ? 4u * length + 6u : 8u * length + 6u);
        proto = next;
    }
    return proto;
}

/* RFC 8200 §3. False where it is no IPv6 header. */
static bool read_v6(struct icmp_msg *m, struct rd *q)
{
    uint32_t version = rd_u32(q) >> 28;
    bool later_fragment = false;
    uint8_t proto;

    if (version != 6)
        return false;
    (void)rd_u16(q); /* payload length */
    proto = rd_u8(q);
    (void)rd_u8(q); /* hop limit */
    read_addresses(m, q, 16);
    m->quoted_proto = skip_extensions(q, proto, &later_fragment);
    if (!later_fragment)
        read_ports(m, q);
    return true;
}

static enum rd_err read_quote(struct icmp_msg *m, struct rd *r, struct faults *why)
{
    struct rd quote = quote_reader(m, r);
    bool ip = m->v6 ? read_v6(m, &quote) : read_v4(m, &quote);

    if (!r->err && quote.err != RD_CUT && (!ip || quote.err))
        fault_add(why, FAULT_ICMP_QUOTE, HEADER);
    return quote.err;
}

enum dis icmp_dissect(struct rd *in, bool v6, struct icmp_msg *out, struct faults *why)
{
    struct rd r = *in;

    *out = (struct icmp_msg){ .v6 = v6 };
    out->type = rd_u8(&r);
    out->code = rd_u8(&r);
    (void)rd_u16(&r); /* checksum */
    if (!r.err)
        out->what = v6 ? what_v6(out->type, out->code) : what_v4(out->type, out->code);
    if (out->what != ICMP_NO_ERROR && read_quote(out, &r, why) == RD_CUT)
        return DIS_CUT;
    if (r.err == RD_CUT)
        return DIS_CUT;
    if (r.err) {
        fault_add(why, FAULT_ICMP_SHORT, 0);
        return DIS_SHORT;
    }
    (void)rd_sub(&r, rd_wire_left(&r));
    *in = r;
    return DIS_OK;
}

const char *icmp_what_name(enum icmp_what w)
{
    static const char *const names[] = {
        [ICMP_NO_ERROR] = "no error",
        [ICMP_NET_UNREACHABLE] = "network unreachable",
        [ICMP_HOST_UNREACHABLE] = "host unreachable",
        [ICMP_PROTOCOL_UNREACHABLE] = "protocol unreachable",
        [ICMP_PORT_UNREACHABLE] = "port unreachable",
        [ICMP_ADMIN_PROHIBITED] = "administratively prohibited",
        [ICMP_TOO_BIG] = "packet too big",
        [ICMP_TIME_EXCEEDED] = "time exceeded",
        [ICMP_OTHER_ERROR] = "other error",
    };

    return w < sizeof names / sizeof *names ? names[w] : names[ICMP_OTHER_ERROR];
}
