#include "support/tls_session.h"

#include <criterion/criterion.h>
#include <openssl/x509.h>
#include <stdlib.h>

static void keys_write(const SSL *ssl, const char *line)
{
    struct tls_session *s = SSL_get_app_data(ssl);
    size_t room = SESSION_KEYS - s->keys_n;
    int n = snprintf(s->keys + s->keys_n, room, "%s\n", line);

    cr_assert(n > 0 && (size_t)n < room);
    s->keys_n += (size_t)n;
}

static int session_keep(SSL *ssl, SSL_SESSION *session)
{
    struct tls_session *s = SSL_get_app_data(ssl);

    SSL_SESSION_free(s->kept);
    s->kept = session;
    return 1;
}

static EVP_PKEY *key_make(bool rsa)
{
    return rsa ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048) : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static void certificate_use(SSL_CTX *ctx, bool rsa)
{
    EVP_PKEY *key = key_make(rsa);
    X509 *cert = X509_new();

    cr_assert(key && cert);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    cr_assert_eq(X509_set_pubkey(cert, key), 1);
    cr_assert_gt(X509_sign(cert, key, EVP_sha256()), 0);
    cr_assert_eq(SSL_CTX_use_certificate(ctx, cert), 1);
    cr_assert_eq(SSL_CTX_use_PrivateKey(ctx, key), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* Tickets of one session are for the server of another. */
static void ticket_key_use(SSL_CTX *ctx)
{
    unsigned char key[80] = { 1 };

    cr_assert_eq(SSL_CTX_set_tlsext_ticket_keys(ctx, key, (long)sizeof key), 1);
    cr_assert_eq(SSL_CTX_set_session_id_context(ctx, key, 4), 1);
}

static SSL_CTX *ctx_make(const struct tls_session_options *o, unsigned side)
{
    SSL_CTX *ctx = SSL_CTX_new(side == SESSION_SERVER ? TLS_server_method() : TLS_client_method());
    int version = o->version ? o->version : TLS1_3_VERSION;

    cr_assert_not_null(ctx);
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_options(ctx, o->mac_then_encrypt ? SSL_OP_NO_ENCRYPT_THEN_MAC : 0);
    SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    SSL_CTX_set_keylog_callback(ctx, side == SESSION_SERVER ? keys_write : NULL);
    if (o->suite && version == TLS1_3_VERSION)
        cr_assert_eq(SSL_CTX_set_ciphersuites(ctx, o->suite), 1, "%s", o->suite);
    else if (o->suite)
        cr_assert_eq(SSL_CTX_set_cipher_list(ctx, o->suite), 1, "%s", o->suite);
    if (o->retry)
        cr_assert_eq(SSL_CTX_set1_groups_list(ctx, side == SESSION_SERVER ? "X25519" : "P-256:X25519"), 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
    if (side == SESSION_CLIENT) {
        SSL_CTX_sess_set_new_cb(ctx, session_keep);
        return ctx;
    }
    certificate_use(ctx, o->rsa);
    ticket_key_use(ctx);
    SSL_CTX_set_dh_auto(ctx, 1);
    SSL_CTX_set_max_early_data(ctx, 4096);
    SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
    return ctx;
}

/* What a side has written goes to the other one, and is written down. */
static bool carry(struct tls_session *s, unsigned from)
{
    uint8_t *at = s->wire + s->wire_n;
    int n = BIO_read(SSL_get_wbio(s->ssl[from]), at, SESSION_WIRE - (int)s->wire_n);

    if (n <= 0)
        return false;
    cr_assert_lt(s->flights, SESSION_FLIGHTS);
    s->flight[s->flights++] = (struct flight){ from, { at, (size_t)n } };
    s->wire_n += (size_t)n;
    cr_assert_eq(BIO_write(SSL_get_rbio(s->ssl[!from]), at, n), n);
    return true;
}

static void settle(struct tls_session *s)
{
    char heard[4096];
    bool more = true;

    while (more) {
        more = false;
        for (unsigned side = 0; side < 2; side++) {
            size_t n;

            while (SSL_read_ex(s->ssl[side], heard, sizeof heard, &n) == 1)
                ;
            more |= carry(s, side);
        }
    }
}

static void early_send(struct tls_session *s, const char *text)
{
    char heard[4096];
    size_t n = 0;

    cr_assert_eq(SSL_write_early_data(s->ssl[SESSION_CLIENT], text, strlen(text), &n), 1);
    carry(s, SESSION_CLIENT);
    cr_assert_eq(SSL_read_early_data(s->ssl[SESSION_SERVER], heard, sizeof heard, &n), SSL_READ_EARLY_DATA_SUCCESS);
    cr_assert_eq(n, strlen(text));
    carry(s, SESSION_SERVER);
    (void)SSL_do_handshake(s->ssl[SESSION_CLIENT]);
    carry(s, SESSION_CLIENT);
    cr_assert_eq(SSL_read_early_data(s->ssl[SESSION_SERVER], heard, sizeof heard, &n), SSL_READ_EARLY_DATA_FINISH);
}

void session_begin(struct tls_session *s, const struct tls_session_options *o)
{
    *s = (struct tls_session){ .wire = malloc(SESSION_WIRE) };
    cr_assert_not_null(s->wire);
    for (unsigned side = 0; side < 2; side++) {
        s->ctx[side] = ctx_make(o, side);
        s->ssl[side] = SSL_new(s->ctx[side]);
        cr_assert_not_null(s->ssl[side]);
        SSL_set_app_data(s->ssl[side], s);
        SSL_set_bio(s->ssl[side], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    }
    if (o->resumed)
        cr_assert_eq(SSL_set_session(s->ssl[SESSION_CLIENT], o->resumed), 1);
    SSL_set_connect_state(s->ssl[SESSION_CLIENT]);
    SSL_set_accept_state(s->ssl[SESSION_SERVER]);
    if (o->early)
        early_send(s, o->early);
    settle(s);
    cr_assert(SSL_is_init_finished(s->ssl[SESSION_CLIENT]) && SSL_is_init_finished(s->ssl[SESSION_SERVER]), "%s", o->suite);
    cr_assert_eq(SSL_session_reused(s->ssl[SESSION_CLIENT]), o->resumed != NULL);
}

void session_say(struct tls_session *s, unsigned from, const void *text, size_t n)
{
    size_t written = 0;

    cr_assert_eq(SSL_write_ex(s->ssl[from], text, n, &written), 1);
    cr_assert_eq(written, n);
    settle(s);
}

void session_update(struct tls_session *s, unsigned from)
{
    cr_assert_eq(SSL_key_update(s->ssl[from], SSL_KEY_UPDATE_REQUESTED), 1);
    cr_assert_eq(SSL_do_handshake(s->ssl[from]), 1);
    settle(s);
}

void session_renegotiate(struct tls_session *s)
{
    cr_assert_eq(SSL_renegotiate(s->ssl[SESSION_CLIENT]), 1);
    (void)SSL_do_handshake(s->ssl[SESSION_CLIENT]);
    settle(s);
    cr_assert(!SSL_renegotiate_pending(s->ssl[SESSION_CLIENT]));
}

void session_end(struct tls_session *s)
{
    for (unsigned side = 0; side < 2; side++) {
        SSL_free(s->ssl[side]);
        SSL_CTX_free(s->ctx[side]);
    }
    SSL_SESSION_free(s->kept);
    free(s->wire);
}

struct span session_keys(const struct tls_session *s)
{
    return (struct span){ (const uint8_t *)s->keys, s->keys_n };
}

struct span session_keys_without(const struct tls_session *s, const char *label)
{
    static uint8_t kept[SESSION_KEYS];
    struct span rest = session_keys(s);
    size_t n = 0;

    while (rest.n) {
        struct span line = span_until(&rest, '\n');

        if (span_starts(line, span_str(label)))
            continue;
        memcpy(kept + n, line.p, line.n);
        kept[n + line.n] = '\n';
        n += line.n + 1;
    }
    return (struct span){ kept, n };
}
