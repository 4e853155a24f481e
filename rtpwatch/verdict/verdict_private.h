/* What verdict's files share and nobody else sees. */
#ifndef RW_VERDICT_PRIVATE_H
#define RW_VERDICT_PRIVATE_H

#include "verdict/verdict.h"

/* ---- claim.c: is a mapping true? ---- */

enum claim_status { CLAIM_OPEN /* nothing speaks for or against it */, CLAIM_FINE, CLAIM_WRONG };

/* What somebody else said of the same socket, or of its host. */
enum proof_kind {
    PROOF_SERVER,
    PROOF_CHECK,
    PROOF_VIA,
    PROOF_VIA_SAME, /* at its own address */
    PROOF_EARLIER,
    PROOF_PUBLIC, /* --public-ip; `by` is the operator: none */
    PROOF_XOR_DIFFERS,
    PROOF_PRIVATE,
    PROOF_FAMILY,
    PROOF_OWN,
    PROOF_SHARED,
    PROOF_WRONG_PORT,
};

struct proof {
    enum proof_kind kind;
    struct seen at;
    struct addr by, said;
    uint32_t server;           /* PROOF_SERVER, PROOF_EARLIER */
    bool doubtful;             /* it contradicts the answer, and an honest server may have given it all the same */
    int64_t from_ns, until_ns; /* how long that was seen to be so */
};

enum { PROOFS_KEPT = 6 };

struct claim {
    enum claim_status status;
    enum confidence confidence;
    bool port_depends; /* another observer saw the same IP with another port: an address-dependent NAT (RFC 4787 §4.1) */
    size_t against_n, for_n;
    /* Only the entries below those counts mean something. */
    struct proof against[PROOFS_KEPT], in_favour[PROOFS_KEPT];
};

/* `media_arrives`: what was sent to the claimed address is known to arrive; then other sockets' words count for nothing. */
void claim_judge(const struct view *v, uint32_t tx, bool media_arrives, struct claim *out);
/* The same, for those who need no proofs: what settles it ends the search. */
enum claim_status claim_status(const struct view *v, uint32_t tx, bool media_arrives, enum confidence *confidence);
/*
 * Does RTP come to the socket that asked, after the answer and before it is told another address? Of a socket that very many send to, it is
 * taken for granted.
 */
bool claim_media_arrives(const struct view *v, uint32_t tx);
/* Of an answer of which no call is known: what comes to the socket tells whether media arrives. */
enum claim_status claim_of_answer(const struct view *v, uint32_t tx, enum confidence *confidence);
/* Is it wrong, if nothing that was sent to the claimed address arrives? The cheapest of the three: for who asks again and again. */
bool claim_is_wrong(const struct view *v, uint32_t tx);

/* ---- bundle.c: whose RTP is it, where several m-lines share a path (RFC 9143 §9.2)? ---- */

enum owner_by { OWNER_BY_MID, OWNER_BY_SSRC, OWNER_BY_PT, OWNER_BY_NOTHING /* a guess */ };
struct stream_owner {
    uint8_t media;
    enum owner_by by;
    bool repair; /* RTX or FEC: belongs to that m-line, and is no media of its own */
};

bool media_bundled(const struct agreement *a, uint8_t media); /* offered in a BUNDLE group, and accepted */
/* The m-line whose address, ICE and RTCP count for `media`: the tagged one of its BUNDLE group (RFC 9143 §7.3), else its own. */
uint8_t media_transport(const struct agreement *a, uint8_t media);
bool media_rejected(const struct agreement *a,
                    uint8_t media); /* port 0, but not where it is bundled and offered with bundle-only (§6) */
bool media_shares(const struct agreement *a, uint8_t one, uint8_t other); /* one path for both */
/* Does anything but this m-line's media flow on its path? Else all that flows there is its own. */
bool media_must_choose(const struct agreement *a, uint8_t media);
/* `media`: any of the m-lines that share the path of `s`; `ids`: of its header extensions, or NULL. */
struct stream_owner stream_owner(const struct agreement *a, uint8_t media, const struct stream *s, const struct stream_ids *ids);
bool ssrc_announced(const struct agreement *a, uint8_t media, uint32_t ssrc); /* by a=ssrc, and not for repair */
const struct format_desc *media_format(const struct agreement *a, uint8_t media,
                                       uint8_t pt); /* as either party lists it; NULL: neither */

/* ---- scene.c: one m-line of one agreement, as this vantage sees it ---- */

enum { SIDE_SOCKETS = 48 };

