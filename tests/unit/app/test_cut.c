/* cut.c: signalling stays whole, and nothing of what is said is left, whatever it is wrapped in. */
#include "app/cut.h"

#include <criterion/criterion.h>

enum { VOICE = 0xd5 };

static struct kept kept_of(const uint8_t *p, size_t n)
{
    struct span s = { p, n };

    return cut_datagram(s, classify(s, s.n, 30000, 30001));
}

/* Where nothing is blank. */
static size_t cut_any(const uint8_t *p, size_t n)
{
    struct kept k = kept_of(p, n);

    cr_expect_geq(k.blank, k.blank_end);
    return k.n;
}

static void expect_no_voice(const uint8_t *p, size_t n)
{
    cr_assert_leq(n, 400);
    for (size_t i = 0; i < n; i++)
        cr_expect_neq(p[i], VOICE, "byte %zu", i);
}

/* RTP with a contributing source and a header extension of one word, then voice. */
static const uint8_t rtp[] = { 0x91, 0,    0, 1, 0,    0, 0, 2, 0,     0,     0,     3,     0,     0,     0,     4,
                               0xbe, 0xde, 0, 1, 0x10, 9, 0, 0, VOICE, VOICE, VOICE, VOICE, VOICE, VOICE, VOICE, VOICE };
enum { RTP_HEADERS = 24 };

Test(cut, rtp_behind_its_headers)
{
    cr_expect_eq(cut_any(rtp, sizeof rtp), RTP_HEADERS);
}

/* The extension claims more than there is. */
Test(cut, rtp_with_a_broken_extension)
{
    uint8_t m[sizeof rtp];

    memcpy(m, rtp, sizeof m);
    m[19] = 200;
    cr_expect_eq(cut_any(m, sizeof m), 12);
}

Test(cut, in_a_turn_channel)
{
    uint8_t m[4 + sizeof rtp] = { 0x40, 1, 0, sizeof rtp };

    memcpy(m + 4, rtp, sizeof rtp);
    cr_expect_eq(cut_any(m, sizeof m), 4 + RTP_HEADERS);
}

Test(cut, a_channel_in_a_channel_is_not_entered)
{
    uint8_t m[8 + sizeof rtp] = { 0x40, 1, 0, 4 + sizeof rtp, 0x40, 2, 0, sizeof rtp };

    memcpy(m + 8, rtp, sizeof rtp);
    cr_expect_eq(cut_any(m, sizeof m), 8);
}

/* A Data indication: XOR-PEER-ADDRESS, DATA. Whole, and as a snap length left it. */
Test(cut, in_a_turn_indication)
{
    uint8_t m[20 + 12 + 4 + sizeof rtp] = { 0, 0x17, 0, 16 + sizeof rtp, 0x21, 0x12, 0xa4, 0x42 };

    m[20 + 1] = 0x12;
    m[20 + 3] = 8;
    m[32 + 1] = 0x13;
    m[32 + 3] = sizeof rtp;
    memcpy(m + 36, rtp, sizeof rtp);
    cr_expect_eq(cut_any(m, sizeof m), 36 + RTP_HEADERS);
    for (size_t n = 20; n < sizeof m; n++)
        expect_no_voice(m, cut_any(m, n) < n ? cut_any(m, n) : n);
}

/* ---- indications: attributes in any order ---- */

enum { PEER = 0x12, DATA = 0x13, SOFTWARE = 0x8022, INTEGRITY = 0x8, FINGERPRINT = 0x8028, HEAD = 20 };

struct indication {
    uint8_t b[1000];
    size_t n;
};

static void begin(struct indication *m)
{
    static const uint8_t head[HEAD] = { 0, 0x17, 0, 0, 0x21, 0x12, 0xa4, 0x42 };

    memcpy(m->b, head, sizeof head);
    m->n = HEAD;
}

/* Padded with voice. Returns where the next begins. */
static size_t attr(struct indication *m, unsigned code, const void *value, size_t n)
{
    uint8_t *at = m->b + m->n;
    size_t padded = (n + 3) / 4 * 4;

    cr_assert_leq(m->n + 4 + padded, sizeof m->b);
    at[0] = (uint8_t)(code >> 8);
    at[1] = (uint8_t)code;
    at[2] = (uint8_t)(n >> 8);
    at[3] = (uint8_t)n;
    memset(at + 4, VOICE, padded);
    if (n)
        memcpy(at + 4, value, n);
    m->n += 4 + padded;
    m->b[2] = (uint8_t)((m->n - HEAD) >> 8);
    m->b[3] = (uint8_t)(m->n - HEAD);
    return m->n;
}

