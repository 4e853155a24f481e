/* cut.c: signalling stays whole, and nothing of what is said is left, whatever it is wrapped in. */
#include "app/cut.h"

#include <criterion/criterion.h>

enum { VOICE = 0xd5 };

static size_t cut_any(const uint8_t *p, size_t n)
{
    struct span s = { p, n };

    return cut_datagram(s, classify(s, s.n, 30000, 30001));
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
    cr_expect_eq(cut_segment((struct span){ m, 20 + sizeof rtp }), 20, "behind a STUN message anything may follow");
    cr_expect_eq(cut_segment((struct span){ rtp, sizeof rtp }), 4);
    memmove(m + 2, m, 20);
    cr_expect_eq(cut_segment((struct span){ m, 22 }), 22, "framed by its length (RFC 4571)");
    cr_expect_eq(cut_segment(SPAN_NONE), 0);
}
