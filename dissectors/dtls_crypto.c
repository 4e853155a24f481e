/* The fingerprint that ties a certificate to the SDP: RFC 8122 §5. */
#include <openssl/evp.h>

#include "dissectors/dtls.h"

static const EVP_MD *hash_function(struct span algorithm)
{
    /* RFC 8122 §5's names, less MD5 and MD2, which it forbids. */
    static const struct {
        const char *name;
        const EVP_MD *(*md)(void);
    } known[] = {
        { "sha-1", EVP_sha1 },     { "sha-224", EVP_sha224 }, { "sha-256", EVP_sha256 },
        { "sha-384", EVP_sha384 }, { "sha-512", EVP_sha512 },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (span_eq_nocase(algorithm, span_str(known[i].name)))
            return known[i].md();
    return NULL;
}

bool dtls_fingerprint(struct span certificate_der, struct span algorithm, char *out, size_t room)
{
    static const char hex[] = "0123456789ABCDEF";
    const EVP_MD *md = hash_function(algorithm);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (room)
        *out = '\0';
    if (!md || EVP_Digest(certificate_der.p, certificate_der.n, digest, &n, md, NULL) != 1 || room < 3 * (size_t)n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        *out++ = hex[digest[i] >> 4];
        *out++ = hex[digest[i] & 15];
        *out++ = i + 1 < n ? ':' : '\0';
    }
    return true;
}
