/*
 * The keys of one direction of a connection, and what they open: TLS 1.2 (RFC 5246 §6.2.3) and 1.3 (RFC 8446 §5.2). A record either opens
 * whole and is proven to be its sender's, or it does not open: whatever the key, nothing is ever read that was not written.
 */
#ifndef RW_TLS_RECORD_H
#define RW_TLS_RECORD_H

#include "dissectors/tls.h"
#include "tls/suite.h"

struct evp_cipher_ctx_st;

struct tls_keys {
    const struct tls_suite *suite; /* NULL: no keys */
    bool tls13, encrypt_then_mac;
    struct evp_cipher_ctx_st *ctx;
    uint64_t seq; /* of the next record */
    uint8_t iv[TLS_IV_MOST], mac_key[TLS_MAC_MOST];
    uint8_t secret[TLS_SECRET_MOST]; /* of TLS 1.3, for the next generation */
};

/* What both sides of a TLS 1.2 connection make their keys of. */
struct tls_master {
    const struct tls_suite *suite;
    bool encrypt_then_mac;
    struct span secret, client_random, server_random;
};

/* Both take the place of the keys before. False: libcrypto failed, or the secret is not as long as the suite has it; no keys. */
bool tls_keys_master(struct tls_keys *k, const struct tls_master *m, bool of_server);
bool tls_keys_traffic(struct tls_keys *k, const struct tls_suite *suite, struct span secret);
bool tls_keys_update(struct tls_keys *k); /* RFC 8446 §7.2 */
void tls_keys_done(struct tls_keys *k);   /* wipes them */

enum { TLS_OPEN_ROOM = TLS_FRAGMENT_MAX + 64 }; /* and what goes before it under a MAC */

/*
 * Opens `r` as the record with the sequence number `seq`; *type and *plain are what was protected, in `room` (TLS_OPEN_ROOM bytes). The
 * keys' own number is the caller's to move on.
 */
bool tls_open(struct tls_keys *k, uint64_t seq, const struct tls_record *r, uint8_t *room, uint8_t *type, struct span *plain);

#endif
