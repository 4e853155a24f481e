#include "tls/record.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "tls/schedule.h"

enum {
    TAG = 16,
    GCM_SALT = 4,
    GCM_EXPLICIT = 8,
    CBC_BLOCK = 16,
    SEQ = 8,
    AAD = SEQ + 5,
    KEY_BLOCK = 2 * (TLS_MAC_MOST + TLS_KEY_MOST + TLS_IV_MOST)
};

/* ---- keys ---- */

void tls_keys_done(struct tls_keys *k)
{
    EVP_CIPHER_CTX_free(k->ctx);
    OPENSSL_cleanse(k, sizeof *k);
    *k = (struct tls_keys){ 0 };
}

static bool keys_begin(struct tls_keys *k, const struct tls_suite *suite, const uint8_t *key)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, suite->cipher, NULL);
    bool fine;

    k->suite = suite;
    k->ctx = EVP_CIPHER_CTX_new();
    fine = cipher && k->ctx && EVP_DecryptInit_ex(k->ctx, cipher, NULL, key, NULL) == 1;
    if (fine && suite->protection == TLS_CBC)
        fine = EVP_CIPHER_CTX_set_padding(k->ctx, 0) == 1; /* TLS has its own */
    EVP_CIPHER_free(cipher);
    return fine;
}

static bool ended(struct tls_keys *k, bool fine)
{
    if (!fine)
        tls_keys_done(k);
    return fine;
}

static size_t iv_length(const struct tls_suite *suite)
{
    return suite->protection == TLS_GCM ? GCM_SALT : suite->protection == TLS_CHACHA ? TLS_IV_MOST : 0;
}

/* RFC 5246 §6.3: of MAC keys, keys and IVs each the client's, then the server's. */
static bool key_block_split(struct tls_keys *k, const struct tls_suite *s, const uint8_t *block, bool of_server)
{
    size_t iv_n = iv_length(s);
    const uint8_t *mac = block + of_server * s->mac_n, *key = block + 2 * s->mac_n + of_server * s->key_n;

    memcpy(k->mac_key, mac, s->mac_n);
    memcpy(k->iv, block + 2 * (s->mac_n + s->key_n) + of_server * iv_n, iv_n);
    return keys_begin(k, s, key);
}

bool tls_keys_master(struct tls_keys *k, const struct tls_master *m, bool of_server)
{
    const struct tls_suite *s = m->suite;
    uint8_t block[KEY_BLOCK], seed[2 * TLS_RANDOM];
    bool fine;

    tls_keys_done(k);
    if (m->secret.n != TLS_SECRET_MOST || m->client_random.n != TLS_RANDOM || m->server_random.n != TLS_RANDOM)
        return false;
    memcpy(seed, m->server_random.p, TLS_RANDOM);
    memcpy(seed + TLS_RANDOM, m->client_random.p, TLS_RANDOM);
    fine = tls_prf(s->hash, m->secret, "key expansion", (struct span){ seed, sizeof seed }, block,
                   2 * (s->mac_n + s->key_n + iv_length(s))) &&
           key_block_split(k, s, block, of_server);
    k->encrypt_then_mac = m->encrypt_then_mac && s->protection == TLS_CBC;
    OPENSSL_cleanse(block, sizeof block);
    return ended(k, fine);
}

bool tls_keys_traffic(struct tls_keys *k, const struct tls_suite *suite, struct span secret)
{
    uint8_t key[TLS_KEY_MOST], kept[TLS_SECRET_MOST];
    bool fine;

    if (secret.n != suite->hash_n)
        return ended(k, false);
    memcpy(kept, secret.p, secret.n); /* it may be the one in *k */
    tls_keys_done(k);
    memcpy(k->secret, kept, secret.n);
    secret.p = kept;
    k->tls13 = true;
    fine = tls_expand_label(suite->hash, secret, "key", key, suite->key_n) &&
           tls_expand_label(suite->hash, secret, "iv", k->iv, TLS_IV_MOST) && keys_begin(k, suite, key);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(kept, sizeof kept);
    return ended(k, fine);
}

bool tls_keys_update(struct tls_keys *k)
{
    uint8_t next[TLS_SECRET_MOST];
    struct span secret = { k->secret, k->suite->hash_n };
    bool fine = tls_expand_label(k->suite->hash, secret, "traffic upd", next, secret.n) &&
                tls_keys_traffic(k, k->suite, (struct span){ next, secret.n });

    OPENSSL_cleanse(next, sizeof next);
    return ended(k, fine);
}

/* ---- opening ---- */

static void put64(uint8_t *at, uint64_t v)
{
    for (unsigned i = 0; i < SEQ; i++)
        at[i] = (uint8_t)(v >> (8 * (SEQ - 1 - i)));
}

/* RFC 5246 §6.2.3.1, §6.2.3.3: what is protected beside the fragment; `n`: its length as it is protected. */
static void header_12(uint8_t out[AAD], uint64_t seq, const struct tls_record *r, size_t n)
{
    put64(out, seq);
    memcpy(out + SEQ, r->header.p, 3);
    out[AAD - 2] = (uint8_t)(n >> 8);
    out[AAD - 1] = (uint8_t)n;
}