static const uint8_t peer[20] = { 0, 1, 0x9c, 0x40, 0xe1, 0xba, 0xa5, 0x26 };

/* Of all that is written, whole or as a snap length left it, nothing is voice. */
static void expect_silent(const struct indication *m)
{
    for (size_t n = 4; n <= m->n; n++) {
        struct kept k = kept_of(m->b, n);

        for (size_t i = 0; i < k.n && i < n; i++)
            cr_expect(m->b[i] != VOICE || (i >= k.blank && i < k.blank_end), "of %zu bytes, number %zu", n, i);
    }
}

static void expect_kept(const struct indication *m, size_t n, size_t blank, size_t blank_end)
{
    struct kept k = kept_of(m->b, m->n);

    cr_expect(k.n == n && k.blank == blank && k.blank_end == blank_end, "%zu bytes, blank from %zu to %zu", k.n, k.blank,
              k.blank_end);
    expect_silent(m);
}

Test(cut, the_peer_behind_the_data)
{
    struct indication m;
    size_t data, end;

    begin(&m);
    data = attr(&m, DATA, rtp, sizeof rtp - 3); /* three bytes of padding */
    end = attr(&m, PEER, peer, 8);
    expect_kept(&m, end, HEAD + 4 + RTP_HEADERS, data);
    attr(&m, SOFTWARE, "Coturn", 6);
    attr(&m, FINGERPRINT, peer, 4);
    expect_kept(&m, end, HEAD + 4 + RTP_HEADERS, data);
}

Test(cut, an_ipv6_peer_behind_data_and_software)
{
    struct indication m;
    size_t data, end;

    begin(&m);
    data = attr(&m, DATA, rtp, sizeof rtp);
    attr(&m, SOFTWARE, "some", 4);
    end = attr(&m, PEER, peer, 20);
    attr(&m, FINGERPRINT, peer, 4);
    expect_kept(&m, end, HEAD + 4 + RTP_HEADERS, data);
}

Test(cut, no_peer_behind_the_data)
{
    struct indication m;

    begin(&m);
    attr(&m, PEER, peer, 8);
    attr(&m, DATA, rtp, sizeof rtp);
    attr(&m, SOFTWARE, "Coturn", 6);
    attr(&m, FINGERPRINT, peer, 4);
    expect_kept(&m, HEAD + 12 + 4 + RTP_HEADERS, 0, 0);
}

/* One behind these does not count, and they no longer fit; what is too long is no address. */
Test(cut, a_peer_that_does_not_count)
{
    static const unsigned before[] = { INTEGRITY, 0x1c, FINGERPRINT, DATA };
    struct indication m;

    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        begin(&m);
        attr(&m, DATA, rtp, sizeof rtp);
        attr(&m, before[i], rtp, sizeof rtp);
        attr(&m, PEER, peer, 8);
        expect_kept(&m, HEAD + 4 + RTP_HEADERS, 0, 0);
    }
    begin(&m);
    attr(&m, DATA, rtp, sizeof rtp);
    attr(&m, PEER, rtp, sizeof rtp);
    expect_kept(&m, HEAD + 4 + RTP_HEADERS, 0, 0);
}

/* Nobody says that it is voice: as elsewhere. DTLS is whole, and so the message up to the peer. */
Test(cut, data_that_is_no_rtp)
{
    static const uint8_t dtls[] = { 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3 };
    struct indication m;
    uint8_t other[60];
    size_t data, end;

    memset(other, VOICE, sizeof other);
    memset(other, 0xff, 12);
    begin(&m);
    data = attr(&m, DATA, other, sizeof other);
    end = attr(&m, PEER, peer, 8);
    expect_kept(&m, end, HEAD + 4 + 12, data);
    begin(&m);
    data = attr(&m, DATA, dtls, sizeof dtls);
    end = attr(&m, PEER, peer, 8);
    expect_kept(&m, end, data, data);
    begin(&m);
    data = attr(&m, DATA, NULL, 0);
    end = attr(&m, PEER, peer, 8);
    expect_kept(&m, end, data, data);
}

