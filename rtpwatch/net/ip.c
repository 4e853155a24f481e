/*
 * IPv4 (RFC 791) and IPv6 (RFC 8200), down to what they carry.
 *
 *   IPv4   0 version 4 bits, header length 4 bits · 2 total length · 4 identification · 6 flags, fragment offset · 8 TTL ·
 *          9 protocol · 10 checksum · 12 source · 16 destination · 20 options
 *   IPv6   0 version, class, flow label · 4 payload length · 6 next header · 7 hop limit · 8 source · 24 destination · 40 ...
 */
#include "net/net_private.h"

enum {
    IP4_HEADER = 20,
    IP6_HEADER = 40,
    IP6_EXTENSIONS = 16, /* headers in one chain that are followed */
    IP4_MORE = 0x2000,
    IP4_OFFSET = 0x1fff,
    IP6_MORE = 1
};

static enum net_kind ip6_chain(struct decode *d, uint8_t next, struct rd *r);

static unsigned u16_at(struct span header, size_t at)
{
    return (unsigned)header.p[at] << 8 | header.p[at + 1];
}

/*
 * The packet's own bytes: what pads the frame is cut off. A packet longer than its frame's wire length was cut by whoever
 * wrote the file, so what is missing counts as not captured.
 */
static struct rd ip_bound(struct decode *d, struct rd *r, size_t length)
{
    size_t there = rd_wire_left(r);

    if (length > there) {
        (void)net_fault(d, FAULT_IP_SHORT, NET_BAD);
        r->uncap += length - there;
    }
    return rd_sub(r, length);
}

static enum net_kind ip4_fragment(struct decode *d, struct span header, struct rd body)
{
    unsigned flags = u16_at(header, 6);
    struct fragment f = {
        .offset = (size_t)(flags & IP4_OFFSET) * 8, .more = flags & IP4_MORE, .next = header.p[9], .body = body
    };
    struct rd whole;
    enum net_kind kind;
    uint8_t next;

    f.key = (struct key){ d->out->src, d->out->dst, u16_at(header, 4), header.p[9] };
    kind = frags_add(d, &f, &whole, &next);
    return kind == NET_KINDS ? ip_payload(d, next, &whole) : kind;
}

enum net_kind ip4_input(struct decode *d, struct rd *r)
{
    struct span h = rd_take(r, IP4_HEADER);
    size_t header, total;
    struct rd body;

    if (!h.p)
        return net_fault(d, FAULT_IP_SHORT, NET_BAD);
    header = (size_t)(h.p[0] & 0x0f) * 4;
    total = u16_at(h, 2);
    if (total == 0) /* left to the network card that segments (TSO): the frame tells */
        total = IP4_HEADER + rd_wire_left(r);
    if (h.p[0] >> 4 != 4 || header < IP4_HEADER || total < header)
        return net_fault(d, FAULT_IP_HEADER, NET_BAD);
    body = ip_bound(d, r, total - IP4_HEADER);
    if (header > IP4_HEADER)
        (void)rd_take(&body, header - IP4_HEADER);
    if (body.err)
        return net_fault(d, FAULT_IP_SHORT, NET_BAD);
    d->out->v6 = false;
    d->out->ttl = h.p[8];
    d->out->src = addr_v4(h.p + 12, 0);
    d->out->dst = addr_v4(h.p + 16, 0);
    if (u16_at(h, 6) & (IP4_MORE | IP4_OFFSET))
        return ip4_fragment(d, h, body);
    return ip_payload(d, h.p[9], &body);
}

/* RFC 8200 §4.5: next header 1 · reserved 1 · offset 13 bits, reserved 2 bits, more 1 bit · identification 4. */
static enum net_kind ip6_fragment(struct decode *d, struct rd *r)
{
    uint8_t next = rd_u8(r);
    struct fragment f = { .next = next };
    struct rd whole;
    enum net_kind kind;
    uint16_t flags;

