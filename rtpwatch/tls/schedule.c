#include "tls/schedule.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

/* libcrypto takes what it only reads as if it wrote there. */
static void *read_only(const void *p)
{
    union {
        const void *in;
        void *out;
    } u = { p };

    return u.out;
}

static OSSL_PARAM octets(const char *name, struct span s)
{
    return OSSL_PARAM_construct_octet_string(name, read_only(s.p), s.n);
}

static OSSL_PARAM word(const char *name, const char *s)
{
    return OSSL_PARAM_construct_utf8_string(name, read_only(s), 0);
}

static bool derive(const char *name, const OSSL_PARAM *params, uint8_t *out, size_t n)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    bool fine = ctx && EVP_KDF_derive(ctx, out, n, params) == 1;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return fine;
}

bool tls_prf(const char *hash, struct span secret, const char *label, struct span seed, uint8_t *out, size_t n)
{
    const OSSL_PARAM params[] = { word(OSSL_KDF_PARAM_DIGEST, hash), octets(OSSL_KDF_PARAM_SECRET, secret),
                                  octets(OSSL_KDF_PARAM_SEED, span_str(label)), octets(OSSL_KDF_PARAM_SEED, seed),
                                  OSSL_PARAM_END };

    return derive("TLS1-PRF", params, out, n);
}

bool tls_expand_label(const char *hash, struct span secret, const char *label, uint8_t *out, size_t n)
{
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                                  word(OSSL_KDF_PARAM_DIGEST, hash),
                                  octets(OSSL_KDF_PARAM_KEY, secret),
                                  octets(OSSL_KDF_PARAM_PREFIX, SPAN("tls13 ")),
                                  octets(OSSL_KDF_PARAM_LABEL, span_str(label)),
                                  OSSL_PARAM_END };

    return derive("TLS13-KDF", params, out, n);
}
