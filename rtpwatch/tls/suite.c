#include "tls/suite.h"

/* Key exchange and authentication make no difference to who has the secrets, so that suites differ in their first column alone. */
#define GCM128(id)                                                                                                               \
    {                                                                                                                            \
        id, TLS_GCM, "AES-128-GCM", "SHA256", NULL, 16, 32, 0                                                                    \
    }
#define GCM256(id)                                                                                                               \
    {                                                                                                                            \
        id, TLS_GCM, "AES-256-GCM", "SHA384", NULL, 32, 48, 0                                                                    \
    }
#define CHACHA(id)                                                                                                               \
    {                                                                                                                            \
        id, TLS_CHACHA, "ChaCha20-Poly1305", "SHA256", NULL, 32, 32, 0                                                           \
    }
#define CBC128_SHA(id)                                                                                                           \
    {                                                                                                                            \
        id, TLS_CBC, "AES-128-CBC", "SHA256", "SHA1", 16, 32, 20                                                                 \
    }
#define CBC256_SHA(id)                                                                                                           \
    {                                                                                                                            \
        id, TLS_CBC, "AES-256-CBC", "SHA256", "SHA1", 32, 32, 20                                                                 \
    }
#define CBC128_SHA256(id)                                                                                                        \
    {                                                                                                                            \
        id, TLS_CBC, "AES-128-CBC", "SHA256", "SHA256", 16, 32, 32                                                               \
    }
#define CBC256_SHA256(id)                                                                                                        \
    {                                                                                                                            \
        id, TLS_CBC, "AES-256-CBC", "SHA256", "SHA256", 32, 32, 32                                                               \
    }
#define CBC256_SHA384(id)                                                                                                        \
    {                                                                                                                            \
        id, TLS_CBC, "AES-256-CBC", "SHA384", "SHA384", 32, 48, 48                                                               \
    }

/* In the columns: RSA, DHE_RSA, ECDHE_ECDSA, ECDHE_RSA. */
static const struct tls_suite suites[] = {
    GCM128(0x1301),        GCM256(0x1302),        CHACHA(0x1303),                        /* RFC 8446 §B.4 */
    GCM128(0x009c),        GCM128(0x009e),        GCM128(0xc02b),        GCM128(0xc02f), /* RFC 5288, RFC 5289 */
    GCM256(0x009d),        GCM256(0x009f),        GCM256(0xc02c),        GCM256(0xc030),
    CHACHA(0xccaa),        CHACHA(0xcca9),        CHACHA(0xcca8),                            /* RFC 7905 */
    CBC128_SHA(0x002f),    CBC128_SHA(0x0033),    CBC128_SHA(0xc009),    CBC128_SHA(0xc013), /* RFC 5246 §A.5, RFC 8422 */
    CBC256_SHA(0x0035),    CBC256_SHA(0x0039),    CBC256_SHA(0xc00a),    CBC256_SHA(0xc014),
    CBC128_SHA256(0x003c), CBC128_SHA256(0x0067), CBC128_SHA256(0xc023), CBC128_SHA256(0xc027),
    CBC256_SHA256(0x003d), CBC256_SHA256(0x006b), CBC256_SHA384(0xc024), CBC256_SHA384(0xc028), /* RFC 5289 */
};

const struct tls_suite *tls_suite_find(uint16_t id)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (suites[i].id == id)
            return &suites[i];
    return NULL;
}
