/* Datagrams for the DTLS tests, built byte by byte. */
#ifndef RW_TESTS_DTLS_SAMPLE_H
#define RW_TESTS_DTLS_SAMPLE_H

#include <criterion/criterion.h>

#include "dissectors/dtls.h"

/* Bytes under construction: a message's body, or a datagram. */
struct buf {
    uint8_t b[4096];
    size_t n;
};

static inline struct span span_of(const struct buf *d)
{
    return (struct span){ d->b, d->n };
}

static inline void put(struct buf *d, struct span s)
{
    cr_assert(d->n + s.n <= sizeof d->b);
    if (s.n)
        memcpy(d->b + d->n, s.p, s.n);
    d->n += s.n;
}

/* The low `bytes` bytes of `v`, in network order. */
static inline void put_uint(struct buf *d, uint64_t v, size_t bytes)
{
    while (bytes--) {
        const uint8_t b = (uint8_t)(v >> 8 * bytes);

        put(d, (struct span){ &b, 1 });
    }
}

static inline void put_zeros(struct buf *d, size_t n)
{
    while (n--)
        put_uint(d, 0, 1);
}

static inline void put_record_of(struct buf *d, uint16_t version, uint8_t type, uint16_t epoch, uint64_t seq,
                                 struct span fragment)
{
    put_uint(d, type, 1);
    put_uint(d, version, 2);
    put_uint(d, epoch, 2);
    put_uint(d, seq, 6);
    put_uint(d, fragment.n, 2);
    put(d, fragment);
}

static inline void put_record(struct buf *d, uint8_t type, uint16_t epoch, uint64_t seq, struct span fragment)
{
    put_record_of(d, DTLS_1_2, type, epoch, seq, fragment);
}

/* The part [offset, offset + n) of a message. */
static inline void put_fragment(struct buf *d, uint8_t type, uint16_t seq, struct span body, size_t offset, size_t n)
{
    put_uint(d, type, 1);
    put_uint(d, body.n, 3);
    put_uint(d, seq, 2);
    put_uint(d, offset, 3);
    put_uint(d, n, 3);
    put(d, span_part(body, offset, n));
}

static inline void put_message(struct buf *d, uint8_t type, uint16_t seq, struct span body)
{
    put_fragment(d, type, seq, body, 0, body.n);
}

/* A datagram that is one record of one handshake message. */
static inline struct buf handshake(uint8_t type, uint16_t seq, struct span body)
{
    struct buf rec = { .n = 0 }, d = { .n = 0 };

    put_message(&rec, type, seq, body);
    put_record(&d, DTLS_HANDSHAKE, 0, seq, span_of(&rec));
    return d;
}

static inline void put_extension(struct buf *d, uint16_t type, struct span body)
{
    put_uint(d, type, 2);
    put_uint(d, body.n, 2);
    put(d, body);
}

/* Hello bodies around the given extensions; with none, without their list. */
static inline struct buf client_hello(struct span cookie, struct span extensions)
{
    struct buf h = { .n = 0 };

    put_uint(&h, DTLS_1_2, 2);
    put_zeros(&h, 32);
    put_uint(&h, 4, 1);
    put(&h, SPAN("sess"));
    put_uint(&h, cookie.n, 1);
    put(&h, cookie);
    put_uint(&h, 4, 2);
    put_uint(&h, 0xc02bc02f, 4);
    put_uint(&h, 0x0100, 2);
    if (extensions.n) {
        put_uint(&h, extensions.n, 2);
        put(&h, extensions);
    }
    return h;
}

static inline struct buf server_hello(struct span random, uint16_t suite, struct span extensions)
{
    struct buf h = { .n = 0 };

    put_uint(&h, DTLS_1_2, 2);
    put(&h, random);
    put_uint(&h, 0, 1);
    put_uint(&h, suite, 2);
    put_uint(&h, 0, 1);
    if (extensions.n) {
        put_uint(&h, extensions.n, 2);
        put(&h, extensions);
    }
    return h;
}

#define RANDOM_32 SPAN("0123456789abcdef0123456789abcdef")
/* use_srtp with SRTP_AES128_CM_SHA1_80 and SRTP_AEAD_AES_128_GCM, without an MKI; and with the first of them alone */
#define USE_SRTP_TWO SPAN("\0\4\0\1\0\7\0")
#define USE_SRTP_ONE SPAN("\0\2\0\1\0")
#define SNI_EXAMPLE  SPAN("\0\16\0\0\13example.com")

/* What a browser offers: SNI, an extension of no interest, use_srtp, supported_versions 1.3 and 1.2. */
static inline struct buf offered_extensions(void)
{
    struct buf e = { .n = 0 };

    put_extension(&e, 0, SNI_EXAMPLE);
    put_extension(&e, 23, SPAN_NONE);
    put_extension(&e, 14, USE_SRTP_TWO);
    put_extension(&e, 43, SPAN("\4\xfe\xfc\xfe\xfd"));
    return e;
}

/* A certificate message with that DER in front of another. */
static inline struct buf certificate(struct span der)
{
    struct buf c = { .n = 0 };

    put_uint(&c, der.n + 3 + 3 + 5, 3);
    put_uint(&c, der.n, 3);
    put(&c, der);
    put_uint(&c, 5, 3);
    put(&c, SPAN("chain"));
    return c;
}

static inline enum dis dissect_as(struct span s, size_t wire, struct dtls_msg *m, struct faults *why)
{
    struct rd r = rd_init(s, wire), before = r;
    enum dis d;

    *why = (struct faults){ .n = 0 };
    d = dtls_dissect(&r, m, why);
    cr_assert_eq(r.p == before.p, d != DIS_OK, "the reader moves on DIS_OK and on nothing else");
    cr_assert(d != DIS_OK || r.p == before.end);
    cr_assert(d != DIS_NOT_MINE || !why->n, "another protocol has no faults of ours");
    return d;
}

static inline void sound(const struct buf *d, struct dtls_msg *m)
{
    struct faults why;

    cr_assert_eq(dissect_as(span_of(d), d->n, m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(dtls_looks_like(span_of(d)));
}

static inline void not_mine(struct span s)
{
    struct faults why;
    struct dtls_msg m;

    cr_assert_eq(dissect_as(s, s.n, &m, &why), DIS_NOT_MINE);
    cr_assert(!dtls_looks_like(s));
}

static inline void faulty(const struct buf *d, enum fault_id id, size_t at, struct dtls_msg *m)
{
    struct faults why;

    cr_assert_eq(dissect_as(span_of(d), d->n, m, &why), DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert_eq(why.v[0].id, id);
    cr_assert_eq(why.v[0].at, at);
}

#endif
