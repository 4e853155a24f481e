/*
 * A TLS connection of a real stack (OpenSSL), from both ends within this process: what goes over the wire and what the key log gets is
 * written down.
 */
#ifndef RW_TESTS_TLS_SESSION_H
#define RW_TESTS_TLS_SESSION_H

#include <openssl/ssl.h>

#include "base/span.h"

enum { SESSION_CLIENT, SESSION_SERVER };
enum { SESSION_FLIGHTS = 512, SESSION_WIRE = 4 << 20, SESSION_KEYS = 8192 };

struct tls_session_options {
    int version;       /* TLS1_2_VERSION, TLS1_3_VERSION; 0: 1.3 */
    const char *suite; /* OpenSSL's name of it; NULL: its choice */
    bool rsa;          /* the server's certificate, else ECDSA */
    bool retry;        /* the server wants another group than the client guesses */
    bool mac_then_encrypt;
    SSL_SESSION *resumed; /* NULL: a new one */
    const char *early;    /* data before the handshake is done, of a resumed one */
};

struct tls_session {
    SSL_CTX *ctx[2];
    SSL *ssl[2];
    SSL_SESSION *kept; /* for another one to resume; freed with this one */
    uint8_t *wire;     /* SESSION_WIRE bytes */
    size_t wire_n;
    struct flight {
        unsigned from;
        struct span bytes;
    } flight[SESSION_FLIGHTS];
    size_t flights;
    char keys[SESSION_KEYS];
    size_t keys_n;
};

void session_begin(struct tls_session *s, const struct tls_session_options *o); /* the handshake, and the tickets behind it */
void session_say(struct tls_session *s, unsigned from, const void *text, size_t n);
void session_update(struct tls_session *s, unsigned from); /* new keys, asked of the other side as well */
void session_renegotiate(struct tls_session *s);
void session_end(struct tls_session *s);
struct span session_keys(const struct tls_session *s);
/* The lines without those that begin with `label`; static memory. */
struct span session_keys_without(const struct tls_session *s, const char *label);

#endif
