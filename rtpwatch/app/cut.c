#include "app/cut.h"

#include "dissectors/rtp.h"
#include "dissectors/stun.h"

enum { CHANNEL_HEADER = 4, FRAMED = 2 /* RFC 4571 §2 */, ATTR_HEADER = 4, DATA = 0x13 /* RFC 8656 §18.3 */ };
enum { IPV4_LEAST = 20, IPV6_HEADER = 40, FRAGMENT = 44, FRAGMENT_HEADER = 8 };

static size_t cut_rtp(struct span s)
{
    struct rd r = rd_init(s, s.n);
    struct faults why = { 0 };
    struct rtp_msg m;

    return rtp_dissect(&r, &m, &why) == DIS_OK && !why.n && m.payload.p ? (size_t)(m.payload.p - s.p) : RTP_HEADER;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t cut(struct span s, enum kind kind, bool relayed);

static bool has_cookie(struct span s)
{
    static const uint8_t cookie[] = { 0x21, 0x12, 0xa4, 0x42 };
    struct span there = span_part(s, 4, sizeof cookie);

    return there.n == sizeof cookie && memcmp(there.p, cookie, sizeof cookie) == 0;
}

/*
 * A Send or Data indication passes on what a peer says (RFC 8656 §11): attributes up to DATA, and of that what is kept. Read here, since
 * the kernel's filter cuts them too and a cut message is not dissected to its end.
 */
static size_t cut_indication(struct span s)
{
    size_t at = STUN_HEADER;

    while (at + ATTR_HEADER <= s.n) {
        size_t length = (size_t)(s.p[at + 2] << 8 | s.p[at + 3]);
        struct span value = span_part(s, at + ATTR_HEADER, length);

        if (s.p[at] == 0 && s.p[at + 1] == DATA)
            return at + ATTR_HEADER + cut(value, classify(value, value.n, 0, 0), true);
        at += ATTR_HEADER + (length + 3) / 4 * 4;
    }
    return s.n;
}

/* Without the cookie it may be anything: a fax (T.38) begins so. */
static size_t cut_stun(struct span s, bool relayed)
{
    struct rd r = rd_init(s, s.n);
    struct faults why = { 0 };
    struct stun_msg m;

    if (!has_cookie(s))
        return stun_dissect(&r, false, &m, &why) == DIS_OK ? s.n : least(RTP_HEADER, s.n);
    if ((s.p[0] & 0x01) || (s.p[1] & 0x10) == 0) /* class: request, or a response */
        return s.n;
    return relayed ? least(STUN_HEADER, s.n) : cut_indication(s);
}

/* `relayed`: inside what a relay passes on; that is entered once, as the pipeline does. */
static size_t cut(struct span s, enum kind kind, bool relayed)
{
    switch (kind) {
    case KIND_STUN: return cut_stun(s, relayed);
    case KIND_SIP:
    case KIND_DTLS:
    case KIND_RTCP:
    case KIND_DNS:
    case KIND_KEEPALIVE: return s.n;
    case KIND_RTP: return least(cut_rtp(s), s.n);
    case KIND_TURN_CHANNEL:
        if (!relayed) {
            struct span data = span_part(s, CHANNEL_HEADER, s.n);

            return CHANNEL_HEADER + cut(data, classify(data, data.n, 0, 0), true);
        }
        return least(CHANNEL_HEADER, s.n);
    default: return least(RTP_HEADER, s.n);
    }
}

size_t cut_datagram(struct span payload, enum kind kind)
{
    return cut(payload, kind, false);
}

size_t cut_icmp(struct span message, const struct icmp_msg *m)
{
    size_t before = m->quoted.p >= message.p ? (size_t)(m->quoted.p - message.p) : 0;

    if (!m->quotes || !m->quoted.p || before > message.n)
        return message.n;
    return before + cut_datagram(m->quoted, classify(m->quoted, m->quoted.n, m->src.port, m->dst.port));
}

size_t cut_segment(struct span s)
{
    for (size_t at = 0; at <= FRAMED; at += FRAMED) {
        struct span from = span_part(s, at, s.n);

        if (has_cookie(from))
            return at + cut_stun(span_part(from, 0, STUN_HEADER + (size_t)(from.p[2] << 8 | from.p[3])), false);
    }
    return least(CHANNEL_HEADER, s.n);
}

size_t ip_header(struct span ip, bool *begins)
{
    bool fragment = ip.n >= IPV6_HEADER + FRAGMENT_HEADER && ip.p[6] == FRAGMENT;

    *begins = false;
    if (ip.n >= IPV4_LEAST && ip.p[0] >> 4 == 4) {
        *begins = !(ip.p[6] & 0x1f) && !ip.p[7];
        return (size_t)(ip.p[0] & 15) * 4;
    }
    if (ip.n < IPV6_HEADER || ip.p[0] >> 4 != 6)
        return 0;
    *begins = fragment && !ip.p[IPV6_HEADER + 2] && !(ip.p[IPV6_HEADER + 3] & 0xf8);
    return IPV6_HEADER + (fragment ? FRAGMENT_HEADER : 0);
}
