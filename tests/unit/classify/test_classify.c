#include "classify/classify.h"

#include <criterion/criterion.h>

/* A payload of `n` bytes that begins with the literal and goes on with zeros. */
struct bytes {
    uint8_t v[256];
    struct span s;
};

static struct span padded(struct bytes *b, struct span head, size_t n)
{
    memset(b->v, 0, sizeof b->v);
    memcpy(b->v, head.p, head.n);
    return b->s = (struct span){ b->v, n };
}

static enum kind kind_of(struct span s)
{
    return classify(s, s.n, 40000, 40002);
}

/* What begins with `head` and is `n` bytes long, between ports that mean nothing. */
static enum kind kind_at(struct span head, size_t n)
{
    struct bytes b;

    return kind_of(padded(&b, head, n));
}

/* ---- RFC 7983: the first byte decides ---- */

Test(classify, rtp)
{
    cr_assert_eq(kind_at(SPAN("\x80\x00"), 172), KIND_RTP);
    cr_assert_eq(kind_at(SPAN("\xbf\x80"), 12), KIND_RTP, "padding, extension and CSRCs change nothing");
    cr_assert_eq(kind_at(SPAN("\x80\xbf"), 12), KIND_RTP, "payload type 63 with a marker, just below RTCP");
    cr_assert_eq(kind_at(SPAN("\x80\xe0"), 12), KIND_RTP, "payload type 96 with a marker, just above");
    cr_assert_eq(kind_at(SPAN("\x80\x60"), 11), KIND_OTHER, "shorter than its header");
}

Test(classify, rtcp)
{
    cr_assert_eq(kind_at(SPAN("\x81\xc8"), 52), KIND_RTCP);
    cr_assert_eq(kind_at(SPAN("\x80\xc9\x00\x01"), 8), KIND_RTCP, "an empty receiver report");
    cr_assert_eq(kind_at(SPAN("\x80\xc0"), 8), KIND_RTCP);
    cr_assert_eq(kind_at(SPAN("\x80\xdf"), 8), KIND_RTCP);
    cr_assert_eq(kind_at(SPAN("\x80\xc9"), 7), KIND_OTHER);
}

Test(classify, other_versions_are_neither)
{
    cr_assert_neq(kind_at(SPAN("\x40\x00"), 172), KIND_RTP);
    cr_assert_eq(kind_at(SPAN("\xc0\x00"), 172), KIND_OTHER);
    cr_assert_eq(kind_at(SPAN("\xff\xc8"), 172), KIND_OTHER);
}

Test(classify, stun)
{
    cr_assert_eq(kind_at(SPAN("\x00\x01\x00\x00\x21\x12\xa4\x42"), 20), KIND_STUN);
    cr_assert_eq(kind_at(SPAN("\x01\x01\x00\x0c"), 32), KIND_STUN, "without its cookie as well (RFC 3489)");
    cr_assert_eq(kind_at(SPAN("\x03\xff"), 20), KIND_STUN);
    cr_assert_eq(kind_at(SPAN("\x04\x01"), 20), KIND_OTHER);
    cr_assert_eq(kind_at(SPAN("\x00\x01"), 19), KIND_OTHER, "shorter than its header");
}

/* SPEC: STUN can be on any port. TURN servers listen on 53 to get through firewalls, and no DNS message has 8466 questions. */
Test(classify, stun_with_its_cookie_on_the_port_of_dns)
{
    struct bytes b;
    struct span s = padded(&b, SPAN("\x00\x01\x00\x00\x21\x12\xa4\x42"), 20);

    cr_assert_eq(classify(s, s.n, 40000, 53), KIND_STUN);
    cr_assert_eq(classify(s, s.n, 53, 40000), KIND_STUN);
    cr_assert_eq(classify(s, s.n, 5060, 5060), KIND_STUN);
}

Test(classify, dtls)
{
    cr_assert_eq(kind_at(SPAN("\x16\xfe\xff"), 13), KIND_DTLS, "DTLS 1.0, as ClientHello still says");
    cr_assert_eq(kind_at(SPAN("\x16\xfe\xfd"), 100), KIND_DTLS);
    cr_assert_eq(kind_at(SPAN("\x14\xfe\xfd"), 14), KIND_DTLS);
    cr_assert_eq(kind_at(SPAN("\x3f\xfe\xfd"), 13), KIND_DTLS);
    cr_assert_eq(kind_at(SPAN("\x16\xfe\xfd"), 12), KIND_OTHER, "shorter than a record header");
    cr_assert_eq(kind_at(SPAN("\x16\x03\x01"), 100), KIND_OTHER, "TLS");
    cr_assert_eq(kind_at(SPAN("\x16\xfe\xfe"), 100), KIND_OTHER, "no such version");
    cr_assert_eq(kind_at(SPAN("\x13\xfe\xfd"), 100), KIND_OTHER);
}

Test(classify, zrtp_is_none_of_ours)
{
    cr_assert_eq(kind_at(SPAN("\x10\x00\x12\x34ZRTP"), 100), KIND_OTHER);
}