    (void)rd_u8(r);
    flags = rd_u16(r);
    f.key = (struct key){ d->out->src, d->out->dst, rd_u32(r), PROTO_FRAGMENT };
    if (r->err)
        return net_fault(d, FAULT_IP6_EXTENSION, NET_BAD);
    f.offset = flags & ~7u;
    f.more = flags & IP6_MORE;
    f.body = *r;
    if (f.offset == 0 && !f.more) /* RFC 6946: nothing to wait for, and no business of other fragments' */
        return ip6_chain(d, next, r);
    kind = frags_add(d, &f, &whole, &next);
    return kind == NET_KINDS ? ip6_chain(d, next, &whole) : kind;
}

/* Steps over one extension header and returns the next one's number. AH counts in words of four bytes (RFC 4302 §2.2). */
static uint8_t ip6_extension(uint8_t header, struct rd *r)
{
    uint8_t next = rd_u8(r), length = rd_u8(r);

    (void)rd_take(r, header == PROTO_AH ? ((size_t)length + 2) * 4 - 2 : ((size_t)length + 1) * 8 - 2);
    return next;
}

static enum net_kind ip6_chain(struct decode *d, uint8_t next, struct rd *r)
{
    for (unsigned i = 0; i < IP6_EXTENSIONS && !r->err; i++) {
        switch (next) {
        case PROTO_HOP_BY_HOP:
        case PROTO_ROUTING:
        case PROTO_DESTINATION:
        case PROTO_AH: next = ip6_extension(next, r); break;
        case PROTO_FRAGMENT:
            /* Twice in one chain is never sent; each step down here counts. */
            return d->depth++ < NET_DEPTH ? ip6_fragment(d, r) : net_fault(d, FAULT_IP_DEPTH, NET_UNSUPPORTED);
        default: return ip_payload(d, next, r);
        }
    }
    return net_fault(d, FAULT_IP6_EXTENSION, NET_BAD);
}

enum net_kind ip6_input(struct decode *d, struct rd *r)
{
    struct span h = rd_take(r, IP6_HEADER);
    struct rd body;
    size_t length;

    if (!h.p)
        return net_fault(d, FAULT_IP_SHORT, NET_BAD);
    if (h.p[0] >> 4 != 6)
        return net_fault(d, FAULT_IP_HEADER, NET_BAD);
    length = u16_at(h, 4);
    if (length == 0 && h.p[6] != PROTO_NO_NEXT) /* TSO, as in IPv4 */
        length = rd_wire_left(r);
    d->out->v6 = true;
    d->out->ttl = h.p[7];
    d->out->src = addr_v6(h.p + 8, 0);
    d->out->dst = addr_v6(h.p + 24, 0);
    body = ip_bound(d, r, length);
    return ip6_chain(d, h.p[6], &body);
}

enum net_kind ip_input(struct decode *d, struct rd *r)
{
    struct span first = rd_rest(r);

    return first.n && first.p[0] >> 4 == 6 ? ip6_input(d, r) : ip4_input(d, r);
}

static enum net_kind tunnel(struct decode *d, uint8_t proto, struct rd *r)
{
    if (!tunnel_enter(d))
        return net_fault(d, FAULT_IP_DEPTH, NET_UNSUPPORTED);
    return proto == PROTO_IPV4 ? ip4_input(d, r) : ip6_input(d, r);
}

enum net_kind ip_payload(struct decode *d, uint8_t proto, struct rd *r)
{
    switch (proto) {
    case PROTO_UDP: return udp_input(d, r);
    case PROTO_TCP: return tcp_input(d, r);
    case PROTO_IPV4:
    case PROTO_IPV6: return tunnel(d, proto, r);
    case PROTO_GRE: return gre_input(d, r);
    case PROTO_ICMP:
    case PROTO_ICMPV6:
        if (d->out->v6 != (proto == PROTO_ICMPV6))
            break;
        d->out->payload = *r;
        return NET_ICMP;
    default: break;
    }
    return net_fault(d, FAULT_IP_PROTOCOL, NET_OTHER_IP);
}
