/*
 * The frame that nearly all voice comes in: Ethernet, IPv4 without options or fragments, UDP, whole as captured. All fixed headers are
 * checked at once and read in place; whatever is otherwise in any respect goes the general way, which gives the same for these too.
 */
#include "net/net_private.h"

enum { ETHERNET = 14, IPV4 = 20, UDP = 8, IPV4_NO_OPTIONS = 0x45, MORE_OR_OFFSET = 0x3f, PROTOCOL_UDP = 17 };

static size_t be16(const uint8_t *p)
{
    return (size_t)(p[0] << 8 | p[1]);
}

bool plain_udp(const struct frame *f, struct net_packet *out)
{
    const uint8_t *ip, *udp;
    size_t room, total, length;

    if (f->link != LINK_ETHERNET || f->bytes.n < ETHERNET + IPV4 + UDP || f->wire != f->bytes.n)
        return false;
    ip = f->bytes.p + ETHERNET;
    udp = ip + IPV4;
    room = f->bytes.n - ETHERNET;
    total = be16(ip + 2);
    length = be16(udp + 4);
    if (be16(ip - 2) != 0x0800 || ip[0] != IPV4_NO_OPTIONS || ip[9] != PROTOCOL_UDP || (ip[6] & MORE_OR_OFFSET) || ip[7] ||
        total > room || length < UDP || length + IPV4 > total)
        return false;
    out->src = addr_v4(ip + 12, (uint16_t)be16(udp));
    out->dst = addr_v4(ip + 16, (uint16_t)be16(udp + 2));
    out->ttl = ip[8];
    out->v6 = false;
    out->payload = rd_init((struct span){ udp + UDP, length - UDP }, length - UDP);
    return true;
}
