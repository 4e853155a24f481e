#include "dissectors/tls.h"

enum { EXT_ENCRYPT_THEN_MAC = 22, EXT_SUPPORTED_VERSIONS = 43 };

enum dis tls_record(struct rd *in, struct tls_record *out)
{
    struct rd r = *in;
    size_t n;

    *out = (struct tls_record){ .header = rd_take(&r, TLS_RECORD_HEADER) };
    if (r.err)
        return DIS_SHORT;
    out->type = out->header.p[0];
    n = (size_t)out->header.p[3] << 8 | out->header.p[4];
    if (out->type < TLS_CHANGE_CIPHER_SPEC || out->type > TLS_APPLICATION_DATA || out->header.p[1] != 3 || n > TLS_FRAGMENT_MAX)
        return DIS_NOT_MINE;
    out->fragment = rd_take(&r, n);
    if (r.err)
        return DIS_SHORT;
    *in = r;
    return DIS_OK;
}

/* RFC 8446 §5.1, §4, §4.1.2: both versions are 3, x, and no ClientHello has more than a few thousand bytes. */
bool tls_looks_like_hello(struct span s)
{
    static const struct {
        uint8_t at, is;
    } sign[] = { { 0, TLS_HANDSHAKE }, { 1, 3 }, { 5, TLS_CLIENT_HELLO }, { 6, 0 }, { 9, 3 } };
    bool like = s.n > 0;

    for (size_t i = 0; i < sizeof sign / sizeof *sign; i++)
        like &= sign[i].at >= s.n || s.p[sign[i].at] == sign[i].is;
    return like;
}

struct span tls_peek_random(struct span s)
{
    return s.n < TLS_HELLO_PEEK ? SPAN_NONE : span_part(s, TLS_HELLO_PEEK - TLS_RANDOM, TLS_RANDOM);
}

/* RFC 8446 §4.1.3: a ServerHello with this random, the SHA-256 of "HelloRetryRequest". */
static bool is_retry(struct span random)
{
    static const uint8_t retry[TLS_RANDOM] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                               0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                               0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

    return span_eq(random, (struct span){ retry, sizeof retry });
}

static void read_server_extensions(struct rd *r, struct tls_hello *h)
{
    struct rd list = rd_sub(r, rd_u16(r));

    while (rd_left(&list)) {
        uint16_t type = rd_u16(&list);
        struct rd body = rd_sub(&list, rd_u16(&list));

        if (type == EXT_SUPPORTED_VERSIONS)
            h->version = rd_u16(&body);
        h->encrypt_then_mac |= type == EXT_ENCRYPT_THEN_MAC;
        if (body.err)
            list.err = body.err;
    }
    if (list.err)
        r->err = list.err;
}

enum dis tls_hello(struct span body, bool client, struct tls_hello *out)
{
    struct rd r = rd_init(body, body.n);

    *out = (struct tls_hello){ .version = rd_u16(&r) };
    out->random = rd_take(&r, TLS_RANDOM);
    if (!client) {
        (void)rd_take(&r, rd_u8(&r)); /* session id */
        out->suite = rd_u16(&r);
        (void)rd_u8(&r); /* compression */
        out->retry = is_retry(out->random);
        if (rd_left(&r)) /* in TLS 1.2 there may be none, RFC 5246 §7.4.1.3 */
            read_server_extensions(&r, out);
    }
    return r.err ? DIS_SHORT : DIS_OK;
}
