/*
 * The frame that nearly all voice comes in: Ethernet or Linux cooked, IPv4 without options or fragments, UDP to no tunnel's port, all
 * headers as captured. They are checked at once and read in place; whatever is otherwise in any respect goes the general way, which gives
 * the same for these too. What the snap length cut off is payload only: live captures leave the audio out.
 */
#include "net/net_private.h"

enum { ETHERNET = 14, SLL = 16, SLL2 = 20, IPV4 = 20, UDP = 8, IPV4_NO_OPTIONS = 0x45, MORE_OR_OFFSET = 0x3f };

static unsigned be16(const uint8_t *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

/* The link header's length, if what follows is IPv4; 0: it is not, or another link layer, or too short for a datagram. */
static size_t plain_link(const struct frame *f, enum net_direction *direction)
{
    const uint8_t *p = f->bytes.p;

    *direction = NET_DIR_UNKNOWN;
    if (f->link == LINK_ETHERNET)
        return f->bytes.n >= ETHERNET + IPV4 + UDP && be16(p + 12) == ETHERTYPE_IPV4 ? ETHERNET : 0;
    if (f->link == LINK_LINUX_SLL && f->bytes.n >= SLL + IPV4 + UDP && be16(p + 14) == ETHERTYPE_IPV4) {
        *direction = sll_direction(be16(p));
        return SLL;
    }
    if (f->link == LINK_LINUX_SLL2 && f->bytes.n >= SLL2 + IPV4 + UDP && be16(p) == ETHERTYPE_IPV4) {
        *direction = sll_direction(p[10]);
        return SLL2;
    }
    return 0;
}

bool plain_udp(const struct frame *f, struct net_packet *out)
{
    enum net_direction direction;
    const uint8_t *ip, *udp;
    size_t link = plain_link(f, &direction), total, length, captured;
    unsigned port;

    if (!link || f->wire < f->bytes.n)
        return false;
    ip = f->bytes.p + link;
    udp = ip + IPV4;
    total = be16(ip + 2);
    length = be16(udp + 4);
    port = be16(udp + 2);
    if (ip[0] != IPV4_NO_OPTIONS || ip[9] != PROTO_UDP || (ip[6] & MORE_OR_OFFSET) || ip[7] || total > f->wire - link ||
        length < UDP || length + IPV4 > total || is_tunnel_port(port))
        return false;
    captured = f->bytes.n - link - IPV4 < length ? f->bytes.n - link - IPV4 : length;
    out->src = addr_v4(ip + 12, (uint16_t)be16(udp));
    out->dst = addr_v4(ip + 16, (uint16_t)port);
    out->ttl = ip[8];
    out->v6 = out->inside = false;
    out->direction = direction;
    out->payload = (struct rd){ udp + UDP, udp + captured, length - captured, RD_FINE };
    return true;
}