static bool aead_open(struct tls_keys *k, const uint8_t *nonce, struct span aad, struct span sealed, uint8_t *out)
{
    size_t n = sealed.n - TAG;
    uint8_t tag[TAG];
    int got = 0;

    memcpy(tag, sealed.p + n, TAG);
    return EVP_DecryptInit_ex(k->ctx, NULL, NULL, NULL, nonce) == 1 &&
           EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
           EVP_DecryptUpdate(k->ctx, NULL, &got, aad.p, (int)aad.n) == 1 &&
           EVP_DecryptUpdate(k->ctx, out, &got, sealed.p, (int)n) == 1 && EVP_DecryptFinal_ex(k->ctx, out + n, &got) == 1;
}

/* RFC 8446 §5.3, RFC 7905 §2. */
static void nonce_of_seq(const struct tls_keys *k, uint64_t seq, uint8_t nonce[TLS_IV_MOST])
{
    uint8_t number[SEQ];

    put64(number, seq);
    memcpy(nonce, k->iv, TLS_IV_MOST);
    for (unsigned i = 0; i < SEQ; i++)
        nonce[TLS_IV_MOST - SEQ + i] ^= number[i];
}

/* RFC 8446 §5.2, §5.4: the type stands behind what it is of, and zeros behind that. */
static bool inner_split(uint8_t *type, struct span *plain)
{
    while (plain->n && plain->p[plain->n - 1] == 0)
        plain->n--;
    if (!plain->n)
        return false;
    *type = plain->p[--plain->n];
    return true;
}

static bool aead_take(struct tls_keys *k, uint64_t seq, const struct tls_record *r, uint8_t *room, uint8_t *type,
                      struct span *plain)
{
    bool explicit = k->suite->protection == TLS_GCM && !k->tls13;
    size_t before = explicit ? GCM_EXPLICIT : 0;
    struct span sealed = span_part(r->fragment, before, r->fragment.n);
    uint8_t nonce[TLS_IV_MOST], header[AAD];

    if (r->fragment.n < before + TAG)
        return false;
    if (explicit) {
        memcpy(nonce, k->iv, GCM_SALT);
        memcpy(nonce + GCM_SALT, r->fragment.p, GCM_EXPLICIT);
    } else {
        nonce_of_seq(k, seq, nonce);
    }
    header_12(header, seq, r, sealed.n - TAG);
    if (!aead_open(k, nonce, k->tls13 ? r->header : (struct span){ header, AAD }, sealed, room))
        return false;
    *plain = (struct span){ room, sealed.n - TAG };
    *type = r->type;
    return !k->tls13 || inner_split(type, plain);
}

static bool cbc_decrypt(struct tls_keys *k, struct span sealed, uint8_t *out, size_t *n)
{
    int got = 0;

    *n = sealed.n - CBC_BLOCK;
    return EVP_DecryptInit_ex(k->ctx, NULL, NULL, NULL, sealed.p) == 1 &&
           EVP_DecryptUpdate(k->ctx, out, &got, sealed.p + CBC_BLOCK, (int)*n) == 1;
}

/* RFC 5246 §6.2.3.2: as many bytes as the last one says, all with its value. */
static bool padding_take(const uint8_t *p, size_t *n)
{
    size_t pad = *n ? (size_t)p[*n - 1] + 1 : 0;

    if (!pad || pad > *n)
        return false;
    for (size_t i = 0; i < pad; i++)
        if (p[*n - 1 - i] != pad - 1)
            return false;
    *n -= pad;
    return true;
}

/* The HMAC of what stands in `covered`, its header in front. */
static bool mac_is(const struct tls_keys *k, struct span covered, const uint8_t *mac)
{
    uint8_t want[EVP_MAX_MD_SIZE];
    size_t n = 0;

    return EVP_Q_mac(NULL, "HMAC", NULL, k->suite->mac, NULL, k->mac_key, k->suite->mac_n, covered.p, covered.n, want,
                     sizeof want, &n) &&
           n == k->suite->mac_n && CRYPTO_memcmp(want, mac, n) == 0;
}

/* The MAC goes over the header and what follows it, so that both stand in `room` together. */
static bool cbc_take(struct tls_keys *k, uint64_t seq, const struct tls_record *r, uint8_t *room, struct span *plain)
{
    size_t mac_n = k->suite->mac_n, behind = k->encrypt_then_mac ? mac_n : 0, n;
    struct span sealed = span_part(r->fragment, 0, r->fragment.n - behind);
    uint8_t *text = room + AAD;

    if (r->fragment.n < behind + 2 * CBC_BLOCK || sealed.n % CBC_BLOCK)
        return false;
    if (k->encrypt_then_mac) { /* RFC 7366 §3 */
        header_12(room, seq, r, sealed.n);
        memcpy(text, sealed.p, sealed.n);
        if (!mac_is(k, (struct span){ room, AAD + sealed.n }, sealed.p + sealed.n))
            return false;
    }
    if (!cbc_decrypt(k, sealed, text, &n) || !padding_take(text, &n) || n < mac_n - behind)
        return false;
    n -= mac_n - behind;
    header_12(room, seq, r, n);
    *plain = (struct span){ text, n };
    return k->encrypt_then_mac || mac_is(k, (struct span){ room, AAD + n }, text + n);
}

bool tls_open(struct tls_keys *k, uint64_t seq, const struct tls_record *r, uint8_t *room, uint8_t *type, struct span *plain)
{
    if (k->suite->protection != TLS_CBC)
        return aead_take(k, seq, r, room, type, plain);
    *type = r->type;
    return cbc_take(k, seq, r, room, plain);
}
