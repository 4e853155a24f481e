/* SDP (RFC 8866) as offer/answer uses it (RFC 3264), with ICE (RFC 8839), DTLS-SRTP (RFC 8842), BUNDLE (RFC 9143). */
#ifndef RW_DISSECTORS_SDP_H
#define RW_DISSECTORS_SDP_H

#include "dissect.h"

enum { SDP_MEDIA_KEPT = 16, SDP_CANDIDATES_KEPT = 128, SDP_FORMATS_KEPT = 32, SDP_SSRCS_KEPT = 16 };

enum sdp_kind { SDP_OTHER, SDP_AUDIO, SDP_VIDEO, SDP_TEXT, SDP_APPLICATION, SDP_IMAGE, SDP_MESSAGE };
enum sdp_dir { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };
enum sdp_cand_type { SDP_CAND_HOST, SDP_CAND_SRFLX, SDP_CAND_PRFLX, SDP_CAND_RELAY, SDP_CAND_UNKNOWN };

struct sdp_cand {
    uint8_t media;     /* index into sdp.media */
    uint8_t component; /* 1 RTP, 2 RTCP */
    enum sdp_cand_type type;
    bool tcp;
    uint32_t priority;
    struct span foundation, transport, host, tcptype, type_name; /* host: the connection-address as sent */
    bool is_name; /* an FQDN or a .local name (RFC 8828): addr is ADDR_NONE with the port set */
    struct addr addr;
    struct addr raddr; /* ADDR_NONE where absent or 0.0.0.0 */
    struct span line;  /* the whole attribute value */
};

/* What a format carries: media, or something that goes with it. */
enum sdp_role {
    SDP_ROLE_MEDIA,
    SDP_ROLE_RTX, /* retransmission (RFC 4588) */
    SDP_ROLE_FEC, /* RFC 5109, RFC 6015, RFC 8627 */
    SDP_ROLE_RED, /* redundancy: media and its copies (RFC 2198) */
    SDP_ROLE_DTMF,
    SDP_ROLE_NOISE, /* comfort noise (RFC 3389) */
};

struct sdp_format {
    struct span encoding; /* rtpmap's encoding name, or the static type's (RFC 3551 §6); SPAN_NONE unknown */
    uint32_t clock_hz;    /* 0 unknown */
    enum sdp_role role;
    uint8_t pt;
    uint8_t apt; /* whose retransmission it is (RFC 4588 §8.1); its own pt where it is none */
};

/* An SSRC that the sender announces (RFC 5576 §4.1). */
struct sdp_ssrc {
    uint32_t ssrc;
    bool repair; /* RTX or FEC of another one: not the first of an FID or FEC-FR group (RFC 5576 §4.2, RFC 5956 §4.3) */
};

struct sdp_media {
    enum sdp_kind kind;
    struct span kind_name, proto, mid;
    uint16_t port;    /* 0: rejected (RFC 3264 §6) */
    struct span host; /* c= of the m-line, or the session's; as sent */
    struct addr addr; /* that host with the port, where it is an IP literal; else ADDR_NONE with the port */
    struct addr rtcp; /* a=rtcp (RFC 3605); ADDR_NONE where absent */
    bool rtcp_mux, ice_mismatch, end_of_candidates, bundle_only;
    bool has_dir; /* a direction attribute stands here or at session level */
    enum sdp_dir dir;
    struct span ufrag, pwd, ice_options, fingerprint, setup; /* the m-line's own, or the session's */
    bool more_fingerprints;                                  /* it has several (RFC 8122 §5); `fingerprint` is the first */
    uint16_t ptime_ms;                                       /* 0 absent */
    uint8_t mid_ext; /* the id of the header extension that carries the mid (RFC 9143 §15); 0 none */
    size_t formats, ssrcs;
    struct sdp_format format[SDP_FORMATS_KEPT];
    struct sdp_ssrc ssrc[SDP_SSRCS_KEPT]; /* each once */
};

struct sdp {
    struct span origin;      /* the whole o= value */
    uint64_t version;        /* o= sess-version */
    struct addr origin_addr; /* o= unicast-address where it is a literal */
    bool ice_lite;
    struct span bundle; /* the mids of a=group:BUNDLE, blank-separated */
    size_t medias, cands;
    struct sdp_media media[SDP_MEDIA_KEPT];
    struct sdp_cand cand[SDP_CANDIDATES_KEPT]; /* in the order sent */
};

/* DIS_NOT_MINE unless it begins with v=; lines may end in CRLF, LF or CR. */
enum dis sdp_dissect(struct rd *in, struct sdp *out, struct faults *why);

/* One candidate, as in a=candidate's value or a trickled one ("candidate:…" allowed). False where it breaks RFC 8839 §5.1. */
bool sdp_candidate(struct span value, struct sdp_cand *out);

const char *sdp_kind_name(enum sdp_kind k);           /* "audio" */
const char *sdp_dir_name(enum sdp_dir d);             /* "sendrecv" */
const char *sdp_cand_type_name(enum sdp_cand_type t); /* "srflx" */

#endif