/* A length beyond the message, one that ends in the voice, and a message that ends there. */
Test(cut, lengths_that_lie)
{
    struct indication m;

    begin(&m);
    attr(&m, DATA, rtp, sizeof rtp);
    attr(&m, PEER, peer, 8);
    m.b[HEAD + 2] = 200;
    expect_kept(&m, HEAD + 4 + RTP_HEADERS, 0, 0);
    m.b[HEAD + 2] = 0;
    m.b[HEAD + 3] = RTP_HEADERS + 2;
    expect_kept(&m, HEAD + 4 + RTP_HEADERS, 0, 0);
    m.b[HEAD + 3] = sizeof rtp;
    m.b[3] = RTP_HEADERS + 6;
    expect_kept(&m, HEAD + 4 + RTP_HEADERS, 0, 0);
    m.b[3] = 0;
    expect_kept(&m, HEAD, 0, 0);
}

/* An indication within DATA has its header only; a segment and an ICMP message have the same as a datagram. */
Test(cut, the_peer_behind_a_nested_indication)
{
    struct indication inner, m;
    struct icmp_msg icmp = { .quotes = true };
    struct span s;
    struct kept k;
    size_t data, end;

    begin(&inner);
    attr(&inner, DATA, rtp, sizeof rtp);
    attr(&inner, PEER, peer, 8);
    begin(&m);
    data = attr(&m, DATA, inner.b, inner.n);
    end = attr(&m, PEER, peer, 8);
    expect_kept(&m, end, HEAD + 4 + HEAD, data);
    memmove(m.b + 2, m.b, m.n);
    s = (struct span){ m.b, m.n + 2 };
    k = cut_segment(s);
    cr_expect(k.n == 2 + end && k.blank == 2 + HEAD + 4 + HEAD && k.blank_end == 2 + data);
    icmp.quoted = span_part(s, 2, m.n);
    k = cut_icmp(s, &icmp);
    cr_expect(k.n == 2 + end && k.blank == 2 + HEAD + 4 + HEAD && k.blank_end == 2 + data);
}

/* In an indication in an indication, and so on: not entered twice, however deep. */
Test(cut, nested_indications)
{
    static uint8_t m[60000];
    size_t at = 0;

    for (; at + 24 < sizeof m; at += 24) {
        size_t rest = sizeof m - at - 20;
        uint8_t head[24] = { 0, 0x17, (uint8_t)(rest >> 8), (uint8_t)rest, 0x21, 0x12, 0xa4, 0x42 };

        head[21] = 0x13;
        head[22] = (uint8_t)((rest - 4) >> 8);
        head[23] = (uint8_t)(rest - 4);
        memcpy(m + at, head, sizeof head);
    }
    cr_expect_eq(cut_any(m, sizeof m), 24 + 20);
}

Test(cut, signalling_stays)
{
    static const uint8_t binding[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
    static const uint8_t report[8] = { 0x80, 201, 0, 1 };
    static const char sip[] = "OPTIONS sip:a@example.com SIP/2.0\r\n\r\n";

    cr_expect_eq(cut_any(binding, sizeof binding), sizeof binding);
    cr_expect_eq(cut_any(report, sizeof report), sizeof report);
    cr_expect_eq(cut_any((const uint8_t *)sip, sizeof sip - 1), sizeof sip - 1);
}

/* T.38 over UDPTL begins with a sequence number, as a STUN message of RFC 3489 does with its type. */
Test(cut, fax_is_no_stun)
{
    uint8_t m[60] = { 0, 1, 6, VOICE };

    memset(m + 12, VOICE, sizeof m - 12);
    cr_expect_eq(cut_any(m, sizeof m), 12);
}

Test(cut, what_nothing_explains)
{
    uint8_t m[100];

    memset(m, VOICE, sizeof m);
    m[0] = 0xff;
    cr_expect_eq(cut_any(m, sizeof m), 12);
    cr_expect_eq(cut_any(m, 5), 5);
}

Test(cut, segments)
{
    uint8_t m[4 + 20 + sizeof rtp] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };

    memcpy(m + 20, rtp, sizeof rtp);
    cr_expect_eq(cut_segment((struct span){ m, 20 + sizeof rtp }).n, 20, "behind a STUN message anything may follow");
    cr_expect_eq(cut_segment((struct span){ rtp, sizeof rtp }).n, 4);
    memmove(m + 2, m, 20);
    cr_expect_eq(cut_segment((struct span){ m, 22 }).n, 22, "framed by its length (RFC 4571)");
    cr_expect_eq(cut_segment(SPAN_NONE).n, 0);
}
