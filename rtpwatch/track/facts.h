/*
 * The facts that track records. Each keeps the frame it came from; none says what it means: that is verdict's work.
 * Facts live in pools and name one another by slot (POOL_NONE: none); they stay until the track is freed.
 */
#ifndef RW_TRACK_FACTS_H
#define RW_TRACK_FACTS_H

#include <stddef.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/pool.h"
#include "dissectors/icmp.h"
#include "dissectors/sdp.h"
#include "dissectors/sip.h"

/* When and where something was seen. frame 0: never. */
struct seen {
    int64_t ns;
    uint64_t frame;
};

/* A count with its first and its last time. What changes with each packet stands together. */
struct tally {
    struct seen first;
    uint64_t n;
    struct seen last;
};

static inline void tally_add(struct tally *t, struct seen at)
{
    if (t->n++ == 0)
        t->first = at;
    t->last = at;
}

static inline void tally_merge(struct tally *into, const struct tally *t)
{
    if (!t->n)
        return;
    if (!into->n || t->first.ns < into->first.ns)
        into->first = t->first;
    if (!into->n || t->last.ns > into->last.ns)
        into->last = t->last;
    into->n += t->n;
}

/* ---- transport addresses and what flows between them ---- */

/*
 * A transport address that something was sent from or to, that a STUN server claimed, or that an SDP advertised: where local
 * socket, candidate, mapping and media meet (SPEC §3).
 */
struct socket {
    _Alignas(64) struct addr addr;
    bool advertised : 1;  /* some SDP named it: media is expected here */
    bool takes_media : 1; /* some flow to it contains RTP or RTCP */
    uint8_t described_media;
    uint16_t described_sdp;
    uint32_t flows_out, flows_in; /* heads of the lists of flows that leave from and go to it */
    uint32_t asked;               /* head: STUN server transactions that it sent */
    uint32_t claimed;             /* head: transactions whose answer named it as mapped or relayed */
    uint32_t relay;               /* the TURN allocation whose relayed address this is, or POOL_NONE */
    struct id described_in;       /* the latest call whose SDP named it, and which of its descriptions and m-lines */
    uint32_t closed_below;        /* of the streams from and to it, those in slots below this are closed */
    uint32_t latest_of_host;      /* with port 0 it stands for a host: the latest transaction from any of its sockets */
};

enum flow_content {
    FLOW_RTP = 1,
    FLOW_RTCP = 2,
    FLOW_STUN_SERVER = 4,
    FLOW_CHECK = 8,
    FLOW_SIP = 16,
    FLOW_DTLS = 32,
    FLOW_TURN_DATA = 64,
    FLOW_OTHER = 128,
    FLOW_RELAYED = 256, /* between a relay and a peer, seen inside what a TURN client and its server exchange */
};

/*
 * UDP datagrams from one transport address to another. Every packet finds its flow and its stream, so each has all that a packet compares
 * and counts in one cache line, its second: from packets.n to the last member.
 */
struct flow {
    _Alignas(64) uint32_t streams; /* head: RTP streams, newest first */
    uint32_t rtcps;                /* head: RTCP senders */
    uint32_t checks;               /* the ICE checks from src to dst, or POOL_NONE */
    uint32_t icmp;                 /* the ICMP errors that quote it, or POOL_NONE */
    uint32_t alloc;                /* the TURN allocation that it belongs to, outside the relay, or POOL_NONE */
    uint32_t src_socket, dst_socket;
    uint32_t next_out, next_in; /* in the sockets' lists */
    uint32_t slot;              /* its own */
    uint32_t other;             /* datagrams that nothing explains */
    uint16_t contains;          /* enum flow_content */
    uint8_t ttl;                /* of its first packet; 0 inside a relay, where there is none */
    uint8_t streams_n : 7;      /* how many began, up to TRACK_STREAMS_PER_FLOW */
    uint8_t left_here : 1;      /* the capture says that the host sent it (Linux cooked, outgoing) */
    struct tally packets;
    struct addr src, dst;
    uint32_t hot; /* the stream of the last RTP packet, POOL_NONE: look it up */
};
_Static_assert(offsetof(struct flow, packets.n) == 64 && sizeof(struct flow) == 128,
               "a packet touches one cache line of its flow");

