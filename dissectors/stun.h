/*
 * STUN: RFC 3489 (no magic cookie), RFC 5389, RFC 8489; the attributes of ICE (RFC 8445) and TURN (RFC 8656) with it.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |0 0|     message type          |         message length        |
 * |                     magic cookie 0x2112A442                   |  RFC 3489: the first 4 of
 * |                     transaction id (96 bits)                  |  a 128-bit transaction id
 */
#ifndef RW_DISSECTORS_STUN_H
#define RW_DISSECTORS_STUN_H

#include "dissect.h"

enum { STUN_COOKIE = 0x2112A442, STUN_ATTRS_KEPT = 32, STUN_HEADER = 20, STUN_TID = 16 };

enum stun_class { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };
enum stun_method {
    STUN_BINDING = 0x001,
    STUN_SHARED_SECRET = 0x002,
    STUN_ALLOCATE = 0x003,
    STUN_REFRESH = 0x004,
    STUN_SEND = 0x006,
    STUN_DATA = 0x007,
    STUN_CREATE_PERMISSION = 0x008,
    STUN_CHANNEL_BIND = 0x009,
    STUN_CONNECT = 0x00a,
};

enum { STUN_XOR_PEER_ADDRESS = 0x0012 }; /* the one attribute that may stand in a message several times (RFC 8656 §9.1) */

enum stun_form { STUN_FLAG, STUN_U32, STUN_U64, STUN_BYTES, STUN_STRING, STUN_ADDR, STUN_XADDR, STUN_ERRCODE, STUN_UNKNOWNS };

struct stun_def {
    uint16_t code, lo, hi; /* shortest and longest value, bytes */
    enum stun_form form;
    const char *name;
};

struct stun_attr {
    uint16_t code;
    const struct stun_def *def; /* NULL: unknown, kept, reported */
    struct span val;
};

struct stun_msg {
    enum stun_class cls;
    uint16_t method;
    bool classic;          /* RFC 3489: no magic cookie */
    uint8_t tid[STUN_TID]; /* 128 bits as on the wire (cookie and 96 bits, or RFC 3489's 128) */
    struct span whole;     /* header and attributes, as captured */

    /* The attributes that decide things, decoded; has_* tells that one was there and sound. */
    bool has_mapped, has_xor_mapped, has_relayed, has_peer, has_other, has_origin, has_alternate;
    struct addr mapped, xor_mapped, relayed, peer; /* relayed and peer un-XORed */
    struct addr other;                             /* OTHER-ADDRESS, or RFC 3489 CHANGED-ADDRESS */
    struct addr origin;                            /* RESPONSE-ORIGIN, or RFC 3489 SOURCE-ADDRESS */
    struct addr alternate;                         /* ALTERNATE-SERVER */
    struct span username, realm, nonce, software, data, reason;
    size_t data_wire; /* length of DATA on the wire, of which `data` may hold the front only (DIS_CUT) */
    bool has_priority, use_candidate, controlling, controlled, has_lifetime, has_channel, has_integrity, has_fingerprint;
    bool has_userhash;   /* USERHASH, in USERNAME's place (RFC 8489 §14.4) */
    bool change_request; /* RFC 3489 / RFC 5780: answer from another address or port */
    uint32_t priority, lifetime_s;
    uint64_t tie_breaker;
    uint16_t channel, error;             /* error: 300..699, 0 without ERROR-CODE */
    uint8_t requested_transport;         /* 17 UDP, 6 TCP; 0 absent */
    size_t integrity_at, fingerprint_at; /* byte offsets of those attributes in `whole` */

    size_t attrs; /* all attributes, in the order sent */
    struct stun_attr attr[STUN_ATTRS_KEPT];
};

/*
 * One message that fills *in exactly (`stream` false: a datagram) or stands at its front (`stream` true).
 * With the magic cookie: any method and class. Without it: weakly typed, so only with the exact length of the datagram, an
 * RFC 3489 message type (Binding, Shared Secret) and attributes that parse to the end; DIS_NOT_MINE otherwise.
 * The caller must match such a response to its request before believing it.
 */
enum dis stun_dissect(struct rd *in, bool stream, struct stun_msg *out, struct faults *why);

/* The transaction id of what may be a message, and whether it would answer a request; NULL: it is none. A guess, not a reading. */
static inline const uint8_t *stun_peek(struct span s, bool *answers)
{
    bool may = s.n >= STUN_HEADER && s.p[0] < 4;

    *answers = may && (s.p[0] & 1); /* the class's upper bit (RFC 8489 §5) */
    return may ? s.p + 4 : NULL;
}

enum stun_check { STUN_ABSENT, STUN_GOOD, STUN_WRONG };
/* RFC 8489 §14.7: CRC-32 of all before it, XOR 0x5354554e. The message must be whole (DIS_OK). */
enum stun_check stun_check_fingerprint(const struct stun_msg *m);
/* libcrypto's HMAC-SHA1, kept since it takes longer to be found than to run. All zeros to begin with; stun_mac_done() frees it. */
struct stun_mac {
    void *hmac;
};
void stun_mac_done(struct stun_mac *mac);
/* RFC 8489 §14.5: HMAC-SHA1 under `key` (short-term: the password as bytes). */
enum stun_check stun_check_integrity(struct stun_mac *mac, const struct stun_msg *m, struct span key);
/* RFC 8489 §9.2.2: MD5(username ":" realm ":" password). */
void stun_long_term_key(struct span username, struct span realm, struct span password, uint8_t key[16]);

const char *stun_method_name(uint16_t method);  /* "Binding"; "0x0ab" is not made up: "unknown" */
const struct stun_def *stun_def(uint16_t code); /* NULL: not known */
/* What a STUN_ADDR or STUN_XADDR attribute of `m` holds, un-XORed; for those that repeat (XOR-PEER-ADDRESS). */
bool stun_attr_addr(const struct stun_msg *m, const struct stun_attr *a, struct addr *out);

#endif
