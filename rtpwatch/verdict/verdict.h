/*
 * From facts to findings: pure functions of the track and a point in time. No packet, no I/O, no state that outlives a call.
 * The situations are those of SPEC §4, the evidence that of §3; rtpwatch/doc/VERDICTS.md lists what raises and what holds back each.
 */
#ifndef RW_VERDICT_H
#define RW_VERDICT_H

#include "base/strbuf.h"
#include "track/track.h"
#include "verdict/hosts.h"

#define VERDICTS(id, word) VERDICT_##id,
enum verdict {
#include "verdict/verdicts.def"
    VERDICTS_N
};
#undef VERDICTS
#define DIRECTIONS(id, word) DIR_##id,
enum dir_verdict {
#include "verdict/verdicts.def"
    DIRECTIONS_N
};
#undef DIRECTIONS
#define CONFIDENCES(id, word) CONFIDENCE_##id,
enum confidence {
#include "verdict/verdicts.def"
    CONFIDENCES_N
};
#undef CONFIDENCES
#define STATUSES(id, word) CANDIDATE_##id,
enum candidate_status {
#include "verdict/verdicts.def"
    STATUSES_N
};
#undef STATUSES
#define SERVER_VERDICTS(id, word) SERVER_##id,
enum server_verdict {
#include "verdict/verdicts.def"
    SERVER_VERDICTS_N
};
#undef SERVER_VERDICTS
#define CAUSES(id, word, remedy) CAUSE_##id,
enum cause {
#include "verdict/verdicts.def"
    CAUSES_N
};
#undef CAUSES

const char *verdict_word(enum verdict v);
const char *dir_verdict_word(enum dir_verdict v);
const char *confidence_word(enum confidence c);
const char *candidate_status_word(enum candidate_status s);
const char *server_verdict_word(enum server_verdict v);
const char *cause_word(enum cause c);
const char *cause_remedy(enum cause c);
bool verdict_is_failure(enum verdict v); /* one_way, no_media, setup_failed */

/* Below this a span of a call is too short to conclude anything from silence. */
#define JUDGE_MIN_NS SECONDS(2)

enum {
    PLACES_KEPT = 8,
    DIRECTIONS_KEPT = 32,
    CANDIDATES_KEPT = 96,
    EVIDENCE_KEPT = 48,
    WARNINGS_KEPT = 8,
    LOCALS_KEPT = 256,
};

/* ---- the view: who is local, and until when there is something to see ---- */

struct local_net {
    struct addr net;
    unsigned bits; /* of the 128; an IPv4 /24 is 120 */
};

struct view_options {
    const struct local_net *locals; /* --local; none: inferred */
    size_t locals_n;
    const struct addr *public_ips; /* --public-ip: local hosts are seen from outside at one of these, and at no other address */
    size_t public_ips_n;
    bool on_host; /* captured on the very host whose addresses `locals` are: what comes and what goes is seen */
    bool dropped; /* the capture lost so many packets that silence proves nothing */
    /* One of several vantages: --local may mean another one, and then it is inferred who is local; what they find is joined. */
    bool several;
};

struct view {
    const struct track *t;
    struct view_options options;
    int64_t now_ns; /* the end of what was seen */
    struct addr local[LOCALS_KEPT];
    size_t locals_n;
    uint16_t local_head[256], local_next[LOCALS_KEPT]; /* by the address's last byte: 1 + the number in `local`, 0 none */
    bool locals_inferred;
    const uint8_t *claims;     /* borrowed, see claims_judge(); NULL: each asks anew */
    struct flow_index *flows;  /* borrowed: of the track's flows; NULL: long lists are gone through one by one */
    const struct hosts *hosts; /* borrowed: what view_make_again() keeps; NULL: nothing is kept */
    bool one_way;              /* what is not SIP only leaves the local hosts, or only comes to them */
    bool media_captured;       /* some RTP, RTCP, STUN or DTLS is there; without any, the capture was of signalling alone */
    bool voice_captured;       /* some RTP, RTCP, check or DTLS: without any, a filter may have kept all media out */
};

/* Looks at who sent and who was sent to; `now_ns`: the newest packet time. */
void view_make(struct view *v, const struct track *t, const struct view_options *options, int64_t now_ns);
/* The same, for who does so every second: `h`, initialised once, keeps what is counted of one track. */
void view_make_again(struct view *v, struct hosts *h, const struct track *t, const struct view_options *options, int64_t now_ns);
/*
 * After all of several views are made: --local holds where nobody is known to be local yet, and where it names a host that is local at
 * no other vantage (a mirror port behind a router).
 */