/* The transport addresses that belong to one party's RTP component, and what is known of where it really is. */
struct side {
    const struct sdp_fact *sdp;
    const struct media_desc *media, *transport; /* transport: whose address, ICE and RTCP count; with BUNDLE another m-line's */
    bool local;                                 /* one of its own is on a local host */
    struct addr home;                           /* that local one; ADDR_NONE */
    size_t own_n, seen_n;
    /* Only the entries below those counts mean something. */
    struct addr own[SIDE_SOCKETS];         /* advertised ones, their bases, and the socket behind a NAT */
    const struct socket *at[SIDE_SOCKETS]; /* what passed at each, see view_media_at() */
    uint32_t begin[SIDE_SOCKETS][2];       /* the newest flow in, and out, that began before the scene ends */
    struct addr rtcp[SIDE_SOCKETS];        /* the RTCP socket that goes with each */
    uint32_t rtcp_begin[SIDE_SOCKETS][2];  /* as `begin` */
    struct place seen[PLACES_KEPT];        /* where its packets were seen coming from at the other party's sockets */
};

struct span_of_time {
    int64_t from_ns, to_ns;
};

enum { SCENE_NOTES = 256 };
struct scene {
    const struct view *v;
    const struct call *call;
    const struct agreement *agreement;
    uint8_t media, transport;
    struct span_of_time when;
    bool ice;
    bool choose;  /* not all RTP of its path is its own */
    bool quiet;   /* no RTP, RTCP, check or DTLS at its sockets at that time: nobody need go through their flows */
    bool crowded; /* one of its sockets has more flows at that time than are looked at: what is missing may be among them */
    struct side side[PARTIES];
    uint32_t *noted; /* scene_flows.c: whose its sockets' flows are, as far as was asked; NULL while it is made */
    uint32_t note[SCENE_NOTES];
};

/* `before`: the same m-line in the agreement before, NULL: none. Its sockets still count where they are still used. */
void scene_make(struct scene *s, const struct view *v, const struct call *c, const struct agreement *a, uint8_t media,
                struct span_of_time when, const struct scene *before);
/* The descriptions alone: no socket is looked for, so neither party is known to be here. */
void scene_outline(struct scene *s, const struct view *v, const struct call *c, const struct agreement *a, uint8_t media,
                   struct span_of_time when);
bool side_has(const struct side *s, const struct addr *a);
const struct socket *side_socket(const struct scene *s, enum party p,
                                 const struct addr *a); /* view_media_at(), where it is known */
/* RTP of believed streams on the flow within the time; the first and last packet's places if asked. */
uint64_t flow_rtp(const struct view *v, const struct flow *f, struct span_of_time when, struct tally *out);
/* The same, of this m-line's media alone; and of what shares its path: other m-lines' media, RTX, FEC. */
uint64_t scene_rtp(const struct scene *s, const struct flow *f, struct span_of_time when, struct tally *out);
uint64_t scene_rtp_beside(const struct scene *s, const struct flow *f, struct span_of_time when, struct tally *out);
/* Media of `from` should flow: RFC 3264 §5.1, §6.1; 0.0.0.0 is the old way to hold (RFC 2543, RFC 3264 §8.4). */
bool scene_expects(const struct scene *s, enum party from);
bool scene_held(const struct scene *s, enum party from); /* on hold: music may be played, and need not be */
bool scene_owns(const struct scene *s, const struct stream *x);
void place_add(struct place *list, size_t *n, const struct addr *a, const struct tally *t); /* up to PLACES_KEPT */
bool addr_usable(const struct addr *a); /* a port and an address that is not 0.0.0.0 */
/* The transaction by which a STUN server claimed `mapped`, the latest answered before `ns`; POOL_NONE: none in this capture. */
uint32_t mapping_behind(const struct view *v, const struct addr *mapped, int64_t ns);
uint32_t mapping_at(const struct view *v, const struct socket *mapped, int64_t ns); /* the same; NULL: nothing passed there */

/* ---- scene_flows.c ---- */

/*
 * Goes through the flows that leave a socket of that party (`out`), or come to it: the session's and those of nobody known, not those of
 * another session. Of a socket that has very many, the newest ones, and those to and from the other party's own addresses.
 */
