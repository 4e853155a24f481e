/*
 * Frame to datagram, ICMP message or stream bytes: link layers, tunnels, IPv4 and IPv6 with fragments put together, UDP, and TCP in
 * order. Knows no application protocol.
 */
#ifndef RW_NET_H
#define RW_NET_H

#include "base/addr.h"
#include "base/fault.h"
#include "base/rd.h"
#include "capture/capture.h"

/* What became of a frame. Each frame gets exactly one. */
enum net_kind {
    NET_UDP,         /* *out is one datagram, whole or cut */
    NET_ICMP,        /* *out.payload is an ICMP or ICMPv6 message (out->v6) */
    NET_TCP,         /* a segment; its bytes went to the stream sink */
    NET_FRAGMENT,    /* kept until the rest comes */
    NET_NOT_IP,      /* ARP, LLDP, ... */
    NET_OTHER_IP,    /* another IP protocol (IGMP, ESP, ...) */
    NET_UNSUPPORTED, /* a link layer or encapsulation that is not looked into */
    NET_BAD,         /* broken below the transport; a fault says how */
    NET_KINDS
};

enum net_direction { NET_DIR_UNKNOWN, NET_DIR_IN, NET_DIR_OUT }; /* from Linux cooked headers only */

struct net_packet {
    int64_t ts_ns;
    uint64_t frame; /* the frame that completed it, as Wireshark tells it */
    uint64_t since; /* the earliest frame with a part of it: its first fragment to come, or the segment where these bytes begin */
    struct addr src, dst;
    struct rd payload; /* what the transport carries, with what the snap length cut off */
    uint8_t ttl;       /* of the frame: IPv4 TTL or IPv6 hop limit */
    bool v6;
    bool inside; /* a tunnel's: all of the above is of the innermost packet */
    enum net_direction direction;
};

/*
 * One direction of one TCP connection has new in-order bytes: `bytes` is all that was not yet consumed. Returns how many
 * are consumed; what is left comes again with more behind it. TCP_IGNORE: this direction interests nobody; it is no more told.
 * `after_gap`: bytes before these were lost (not captured, or given up), and the buffer begins behind the hole.
 */
#define TCP_IGNORE ((size_t)-1)
struct tcp_sink {
    void *self;
    size_t (*data)(void *self, const struct net_packet *segment, struct span bytes, bool after_gap);
};

enum {
    NET_FRAGMENTED_KEPT = 1024,  /* IP packets in reassembly */
    NET_FRAGMENT_TIMEOUT_S = 30, /* RFC 791 leaves it open; Linux waits 30 s */
    NET_TCP_KEPT = 16384,        /* directions of connections */
    NET_TCP_BUFFER = 256 * 1024, /* unconsumed bytes of one direction */
    NET_TCP_OUT_OF_ORDER = 64,   /* segments waiting for a hole to fill, per direction */
    NET_DEPTH = 4,               /* packets inside one another: IP in IP, GRE, VXLAN, PPPoE, ... */
};

struct net_stats {
    uint64_t kinds[NET_KINDS];
    uint64_t fragments, reassembled, tcp_retransmitted, tcp_out_of_order, tcp_gaps;
};

struct net;
struct net *net_new(struct tcp_sink sink, struct fault_log *faults); /* NULL without memory; faults is borrowed */
void net_free(struct net *n);                                        /* NULL: nothing */

/*
 * Decodes one frame. *out means something for NET_UDP and NET_ICMP, until the next call; of a NET_FRAGMENT its `since`, which is the same
 * for all fragments of a packet and for what they make, and of NET_TCP the two ends and the payload.
 */
enum net_kind net_frame(struct net *n, const struct frame *f, struct net_packet *out);

/*
 * The frame that nearly all voice comes in, decoded at once: a datagram in IPv4 without options or fragments, in Ethernet or Linux cooked,
 * to no port that tunnels use. False: some other frame, for net_frame(), which gives the same for these too.
 */
bool net_plain(struct net *n, const struct frame *f, struct net_packet *out);

/* The IP packet in a frame, as captured, without link header and padding; empty: none is seen at its usual place. */
struct span net_ip_bytes(const struct frame *f);
/* May that packet carry another one? Its first bytes are then those of many. */
bool net_ip_tunnels(struct span ip);

/* Gives up what still waits (fragments, holes in streams), so that it is counted. Call at the end of input. */
void net_flush(struct net *n);
const struct net_stats *net_stats(const struct net *n);

#endif