void view_given_nowhere(struct view *const *all, size_t n, const struct view_options *options);
/* Does it tell anything that an answer is not there? Not where packets were lost, nor where one side alone may have been captured. */
bool view_sees_silence(const struct view *v);
/* So it is over several calls: then a mirror most likely shows no more, and no call's silence is its own. */
bool view_is_one_sided(const struct view *v);
bool view_is_local(const struct view *v, const struct addr *a);
bool view_knows_hosts(const struct view *v); /* somebody is local; else all there is only passes */
/* Is that transport address at this vantage: on a local host, or at a TURN relay that a local host uses? */
bool view_has(const struct view *v, const struct addr *a);
/*
 * The transport address, for what passed there: its media, reports, checks, handshakes, and the answers that named it. NULL: nothing
 * did; and for all addresses of a capture without any of that (a proxy's), whose many calls are then not looked up one by one.
 */
const struct socket *view_media_at(const struct view *v, const struct addr *a);

/* ---- findings ---- */

struct evidence {
    struct seen at; /* frame 0: no single frame */
    unsigned order; /* as found: what one frame shows stays in that order */
    const char *kind, *text;
    bool unsent; /* it says that `by` sends nothing, as far as this vantage sees */
    enum party by;
};

struct place {
    struct addr addr;
    uint64_t packets;
    struct seen first;
};

/* How well a direction arrives, counted over all its spans. */
struct quality {
    uint64_t expected, lost, reordered, duplicated; /* packets of media; RTX and FEC are none */
    uint64_t gaps;                    /* the network was silent for more than STREAM_GAP_NS; pauses of the sender are none */
    int64_t longest_gap_ns, heard_ns; /* heard_ns: how long its streams last */
    double jitter_ms;                 /* RFC 3550 A.8, of the stream with the most packets */
    uint64_t jitter_packets;          /* of that stream; 0: jitter is not known */
    const char *codec;                /* encoding name of what flows; "" not known */
    uint32_t ptime_ms;
    uint32_t round_trip_us; /* between the parties, by RTCP; 0 not known */
    bool by_rtcp;           /* the receiver reports it; else counted here */
};

/* A direction that is received and rated below these is told of (`poor_quality`): "nearly all users dissatisfied" (G.109). */
#define POOR_MOS          3.1
#define POOR_LOSS_PERCENT 5.0

struct direction_finding {
    uint8_t media;
    enum sdp_kind kind;
    const char *mid, *codec;
    enum party from, to;
    bool expected;
    enum dir_verdict verdict;
    enum cause cause;
    enum confidence confidence;
    uint32_t server;   /* slot, POOL_NONE none */
    const char *why;   /* one plain sentence */
    struct seen since; /* the agreement that it was judged under, and the home socket of its receiver then */
    struct addr awaited_at;
    struct addr sent_from; /* the home socket of its sender then */
    bool weak;             /* received, as far as nothing speaks against it */
    uint64_t sent, received, expected_packets;
    bool sender_reports;           /* its RTCP is seen, or its other media on the same path: the sender's media stack runs */
    bool sent_seen, received_seen; /* this vantage can see the sending, the arriving */
    size_t sent_at, received_at;   /* with those: the number of the vantage in the report */
    bool has_quality;
    double loss_percent, jitter_ms; /* jitter < 0: clock not known */
    struct quality quality;         /* what those and the MOS are computed from */
    double mos;                     /* 0: not known */
    const char *mos_assumed;        /* NULL without a MOS */
    struct seen stopped;            /* frame 0: it did not stop early */
    struct seen resumed;            /* it came back after that; frame 0: it did not */
    bool moved;                     /* since then the receiver is at another address */
    bool heard;                     /* received in another span of the call */
    size_t sent_to_n, received_from_n;
    /* Only the entries below those counts mean something. */
    struct place sent_to[PLACES_KEPT], received_from[PLACES_KEPT];
};

struct candidate_finding {
    enum party party;
    uint8_t media, component;
    const char *type, *host; /* host: as sent, where it is a name */
    bool has_base, tcp;
    struct addr addr, base;
    uint32_t priority;
    uint32_t server; /* who supplied it, POOL_NONE not known */
    uint32_t tx;     /* by which transaction */
    size_t told_at;  /* and at which vantage of the report that is seen */
    uint64_t checks_sent, checks_answered, rtp_packets;
    enum candidate_status status;
    struct seen at;
    bool wrong;                      /* the mapping that made it is contradicted */
    bool confirmed;                  /* somebody else saw the same, or media arrives there */
    bool seen;                       /* the party's packets come from exactly there */
    const struct agreement *counted; /* the last one under which what arrived was counted */
};

/* What the checks say of how ICE went. Where a session has several spans, of the last one. */
struct ice_finding {
    bool used;
    bool has_controlling, has_lite;
    enum party controlling, lite;
    struct seen nominated; /* the answer that made the pair valid; frame 0: no pair was nominated */
    struct addr local, remote;
    unsigned restarts;
};

struct warning {
    const char *kind, *text;
    uint32_t server;
};

/* The DTLS handshake of a session's first m-line, over all pairs that it used. */
struct dtls_finding {
    bool seen, client_known, completed;
    enum party client;
    uint16_t version, profile; /* as in the ServerHello; 0 not known */
    uint64_t retransmissions;
    struct seen alert_at; /* the first fatal alert in the clear; frame 0: none */
    enum party alert_by;
    uint8_t alert;
};