Test(classify, turn_channel_data)
{
    cr_assert_eq(kind_at(SPAN("\x40\x00\x00\x08"), 12), KIND_TURN_CHANNEL);
    cr_assert_eq(kind_at(SPAN("\x4f\xff\x00\x00"), 4), KIND_TURN_CHANNEL);
    cr_assert_eq(kind_at(SPAN("\x40\x01\x00\x05"), 12), KIND_TURN_CHANNEL, "padded to four (RFC 8656 §12.5)");
    cr_assert_eq(kind_at(SPAN("\x40\x00\x00\x09"), 12), KIND_OTHER, "longer than its datagram");
    cr_assert_eq(kind_at(SPAN("\x40\x00\xff\xff"), 12), KIND_OTHER);
    cr_assert_eq(kind_at(SPAN("\x40\x00\x00"), 3), KIND_OTHER);
    cr_assert_eq(kind_at(SPAN("\x50\x00\x00\x00"), 12), KIND_OTHER, "reserved");
    cr_assert_eq(classify(SPAN("\x40\x01\x00\xac\x80\x00"), 176, 40000, 3478), KIND_TURN_CHANNEL, "cut by the snap length");
}

/* ---- text ---- */

Test(classify, sip)
{
    cr_assert_eq(kind_of(SPAN("INVITE sip:bob@example.com SIP/2.0\r\n")), KIND_SIP);
    cr_assert_eq(kind_of(SPAN("OPTIONS sips:bob@example.com SIP/2.0\r\n")), KIND_SIP);
    cr_assert_eq(kind_of(SPAN("FROBNICATE tel:+18005550100 SIP/2.0\r\n")), KIND_SIP, "any method");
    cr_assert_eq(kind_of(SPAN("SIP/2.0 180 Ringing\r\n")), KIND_SIP);
    cr_assert_eq(kind_of(SPAN("\r\n\r\nBYE sip:a@b SIP/2.0\r\n")), KIND_SIP, "behind a keep-alive (RFC 3261 §7.5)");
}

/* Each of these begins in TURN's channel range or like a SIP request. */
Test(classify, text_that_is_not_sip)
{
    cr_assert_eq(kind_of(SPAN("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n")), KIND_OTHER);
    cr_assert_eq(kind_of(SPAN("NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\n")), KIND_OTHER);
    cr_assert_eq(kind_of(SPAN("HTTP/1.1 200 OK\r\n")), KIND_OTHER);
    cr_assert_eq(kind_of(SPAN("GET / HTTP/1.1\r\n")), KIND_OTHER);
    cr_assert_eq(kind_of(SPAN("SIP/2.01 200 OK\r\n")), KIND_OTHER);
    cr_assert_eq(kind_of(SPAN("INVITE")), KIND_OTHER);
    cr_assert_eq(kind_of(SPAN("<14>Oct 11 22:14:15 host su: failed")), KIND_OTHER, "syslog");
}

Test(classify, dns_by_its_port)
{
    struct bytes b;
    struct span query = padded(&b, SPAN("\x12\x34\x01\x00\x00\x01"), 30);

    cr_assert_eq(classify(query, query.n, 40000, 53), KIND_DNS);
    cr_assert_eq(classify(query, query.n, 53, 40000), KIND_DNS);
    cr_assert_eq(classify(query, query.n, 5353, 5353), KIND_DNS);
    cr_assert_neq(classify(query, query.n, 5353, 40000), KIND_DNS, "multicast DNS has the port on both sides");
    cr_assert_neq(classify(query, query.n, 40000, 5354), KIND_DNS);
    query = padded(&b, SPAN("\x80\x00\x01\x00\x00\x01"), 30);
    cr_assert_eq(classify(query, query.n, 40000, 53), KIND_DNS, "an id that looks like RTP");
}

Test(classify, keep_alives)
{
    cr_assert_eq(kind_of(SPAN("")), KIND_KEEPALIVE);
    cr_assert_eq(classify(SPAN_NONE, 0, 53, 53), KIND_KEEPALIVE);
    cr_assert_eq(kind_of(SPAN("\r\n")), KIND_KEEPALIVE, "RFC 5626 §4.4");
    cr_assert_eq(kind_of(SPAN("\r\n\r\n")), KIND_KEEPALIVE);
    cr_assert_eq(kind_of(SPAN("\0")), KIND_KEEPALIVE);
    cr_assert_eq(kind_of(SPAN("\r\n\r\n\r\n")), KIND_OTHER);
    cr_assert_eq(kind_of(SPAN("\x01")), KIND_OTHER);
    cr_assert_eq(kind_of(SPAN("a\r\n")), KIND_OTHER);
}

/* Whatever comes, at whatever length, nothing is read past its end: sanitizers look on. */
Test(classify, every_first_byte_at_every_short_length)
{
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second += 3)
            for (size_t n = 1; n < 24; n++) {
                uint8_t *p = malloc(n);
                enum kind k;

                cr_assert_not_null(p);
                memset(p, (int)second, n);
                p[0] = (uint8_t)first;
                k = kind_of((struct span){ p, n });
                cr_assert(k != KIND_DNS && (k != KIND_RTP || n >= 12) && (k != KIND_STUN || n >= 20) &&
                          (k != KIND_DTLS || n >= 13));
                free(p);
            }
}
