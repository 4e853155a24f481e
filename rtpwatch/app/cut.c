#include "app/cut.h"

#include "dissectors/rtp.h"
#include "dissectors/stun.h"

enum { CHANNEL_HEADER = 4, FRAMED = 2 /* RFC 4571 §2 */, ATTR_HEADER = 4, PEER_LONGEST = 20 /* IPv6 */ };
enum { XOR_PEER_ADDRESS = 0x12, DATA = 0x13 /* RFC 8656 §18 */ };
enum { MESSAGE_INTEGRITY = 0x8, MESSAGE_INTEGRITY_SHA256 = 0x1c, FINGERPRINT = 0x8028 /* RFC 8489 §18.3 */ };
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

static bool has_cookie(struct span s)
{
    static const uint8_t cookie[] = { 0x21, 0x12, 0xa4, 0x42 };
    struct span there = span_part(s, 4, sizeof cookie);

    return there.n == sizeof cookie && memcmp(there.p, cookie, sizeof cookie) == 0;
}

/* RFC 8489 §5: C1 is not set, C0 is. */
static bool is_indication(struct span s)
{
    return has_cookie(s) && !(s.p[0] & 0x01) && (s.p[1] & 0x10);
}

/* Without the cookie it may be anything: a fax (T.38) begins so. An indication has nothing but its header. */
static size_t cut_stun(struct span s)
{
    struct rd r = rd_init(s, s.n);
    struct faults why = { 0 };
    struct stun_msg m;

    if (!has_cookie(s))
        return stun_dissect(&r, false, &m, &why) == DIS_OK ? s.n : least(RTP_HEADER, s.n);
    return is_indication(s) ? least(STUN_HEADER, s.n) : s.n;
}

/* Bytes from the beginning. What a relay passes on is not entered: that is done once, as in the pipeline. */
static size_t cut(struct span s, enum kind kind)
{
    switch (kind) {
    case KIND_STUN: return cut_stun(s);
    case KIND_SIP:
    case KIND_DTLS:
    case KIND_RTCP:
    case KIND_DNS:
    case KIND_KEEPALIVE: return s.n;
    case KIND_RTP: return least(cut_rtp(s), s.n);
    case KIND_TURN_CHANNEL: return least(CHANNEL_HEADER, s.n);
    default: return least(RTP_HEADER, s.n);
    }
}

static size_t cut_relayed(struct span s)
{
    return cut(s, classify(s, s.n, 0, 0));
}

/* An attribute of a STUN message; offsets. */
struct attr {
    unsigned code;
    size_t value, n, end; /* end: of the padding */
};

/* The one behind *a. False: there is none. */
static bool attr_next(struct span s, struct attr *a)
{
    struct span head = span_part(s, a->end, ATTR_HEADER);

    if (head.n < ATTR_HEADER)
        return false;
    a->code = (unsigned)(head.p[0] << 8 | head.p[1]);
    a->n = (size_t)(head.p[2] << 8 | head.p[3]);
    a->value = a->end + ATTR_HEADER;
    a->end = a->value + (a->n + 3) / 4 * 4;
    return true;
}

/*
 * Where XOR-PEER-ADDRESS ends, if it stands behind DATA; 0: it does not. Behind those that protect the message none counts (RFC 8489
 * §14.5 to §14.7), and they would not fit what is blank.
 */
static size_t peer_end(struct span s, struct attr a)
{
    while (attr_next(s, &a))
        switch (a.code) {
        case XOR_PEER_ADDRESS: return a.n <= PEER_LONGEST && a.end <= s.n ? a.end : 0;
        case DATA:
        case MESSAGE_INTEGRITY:
        case MESSAGE_INTEGRITY_SHA256:
        case FINGERPRINT: return 0;
        default: break;
        }
    return 0;
}

/*
 * A Send or Data indication passes on what a peer says (RFC 8656 §11): up to DATA, and of that what is kept, and the peer. What
 * protects the message is left out, so that nobody takes it for corrupt. Read here, since the kernel's filter cuts them too and a cut
 * message is not dissected to its end.
 */
static struct kept cut_indication(struct span s)
{
    struct attr data = { .end = STUN_HEADER };
    size_t voice, peer;

    while (data.code != DATA)
        if (!attr_next(s, &data))
            return (struct kept){ .n = s.n };
    voice = data.value + cut_relayed(span_part(s, data.value, data.n));
    peer = peer_end(s, data);
    return peer ? (struct kept){ peer, voice, data.end } : (struct kept){ .n = voice };
}

static size_t stun_length(struct span s)
{
    return STUN_HEADER + (size_t)(s.p[2] << 8 | s.p[3]);
}

struct kept cut_datagram(struct span payload, enum kind kind)
{
    if (kind == KIND_STUN && is_indication(payload))
        return cut_indication(span_part(payload, 0, stun_length(payload)));
    if (kind == KIND_TURN_CHANNEL)
        return (struct kept){ .n = CHANNEL_HEADER + cut_relayed(span_part(payload, CHANNEL_HEADER, payload.n)) };
    return (struct kept){ .n = cut(payload, kind) };
}

struct kept cut_behind(size_t before, struct kept k)
{
    return (struct kept){ before + k.n, before + k.blank, before + k.blank_end };
}

struct kept cut_icmp(struct span message, const struct icmp_msg *m)
{
    size_t before = m->quoted.p >= message.p ? (size_t)(m->quoted.p - message.p) : 0;

    if (!m->quotes || !m->quoted.p || before > message.n)
        return (struct kept){ .n = message.n };
    return cut_behind(before, cut_datagram(m->quoted, classify(m->quoted, m->quoted.n, m->src.port, m->dst.port)));
}

struct kept cut_segment(struct span s)
{
    for (size_t at = 0; at <= FRAMED; at += FRAMED) {
        struct span from = span_part(s, at, s.n);

        if (has_cookie(from))
            return cut_behind(at, cut_datagram(span_part(from, 0, stun_length(from)), KIND_STUN));
    }
    return (struct kept){ .n = least(CHANNEL_HEADER, s.n) };
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