struct flows {
    const struct scene *s;
    enum party p;
    const struct addr *at;
    bool out, cut;
    uint32_t next, last; /* slots: the one to look at next, the one that was looked at last */
    unsigned steps, looked_at;
    size_t paired;
};
void flows_begin(const struct scene *s, const struct socket *k, uint32_t begin[2]);  /* for side.begin; `k`: NULL, none */
struct flows flows_of(const struct scene *s, enum party p, size_t i, bool out);      /* of its own socket number `i` */
struct flows flows_of_rtcp(const struct scene *s, enum party p, size_t i, bool out); /* of the RTCP socket that goes with it */
struct flows flows_at(const struct scene *s, enum party p, const struct addr *a, bool out);
const struct flow *flows_next(struct flows *w); /* NULL at the end */
void flows_survey(struct scene *s);             /* sets `quiet` and `crowded` */

/* ---- ice.c: what the connectivity checks say ---- */

struct ice_result {
    uint64_t sent[PARTIES], answered[PARTIES]; /* checks sent by that party that are seen here, and their answers */
    bool connected;                            /* some pair was answered */
    bool routable_tried;                       /* some check went to an address that could have been reached */
    struct seen first, last;
    bool lite[PARTIES];       /* it only answers: it says so (RFC 8445 §2.5), or is seen to */
    bool nominating;          /* some check carried USE-CANDIDATE (RFC 8445 §8.1.1) */
    bool beyond;              /* more than checks flows on some pair: ICE had chosen it, maybe before the capture */
    uint64_t nominated_rtp;   /* packets on the nominated pair */
    uint64_t conflicts;       /* answers that tell of a role conflict */
    struct ice_finding roles; /* `used` is not set here */
};

void ice_judge(const struct scene *s, struct ice_result *out);
/* Was a check answered on that pair, so that the answer arrived as well, as far as that is seen here? */
bool ice_works(const struct view *v, const struct check *c);
/* Evidence: that it never connected. */
void ice_tell_unconnected(const struct ice_result *ice, struct session_finding *f);
/*
 * hidden.c: no check is answered in the clear, and a connection of a local party whose inside is not read began with the session and is as
 * busy as with media: nothing is known of it then. False, and *f as it was, where there is none.
 */
bool hidden_judge(const struct scene *s, struct session_finding *f);
/*
 * All is blocked one way, or a mirror shows one direction: the failure is told, no cause is more than suspected, and the evidence says so.
 */
void hidden_hedge(const struct view *v, const struct call *c, struct session_finding *f);

/* ---- lane.c: one direction ---- */

void lane_judge(const struct scene *s, const struct ice_result *ice, enum party from, struct direction_finding *out,
                struct session_finding *session);

/* ---- quality.c: loss, gaps, jitter; emodel.c: what a listener would say ---- */

/* Of what arrived at the receiver's sockets, when that is here. */
void quality_of_packets(const struct scene *s, enum party from, const struct direction_finding *d, struct quality *out);
/* Of what the receiver reports of stream `x`. */
void quality_of_report(const struct scene *s, const struct stream *x, const struct rtcp_about *a, struct quality *out);
void quality_join(struct quality *into, const struct quality *more); /* another span, or another stream, of the same direction */
/* Rates each direction once all its spans are joined, and warns of those that are received badly. `dropped`: the capture lost packets. */
void quality_conclude(struct session_finding *f, bool dropped);

struct emodel_codec {
    const char *encoding, *name;
    double ie, bpl;
    const char *source; /* those values, and whose they are */
};
const struct emodel_codec *emodel_codec(const char *encoding); /* in any case; NULL: no value is known */
/* The rating factor R (ITU-T G.107 §7) at default values, without echo. `delay_ms`: mouth to ear; loss is at random (BurstR 1). */
double emodel_r(double ie, double bpl, double loss_percent, double delay_ms);
double emodel_mos(double r); /* MOS-CQE (G.107 Annex B), 1 to 4.5 */

/* ---- cause.c ---- */

/*
 * Why does what is sent to `to` (the receiving party) not get there? `x`: where it is seen to be sent, ADDR_NONE when only the
 * receiver's side is visible. Sets cause, confidence and server of `out`.
 */
void cause_of_loss(const struct scene *s, enum party to, const struct addr *x, struct direction_finding *out,
                   struct session_finding *session);
/* Is that party known to be at another address than `x`, in another network? */
bool known_elsewhere(const struct scene *s, enum party to, const struct addr *x);
/* Why did ICE never connect? */
void cause_of_setup(const struct scene *s, const struct ice_result *ice, struct session_finding *session);

/* ---- server.c ---- */

/* A party's RTP socket or the RTCP one beside it: asked to keep a NAT's mapping open, and no server. */
bool server_is_peer(const struct view *v, uint32_t server);

/* ---- vain.c ---- */

