/*
 * The notebook of facts: messages go in, facts can be looked at. It decides nothing, prints nothing and knows no packet format
 * beyond the dissectors' structs. Time comes with every fact; there is no other clock.
 */
#ifndef RW_TRACK_H
#define RW_TRACK_H

#include "base/clock.h"
#include "base/fault.h"
#include "base/hmap.h"
#include "dissectors/dns.h"
#include "dissectors/dtls.h"
#include "dissectors/rtcp.h"
#include "dissectors/rtp.h"
#include "dissectors/stun.h"
#include "track/facts.h"

/* Caps. A full table refuses what is new, counts it (`pool.refused`) and the report shows the fault. */
enum {
    TRACK_FLOWS = 4 << 20,
    TRACK_STREAMS = 4 << 20,
    TRACK_SOCKETS = 4 << 20,
    TRACK_CALLS = 1 << 20,
    TRACK_STUN = 2 << 20,
    TRACK_SERVERS = 4096,
    TRACK_CHECKS = 1 << 20,
    TRACK_NAMES = 1 << 16,
    TRACK_OUTSIDES = 1 << 16,
    TRACK_RTCPS = 2 << 20,
    TRACK_STREAMS_PER_FLOW =
        64, /* that begin within a minute; and so many are looked through for an SSRC. RTCP: senders, and blocks */
    TRACK_TIDS = 8 << 20,
    TRACK_PASSWORDS = 1 << 20,
    TRACK_ALLOCS = 1 << 18,
    TRACK_TURN_PEERS = 1 << 20,
    TRACK_CONNS = 1 << 18,
    TRACK_LINK_HEADERS = 16,
    TRACK_RESTARTS = 1 << 16,
    TRACK_DTLS = 1 << 18,
    TRACK_DTLS_PER_PAIR = 16, /* handshakes between two addresses; what follows counts for the last */
    TRACK_DTLS_JOINS = 4096,  /* messages in fragments under way */
    TRACK_CERTIFICATES = 1 << 15,
    TRACK_LABELS = 8,        /* headers whose values are kept with each call */
    TRACK_LABEL_VALUE = 128, /* bytes of a value; what is longer is cut */
    TRACK_STREAM_IDS = 1 << 20,
    TRACK_SHARED_TEXTS = 256,
    TRACK_SHARED_FORMATS = 64,
    TRACK_CALL_ROOM = 704, /* bytes, whole cache lines: what a call with two plain descriptions has to say fits in */
};
#define TRACK_SILENCE_NS SECONDS(2) /* a stream that pauses longer begins a new record when it comes back */
enum { TRACK_IN_SEQUENCE = 3 };     /* packets in sequence that make an unexpected stream RTP (RFC 3550 A.1 asks for 2) */

/* A datagram's ends and time, as the network layer tells them. */
struct datagram {
    struct seen at;
    uint64_t since; /* the earliest frame with a part of it */
    struct addr src, dst;
    size_t size; /* UDP payload on the wire, bytes */
    uint8_t ttl;
    bool left_here;
    bool relayed; /* seen inside what a TURN client and its server exchange */
};

/*
 * For who looks at flows every second and leaves alone those that doze: the flows that had no packet for TRACK_DOZE_NS and then one, in the
 * order of these, some more than once. New flows are not among them: they have the slots behind the others.
 */
#define TRACK_DOZE_NS SECONDS(10)
#define TRACK_LATE_NS SECONDS(5)
struct flow_wakes {
    bool noted;  /* track_note_wakes(): somebody looks */
    bool missed; /* there was no memory for some, or time went back by more than TRACK_LATE_NS: nobody may be left alone */
    uint32_t n, room;
    uint32_t *slot;
};

/*
 * What many calls say in the same words is kept once, as long as the track: user agents, and the payload types of m= lines. Each has one
 * cell where it may be; a call that finds another there keeps its own.
 */
struct shared {
    struct arena arena;
    struct shared_text {
        const char *text; /* NULL: none yet */
        size_t n;
    } text[TRACK_SHARED_TEXTS];
    struct shared_formats {
        const struct format_desc *formats; /* NULL: none yet */
        uint8_t n;
    } formats[TRACK_SHARED_FORMATS];
};

struct track {
    struct fault_log *faults; /* borrowed */
    struct arena arena;       /* names and other strings that live as long as the track */
    struct shared shared;
    struct pool sockets, flows, streams, calls, stun_txs, servers, checks, names, outsides, rtcps, abouts, icmps, passwords,
        allocs, turn_peers, conns, restarts, dtls, dtls_joins, certificates, stream_ids;
    struct pool call_rooms; /* of TRACK_CALL_ROOM bytes: where the arena of a call begins */
    struct hmap by_dtls, by_certificate;
    struct hmap by_socket, by_flow, by_call_id, by_tid, by_old_tid, by_server, by_name, by_outside, by_ufrag, by_conn;
    const char *link_header[TRACK_LINK_HEADERS]; /* beside those that are known */
    size_t link_headers;
    uint64_t link_names;        /* of the headers that link calls, see name_bit() in links.c */
    uint64_t relays_asked;      /* Allocate requests, retransmissions too: where there are none, nobody looks for one */
    uint64_t stun_unmatched;    /* answers without their request */
    uint64_t icmp_unmatched;    /* errors that quote no flow of this capture */
    uint64_t disbelieved;       /* packets of streams that were given up and that nothing had made RTP (TRACK_IN_SEQUENCE) */
    uint64_t sip_outside_calls; /* REGISTER, OPTIONS, ... */
    struct seen first, last;
    const char *const *label; /* borrowed: full names of SIP headers */
    size_t labels;
    struct stun_mac mac;
    struct flow_wakes wakes;
};

