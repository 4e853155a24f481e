/*
 * TLS for syslog (RFC 5425, RFC 9662), by OpenSSL. It reads and writes memory, never the socket: so nothing here can block or raise
 * SIGPIPE, and the link knows how many bytes of the stream a message made.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "out/syslog_private.h"

struct syslog_tls {
    struct syslog_tls_options options;
    char host[SYSLOG_HOST];
    SSL_CTX *context;
    SSL *session;             /* of this connection */
    BIO *from_peer, *to_peer; /* owned by it */
};

/* What OpenSSL says first, for the reason of all that follows. */
static const char *reason(void)
{
    unsigned long e = ERR_get_error();
    const char *text = e == 0 ? NULL : ERR_GET_LIB(e) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(e)) : ERR_reason_error_string(e);

    ERR_clear_error();
    return text ? text : "no reason given";
}

static bool no_memory(char *error)
{
    snprintf(error, SYSLOG_ERROR, "TLS: not enough memory");
    return false;
}

/* ---- files ---- */

static bool refuse_file(char *error, const char *what, const char *path)
{
    snprintf(error, SYSLOG_ERROR, "%s %.200s: %s", what, path, reason());
    return false;
}

/* OpenSSL would wait at a FIFO. */
static bool is_file(char *error, const char *what, const char *path)
{
    const char *why;
    FILE *f = file_open(path, &why);

    if (f)
        fclose(f);
    else
        snprintf(error, SYSLOG_ERROR, "%s %.200s: %s", what, path, why);
    return f;
}

/* Instead of asking on the terminal. */
static int no_pass_phrase(char *buf, int size, int rwflag, void *self)
{
    (void)rwflag;
    (void)self;
    if (size > 0)
        *buf = 0;
    return -1;
}

static bool use_authorities(SSL_CTX *c, const struct syslog_tls_options *o, char *error)
{
    static const char ca[] = "CA file";

    if (o->insecure)
        return true;
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
    if (o->ca_file)
        return is_file(error, ca, o->ca_file) &&
               (SSL_CTX_load_verify_file(c, o->ca_file) == 1 || refuse_file(error, ca, o->ca_file));
    return SSL_CTX_set_default_verify_paths(c) == 1 || refuse_file(error, "CA certificates", "of the system");
}

