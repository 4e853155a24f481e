/*
 * DTLS 1.0 (RFC 4347), 1.2 (RFC 6347) and 1.3 (RFC 9147), as DTLS-SRTP uses it (RFC 5764): the records of a datagram, and of
 * what is not encrypted the handshake messages and alerts.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * | content type  |   version 0xfeff or 0xfefd    |     epoch     |
 * |     epoch     |            sequence number (48 bits)          |
 * |            sequence number                    |     length    |
 * |    length     |  fragment
 *
 * DTLS 1.3 encrypts under a header of its own (RFC 9147 §4): 0 0 1 C S L E E, then a connection id where C, 8 or (S) 16 bits
 * of an encrypted sequence number, and (L) a length. EE are the low bits of the epoch.
 *
 * Handshake messages (epoch 0): type (8 bits), length (24), message_seq (16), fragment_offset (24), fragment_length (24).
 */
#ifndef RW_DISSECTORS_DTLS_H
#define RW_DISSECTORS_DTLS_H

#include "dissect.h"

enum dtls_content {
    DTLS_CIPHERTEXT = 0, /* DTLS 1.3: the type is encrypted too */
    DTLS_CHANGE_CIPHER_SPEC = 20,
    DTLS_ALERT = 21,
    DTLS_HANDSHAKE = 22,
    DTLS_APPLICATION_DATA = 23,
    DTLS_HEARTBEAT = 24, /* RFC 6520 */
    DTLS_CID = 25,       /* RFC 9146: encrypted, behind a connection id of a length that only the two know */
    DTLS_ACK = 26,       /* RFC 9147 §7 */
};

enum dtls_handshake_type {
    DTLS_HELLO_REQUEST = 0,
    DTLS_CLIENT_HELLO = 1,
    DTLS_SERVER_HELLO = 2,
    DTLS_HELLO_VERIFY_REQUEST = 3,
    DTLS_CERTIFICATE = 11,
    DTLS_SERVER_KEY_EXCHANGE = 12,
    DTLS_CERTIFICATE_REQUEST = 13,
    DTLS_SERVER_HELLO_DONE = 14,
    DTLS_CERTIFICATE_VERIFY = 15,
    DTLS_CLIENT_KEY_EXCHANGE = 16,
    DTLS_FINISHED = 20,
};

enum { DTLS_1_0 = 0xfeff, DTLS_1_2 = 0xfefd, DTLS_1_3 = 0xfefc };
enum { DTLS_ALERT_WARNING = 1, DTLS_ALERT_FATAL = 2 };
enum { DTLS_RECORDS_KEPT = 16, DTLS_HANDSHAKES_KEPT = 16, DTLS_PROFILES_KEPT = 8, DTLS_VERSIONS_KEPT = 8 };
enum { DTLS_RECORD_HEADER = 13 };

struct dtls_record {
    uint8_t type;         /* enum dtls_content */
    uint16_t version;     /* as in the header; DTLS_1_3 for DTLS_CIPHERTEXT, whose header has none */
    uint16_t epoch;       /* of DTLS_CIPHERTEXT the two low bits */
    uint64_t seq;         /* of DTLS_CIPHERTEXT 0: it is encrypted */
    struct span fragment; /* as captured */
};

/* A message in the clear, or a fragment of one: whole where offset is 0 and fragment_length is length. */
struct dtls_handshake {
    uint8_t type; /* enum dtls_handshake_type */
    uint16_t seq; /* message_seq */
    uint32_t length, offset, fragment_length;
    struct span body; /* this fragment, as captured */
};

/* A ClientHello or a ServerHello, as far as its first fragment goes; all of it after dtls_join(). */
struct dtls_hello {
    uint16_t version; /* client_version, server_version; DTLS 1.3 says 0xfefd and lists itself in `supported` */
    size_t session_id_length;
    struct span cookie;    /* of a ClientHello that answers a HelloVerifyRequest */
    uint16_t cipher_suite; /* of a ServerHello: the chosen one */
    bool has_use_srtp;     /* RFC 5764 §4.1.1; a DTLS 1.3 server answers it under encryption */
    size_t profiles;       /* offered, the best first; of a ServerHello one, the chosen */
    uint16_t profile[DTLS_PROFILES_KEPT];
    size_t versions; /* supported_versions; of a ServerHello one, the chosen */
    uint16_t supported[DTLS_VERSIONS_KEPT];
    struct span sni; /* the host name of server_name (RFC 6066 §3) */
};

struct dtls_msg {
    size_t records; /* kept ones; what `has_*` tells goes for the others too */
    struct dtls_record record[DTLS_RECORDS_KEPT];
    size_t handshakes;
    struct dtls_handshake handshake[DTLS_HANDSHAKES_KEPT];

    /* Any fragment counts. */
    bool has_client_hello, has_server_hello, has_hello_verify_request, has_certificate, has_server_hello_done;
    bool has_hello_retry_request; /* DTLS 1.3's other form of ServerHello, told only as this */
    bool has_change_cipher_spec;
    bool has_finished_like;    /* an encrypted handshake record: in DTLS 1.2 Finished is the first of them */
    bool has_application_data; /* or, in DTLS 1.3, anything under the application's keys */
    bool has_alert;
    bool alert_encrypted; /* the first alert: level and description are 0 then; in DTLS 1.3 it is told by its length */
    uint8_t alert_level, alert_description;
    struct dtls_hello client_hello, server_hello; /* also of a HelloRetryRequest */
    struct span certificate; /* DER of the first in the list, where the message's first fragment holds it (or dtls_join()) */
};

/* The content types and versions above, or DTLS 1.3 ciphertext whose lengths fill `s` exactly. `s` is a whole datagram. */
bool dtls_looks_like(struct span s);

/*
 * A whole datagram. DIS_NOT_MINE where dtls_looks_like() would say so; DIS_SHORT, and a fault, where its first record runs past
 * its end. Bytes behind sound records that are none are a fault and passed over (RFC 6347 §4.1.2.7).
 */
enum dis dtls_dissect(struct rd *in, struct dtls_msg *out, struct faults *why);

enum {
    DTLS_JOIN_ROOM = 4096
}; /* a ClientHello with a post-quantum key share has some 1.5 KiB, a certificate of DTLS-SRTP less */

/*
 * A handshake message that comes in fragments, as OpenSSL sends even those that share a datagram. One for each direction of a
 * DTLS association, zeroed at first; the caller keeps it.
 */
struct dtls_join {
    uint8_t type;
    uint16_t seq;
    uint32_t length, have; /* of `bytes` the first `have` are there */
    uint8_t bytes[DTLS_JOIN_ROOM];
};

/*
 * Takes the fragments in *m. Where they complete a ClientHello, ServerHello or Certificate, what dtls_dissect() decoded of it in
 * *m is decoded anew from the whole; spans then point into *j, until its next fragment. Fragments are wanted in order: what comes
 * early is passed over, and found when it is sent again. Larger messages are not put together.
 */
void dtls_join(struct dtls_join *j, struct dtls_msg *m, struct faults *why);

const char *dtls_alert_name(uint8_t description); /* "handshake_failure"; "unknown" */

enum { DTLS_FINGERPRINT_ROOM = 3 * 64 };
/*
 * A certificate's fingerprint as in a=fingerprint (RFC 8122 §5), "AB:CD:…" with its NUL. `algorithm` is the hash function's
 * name there, in any case: sha-1, sha-224, sha-256, sha-384, sha-512. False, and *out empty, for others, without room, or
 * where libcrypto has none.
 */
bool dtls_fingerprint(struct span certificate_der, struct span algorithm, char *out, size_t room);

#endif