struct track *track_new(struct fault_log *faults); /* NULL without memory */
void track_free(struct track *t);                  /* NULL: nothing */
/*
 * Gives up what no session that lasts at `now_ns`, or has ended in the last minute, can need, and moves the rest together: every slot has
 * another number then, and every id is stale. A call of which nothing was seen for 10 minutes ends, and is given up the next time. False
 * without memory: the track can then only be freed.
 */
bool track_compact(struct track *t, int64_t now_ns);
/*
 * Bytes that the notebook holds, without what malloc() itself adds. `each` (may be NULL) is told the name of every table and its share.
 */
size_t track_memory(const struct track *t, void (*each)(void *self, const char *table, size_t bytes), void *self);
/* Of each call that begins from here on, what its INVITE says in these headers is kept; at most TRACK_LABELS, borrowed. */
void track_labels(struct track *t, const char *const *names, size_t n);

void track_note_wakes(struct track *t); /* before the first packet */
void track_miss_wakes(struct track *t); /* a packet comes that is older than the newest by more than TRACK_LATE_NS */

/* One more header whose value links calls; `name` is borrowed as long as the track lives. False: there are TRACK_LINK_HEADERS. */
bool track_link_header(struct track *t, const char *name);

/* ---- recording ---- */

/* The flow of a datagram, made when it is new; NULL when a table is full (counted). Counts the datagram. */
struct flow *track_flow(struct track *t, const struct datagram *d);
/*
 * Datagrams that come together are announced together: the processor is asked for the memory that they will need, so that it is there when
 * their turn comes (a look-up in a large table waits for memory and does little else). Nothing is recorded. At most TRACK_AHEAD of them.
 */
enum { TRACK_AHEAD = 32 };
struct flow_ahead {
    const struct addr *src, *dst; /* borrowed until track_ahead() returns */
    uint64_t hash;                /* of both, given by track_ahead() */
    struct flow *likely;          /* given by it too: the flow of these two, or of others; NULL: not known yet */
};
void track_ahead(const struct track *t, struct flow_ahead *ahead, size_t n);
/* The same for messages, by the names that they bear: what has one of these is looked for soon. */
struct message_ahead {
    struct span name; /* a Call-ID, or the STUN_TID bytes of a transaction id; borrowed until track_ahead_messages() returns */
    const struct addr *asker; /* of STUN: who asks; NULL: it is SIP */
    uint64_t hash;            /* given by track_ahead_messages() */
};
void track_ahead_messages(const struct track *t, struct message_ahead *m, size_t n); /* at most TRACK_AHEAD */
/* track_flow() of a datagram that was announced, unless the notebook was made smaller meanwhile. */
struct flow *track_flow_announced(struct track *t, const struct datagram *d, const struct flow_ahead *ahead);
enum rtp_taken { RTP_REFUSED, RTP_KNOWN, RTP_FIRST /* a new record begins with it */ };
/* Records one RTP packet of `f`. Refused where the flow has had too many SSRCs to be RTP. */
enum rtp_taken track_rtp(struct track *t, struct flow *f, const struct datagram *d, const struct rtp_msg *m);
/* Keeps what the header extension says of the packet that track_rtp() recorded last on `f`; of first packets, others cost too much. */
void track_rtp_ids(struct track *t, const struct flow *f, const struct rtp_msg *m);
void track_rtcp(struct track *t, struct flow *f, const struct datagram *d, const struct rtcp_msg *m);

enum stun_role { STUN_OF_SERVER, STUN_OF_CHECK, STUN_OF_NOBODY };
/*
 * Records one STUN message and says what it belongs to. STUN_OF_NOBODY: a response whose request is not in the capture; one
 * without magic cookie is then no STUN at all.
 */
enum stun_role track_stun(struct track *t, struct flow *f, const struct datagram *d, const struct stun_msg *m);
/*
 * What a TURN message on flow `f` carries between the relayed address and a peer: as if the client had it at the relay. `peer`: of a
 * Send or Data indication. False: no allocation is known for that flow.
 */
bool track_turn_data(struct track *t, const struct flow *f, const struct datagram *d, const struct addr *peer, size_t size,
                     struct datagram *inner);