/* RTP of one SSRC on one flow without a break: a new record begins after silence, or when an SDP changes the flow's ends. */
struct stream {
    _Alignas(64) uint32_t flow;
    uint32_t next;            /* older stream of the same flow */
    uint64_t expected_before; /* packets expected before the sender last began anew */
    uint32_t reordered, duplicated;
    uint32_t gaps, longest_gap_ms; /* pauses above STREAM_GAP_NS that the network made, not the sender */
    uint32_t noise;                /* comfort noise, payload type 13 (RFC 3389) */
    uint32_t ids;                  /* what its header extensions say, or POOL_NONE */
    uint8_t first_pt;
    bool given_up; /* the call that it belongs to was given up (track_compact()): it makes no session of its own */
    struct tally packets;
    uint64_t bytes;
    uint32_t longest_gap_ns; /* between two packets in the order of arrival, whoever made it; up to TRACK_SILENCE_NS */
    uint32_t ssrc;
    uint8_t pt;    /* the latest, comfort noise left out */
    bool believed; /* expected by an SDP, or enough packets in sequence (RFC 3550 A.1) */
    bool closed;   /* no more packets are added */
    uint8_t in_sequence;
    uint16_t max_seq, base_seq;
    uint32_t cycles; /* of 65536, shifted (RFC 3550 A.1) */
    uint32_t clock_hz;
    uint32_t transit;
    uint32_t jitter_x16; /* RFC 3550 A.8, 16ths of timestamp units; 0 where the clock is unknown */
};
_Static_assert(offsetof(struct stream, packets.n) == 64 && sizeof(struct stream) == 128, "and one of its stream");

#define STREAM_GAP_NS (200 * (int64_t)NS_PER_MS)

/* Short texts in the header extension of a stream's first packet: the mid is one of them (RFC 9143 §15), under an id that SDP tells. */
enum { STREAM_IDS_KEPT = 8, STREAM_ID_TEXT = 16 };
struct stream_ids {
    uint8_t n;
    struct stream_id {
        uint8_t id, len;
        char text[STREAM_ID_TEXT];
    } v[STREAM_IDS_KEPT];
};

/* One RTCP sender on one flow. */
struct rtcp_sender {
    uint32_t flow, next;
    uint32_t ssrc;
    uint32_t reports; /* head: what it reports about */
    int64_t made_ns;
    struct tally packets;
    struct seen sr_last, bye;
    uint32_t with_reports, without_reports;     /* SR/RR packets with RC > 0 and RC = 0: in the clear even in SRTCP */
    uint32_t compounds_with_reports;            /* datagrams in which some SR or RR had RC > 0 */
    uint32_t sr_packets_first, sr_packets_last; /* sender's packet count */
    uint32_t sr_ntp;                            /* middle 32 bits of the latest SR's time, as a report block repeats them */
    bool has_sr;
};

/* What one RTCP sender reports about one SSRC (plain RTCP only). */
struct rtcp_about {
    uint32_t next;
    uint32_t ssrc;
    struct tally blocks;
    uint32_t first_highest, last_highest; /* extended highest sequence number received */
    int32_t first_lost;
    uint32_t round_trips, round_trip_us; /* from here to who reports and back (RFC 3550 §6.4.1); the shortest */
    int32_t lost;
    uint32_t jitter;
    uint8_t fraction_lost;
    struct seen advanced; /* the last block whose highest was above the one before */
};

/* ICMP errors that quote one flow. */
struct icmp_about {
    uint32_t flow;
    enum icmp_what what; /* of the latest */
    struct addr reporter;
    struct tally errors;
};

/* ---- STUN ---- */

/* What few answers say beside the mapped address. */
struct stun_more {
    struct addr plain; /* MAPPED-ADDRESS where it is not what XOR-MAPPED-ADDRESS is */
    union {
        struct addr relayed;   /* with `success` */
        struct addr alternate; /* 300 Try Alternate: the server to ask instead (RFC 8489 §10) */
    };
};

