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

/* What the low four bits do to a CRC-32 of ITU-T V.42 (reflected, polynomial 0x04c11db7) until N + 1 times four bits are shifted out. */
static const uint32_t crc_of_four[8][16] = {
    { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344,
      0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c },
    { 0x00000000, 0x77073096, 0xee0e612c, 0x990951ba, 0x076dc419, 0x706af48f, 0xe963a535, 0x9e6495a3, 0x0edb8832, 0x79dcb8a4,
      0xe0d5e91e, 0x97d2d988, 0x09b64c2b, 0x7eb17cbd, 0xe7b82d07, 0x90bf1d91 },
    { 0x00000000, 0x4ac21251, 0x958424a2, 0xdf4636f3, 0xf0794f05, 0xbabb5d54, 0x65fd6ba7, 0x2f3f79f6, 0x3b83984b, 0x71418a1a,
      0xae07bce9, 0xe4c5aeb8, 0xcbfad74e, 0x8138c51f, 0x5e7ef3ec, 0x14bce1bd },
    { 0x00000000, 0x191b3141, 0x32366282, 0x2b2d53c3, 0x646cc504, 0x7d77f445, 0x565aa786, 0x4f4196c7, 0xc8d98a08, 0xd1c2bb49,
      0xfaefe88a, 0xe3f4d9cb, 0xacb54f0c, 0xb5ae7e4d, 0x9e832d8e, 0x87981ccf },
    { 0x00000000, 0x1c26a370, 0x384d46e0, 0x246be590, 0x709a8dc0, 0x6cbc2eb0, 0x48d7cb20, 0x54f16850, 0xe1351b80, 0xfd13b8f0,
      0xd9785d60, 0xc55efe10, 0x91af9640, 0x8d893530, 0xa9e2d0a0, 0xb5c473d0 },
    { 0x00000000, 0x01c26a37, 0x0384d46e, 0x0246be59, 0x0709a8dc, 0x06cbc2eb, 0x048d7cb2, 0x054f1685, 0x0e1351b8, 0x0fd13b8f,
      0x0d9785d6, 0x0c55efe1, 0x091af964, 0x08d89353, 0x0a9e2d0a, 0x0b5c473d },
    { 0x00000000, 0x5019579f, 0xa032af3e, 0xf02bf8a1, 0x9b14583d, 0xcb0d0fa2, 0x3b26f703, 0x6b3fa09c, 0xed59b63b, 0xbd40e1a4,
      0x4d6b1905, 0x1d724e9a, 0x764dee06, 0x2654b999, 0xd67f4138, 0x866616a7 },
    { 0x00000000, 0xb8bc6765, 0xaa09c88b, 0x12b5afee, 0x8f629757, 0x37def032, 0x256b5fdc, 0x9dd738b9, 0xc5b428ef, 0x7d084f8a,
      0x6fbde064, 0xd7018701, 0x4ad6bfb8, 0xf26ad8dd, 0xe0df7733, 0x58631056 }
};

static uint32_t crc32_more(uint32_t crc, struct span s)
{
    size_t at = 0;

    for (; s.n - at >= 4; at += 4) {
        crc ^= (uint32_t)s.p[at] | (uint32_t)s.p[at + 1] << 8 | (uint32_t)s.p[at + 2] << 16 | (uint32_t)s.p[at + 3] << 24;
        crc = crc_of_four[7][crc & 15] ^ crc_of_four[6][crc >> 4 & 15] ^ crc_of_four[5][crc >> 8 & 15] ^
              crc_of_four[4][crc >> 12 & 15] ^ crc_of_four[3][crc >> 16 & 15] ^ crc_of_four[2][crc >> 20 & 15] ^
              crc_of_four[1][crc >> 24 & 15] ^ crc_of_four[0][crc >> 28];
    }
    for (; at < s.n; at++) {
        crc ^= s.p[at];
        crc = crc >> 8 ^ crc_of_four[1][crc & 15] ^ crc_of_four[0][crc >> 4 & 15];
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

/* NULL where there is no memory, or no SHA-1 in this libcrypto. */
static EVP_MAC_CTX *hmac_sha1_new(void)
{
    char digest[] = "SHA1";
    const OSSL_PARAM params[] = { OSSL_PARAM_utf8_string("digest", digest, sizeof digest - 1), OSSL_PARAM_END };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *hmac = mac ? EVP_MAC_CTX_new(mac) : NULL;

    EVP_MAC_free(mac);
    if (hmac && EVP_MAC_CTX_set_params(hmac, params) == 1)
        return hmac;
    EVP_MAC_CTX_free(hmac);
    return NULL;
}

void stun_mac_done(struct stun_mac *mac)
{
    EVP_MAC_CTX_free(mac->hmac);
    mac->hmac = NULL;
}

static bool hmac_sha1(struct stun_mac *mac, struct span key, const struct span *part, size_t parts, uint8_t out[SHA1_BYTES])
{
    EVP_MAC_CTX *hmac = mac->hmac ? mac->hmac : (mac->hmac = hmac_sha1_new());
    size_t n = 0;
    /* A NULL key would mean "as before", not "empty". */
    bool ok = hmac && EVP_MAC_init(hmac, key.n ? key.p : (const uint8_t *)"", key.n, NULL) == 1;

    for (size_t i = 0; ok && i < parts; i++)
        ok = EVP_MAC_update(hmac, part[i].p, part[i].n) == 1;
    return ok && EVP_MAC_final(hmac, out, &n, SHA1_BYTES) == 1 && n == SHA1_BYTES;
}

static bool integrity(struct stun_mac *mac, const struct stun_msg *m, struct span key, uint8_t out[SHA1_BYTES])
{
    static const uint8_t zeros[CLASSIC_BLOCK];
    uint8_t header[STUN_HEADER];
    size_t at = m->integrity_at;
    /* RFC 3489 §11.2.8 pads what it protects with zeros to 64 bytes; its successors do not. */
    size_t pad = m->classic ? (CLASSIC_BLOCK - at % CLASSIC_BLOCK) % CLASSIC_BLOCK : 0;
    const struct span part[] = { { header, sizeof header }, attrs_before(m, at), { zeros, pad } };

    header_until(m, at + ATTR_HEADER + SHA1_BYTES, header);
    return hmac_sha1(mac, key, part, sizeof part / sizeof *part, out);
}

enum stun_check stun_check_integrity(struct stun_mac *mac, const struct stun_msg *m, struct span key)
{
    struct span val = span_part(m->whole, m->integrity_at + ATTR_HEADER, SHA1_BYTES);
    uint8_t want[SHA1_BYTES];

    /* Where libcrypto fails nothing is known, which is not the same as a forgery. */
    if (!m->has_integrity || !integrity(mac, m, key, want))
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
