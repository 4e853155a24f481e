/* What proves a STUN message: FINGERPRINT, MESSAGE-INTEGRITY, and the key for the latter. */
#include <openssl/evp.h>
#include <openssl/params.h>

#include "dissectors/stun.h"

enum { ATTR_HEADER = 4, FINGERPRINT_XOR = 0x5354554e, CRC_BYTES = 4, SHA1_BYTES = 20, CLASSIC_BLOCK = 64 };

/*
 * The header as it is protected: its length counts up to the end of the attribute that protects it, whatever follows
 * (RFC 8489 §14.5, §14.7).
 */
static void header_until(const struct stun_msg *m, size_t end, uint8_t header[STUN_HEADER])
{
    size_t len = end - STUN_HEADER;

    memcpy(header, m->whole.p, STUN_HEADER);
    header[2] = (uint8_t)(len >> 8);
    header[3] = (uint8_t)len;
}

/* Attributes in front of the one at `at`. */
static struct span attrs_before(const struct stun_msg *m, size_t at)
{
    return span_part(m->whole, STUN_HEADER, at - STUN_HEADER);
}

/* CRC-32 of ITU-T V.42: reflected, polynomial 0x04c11db7; four bits at a time. */
static uint32_t crc32_more(uint32_t crc, struct span s)
{
    static const uint32_t of_four_bits[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };

    for (size_t i = 0; i < s.n; i++) {
        crc ^= s.p[i];
        crc = crc >> 4 ^ of_four_bits[crc & 15];
        crc = crc >> 4 ^ of_four_bits[crc & 15];
    }
    return crc;
}

static uint32_t fingerprint(const struct stun_msg *m)
{
    uint8_t header[STUN_HEADER];
    uint32_t crc;

    header_until(m, m->fingerprint_at + ATTR_HEADER + CRC_BYTES, header);
    crc = crc32_more(0xffffffffu, (struct span){ header, sizeof header });
    return ~crc32_more(crc, attrs_before(m, m->fingerprint_at)) ^ FINGERPRINT_XOR;
}

enum stun_check stun_check_fingerprint(const struct stun_msg *m)
{
    struct span val = span_part(m->whole, m->fingerprint_at + ATTR_HEADER, CRC_BYTES);
    struct rd r = rd_init(val, val.n);

    if (!m->has_fingerprint)
        return STUN_ABSENT;
    return rd_u32(&r) == fingerprint(m) ? STUN_GOOD : STUN_WRONG;
}

static bool hmac_sha1(struct span key, const struct span *part, size_t parts, uint8_t out[SHA1_BYTES])
{
    char digest[] = "SHA1";
    OSSL_PARAM params[] = { OSSL_PARAM_utf8_string("digest", digest, sizeof digest - 1), OSSL_PARAM_END };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    size_t n = 0;
    /* A NULL key would mean "as before", not "empty". */
    bool ok = ctx && EVP_MAC_init(ctx, key.n ? key.p : (const uint8_t *)"", key.n, params) == 1;

    for (size_t i = 0; ok && i < parts; i++)
        ok = EVP_MAC_update(ctx, part[i].p, part[i].n) == 1;
    ok = ok && EVP_MAC_final(ctx, out, &n, SHA1_BYTES) == 1 && n == SHA1_BYTES;
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    return ok;
}

static bool integrity(const struct stun_msg *m, struct span key, uint8_t out[SHA1_BYTES])
{
    static const uint8_t zeros[CLASSIC_BLOCK];
    uint8_t header[STUN_HEADER];
    size_t at = m->integrity_at;
    /* RFC 3489 §11.2.8 pads what it protects with zeros to 64 bytes; its successors do not. */
    size_t pad = m->classic ? (CLASSIC_BLOCK - at % CLASSIC_BLOCK) % CLASSIC_BLOCK : 0;
    const struct span part[] = { { header, sizeof header }, attrs_before(m, at), { zeros, pad } };

    header_until(m, at + ATTR_HEADER + SHA1_BYTES, header);
    return hmac_sha1(key, part, sizeof part / sizeof *part, out);
}

enum stun_check stun_check_integrity(const struct stun_msg *m, struct span key)
{
    struct span val = span_part(m->whole, m->integrity_at + ATTR_HEADER, SHA1_BYTES);
    uint8_t want[SHA1_BYTES];

    /* Where libcrypto fails nothing is known, which is not the same as a forgery. */
    if (!m->has_integrity || !integrity(m, key, want))
        return STUN_ABSENT;
    return span_eq(val, (struct span){ want, sizeof want }) ? STUN_GOOD : STUN_WRONG;
}

void stun_long_term_key(struct span username, struct span realm, struct span password, uint8_t key[16])
{
    const struct span part[] = { username, SPAN(":"), realm, SPAN(":"), password };
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned n = 0;
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1;

    for (size_t i = 0; ok && i < sizeof part / sizeof *part; i++)
        ok = EVP_DigestUpdate(ctx, part[i].p, part[i].n) == 1;
    if (!ok || EVP_DigestFinal_ex(ctx, key, &n) != 1)
        memset(key, 0, 16); /* no MD5 in this libcrypto (FIPS): a key that fits nothing */
    EVP_MD_CTX_free(ctx);
}