#define TURN_PERMISSION_NS SECONDS(300) /* RFC 8656 §9 */
#define TURN_CHANNEL_NS    SECONDS(600) /* RFC 8656 §12 */
/* What the relay did for that IP; NULL: nothing that was seen. */
struct turn_peer *track_turn_peer(const struct track *t, const struct turn_alloc *a, const struct addr *peer);
/* When the allocation ends, as far as its answers tell: what is relayed later is lost. */
int64_t turn_alloc_end(const struct turn_alloc *a);
/* The peer that a channel of the flow's allocation is bound to (RFC 8656 §12); false: none known. */
bool track_turn_channel(const struct track *t, const struct flow *f, uint16_t number, struct addr *peer);
/* A connection that may carry signalling: the client's first bytes were a TLS ClientHello or a WebSocket upgrade. */
void track_connection(struct track *t, const struct datagram *from_client);
/* A segment with something in it: counted where its connection is known. */
void track_segment(struct track *t, const struct datagram *d);
/* What the connection of that segment carries is read. */
void track_connection_read(struct track *t, const struct datagram *d);
/*
 * Records one DTLS datagram. What its fragments complete is decoded anew in *m (faults into *why). `cut`: the snap length removed
 * part of it.
 */
void track_dtls(struct track *t, const struct datagram *d, struct dtls_msg *m, bool cut, struct faults *why);
void track_icmp(struct track *t, const struct datagram *d, const struct icmp_msg *m);
void track_dns(struct track *t, const struct datagram *d, const struct dns_msg *m);
/* One SIP message with its SDP (NULL: none). */
void track_sip(struct track *t, const struct datagram *d, const struct sip_msg *m, const struct sdp *sdp, struct span sdp_bytes);

/* ---- looking ---- */

static inline struct socket *track_socket(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->sockets, slot);
}
static inline struct flow *track_flow_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->flows, slot);
}
static inline struct stream *track_stream_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->streams, slot);
}
static inline struct stun_tx *track_tx_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->stun_txs, slot);
}
static inline struct stun_server *track_server_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->servers, slot);
}
static inline struct check *track_check_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->checks, slot);
}
static inline struct rtcp_sender *track_rtcp_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->rtcps, slot);
}
static inline struct rtcp_about *track_about_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->abouts, slot);
}
static inline struct icmp_about *track_icmp_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->icmps, slot);
}
static inline struct turn_alloc *track_alloc_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->allocs, slot);
}
static inline struct turn_peer *track_turn_peer_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->turn_peers, slot);
}
static inline struct dtls_assoc *track_dtls_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->dtls, slot);
}
static inline struct call *track_call_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->calls, slot);
}

static inline const struct stream_ids *track_ids_at(const struct track *t, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&t->stream_ids, slot);
}

/*
 * Ports come side by side, RTP's with RTCP's and a call's with those of the next: SOCKET_NEIGHBOURS of them have their cells in one line
 * of the cache, wherever that is.
 */
enum { SOCKET_NEIGHBOURS = 4 };
static inline uint64_t socket_hash(const struct addr *a)
{
    struct addr group = addr_with_port(*a, a->port / SOCKET_NEIGHBOURS);

    return addr_hash(&group) ^ (uint64_t)(a->port % SOCKET_NEIGHBOURS) << 32;
}

struct socket *track_find_socket(const struct track *t, const struct addr *a); /* NULL: never seen */
/* Asks the processor for what track_find_socket() reads first, so that one soon after does not wait for memory. */
static inline void track_find_socket_ahead(const struct track *t, const struct addr *a)
{
    hmap_prefetch(&t->by_socket, socket_hash(a));
}
struct flow *track_find_flow(const struct track *t, const struct addr *src, const struct addr *dst); /* NULL: never seen */
bool track_knows_ufrag(const struct track *t, struct span ufrag); /* an SDP gave that ICE username fragment */
/* The latest DTLS handshake between two addresses, in either order; NULL: none was seen. */
struct dtls_assoc *track_find_dtls(const struct track *t, const struct addr *a, const struct addr *b);
/* The fingerprint of the certificate that this end showed, see dtls_fingerprint(); false: none seen whole, or no such hash. */
bool track_fingerprint(const struct track *t, const struct dtls_end *e, const char *hash, char *out, size_t room);
const struct call *track_find_call(const struct track *t, struct span call_id); /* NULL: none */
const struct transfer_fact *call_transfers(const struct call *c); /* the latest one; NULL: none, or no call with signalling */
struct stun_server *track_find_server(const struct track *t, const struct addr *a);

/* The name of the i-th candidate where it has no address, such as "….local" (RFC 8828); "" else. */
const char *sdp_cand_host(const struct sdp_fact *f, size_t i);

/* The format that payload type `pt` stands for in m-line `media`, or anywhere in its BUNDLE group; NULL: not listed. */
const struct format_desc *sdp_format_of(const struct sdp_fact *f, uint8_t media, uint8_t pt);

/* Packets that the stream's sequence numbers say were sent (RFC 3550 A.3). */
uint64_t stream_expected(const struct stream *s);

#endif
