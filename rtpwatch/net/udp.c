/*
 * UDP (RFC 768): source port 2 · destination port 2 · length 2 · checksum 2 · data. Checksums are not looked at: captured
 * on the sending host they are not yet computed.
 */
#include "net/net_private.h"

enum { UDP_HEADER = 8 };

enum net_kind udp_input(struct decode *d, struct rd *r)
{
    uint16_t src = rd_u16(r), dst = rd_u16(r), length = rd_u16(r);

    (void)rd_u16(r);
    if (r->err)
        return net_fault(d, FAULT_UDP_LENGTH, NET_BAD);
    d->out->src.port = src;
    d->out->dst.port = dst;
    if (length < UDP_HEADER || length - (size_t)UDP_HEADER > rd_wire_left(r)) {
        d->out->payload = *r;
        return net_fault(d, FAULT_UDP_LENGTH, NET_UDP);
    }
    d->out->payload = rd_sub(r, length - (size_t)UDP_HEADER);
    return is_tunnel_port(dst) ? udp_tunnel_input(d) : NET_UDP;
}