struct session_finding {
    bool brief; /* see judge_call_briefly() */
    const struct call *call;
    enum verdict verdict;
    enum cause cause;
    enum confidence confidence;
    uint32_t server;
    /* As the call's, or of several vantages the earliest, by the first one's clock; not before the call began where one saw that. */
    struct seen started, answered, ended;
    enum call_state state;
    struct ice_finding ice;
    struct dtls_finding dtls;
    struct arena arena; /* of its texts */
    /* Where each party is: its own socket where that is here; else where its packets come from, or what it advertised. ADDR_NONE. */
    struct addr whereabouts[PARTIES];
    bool here[PARTIES]; /* at the vantage */
    size_t directions_n, candidates_n, warnings_n, evidence_n;
    /* Only the entries below those counts mean something. */
    struct direction_finding direction[DIRECTIONS_KEPT];
    struct candidate_finding candidate[CANDIDATES_KEPT];
    struct warning warning[WARNINGS_KEPT];
    struct evidence evidence[EVIDENCE_KEPT];
};

/* Judges one call. `out` is written whole; session_finding_done() frees its texts. */
void judge_call(const struct view *v, const struct call *c, struct session_finding *out);
/*
 * The same for who counts and does not tell: names and sentences are not written, but for the reason why a session is unknown; and where
 * its directions and candidates count for nothing, there are none.
 */
void judge_call_briefly(const struct view *v, const struct call *c, struct session_finding *out);
void session_finding_done(struct session_finding *f);
/* The local host that takes part in it, and the candidate that its failure is about; NULL where that is not known, or none. */
const struct addr *session_local_host(const struct view *v, const struct session_finding *f);
const struct candidate_finding *session_candidate(const struct session_finding *f);
const char *session_remedy(const struct session_finding *f); /* what to do about it; "" nothing */

/* One server told one socket another address than before. */
struct mapping_change {
    struct addr socket, from, to;
    struct seen before, at; /* the answers that say so */
    bool wrong;             /* the new one is contradicted */
};

enum { CHANGES_KEPT = 8 };

struct server_finding {
    struct addr addr;
    const char *software; /* "" unknown */
    uint64_t requests, responses, errors;
    uint64_t allocations, refused; /* TURN: relays given, requests refused */
    enum server_verdict verdict;
    const struct dns_fact *name;                                       /* NULL: not known */
    uint64_t unanswered, mappings, confirmed, contradicted, suspected; /* suspected: contradicted, and not for certain */
    uint64_t sessions, ok_sessions, failed_sessions;
    uint64_t blamed, proven; /* sessions that failed by its fault, and for certain */
    uint32_t rtt_min_us, rtt_median_us, rtt_max_us;
    struct seen first_bad, last_bad;
    struct seen right_before;     /* its last confirmed answer before the first bad one; frame 0: none */
    struct seen healed;           /* its first right answer after the last bad one, where another followed; frame 0: none */
    uint64_t right_since;         /* those answers */
    struct mapping_change turned; /* the first time that it was right to a socket and then wrong; at.frame 0: never */
    size_t changes_n;
    uint64_t changes; /* how often it told a socket another address; kept are the latest */
    struct mapping_change change[CHANGES_KEPT];
    struct seen first_failed, last_failed; /* the beginnings of failed sessions that advertised one of its answers */
    const char *suspicion;                 /* why it is suspected although no answer is contradicted; NULL: it is not */
    bool peer;                             /* an address that a session advertised: asked as a keep-alive, no STUN server */
};

/* What a server is and how it answered; nothing is judged. */
void server_begin(const struct view *v, uint32_t server, struct server_finding *out);
/*
 * Asks of each STUN transaction whether what was answered is true. `claims`: a byte for each, for view.claims: whoever asks again is told
 * so, as long as nothing is added to the track.
 */
void claims_judge(const struct view *v, uint8_t *claims);
/* Judges every server by its own answers; what sessions say of it is added by server_add_session(). */
void judge_servers(const struct view *v, struct server_finding *out /* one per track server */);
void server_add_session(struct server_finding *servers, const struct session_finding *s);
void server_conclude(struct server_finding *f);

/* What the texts call a party: the user of its URI, made safe, or "the caller" where that tells nothing. Lives with `s`. */
const char *party_name(const struct call *c, enum party p, struct session_finding *s);
void party_text(const struct call *c, enum party p, struct strbuf *out); /* the same into `out` */

/* What the RFCs call that error, "Allocation Quota Reached"; NULL: one that is not known. */
const char *stun_error_name(uint16_t error);

/* The DNS answer that names `a` (its IP), the latest at or before `ns`, else the earliest after it; NULL: none in the capture. */
const struct dns_fact *dns_name_of(const struct track *t, const struct addr *a, int64_t ns);
/* "stun.l.google.com (74.125.250.129:19302)", or the address alone; into `out`. `server`: the view's. */
void server_text(const struct view *v, uint32_t server, struct strbuf *out);

#endif
