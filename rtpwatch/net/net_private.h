/* What the files of net/ share. Nothing outside this folder includes it. */
#ifndef RW_NET_PRIVATE_H
#define RW_NET_PRIVATE_H

#include "base/clock.h"
#include "net/net.h"

/* LINKTYPE_ and DLT_ values, as they stand in capture files and as libpcap tells them on Linux and the BSDs. */
enum link_type {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW_FILE = 101,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276
};

enum ethertype { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86dd, ETHERTYPE_MPLS = 0x8847 };

/* Where datagrams to it may carry another packet (RFC 7348 §5, RFC 8926 §3.3). */
enum tunnel_port { PORT_VXLAN = 4789, PORT_GENEVE = 6081 };
static inline bool is_tunnel_port(unsigned port)
{
    return port == PORT_VXLAN || port == PORT_GENEVE;
}

enum ip_protocol {
    PROTO_HOP_BY_HOP = 0,
    PROTO_ICMP = 1,
    PROTO_IPV4 = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_IPV6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_GRE = 47,
    PROTO_AH = 51,
    PROTO_ICMPV6 = 58,
    PROTO_NO_NEXT = 59,
    PROTO_DESTINATION = 60
};

/* A bounded table: keys to slots, hashed, with the slots in order of last use. */
struct key {
    struct addr src, dst;
    uint32_t id, proto; /* no padding: compared as bytes */
};

struct table_link {
    struct key key;
    uint32_t next;         /* in the same bucket; 0 ends it */
    uint32_t older, newer; /* by last use, a ring through slot 0 */
};

struct table {
    struct table_link *link; /* slots 1 to cap; slot 0 is none */
    uint32_t *bucket;
    uint32_t cap, mask, used;
    uint32_t free; /* chained through `next` */
};

bool table_init(struct table *t, uint32_t cap); /* false without memory */
void table_free(struct table *t);
uint32_t table_find(const struct table *t, const struct key *k); /* 0: not there */
uint32_t table_add(struct table *t, const struct key *k);        /* newest; 0: full */
void table_remove(struct table *t, uint32_t slot);
void table_touch(struct table *t, uint32_t slot); /* becomes the newest */
static inline uint32_t table_oldest(const struct table *t)
{
    return t->link[0].newer; /* 0: empty */
}

/* Fragments of IP packets (frag.c). */
struct fragment {
    struct key key;
    size_t offset;
    bool more;
    uint8_t next;   /* the protocol that the reassembled bytes begin with */
    struct rd body; /* not yet read */
};

struct frags {
    struct table table;
    struct frag *slot; /* [0] unused */
    uint8_t *done;     /* the packet that was completed last */
    int64_t now_ns;
};

/* Streams (tcp.c). */
struct tcp {
    struct table table;
    struct tcp_stream *slot; /* [0] unused */
    size_t memory;           /* bytes held by all streams */
    uint64_t waiting;        /* segments behind holes in all streams */
};

struct net {
    struct tcp_sink sink;
    struct fault_log *faults;
    struct net_stats stats;
    struct frags frags;
    struct tcp tcp;
};

/* One frame on its way through the layers. */
struct decode {
    struct net *net;
    const struct frame *frame;
    struct net_packet *out;
    unsigned depth; /* headers with another packet inside that were opened */
};

enum net_kind net_fault(const struct decode *d, enum fault_id id, enum net_kind kind); /* notes it and returns `kind` */

/* Which way a frame went, as the packet type of a Linux cooked header tells (link.c). */
enum net_direction sll_direction(unsigned packet_type);
/* plain.c: fills all of *out but ts_ns and frame for a plain datagram's frame; false: not one, nothing is filled. */
bool plain_udp(const struct frame *f, struct net_packet *out);
enum net_kind link_input(struct decode *d, struct rd *r);
enum net_kind ethernet_input(struct decode *d, struct rd *r);
/* What follows an ethertype. */
enum net_kind ethertype_input(struct decode *d, uint16_t ethertype, struct rd *r);
/* An IP packet of whichever version its first four bits say. */
enum net_kind ip_input(struct decode *d, struct rd *r);
enum net_kind ip4_input(struct decode *d, struct rd *r);
enum net_kind ip6_input(struct decode *d, struct rd *r);
/* What an IP packet carries, whole. */
enum net_kind ip_payload(struct decode *d, uint8_t proto, struct rd *r);
enum net_kind udp_input(struct decode *d, struct rd *r);
enum net_kind tcp_input(struct decode *d, struct rd *r);

/* Tunnels (tunnel.c). One is opened: false, it is one too many. */
bool tunnel_enter(struct decode *d);
enum net_kind gre_input(struct decode *d, struct rd *r);
enum net_kind mpls_input(struct decode *d, struct rd *r);
/* The datagram that *d->out is goes to a tunnel's port. NET_UDP: it is none of a tunnel, and stays as it is. */
enum net_kind udp_tunnel_input(struct decode *d);

bool frags_init(struct frags *f);
void frags_free(struct frags *f);
/* Takes a fragment. NET_FRAGMENT and NET_BAD end the frame; NET_KINDS: *whole and *next are a packet, until the next call. */
enum net_kind frags_add(struct decode *d, const struct fragment *fragment, struct rd *whole, uint8_t *next);
void frags_flush(struct net *n);

bool tcp_init(struct tcp *t);
void tcp_free(struct tcp *t);
void tcp_flush(struct net *n);

#endif