/* One request without USERNAME and what was answered: one server's word on one socket. */
struct stun_tx {
    _Alignas(64) uint8_t tid[16];
    uint16_t method;
    uint16_t error : 10; /* RFC 8489 §14.8 has them up to 699 */
    bool classic : 1;
    bool credentials : 1;                  /* the request was authenticated: 401 is then no challenge but a refusal */
    bool success : 1, mapped_differs : 1;  /* mapped_differs: MAPPED-ADDRESS and XOR-MAPPED-ADDRESS disagree */
    bool elsewhere : 1;                    /* the answer came from another network than the server's */
    uint32_t socket;                       /* who asked */
    uint32_t server;                       /* slot in servers */
    uint32_t next_asked;                   /* in the socket's list, newest first */
    uint32_t next_claimed;                 /* in the list of the mapped address's socket */
    uint32_t older_of_host, newer_of_host; /* other transactions from the same IP */
    struct addr mapped;                    /* XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS without it */
    struct tally requests;                 /* retransmissions counted */
    struct seen answer;                    /* frame 0: none */
    const struct stun_more *more;          /* in the track's arena; &stun_no_more: nothing */
};
_Static_assert(sizeof(struct stun_tx) == 128, "of a hundred thousand questions few are in the caches");
extern const struct stun_more stun_no_more;

struct stun_server {
    struct addr addr;
    const char *software; /* "" unknown */
    uint64_t requests, responses, errors, retransmissions;
    uint64_t
        challenges; /* 401 to a request without credentials, 438 to an old nonce: steps of authentication (RFC 8489 §9.2.4) */
    uint64_t allocations, turn_refused; /* relays given; requests of TURN's methods refused, but for those steps and 300 */
    struct tally asked;
    uint64_t rtts;
    uint32_t rtt_us[64]; /* the first ones: enough for a median */
};

/* A channel (RFC 8656 §12): a number that stands for a peer. */
struct turn_channel {
    uint16_t number;
    struct addr peer;
    struct seen asked; /* the latest request that binds it; it lasts 10 minutes (RFC 8656 §12) */
};

/*
 * What a relay does for one peer's IP (RFC 8656 §2.3: permissions know no ports). A permission is asked for by CreatePermission, or by
 * ChannelBind, which installs one too, and lasts 5 minutes.
 */
struct turn_peer {
    uint32_t next;    /* of the same allocation, newest first */
    struct addr peer; /* IP and the port named first */
    uint32_t tx[2];   /* the latest CreatePermission and ChannelBind for it, which may be under way together; or POOL_NONE */
    struct tally asked, granted, refused;
    uint16_t error;           /* of the latest refusal; a stale nonce (438) is none */
    struct tally out, in;     /* datagrams through the relay */
    struct tally unpermitted; /* of `out`, those that no permission covered: the server drops them (RFC 8656 §11.2) */
};

enum { TURN_CHANNELS_KEPT = 16, TURN_PEERS_KEPT = 64 };

/* A TURN allocation (RFC 8656 §2.2): what a client may send through a relay, and as whom. It ends at `refreshed` + `lifetime_s`. */
struct turn_alloc {
    struct addr client, relayed; /* the client's own address at its host, and the address at the relay */
    uint32_t server;
    struct seen made, refreshed;
    struct seen deleted; /* given back: a Refresh with lifetime 0 was granted */
    uint32_t lifetime_s;
    uint8_t channels;
    uint8_t peers_n;
    uint32_t peers; /* head */
    struct turn_channel channel[TURN_CHANNELS_KEPT];
    uint64_t not_kept;              /* peers and channels beyond the caps */
    struct tally data_out, data_in; /* datagrams sent through the relay, and received through it */
    struct tally late_out, late_in; /* of these, after its end */
};

/* The ICE connectivity checks from one transport address to another (RFC 8445 §7). */
struct check {
    uint32_t flow;
    uint32_t errors, forged;        /* error responses; answers whose MESSAGE-INTEGRITY did not match */
    uint32_t conflicts;             /* of the errors: 487, both took the same role (RFC 8445 §7.3.1.1) */
    struct tally requests, answers; /* answers: success responses that came back, by time of the answer */
    struct seen unanswered_since;   /* the first of the requests that are unanswered */
    struct seen nominated;          /* first request with USE-CANDIDATE */
    struct seen nominated_ok;       /* the answer to such a request */
    struct seen mapped_at;
    int64_t mapped_since_ns;      /* no answer has said another IP since then */
    uint32_t unanswered;          /* new requests since the latest answer: consent is asked for in vain (RFC 7675 §5.1) */
    struct addr mapped;           /* XOR-MAPPED-ADDRESS in the latest sound answer: how the peer sees src */
    struct addr mapped_before;    /* the same, until another IP came; ADDR_NONE: none did */
    struct seen mapped_before_at; /* its last answer */
    bool given_up : 1;            /* as a stream's */
    bool controlling : 1;
    bool mapped_verified : 1;               /* that answer's MESSAGE-INTEGRITY was verified */
    const char *username, *username_before; /* of the latest request, and before it changed; in the track's arena */
};

