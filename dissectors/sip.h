/*
 * SIP (RFC 3261), from a datagram or a stream. Header values are spans of the message as it was sent:
 * folded ones still hold their line break (RFC 3261 §7.3.1), parameters are parsed out of them.
 */
#ifndef RW_DISSECTORS_SIP_H
#define RW_DISSECTORS_SIP_H

#include "dissect.h"

enum sip_method {
    SIP_OTHER,
    SIP_INVITE,
    SIP_ACK,
    SIP_BYE,
    SIP_CANCEL,
    SIP_REGISTER,
    SIP_OPTIONS,
    SIP_PRACK,
    SIP_UPDATE,
    SIP_INFO,
    SIP_REFER,
    SIP_MESSAGE,
    SIP_SUBSCRIBE,
    SIP_NOTIFY,
    SIP_PUBLISH,
};

enum { SIP_HEADERS_KEPT = 96, SIP_VIAS_KEPT = 12 };

struct sip_header {
    struct span name, value; /* compact names are given as sent; sip_header_is() knows both forms */
};

/* One Via hop, topmost first (RFC 3261 §20.42; received and rport: RFC 3581). */
struct sip_via {
    struct span transport, host, branch, received; /* received: as sent, quotes and brackets taken off */
    uint16_t port;                                 /* 0 where none is given */
    uint16_t rport;                                /* 0 where absent or without a value */
};

/* From, To, Contact: the URI, the display name and the tag. */
struct sip_party {
    struct span display, uri, user, host, tag;
};

struct sip_msg {
    bool request;
    enum sip_method method; /* of a request; of a response, CSeq's */
    struct span method_name, uri, reason;
    unsigned status; /* 100..699; 0 for a request */
    struct span call_id;
    struct sip_party from, to, contact;
    uint32_t cseq;
    struct span user_agent; /* User-Agent, or Server where that is absent */
    struct span content_type;
    bool has_content_length;
    size_t content_length;
    struct span body;     /* as far as captured */
    size_t vias, headers; /* kept ones; only so many entries mean something */
    struct sip_via via[SIP_VIAS_KEPT];
    struct sip_header header[SIP_HEADERS_KEPT];
};

/* What begins like a SIP start line: a token, blank and URI…, or "SIP/2.0 ". Cheap; never proof. */
bool sip_looks_like(struct span s);

/*
 * One message out of *in. `stream`: over TCP the body's length is Content-Length (0 where absent, and a fault)
 * and an unfinished message is DIS_SHORT; in a datagram the body is what Content-Length says or the rest
 * (RFC 3261 §18.3). Empty lines before the start line are passed over (§7.5). DIS_NOT_MINE without a SIP start line.
 */
enum dis sip_dissect(struct rd *in, bool stream, struct sip_msg *out, struct faults *why);

/* Whether the header has that full name ("Call-ID"), in any case or in its compact form. */
bool sip_header_is(const struct sip_header *h, struct span name);

/* The first header of that full name ("Call-ID"), in any case or in its compact form; SPAN_NONE without one. */
struct span sip_header(const struct sip_msg *m, struct span name);

/* The SDP in the body: the whole body, or the application/sdp part of a multipart one (RFC 5621); SPAN_NONE without. */
struct span sip_sdp(const struct sip_msg *m, struct faults *why);

const char *sip_method_name(enum sip_method m); /* "INVITE"; "other" */

#endif
