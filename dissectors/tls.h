/*
 * TLS 1.2 (RFC 5246) and 1.3 (RFC 8446) as far as it is in the clear: records, and of the handshake the two hello messages.
 *
 *   record      0 content type · 1 version 3, x · 3 length (16 bits) · 5 fragment
 *   handshake   0 type · 1 length (24 bits) · 4 body; messages may span records, and records hold several
 */
#ifndef RW_DISSECTORS_TLS_H
#define RW_DISSECTORS_TLS_H

#include "dissect.h"

enum tls_content { TLS_CHANGE_CIPHER_SPEC = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_APPLICATION_DATA = 23 };

enum tls_handshake_type { TLS_CLIENT_HELLO = 1, TLS_SERVER_HELLO = 2, TLS_FINISHED = 20, TLS_KEY_UPDATE = 24 };

enum { TLS_1_2 = 0x0303, TLS_1_3 = 0x0304 };
enum {
    TLS_RECORD_HEADER = 5,
    TLS_HANDSHAKE_HEADER = 4,
    TLS_RANDOM = 32,
    TLS_FRAGMENT_MAX = (1 << 14) + 2048, /* RFC 5246 §6.2.3; TLS 1.3 allows less */
    TLS_HELLO_PEEK = TLS_RECORD_HEADER + TLS_HANDSHAKE_HEADER + 2 + TLS_RANDOM
};

struct tls_record {
    uint8_t type;       /* enum tls_content */
    struct span header; /* as it is protected in TLS 1.3 */
    struct span fragment;
};

struct tls_hello {
    uint16_t version; /* of a ServerHello the one that is chosen, else what stands in the field of that name */
    struct span random;
    uint16_t suite;        /* of a ServerHello */
    bool retry;            /* a ServerHello that is a HelloRetryRequest, RFC 8446 §4.1.4 */
    bool encrypt_then_mac; /* of a ServerHello: agreed, RFC 7366 */
};

/* DIS_NOT_MINE: another type or version than TLS has, or longer than it allows. */
enum dis tls_record(struct rd *in, struct tls_record *out);

/* Do the bytes begin like a record with a ClientHello, as far as they go? */
bool tls_looks_like_hello(struct span s);
/* The random of such a ClientHello, by its place; empty with less than TLS_HELLO_PEEK bytes. */
struct span tls_peek_random(struct span s);

/* The body of a ClientHello or ServerHello. DIS_SHORT: its fields or extensions do not fit it. */
enum dis tls_hello(struct span body, bool client, struct tls_hello *out);

#endif
