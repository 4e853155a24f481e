/* The IP packet in a frame as bytes, for comparing frames of different link layers; what is in it is decoded elsewhere. */
#include "net/net_private.h"

enum { ETHERNET = 14, TAG = 4, SLL = 16, SLL2 = 20, FAMILY = 4, IPV4_LEAST = 20, IPV6_HEADER = 40 };

static size_t be16(const uint8_t *p)
{
    return (size_t)(p[0] << 8 | p[1]);
}

static size_t ethernet_header(struct span s)
{
    size_t n = ETHERNET;

    while (n < ETHERNET + NET_DEPTH * TAG && s.n >= n && (be16(s.p + n - 2) == 0x8100 || be16(s.p + n - 2) == 0x88a8))
        n += TAG;
    return n;
}

static size_t link_header(const struct frame *f)
{
    switch (f->link) {
    case LINK_ETHERNET: return ethernet_header(f->bytes);
    case LINK_LINUX_SLL: return SLL;
    case LINK_LINUX_SLL2: return SLL2;
    case LINK_NULL:
    case LINK_LOOP: return FAMILY;
    default: return 0;
    }
}

struct span net_ip_bytes(const struct frame *f)
{
    size_t header = link_header(f), length = 0;
    struct span s = header < f->bytes.n ? span_part(f->bytes, header, f->bytes.n - header) : SPAN_NONE;

    if (s.n >= IPV4_LEAST && s.p[0] >> 4 == 4)
        length = be16(s.p + 2);
    else if (s.n >= IPV6_HEADER && s.p[0] >> 4 == 6)
        length = IPV6_HEADER + be16(s.p + 4);
    return length < s.n ? span_part(s, 0, length) : s; /* without Ethernet's padding */
}

bool net_ip_tunnels(struct span ip)
{
    bool v4 = ip.n >= IPV4_LEAST && ip.p[0] >> 4 == 4, v6 = ip.n >= IPV6_HEADER && ip.p[0] >> 4 == 6;
    size_t header = v4 ? (ip.p[0] & 15u) * 4 : IPV6_HEADER;
    unsigned carries = v4 ? ip.p[9] : v6 ? ip.p[6] : PROTO_NO_NEXT;

    if (carries == PROTO_UDP)
        return ip.n >= header + 4 && is_tunnel_port((unsigned)be16(ip.p + header + 2));
    return carries == PROTO_GRE || carries == PROTO_IPV4 || carries == PROTO_IPV6;
}
