/* What TLS has in the clear: records and the two hellos. Real handshakes are in tests/unit/tls. */
#include <criterion/criterion.h>

#include "dissectors/tls.h"
#include "support/sweep.h"

#define RANDOM_32 "0123456789abcdef0123456789abcdef"
/* RFC 8448 §3 without its key share: 0x1301, TLS 1.3 by its extension. */
#define SERVER_13 "\3\3" RANDOM_32 "\0\x13\1\0\0\6\0\x2b\0\2\3\4"
#define RETRY                                                                                                                    \
    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8"   \
    "\x33\x9c"

static enum dis record_of(struct span s, struct tls_record *out, size_t *used)
{
    struct rd r = rd_init(s, s.n);
    enum dis got = tls_record(&r, out);

    *used = s.n - rd_left(&r);
    return got;
}

Test(tls, records)
{
    struct tls_record r;
    size_t used;

    cr_assert_eq(record_of(SPAN("\x17\3\3\0\3abcmore"), &r, &used), DIS_OK);
    cr_expect(r.type == TLS_APPLICATION_DATA && span_eq(r.fragment, SPAN("abc")) && used == 8);
    cr_expect(span_eq(r.header, SPAN("\x17\3\3\0\3")));
    cr_expect_eq(record_of(SPAN("\x17\3\3\0\3ab"), &r, &used), DIS_SHORT);
    cr_expect_eq(used, 0);
    cr_expect_eq(record_of(SPAN("\x17\3\3\0"), &r, &used), DIS_SHORT);
    cr_expect_eq(record_of(SPAN("\x18\3\3\0\3abc"), &r, &used), DIS_NOT_MINE);
    cr_expect_eq(record_of(SPAN("\x17\2\3\0\3abc"), &r, &used), DIS_NOT_MINE);
    cr_expect_eq(record_of(SPAN("\x17\3\3\x48\0"), &r, &used), DIS_SHORT, "2^14 + 2048 bytes");
    cr_expect_eq(record_of(SPAN("\x17\3\3\x48\1"), &r, &used), DIS_NOT_MINE, "and no more");
}

Test(tls, hellos)
{
    struct tls_hello h;

    cr_assert_eq(tls_hello(SPAN(SERVER_13), false, &h), DIS_OK);
    cr_expect(h.version == TLS_1_3 && h.suite == 0x1301 && !h.retry && !h.encrypt_then_mac && span_eq(h.random, SPAN(RANDOM_32)));
    cr_assert_eq(tls_hello(SPAN("\3\3" RETRY "\0\x13\1\0\0\6\0\x2b\0\2\3\4"), false, &h), DIS_OK);
    cr_expect(h.retry);
    cr_assert_eq(tls_hello(SPAN("\3\3" RANDOM_32 "\2id\xc0\x2b\0"), false, &h), DIS_OK, "without extensions");
    cr_expect(h.version == TLS_1_2 && h.suite == 0xc02b);
    cr_assert_eq(tls_hello(SPAN("\3\3" RANDOM_32 "\0\xc0\x13\0\0\4\0\x16\0\0"), false, &h), DIS_OK);
    cr_expect(h.version == TLS_1_2 && h.encrypt_then_mac);
    cr_assert_eq(tls_hello(SPAN("\3\3" RANDOM_32), true, &h), DIS_OK, "of a ClientHello its random is all");
    cr_expect(span_eq(h.random, SPAN(RANDOM_32)));
}

Test(tls, hellos_that_do_not_fit)
{
    struct tls_hello h;

    cr_expect_eq(tls_hello(SPAN("\3\3" RANDOM_32 "\0\x13\1\0\0\7\0\x2b\0\2\3\4"), false, &h), DIS_SHORT, "the list");
    cr_expect_eq(tls_hello(SPAN("\3\3" RANDOM_32 "\0\x13\1\0\0\6\0\x2b\0\3\3\4"), false, &h), DIS_SHORT, "one of it");
    cr_expect_eq(tls_hello(SPAN("\3\3" RANDOM_32 "\0\x13\1\0\0\5\0\x2b\0\1\3"), false, &h), DIS_SHORT, "its value");
    cr_expect_eq(tls_hello(SPAN("\3\3" RANDOM_32 "\x21id"), false, &h), DIS_SHORT, "the session id");
    cr_expect_eq(tls_hello(SPAN("\3\3short"), true, &h), DIS_SHORT);
}

Test(tls, what_begins_like_a_client_hello)
{
    static const char hello[] = "\x16\3\1\0\x40\1\0\0\x3c\3\3" RANDOM_32;

    for (size_t n = 1; n < sizeof hello; n++) {
        cr_expect(tls_looks_like_hello((struct span){ (const uint8_t *)hello, n }), "%zu bytes", n);
        cr_expect_eq(tls_peek_random((struct span){ (const uint8_t *)hello, n }).n, n < TLS_HELLO_PEEK ? 0 : TLS_RANDOM);
    }
    cr_expect(span_eq(tls_peek_random(SPAN("\x16\3\1\0\x40\1\0\0\x3c\3\3" RANDOM_32)), SPAN(RANDOM_32)));
    cr_expect(!tls_looks_like_hello(SPAN_NONE) && !tls_looks_like_hello(SPAN("INVITE")) &&
              !tls_looks_like_hello(SPAN("\x17\3\3")));
    cr_expect(!tls_looks_like_hello(SPAN("\x16\3\3\0\x40\2")) && !tls_looks_like_hello(SPAN("\x16\3\1\0\x40\1\1")));
}

static void take(struct rd r, bool full, void *self)
{
    struct span s = rd_rest(&r);
    struct tls_record record;
    struct tls_hello h;

    (void)self;
    (void)tls_record(&r, &record);
    (void)tls_looks_like_hello(s);
    (void)tls_peek_random(s);
    (void)tls_hello(s, true, &h);
    cr_expect(tls_hello(s, false, &h) == DIS_OK || !full);
}

Test(tls, sweep)
{
    sweep(SPAN(SERVER_13), take, NULL);
}
