/*
 * What carries another packet: so mirror ports, overlays and clouds bring the traffic of others to a probe. Inside is an Ethernet frame or
 * an IP packet.
 *
 *   GRE (RFC 2784, RFC 2890)   flags, version 2 · protocol 2 · [checksum 2, reserved 2] · [key 4] · [sequence number 4]
 *   ERSPAN I                   GRE without a sequence number, and nothing more
 *   ERSPAN II                  version 4 bits, VLAN and class 2 · session 2 · index 4 (draft-foschiano-erspan §4.2)
 *   ERSPAN III                 the same 4 · timestamp 4 · group 2 · frame type, ..., O 2 · [O: platform 8] (§4.3)
 *   VXLAN (RFC 7348 §5)        flags 1 · reserved 3 · network 3 · reserved 1
 *   GENEVE (RFC 8926 §3.4)     version 2 bits, options' length 6 bits · flags 1 · protocol 2 · network 3 · reserved 1 · options
 *   MPLS (RFC 3032 §2.1)       entries: label 20 bits, class 3 bits, bottom 1 bit, TTL 8 bits
 */
#include "net/net_private.h"

enum {
    ETHERTYPE_TEB = 0x6558, /* transparent Ethernet bridging (RFC 7637 §3.2) */
    ETHERTYPE_ERSPAN = 0x88be,
    ETHERTYPE_ERSPAN3 = 0x22eb,
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000, /* RFC 1701; to be refused (RFC 2784 §2.3) */
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_VERSION = 0x0007, /* 1: PPTP (RFC 2637) */
    ERSPAN3_FRAME_TYPE = 0x7c00,
    ERSPAN3_IP = 0x0800,
    ERSPAN3_PLATFORM = 0x0001,
    VXLAN_HEADER = 8,
    VXLAN_NETWORK = 0x08, /* the flag that says that there is one */
    GENEVE_HEADER = 8,
    GENEVE_RESERVED = 0x3f,
    MPLS_BOTTOM = 0x100,
    MPLS_ENTRIES = 16
};

/* Which way the outer packet went tells nothing of whom the inner one is from. */
bool tunnel_enter(struct decode *d)
{
    d->out->inside = true;
    d->out->direction = NET_DIR_UNKNOWN;
    return d->depth++ < NET_DEPTH;
}

static enum net_kind too_deep(const struct decode *d)
{
    return net_fault(d, FAULT_IP_DEPTH, NET_UNSUPPORTED);
}

/* ---- GRE ---- */

static enum net_kind erspan3_input(struct decode *d, struct rd *r)
{
    uint16_t last;

    (void)rd_take(r, 10);
    last = rd_u16(r);
    if (last & ERSPAN3_PLATFORM)
        (void)rd_take(r, 8);
    return (last & ERSPAN3_FRAME_TYPE) == ERSPAN3_IP ? ip_input(d, r) : ethernet_input(d, r);
}

static enum net_kind gre_carries(struct decode *d, uint16_t flags, uint16_t protocol, struct rd *r)
{
    switch (protocol) {
    case ETHERTYPE_ERSPAN:
        if (flags & GRE_SEQUENCE)
            (void)rd_take(r, 8);
        return ethernet_input(d, r);
    case ETHERTYPE_ERSPAN3: return erspan3_input(d, r);
    case ETHERTYPE_TEB: return ethernet_input(d, r);
    case ETHERTYPE_IPV4:
    case ETHERTYPE_IPV6:
    case ETHERTYPE_MPLS: return ethertype_input(d, protocol, r);
    default: return net_fault(d, FAULT_IP_PROTOCOL, NET_OTHER_IP);
    }
}

enum net_kind gre_input(struct decode *d, struct rd *r)
{
    uint16_t flags = rd_u16(r), protocol = rd_u16(r);

    if (flags & (GRE_ROUTING | GRE_VERSION))
        return net_fault(d, FAULT_IP_PROTOCOL, NET_OTHER_IP);
    for (unsigned field = GRE_CHECKSUM; field >= GRE_SEQUENCE; field >>= 1)
        if (flags & field)
            (void)rd_u32(r);
    if (r->err)
        return net_fault(d, FAULT_LINK_SHORT, NET_BAD);
    return tunnel_enter(d) ? gre_carries(d, flags, protocol, r) : too_deep(d);
}

/* ---- over UDP: a port alone proves nothing, since calls may use it as well ---- */

static bool is_vxlan(struct span s)
{
    return s.n >= VXLAN_HEADER && s.p[0] == VXLAN_NETWORK && !s.p[7];
}

static bool is_geneve(struct span s)
{
    unsigned protocol = s.n >= GENEVE_HEADER ? (unsigned)s.p[2] << 8 | s.p[3] : 0;

    return s.n >= GENEVE_HEADER && s.p[0] >> 6 == 0 && !(s.p[1] & GENEVE_RESERVED) && !s.p[7] &&
           (protocol == ETHERTYPE_TEB || protocol == ETHERTYPE_IPV4 || protocol == ETHERTYPE_IPV6);
}

static enum net_kind geneve_input(struct decode *d, struct rd *r)
{
    size_t options = (size_t)(rd_u8(r) & 0x3f) * 4;
    uint16_t protocol;

    (void)rd_u8(r);
    protocol = rd_u16(r);
    (void)rd_take(r, 4 + options);
    return protocol == ETHERTYPE_TEB ? ethernet_input(d, r) : ethertype_input(d, protocol, r);
}

enum net_kind udp_tunnel_input(struct decode *d)
{
    struct rd r = d->out->payload;
    bool vxlan = d->out->dst.port == PORT_VXLAN;

    if (vxlan ? !is_vxlan(rd_rest(&r)) : !is_geneve(rd_rest(&r)))
        return NET_UDP;
    if (!tunnel_enter(d))
        return too_deep(d);
    if (!vxlan)
        return geneve_input(d, &r);
    (void)rd_take(&r, VXLAN_HEADER);
    return ethernet_input(d, &r);
}

/* ---- MPLS ---- */

/* What labels carry is not said: who sends it sees to it that its first four bits tell (RFC 4928 §3, RFC 4385 §3). */
static enum net_kind mpls_carries(struct decode *d, struct rd *r)
{
    struct span s = rd_rest(r);

    switch (s.n ? s.p[0] >> 4 : 0xf) {
    case 4: return ip4_input(d, r);
    case 6: return ip6_input(d, r);
    case 0: (void)rd_u32(r); return ethernet_input(d, r); /* a pseudowire's control word */
    default: return net_fault(d, FAULT_LINK_UNSUPPORTED, NET_UNSUPPORTED);
    }
}

enum net_kind mpls_input(struct decode *d, struct rd *r)
{
    uint32_t entry = 0;

    for (unsigned i = 0; i < MPLS_ENTRIES && !(entry & MPLS_BOTTOM) && !r->err; i++)
        entry = rd_u32(r);
    if (r->err)
        return net_fault(d, FAULT_LINK_SHORT, NET_BAD);
    return entry & MPLS_BOTTOM && tunnel_enter(d) ? mpls_carries(d, r) : too_deep(d);
}
