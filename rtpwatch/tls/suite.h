/* The cipher suites whose records can be read, and what each is made of. */
#ifndef RW_TLS_SUITE_H
#define RW_TLS_SUITE_H

#include <stddef.h>
#include <stdint.h>

enum tls_protection {
    TLS_GCM,    /* RFC 5288: half of the nonce stands in the record; in TLS 1.3 as TLS_CHACHA (RFC 8446 §5.3) */
    TLS_CHACHA, /* RFC 7905: the nonce is the sequence number and the IV */
    TLS_CBC     /* RFC 5246 §6.2.3.2, with HMAC */
};

enum { TLS_KEY_MOST = 32, TLS_MAC_MOST = 48, TLS_SECRET_MOST = 48, TLS_IV_MOST = 12 };

struct tls_suite {
    uint16_t id; /* as in a ServerHello; 0x13xx are those of TLS 1.3 */
    enum tls_protection protection;
    const char *cipher, *hash; /* libcrypto's names; the hash of the key schedule */
    const char *mac;           /* of TLS_CBC, else NULL */
    uint8_t key_n, hash_n, mac_n;
};

const struct tls_suite *tls_suite_find(uint16_t id); /* NULL: it is not read */

#endif
