/* One TLS connection: who has sent what in the handshake, which keys are in force in each direction, and what waits there. */
#ifndef RW_TLS_CONNECTION_H
#define RW_TLS_CONNECTION_H

#include "base/strbuf.h"
#include "tls/keylog.h"
#include "tls/record.h"
#include "tls/tls.h"

enum tls_side { TLS_CLIENT, TLS_SERVER };

enum tls_stage {
    TLS_CLEAR,         /* the handshake, up to the first key */
    TLS_HANDSHAKE_KEY, /* of TLS 1.3, up to Finished */
    TLS_KEY_DUE,       /* what comes next is under keys that are not made yet */
    TLS_OPEN,          /* those of application data */
    TLS_GIVEN_UP
};

struct tls_half {
    enum tls_stage stage;
    bool begun; /* a record was taken */
    struct tls_keys keys;
    bool seeking;          /* what comes next need not begin with the record that is expected */
    unsigned window;       /* and then it has one of so many sequence numbers */
    size_t searched;       /* bytes decrypted in vain */
    int64_t waits_ns;      /* since when its key is waited for; 0: it is not */
    uint64_t waits;        /* and since which frame */
    struct strbuf message; /* a handshake message whose end has not come */
    size_t skip;           /* bytes of one that is not looked at */
    struct strbuf plain;   /* application data that is not used */
    uint64_t since;        /* the earliest frame of that */
};

struct tls_connection {
    struct addr end[2]; /* by enum tls_side */
    bool told;          /* a fault says why it is not read */
    bool has_server_hello, encrypt_then_mac;
    uint16_t version; /* as the server chose; 0: not known */
    const struct tls_suite *suite;
    uint8_t client_random[TLS_RANDOM], server_random[TLS_RANDOM];
    struct tls_half half[2];
};

/* What a connection needs of those around it. */
struct tls_around {
    struct keylog *keys;
    struct fault_log *faults;
    size_t memory; /* of all that waits for the rest of its message */
    uint8_t room[TLS_OPEN_ROOM];
};

/* As tls_data(), of a connection that is known. */
size_t connection_data(struct tls_connection *c, enum tls_side side, struct tls_around *around, const struct tls_segment *s,
                       struct span bytes, bool after_gap, struct tls_sink sink);
void connection_finish(struct tls_connection *c,
                       struct tls_around *around);                         /* nothing more comes: is its key still waited for? */
void connection_done(struct tls_connection *c, struct tls_around *around); /* wipes it */

#endif