/* The checks of one flow changed their USERNAME: ICE began anew on the same addresses (RFC 8445 §9). */
struct ice_restart {
    uint32_t check;
    const char *before, *after; /* in the track's arena */
    struct seen last_before, first_after;
};

/* An ICE password, as an SDP gave it. */
struct ice_password {
    const char *ufrag, *pwd; /* in the track's arena */
};

/* ---- DTLS ---- */

/* A certificate that a handshake showed, kept once however often it is seen. */
struct dtls_certificate {
    struct span der; /* in the track's arena */
};

struct dtls_alert {
    struct seen at; /* frame 0: none */
    bool encrypted; /* then neither level nor description is known */
    uint8_t level, description;
};

enum { DTLS_SEQS_KEPT = 16 };

/* What one end of a DTLS association sent. The tallies count datagrams. */
struct dtls_end {
    struct addr addr;
    struct tally datagrams, client_hello, server_hello, server_hello_done;
    struct tally hello_verify;       /* HelloVerifyRequest, or DTLS 1.3's HelloRetryRequest */
    struct tally key_exchange;       /* ClientKeyExchange: the client read the server's flight */
    struct tally change_cipher_spec; /* DTLS 1.2 */
    struct tally finished;           /* encrypted handshake: in DTLS 1.2 Finished, in DTLS 1.3 what follows the hellos */
    struct tally application;        /* under the application's keys; in DTLS 1.3 also ACK and what follows Finished */
    struct tally again;              /* retransmissions: a message that it had sent before, in a new record */
    struct dtls_alert alert;         /* the first one; a fatal one in the clear rather than any other */
    uint32_t largest;                /* its largest datagram with handshake messages, bytes */
    uint32_t certificate;            /* slot, POOL_NONE: not seen whole */
    struct seen certificate_at;
    bool cut; /* the snap length removed part of what it sent */
    /* How a new ClientHello is told from the same one sent again, and a retransmission from a packet captured twice. */
    uint64_t random, last_record;
    uint8_t type_of[DTLS_SEQS_KEPT];
    uint32_t join; /* fragments under way, POOL_NONE none */
};

/* One DTLS handshake between two transport addresses and what followed it (RFC 6347, RFC 9147). */
struct dtls_assoc {
    struct dtls_end end[2]; /* the first sent the first datagram */
    uint32_t older;         /* the handshake of the same two addresses before it, or POOL_NONE */
    uint32_t nth;           /* how many there were before */
    bool from_start;        /* its first datagram held a ClientHello */
    bool profile_known;     /* the ServerHello is in the clear up to its use_srtp: DTLS 1.2 */
    uint16_t version;       /* negotiated, 0 not known */
    uint16_t profile;       /* SRTP protection profile (RFC 5764 §4.1.2), 0 none or not known */
};

/* ---- names and outside addresses ---- */

/* One address that one DNS answer gave for a name. */
struct dns_fact {
    const char *name; /* as asked */
    const char *via;  /* the last CNAME or SRV target, "" none */
    uint16_t type;
    struct addr addr; /* port 0, or the SRV's */
    uint32_t ttl_s;   /* smallest along the chain */
    struct addr resolver, client;
    struct seen at;
    uint64_t answers; /* how often the same was answered */
    struct seen last;
};

enum { OUTSIDE_TEXT = 46 };

/* A SIP Via: the host that wrote itself as `host` was seen from `seen` (RFC 3581). */
struct outside_fact {
    struct addr host;    /* IP; port 0 */
    struct addr outside; /* IP; port where rport told it */
    struct addr teller;  /* who sent the message that says so */
    struct addr told;    /* to whom */
    uint8_t host_n, received_n;
    char as_sent[OUTSIDE_TEXT]; /* host and received=, one behind the other; both lengths 0 where they are longer */
    struct tally at;
};