struct blame {
    enum cause cause;
    enum confidence sure;
    uint32_t server;
};

/*
 * Were all STUN questions of that party's own sockets in vain, with no answer or an error, so that it had no outside address to offer?
 * Then it is told, and `out` filled.
 */
bool stun_in_vain(const struct scene *s, enum party p, struct blame *out, struct session_finding *session);

/* ---- turn.c ---- */

/* ICE never connected: was that party given no relay, or one that let nobody through? Sets cause, confidence and server. */
bool turn_of_setup(const struct scene *s, enum party p, struct session_finding *session);
/*
 * Media of that direction went through a relay of this vantage: is what became of the relay why it is lost? Sets cause, confidence,
 * server and, where it was heard before, when it stopped.
 */
bool turn_of_loss(const struct scene *s, struct direction_finding *out, struct session_finding *session);
/* ICMP says that nobody listens at `x`: is that the port of the party's relay, which its server closes when the allocation ends? */
bool turn_closed(const struct scene *s, enum party to, const struct addr *x, const struct icmp_about *icmp,
                 struct session_finding *session);
/* An error to a request of TURN's; to ask for credentials, for a new nonce, or to ask another server is none (RFC 8489 §9.2.4, §10). */
bool turn_is_refusal(const struct stun_tx *x);
/* Warns of a TURN server that gave a party no relay in a session that went well without. */
void turn_warn(const struct scene *s, struct session_finding *session);
/* ---- hears.c ---- */

/*
 * Does anything come to that IP after `ns` that the IP of `but` did not send: where it signals in this call, or at a socket of it that
 * asked a STUN server? Of a host that has very many, the newest tell.
 */
bool host_hears(const struct scene *s, const struct addr *host, const struct addr *but, int64_t ns);

/* ---- dtls.c ---- */

/*
 * Fills session->dtls. True where the handshake is why there is no media (`media_seen`: there is some): then cause, confidence and the
 * evidence of the session are written, and what evidence was there is gone.
 */
bool dtls_judge(const struct scene *s, bool media_seen, struct session_finding *session);

/* ---- transfer.c ---- */

/* How long media is awaited of an agreement that holds for that time: until a transfer, if it did not fail. */
struct span_of_time until_transferred(const struct call *c, struct span_of_time when);
/* Tells each transfer that the other party agreed to, and what became of it. */
void tell_transfers(const struct call *c, struct session_finding *session);

/* ---- session.c ---- */

/* Verdict, cause, confidence and server of the session from those of its directions. */
void session_from_directions(struct session_finding *f);

/* ---- candidates.c ---- */

void candidates_list(const struct scene *s, struct session_finding *session);
/* Gives each its status, and warns of wrong ones in a session that went well. After the directions are judged. */
void candidates_conclude(const struct view *v, struct session_finding *session);
void warn_add(struct session_finding *s, const char *kind, uint32_t server, const char *text);

/* ---- server_history.c ---- */

/* Onset, end and changes for each server, where their last_bad is known. */
void server_history(const struct view *v, struct server_finding *out);
void server_history_shift(struct server_finding *f, int64_t ns);                       /* to another clock */
void server_history_join(struct server_finding *into, const struct server_finding *f); /* of another vantage */

/* ---- dns_finding.c ---- */

/* Tells how old the address of the server of that transaction was, where it was stale when it was asked. */
void evidence_dns(const struct view *v, uint32_t tx, struct session_finding *s);

/* ---- evidence.c ---- */

/* A macro, so that what its arguments cost is paid only where the sentence is wanted. */
#define evidence_add(s, ...) ((s)->brief ? (void)0 : evidence_write((s), __VA_ARGS__))
__attribute__((format(printf, 4, 5))) void evidence_write(struct session_finding *s, struct seen at, const char *kind,
                                                          const char *fmt, ...);
/* A constant sentence, which is not copied; written in a brief judgement as well. */
void evidence_note(struct session_finding *s, struct seen at, const char *text);
/* The latest piece of evidence is that `by` sends nothing: another vantage, where it is seen to send, takes that back. */
void evidence_unsent(struct session_finding *s, enum party by);
void evidence_sort(struct session_finding *s);
void evidence_claim(const struct view *v, uint32_t tx, const struct claim *c, struct session_finding *s);
const char *text_keep(struct session_finding *s, struct strbuf *b); /* moves the text into the finding, frees the buffer */
const char *addr_keep(struct session_finding *s, const struct addr *a);
struct span uri_user(struct span uri); /* "alice" of sip:alice@example.com; SPAN_NONE without one */

#endif
