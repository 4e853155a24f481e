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
    uint32_t server; /* PROOF_SERVER */
};

enum { PROOFS_KEPT = 6 };

struct claim {
    enum claim_status status;
    enum confidence confidence;
    bool port_depends; /* another observer saw the same IP with another port: an address-dependent NAT (RFC 4787 §4.1) */
    size_t against_n, for_n;
    struct proof against[PROOFS_KEPT], in_favour[PROOFS_KEPT];
};

/* `media_arrives`: what was sent to the claimed address is known to arrive; then other sockets' words count for nothing. */
void claim_judge(const struct view *v, uint32_t tx, bool media_arrives, struct claim *out);

/* ---- scene.c: one m-line of one agreement, as this vantage sees it ---- */

enum { SIDE_SOCKETS = 48 };

/* The transport addresses that belong to one party's RTP component, and what is known of where it really is. */
struct side {
    const struct sdp_fact *sdp;
    const struct media_desc *media;
    size_t own_n; /* advertised ones, their bases, and the socket behind a NAT */
    struct addr own[SIDE_SOCKETS];
    bool local;       /* one of them is on a local host */
    struct addr home; /* that local one; ADDR_NONE */
    size_t seen_n;    /* where its packets were seen coming from at the other party's sockets */
    struct place seen[PLACES_KEPT];
};

struct span_of_time {
    int64_t from_ns, to_ns;
};

struct scene {
    const struct view *v;
    const struct call *call;
    const struct agreement *agreement;
    uint8_t media;
    struct span_of_time when;
    struct side side[PARTIES];
    bool ice;
};

/* `before`: the same m-line in the agreement before, NULL: none. Its sockets still count where they are still used. */
void scene_make(struct scene *s, const struct view *v, const struct call *c, const struct agreement *a, uint8_t media,
                struct span_of_time when, const struct scene *before);
bool side_has(const struct side *s, const struct addr *a);
/* RTP of believed streams on the flow within the time; the first and last packet's places if asked. */
uint64_t flow_rtp(const struct view *v, const struct flow *f, struct span_of_time when, struct tally *out);
bool addr_usable(const struct addr *a); /* a port and an address that is not 0.0.0.0 */
/* The transaction by which a STUN server claimed `mapped`, the latest answered before `ns`; POOL_NONE: none in this capture. */
uint32_t mapping_behind(const struct view *v, const struct addr *mapped, int64_t ns);

/* ---- ice.c: what the connectivity checks say ---- */

struct ice_result {
    uint64_t sent[PARTIES], answered[PARTIES]; /* checks sent by that party that are seen here, and their answers */
    bool connected;                            /* some pair was answered */
    bool routable_tried;                       /* some check went to an address that could have been reached */
    struct seen first, last;
};

void ice_judge(const struct scene *s, struct ice_result *out);

/* ---- lane.c: one direction ---- */

void lane_judge(const struct scene *s, const struct ice_result *ice, enum party from, struct direction_finding *out,
                struct session_finding *session);

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

/* ---- turn.c ---- */

/* ICE never connected: was that party given no relay, or one that let nobody through? Sets cause, confidence and server. */
bool turn_of_setup(const struct scene *s, enum party p, struct session_finding *session);
/*
 * Media of that direction went through a relay of this vantage: is what became of the relay why it is lost? Sets cause, confidence,
 * server and, where it was heard before, when it stopped.
 */
bool turn_of_loss(const struct scene *s, struct direction_finding *out, struct session_finding *session);
/* Warns of a TURN server that gave a party no relay in a session that went well without. */
void turn_warn(const struct scene *s, struct session_finding *session);

/* ---- session.c ---- */

/* Verdict, cause, confidence and server of the session from those of its directions. */
void session_from_directions(struct session_finding *f);

/* ---- candidates.c ---- */

void candidates_list(const struct scene *s, struct session_finding *session);
/* Gives each its status, and warns of wrong ones in a session that went well. After the directions are judged. */
void candidates_conclude(const struct view *v, struct session_finding *session);
void warn_add(struct session_finding *s, const char *kind, uint32_t server, const char *text);

/* ---- evidence.c ---- */

__attribute__((format(printf, 4, 5))) void evidence_add(struct session_finding *s, struct seen at, const char *kind,
                                                        const char *fmt, ...);
/* The latest piece of evidence is that `by` sends nothing: another vantage, where it is seen to send, takes that back. */
void evidence_unsent(struct session_finding *s, enum party by);
void evidence_sort(struct session_finding *s);
void evidence_claim(const struct view *v, uint32_t tx, const struct claim *c, struct session_finding *s);
const char *text_keep(struct session_finding *s, struct strbuf *b); /* moves the text into the finding, frees the buffer */
const char *addr_keep(struct session_finding *s, const struct addr *a);

#endif