/*
 * A TCP connection that may carry signalling: a TLS ClientHello or a WebSocket upgrade was seen on it. What TLS hides stays hidden;
 * who talks to whom, and from where, does not.
 */
struct conn_fact {
    struct addr client, server;
    struct tally opened;
    struct tally from_client, from_server; /* segments with something in them */
    bool read;                             /* what it carries is read: it is in the clear, or its secrets are known */
};

/* ---- SIP calls ---- */

enum party { CALLER, CALLEE, PARTIES };

static inline enum party other_party(enum party p)
{
    return p == CALLER ? CALLEE : CALLER;
}

/* A payload type of an m= line. */
struct format_desc {
    const char *encoding; /* "" unknown */
    uint32_t clock_hz;    /* 0 unknown */
    uint8_t pt, apt;
    uint8_t role;       /* enum sdp_role */
    uint8_t encoding_n; /* the name's length; UINT8_MAX: so much, or more */
};

/* What an m= line says of DTLS-SRTP. */
struct dtls_desc {
    const char *hash, *fingerprint; /* a=fingerprint's two parts (RFC 8122 §5) */
    const char *setup;              /* a=setup, "" none */
    bool more_fingerprints;         /* there are others beside it */
};

/* An m= line, as one SDP had it. Strings live in the call's arena. Each call has two and more: what is seldom told stands beside. */
struct media_desc {
    struct addr addr; /* c= and m=; ADDR_NONE with the port where c= is a name */
    struct addr rtcp;
    uint8_t kind; /* enum sdp_kind */
    uint8_t dir;  /* enum sdp_dir */
    bool rejected : 1, rtcp_mux : 1, ice : 1;
    bool bundled : 1, bundle_only : 1; /* in the BUNDLE group; offered for use in it alone (RFC 9143 §6) */
    uint8_t tagged;  /* the m-line whose transport its group uses (RFC 9143 §7.3); its own where it is in none */
    uint8_t mid_ext; /* id of the header extension that carries the mid, 0 none */
    uint8_t formats_n, ssrcs_n;
    uint16_t ptime_ms;
    const char *host;                      /* c= where it is no address, "" else */
    const char *mid, *ufrag, *pwd, *codec; /* "" none */
    struct dtls_desc *dtls;                /* NULL: it names no certificate */
    const struct format_desc *formats;     /* those of the description before where they are the same, or shared by calls */
    struct sdp_ssrc *ssrcs;
};

struct cand_desc {
    uint8_t media, component;
    uint8_t type; /* enum sdp_cand_type */
    bool tcp;
    uint32_t priority;
    struct addr addr, raddr;
};

struct sdp_fact {
    struct seen at;
    uint64_t digest;      /* of the bytes: a retransmission is told from a new one */
    struct addr from, to; /* of the SIP message */
    uint32_t cseq;
    uint8_t party; /* enum party: whose description it is */
    bool direct;   /* came in a message that passed no proxy (one Via, the sender's own) */
    bool ice_lite;
    uint8_t medias, cands;
    struct media_desc *media;
    struct cand_desc *cand;
    const char **cand_host; /* as sent, of those that are names; NULL: none is one. See sdp_cand_host() */
    struct sdp_fact *next;  /* later one of the same call */
};

/* Offer and answer that belong together, in force from `since` until the next agreement of its leg (RFC 3264). */
struct agreement {
    const struct sdp_fact *by[PARTIES]; /* the description of each party */
    struct seen since;
    uint32_t cseq; /* the offerer's */
    uint16_t leg;
    uint8_t offerer; /* enum party */
    bool confirmed;  /* by a 2xx, or inside a confirmed dialog */
    struct agreement *next;
};

enum call_state { CALL_NONE, CALL_TRYING, CALL_RINGING, CALL_EARLY, CALL_UP, CALL_OVER, CALL_STATES };

enum { CALL_LEGS_KEPT = 16, CALL_SDPS_KEPT = 256 };

/* A branch of a forked call: one To tag. */
struct leg {
    const char *to_tag;
    uint32_t to_tag_n; /* its length: each message is compared with it */
    struct seen early, answered;
};