static bool use_certificate(SSL_CTX *c, const struct syslog_tls_options *o, char *error)
{
    static const char certificate[] = "client certificate";
    static const char key[] = "key of the client certificate (PEM, without a pass phrase)";

    if (!o->cert_file && !o->key_file)
        return true;
    if (!o->cert_file || !o->key_file) {
        snprintf(error, SYSLOG_ERROR, "a client certificate and its key belong together: only the %s is given",
                 o->cert_file ? "certificate" : "key");
        return false;
    }
    if (!is_file(error, certificate, o->cert_file) || !is_file(error, key, o->key_file))
        return false;
    if (SSL_CTX_use_certificate_chain_file(c, o->cert_file) != 1)
        return refuse_file(error, certificate, o->cert_file);
    if (SSL_CTX_use_PrivateKey_file(c, o->key_file, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(c) != 1)
        return refuse_file(error, key, o->key_file);
    return true;
}

bool syslog_tls_load(struct syslog_tls *t, char error[SYSLOG_ERROR])
{
    SSL_CTX *c = SSL_CTX_new(TLS_client_method());

    ERR_clear_error();
    snprintf(error, SYSLOG_ERROR, "TLS cannot be used: %s", c ? "" : reason());
    if (!c)
        return false;
    SSL_CTX_set_default_passwd_cb(c, no_pass_phrase);
    if (SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1 || !use_authorities(c, &t->options, error) ||
        !use_certificate(c, &t->options, error)) {
        SSL_CTX_free(c);
        return false;
    }
    SSL_CTX_free(t->context); /* a session that lasts keeps it */
    t->context = c;
    *error = 0;
    return true;
}

struct syslog_tls *syslog_tls_new(const struct syslog_tls_options *o, const char *host, char error[SYSLOG_ERROR])
{
    struct syslog_tls *t = calloc(1, sizeof *t);

    if (!t) {
        no_memory(error);
        return NULL;
    }
    t->options = *o;
    snprintf(t->host, sizeof t->host, "%s", host);
    if (!syslog_tls_load(t, error)) {
        syslog_tls_free(t);
        return NULL;
    }
    return t;
}

void syslog_tls_free(struct syslog_tls *t)
{
    if (!t)
        return;
    SSL_free(t->session);
    SSL_CTX_free(t->context);
    free(t);
}

/* ---- one connection ---- */

/* RFC 5425 §5.2: the certificate must be the host's; an address is looked for among its addresses, a name is asked for (SNI). */
static bool expect_host(SSL *s, const char *host)
{
    struct in6_addr ip;
    char address[SYSLOG_HOST];

    snprintf(address, sizeof address, "%s", host);
    address[strcspn(address, "%")] = 0;
    if (inet_pton(AF_INET, address, &ip) == 1 || inet_pton(AF_INET6, address, &ip) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s), address) == 1;
    SSL_set_hostflags(s, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(s, host) == 1 && SSL_set_tlsext_host_name(s, host) == 1;
}

bool syslog_tls_begin(struct syslog_tls *t, char why[SYSLOG_ERROR])
{
    ERR_clear_error();
    syslog_tls_end(t, NULL);
    t->session = SSL_new(t->context);
    t->from_peer = BIO_new(BIO_s_mem());
    t->to_peer = BIO_new(BIO_s_mem());
    if (!t->session || !t->from_peer || !t->to_peer) {
        BIO_free(t->from_peer);
        BIO_free(t->to_peer);
        return no_memory(why);
    }
    SSL_set_bio(t->session, t->from_peer, t->to_peer);
    SSL_set_connect_state(t->session);
    if (expect_host(t->session, t->host))
        return true;
    snprintf(why, SYSLOG_ERROR, "TLS: %s", reason());
    return false;
}

static bool hand_out(struct syslog_tls *t, struct strbuf *out)
{
    uint8_t piece[4096];
    int n;

    while ((n = BIO_read(t->to_peer, piece, sizeof piece)) > 0)
        strbuf_span(out, (struct span){ piece, (size_t)n });
    return !out->failed;
}

static bool broken(struct syslog_tls *t, char *why)
{
    long verified = SSL_get_verify_result(t->session);

    if (verified != X509_V_OK && !t->options.insecure)
        snprintf(why, SYSLOG_ERROR, "the certificate is refused: %s (expected one for %.200s)",
                 X509_verify_cert_error_string(verified), t->host);
    else
        snprintf(why, SYSLOG_ERROR, "TLS: %s", reason());
    ERR_clear_error();
    return false;
}

bool syslog_tls_handshake(struct syslog_tls *t, bool *done, struct strbuf *out, char why[SYSLOG_ERROR])
{
    int status, code;

    ERR_clear_error();
    status = SSL_do_handshake(t->session);
    code = SSL_get_error(t->session, status);
    *done = status == 1;
    if (!hand_out(t, out)) /* an alert too: the server can tell its operator */
        return no_memory(why);
    return *done || code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE || broken(t, why);
}

bool syslog_tls_take(struct syslog_tls *t, struct span from_peer, struct strbuf *out, char why[SYSLOG_ERROR])
{
    uint8_t ignored[1024]; /* a log server has nothing to say */
    int n, code;

    ERR_clear_error();
    if (BIO_write(t->from_peer, from_peer.p, (int)from_peer.n) != (int)from_peer.n)
        return no_memory(why);
    if (!SSL_is_init_finished(t->session))
        return true;
    while ((n = SSL_read(t->session, ignored, sizeof ignored)) > 0)
        ;
    code = SSL_get_error(t->session, n);
    if (code == SSL_ERROR_ZERO_RETURN)
        return snprintf(why, SYSLOG_ERROR, "closed by the log server"), false;
    if (code != SSL_ERROR_WANT_READ && code != SSL_ERROR_WANT_WRITE)
        return broken(t, why);
    return hand_out(t, out) || no_memory(why); /* it may want an answer: new keys */
}

bool syslog_tls_wrap(struct syslog_tls *t, struct span plain, struct strbuf *out, char why[SYSLOG_ERROR])
{
    ERR_clear_error();
    if (SSL_write(t->session, plain.p, (int)plain.n) == (int)plain.n && hand_out(t, out))
        return true;
    return broken(t, why);
}

void syslog_tls_end(struct syslog_tls *t, struct strbuf *out)
{
    if (!t->session)
        return;
    if (out && SSL_is_init_finished(t->session)) {
        (void)SSL_shutdown(t->session);
        (void)hand_out(t, out);
    }
    SSL_free(t->session);
    t->session = NULL;
    ERR_clear_error();
}
