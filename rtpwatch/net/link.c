/*
 * Link layers, down to the IP packet.
 *
 *   Ethernet           destination 6 · source 6 · ethertype 2
 *   802.1Q, 802.1ad    priority and VLAN 2 · ethertype 2, put in before the ethertype
 *   PPPoE (RFC 2516)   version and type 1 · code 1 · session 2 · length 2 · PPP protocol 2
 *   Linux cooked v1    packet type 2 · ARPHRD 2 · address length 2 · address 8 · ethertype 2
 *   Linux cooked v2    ethertype 2 · reserved 2 · interface 4 · ARPHRD 2 · packet type 1 · address length 1 · address 8
 *   NULL, LOOP         address family 4, in the byte order of the host that captured, or big-endian
 */
#include "net/net_private.h"

enum {
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88a8,
    ETHERTYPE_QINQ_OLD = 0x9100,
    ETHERTYPE_PPPOE = 0x8864,
    ETHERTYPE_MPLS_MULTICAST = 0x8848,
    ETHERTYPE_MACSEC = 0x88e5,
    ETHERTYPE_PBB = 0x88e7,
    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,
    PPPOE_VERSION_TYPE = 0x11,
    SLL_TO_US = 0,
    SLL_OUTGOING = 4
};

static bool is_vlan(uint16_t ethertype)
{
    return ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ || ethertype == ETHERTYPE_QINQ_OLD;
}

static enum net_kind pppoe_input(struct decode *d, struct rd *r)
{
    uint8_t version_type = rd_u8(r), code = rd_u8(r);
    uint16_t length, protocol;
    struct rd body;

    (void)rd_u16(r); /* session */
    length = rd_u16(r);
    if (!r->err && (version_type != PPPOE_VERSION_TYPE || code != 0))
        return NET_NOT_IP;
    body = rd_sub(r, length);
    protocol = rd_u16(&body);
    if (body.err)
        return net_fault(d, FAULT_LINK_SHORT, NET_BAD);
    return protocol == PPP_IPV4 ? ip4_input(d, &body) : protocol == PPP_IPV6 ? ip6_input(d, &body) : NET_NOT_IP;
}

/* The rarer ethertypes, apart so that IP is found at once. */
static enum net_kind other_ethertype(struct decode *d, uint16_t ethertype, struct rd *r)
{
    switch (ethertype) {
    case ETHERTYPE_PPPOE: d->depth++; return pppoe_input(d, r);
    case ETHERTYPE_VLAN:
    case ETHERTYPE_QINQ:
    case ETHERTYPE_QINQ_OLD: return net_fault(d, FAULT_IP_DEPTH, NET_UNSUPPORTED);
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_MULTICAST: return mpls_input(d, r);
    case ETHERTYPE_MACSEC:
    case ETHERTYPE_PBB: return net_fault(d, FAULT_LINK_UNSUPPORTED, NET_UNSUPPORTED);
    default: return NET_NOT_IP;
    }
}

enum net_kind ethertype_input(struct decode *d, uint16_t ethertype, struct rd *r)
{
    for (unsigned tags = 0; is_vlan(ethertype) && tags < NET_DEPTH; tags++) {
        (void)rd_u16(r);
        ethertype = rd_u16(r);
    }
    if (r->err)
        return net_fault(d, FAULT_LINK_SHORT, NET_BAD);
    if (ethertype == ETHERTYPE_IPV4)
        return ip4_input(d, r);
    if (ethertype == ETHERTYPE_IPV6)
        return ip6_input(d, r);
    return other_ethertype(d, ethertype, r);
}

enum net_kind ethernet_input(struct decode *d, struct rd *r)
{
    (void)rd_take(r, 12);
    return ethertype_input(d, rd_u16(r), r);
}

enum net_direction sll_direction(unsigned packet_type)
{
    return packet_type == SLL_OUTGOING ? NET_DIR_OUT : packet_type == SLL_TO_US ? NET_DIR_IN : NET_DIR_UNKNOWN;
}

static enum net_kind sll_input(struct decode *d, struct rd *r)
{
    uint16_t packet_type = rd_u16(r), ethertype;

    (void)rd_take(r, 12);
    ethertype = rd_u16(r);
    d->out->direction = sll_direction(packet_type);
    return ethertype_input(d, ethertype, r);
}

static enum net_kind sll2_input(struct decode *d, struct rd *r)
{
    uint16_t ethertype = rd_u16(r);
    uint8_t packet_type;

    (void)rd_take(r, 8);
    packet_type = rd_u8(r);
    (void)rd_take(r, 9);
    d->out->direction = sll_direction(packet_type);
    return ethertype_input(d, ethertype, r);
}

/* AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS. */
static enum net_kind family_input(struct decode *d, struct rd *r)
{
    uint16_t high = rd_u16(r), low = rd_u16(r);
    unsigned family = high ? (unsigned)(high >> 8 | (high & 0xff) << 8) : low;

    if (r->err)
        return net_fault(d, FAULT_LINK_SHORT, NET_BAD);
    if (high && low)
        return NET_NOT_IP;
    switch (family) {
    case 2: return ip4_input(d, r);
    case 10:
    case 24:
    case 28:
    case 30: return ip6_input(d, r);
    default: return NET_NOT_IP;
    }
}

enum net_kind link_input(struct decode *d, struct rd *r)
{
    switch (d->frame->link) {
    case LINK_ETHERNET: return ethernet_input(d, r);
    case LINK_LINUX_SLL: return sll_input(d, r);
    case LINK_LINUX_SLL2: return sll2_input(d, r);
    case LINK_NULL:
    case LINK_LOOP: return family_input(d, r);
    case LINK_RAW:
    case LINK_RAW_OPENBSD:
    case LINK_RAW_FILE: return ip_input(d, r);
    case LINK_IPV4: return ip4_input(d, r);
    case LINK_IPV6: return ip6_input(d, r);
    default: return net_fault(d, FAULT_LINK_UNSUPPORTED, NET_UNSUPPORTED);
    }
}