/*
 * What an INVITE, its 2xx or a REFER says of another call: `header` has a value that is another call's Call-ID (`names`), or that another
 * call carries as well (`shared`). Strings live in the call's arena; `header` as it is written in the list.
 */
struct link_fact {
    const char *header, *value;
    struct seen at;
    bool names, shared;
    bool legs; /* the two calls are legs of one path; else one replaces or returns the other */
    struct link_fact *next;
};

enum { CALL_LINKS_KEPT = 8, LINK_VALUE_MAX = 256, SESSION_UUID = 16 };

/*
 * One party asks the other to call somebody else (a REFER within the call, RFC 3515): a transfer, as RFC 5589 calls it. What became of
 * that the other party tells by NOTIFY. Strings live in the call's arena.
 */
struct transfer_fact {
    struct seen asked, accepted; /* the REFER; its 2xx, frame 0: there is none */
    struct seen told;            /* the first NOTIFY with a final status */
    uint16_t status;             /* that status, 0: none was told */
    uint8_t by;                  /* enum party: who asked */
    uint32_t cseq;
    const char *target;         /* the URI in Refer-To; "": there is none */
    struct transfer_fact *next; /* the one before */
};

enum { CALL_TRANSFERS_KEPT = 8, TRANSFER_TARGET = 128 };

/* Session-ID (RFC 7989): the UUID of each party's end of the session, as the latest message tells them. */
struct session_id_fact {
    uint8_t uuid[PARTIES][SESSION_UUID];
    bool known[PARTIES]; /* told, and not null */
    struct seen at;
};

/* How a SIP Via showed where a party's messages come from, as seen within one call. */
struct call_outside {
    struct addr host, outside;
    struct seen at;
};

enum session_kind { SESSION_SIP, SESSION_ICE, SESSION_RTP };

/* What each message looks at comes first, then what a description changes: of a hundred thousand calls little is in the caches. */
struct call {
    _Alignas(64) const char *call_id;
    const char *from_tag;
    uint32_t call_id_n, from_tag_n; /* their lengths */
    struct leg *leg;                /* `legs` of them, at most CALL_LEGS_KEPT: nearly all calls have one */
    uint16_t legs, answered_leg;
    uint16_t sdps_n;
    uint16_t status;  /* final status of the INVITE, 0 none */
    uint8_t state;    /* enum call_state */
    uint8_t kind;     /* enum session_kind; ICE and RTP: no signalling was seen; caller and callee then stand for a and b */
    uint8_t ended_by; /* enum party */
    bool cancelled : 1, seen_from_start : 1; /* the first INVITE is in the capture */
    bool offer_in_response : 1, ended_by_known : 1;
    uint32_t room; /* in track.call_rooms, POOL_NONE: none */
    uint32_t invite_cseq, offer_cseq;
    uint32_t messages, bad_moves;
    struct seen last;
    struct addr signalling[PARTIES]; /* where the party's messages came from here */
    uint16_t ice_restarts;           /* ICE sessions: how often the username fragments changed */
    const struct sdp_fact *offer;    /* waiting for its answer */

    const char *agent[PARTIES];            /* User-Agent or Server */
    struct call_outside *outside[PARTIES]; /* NULL: not known */
    struct sdp_fact *sdps;
    struct agreement *agreements;
    struct seen answered;

    struct seen ringing, ended;
    struct arena arena;
    struct id id;

    struct seen started;
    const char *from_uri, *to_uri;
    const char **label; /* the INVITE's values of the headers that track_labels() named, "" none; NULL: none were named */
    union {
        uint32_t ssrc[PARTIES];          /* RTP sessions: of the first stream that each sent, 0 none */
        struct transfer_fact *transfers; /* calls: newest first, NULL none; see call_transfers() */
    };
    struct link_fact *links;            /* what its headers say of other calls, NULL nothing */
    struct session_id_fact *session_id; /* NULL: none */
};
_Static_assert(offsetof(struct call, last) == 64 && offsetof(struct call, agent) == 128 && sizeof(struct call) == 320,
               "a message touches two cache lines of its call, a description one more");
enum { CALL_EACH_MESSAGE = offsetof(struct call, ringing) };

#endif
