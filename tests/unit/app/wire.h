/* Frames as on the wire, for tests of what is picked from a capture: IPv4 packets, kept so that they can be read twice. */
#ifndef RW_TESTS_APP_WIRE_H
#define RW_TESTS_APP_WIRE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/clock.h"
#include "capture/capture.h"

enum { WIRE_LINK = 101, WIRE_FRAMES = 256, WIRE_MAX = 2048, WIRE_IP = 20, WIRE_UDP = 8, WIRE_TCP = 20 };

struct wire {
    struct frame frame[WIRE_FRAMES];
    uint8_t bytes[WIRE_FRAMES][WIRE_MAX];
    size_t n;
    uint16_t id;
};

static inline void wire_put16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* One IP packet, 10 ms after the one before; returns its frame number. */
static inline uint64_t wire_ip(struct wire *w, uint8_t proto, struct addr src, struct addr dst, size_t flags, const void *body,
                               size_t n)
{
    uint8_t *b = w->bytes[w->n];

    cr_assert(w->n < WIRE_FRAMES && WIRE_IP + n <= WIRE_MAX);
    b[0] = 0x45;
    wire_put16(b + 2, WIRE_IP + n);
    wire_put16(b + 4, w->id);
    wire_put16(b + 6, flags);
    b[8] = 64;
    b[9] = proto;
    memcpy(b + 12, src.ip + 12, 4);
    memcpy(b + 16, dst.ip + 12, 4);
    memcpy(b + WIRE_IP, body, n);
    w->frame[w->n] = (struct frame){ .ts_ns = SECONDS(1000) + (int64_t)w->n * 10 * NS_PER_MS,
                                     .id = frame_id(0, w->n + 1),
                                     .link = WIRE_LINK,
                                     .bytes = { b, WIRE_IP + n },
                                     .wire = WIRE_IP + n };
    return ++w->n;
}

static inline struct addr wire_addr(const char *text)
{
    struct addr a;

    cr_assert(addr_parse(span_str(text), &a), "%s", text);
    return a;
}

static inline size_t wire_datagram(uint8_t out[WIRE_MAX], const char *src, const char *dst, const void *payload, size_t n)
{
    wire_put16(out, wire_addr(src).port);
    wire_put16(out + 2, wire_addr(dst).port);
    wire_put16(out + 4, WIRE_UDP + n);
    wire_put16(out + 6, 0);
    memcpy(out + WIRE_UDP, payload, n);
    return WIRE_UDP + n;
}

static inline uint64_t wire_udp(struct wire *w, const char *src, const char *dst, const void *payload, size_t n)
{
    uint8_t d[WIRE_MAX];
    size_t all = wire_datagram(d, src, dst, payload, n);

    w->id++;
    return wire_ip(w, 17, wire_addr(src), wire_addr(dst), 0, d, all);
}

/* In two fragments, the first of `first` bytes (a multiple of 8); returns the first one's number. */
static inline uint64_t wire_fragments(struct wire *w, const char *src, const char *dst, const void *payload, size_t n,
                                      size_t first)
{
    uint8_t d[WIRE_MAX];
    size_t all = wire_datagram(d, src, dst, payload, n);
    uint64_t number;

    w->id++;
    number = wire_ip(w, 17, wire_addr(src), wire_addr(dst), 0x2000, d, first);
    wire_ip(w, 17, wire_addr(src), wire_addr(dst), first / 8, d + first, all - first);
    return number;
}

static inline uint64_t wire_tcp(struct wire *w, const char *src, const char *dst, uint32_t seq, const void *payload, size_t n)
{
    uint8_t s[WIRE_MAX] = { [12] = 0x50, [13] = 0x18 };

    wire_put16(s, wire_addr(src).port);
    wire_put16(s + 2, wire_addr(dst).port);
    wire_put16(s + 4, seq >> 16);
    wire_put16(s + 6, seq & 0xffff);
    memcpy(s + WIRE_TCP, payload, n);
    w->id++;
    return wire_ip(w, 6, wire_addr(src), wire_addr(dst), 0, s, WIRE_TCP + n);
}

/* Port unreachable, with the whole of an earlier packet. */
static inline uint64_t wire_icmp(struct wire *w, const char *reporter, const char *to, uint64_t quoted)
{
    uint8_t m[WIRE_MAX] = { 3, 3 };
    struct span ip = w->frame[quoted - 1].bytes;

    memcpy(m + 8, ip.p, ip.n);
    w->id++;
    return wire_ip(w, 1, wire_addr(reporter), wire_addr(to), 0, m, 8 + ip.n);
}

/* 160 bytes of voice that can be recognised. */
static inline uint64_t wire_rtp(struct wire *w, const char *src, const char *dst, unsigned seq)
{
    uint8_t p[12 + 160] = { 0x80, 0, (uint8_t)(seq >> 8), (uint8_t)seq, [8] = 1, [11] = 7 };

    memset(p + 12, 0xd5, 160);
    return wire_udp(w, src, dst, p, sizeof p);
}

/* INVITE, 200 or BYE of a call between two SIP hosts, with SDP where `rtp` says where media is to go; returns its length. */
static inline size_t wire_sip(char out[WIRE_MAX], const char *start, const char *method, const char *call_id, const char *rtp)
{
    char sdp[256] = "", ip[ADDR_TEXT];
    struct addr a = rtp ? wire_addr(rtp) : ADDR_NONE;
    int n;

    if (rtp)
        snprintf(sdp, sizeof sdp, "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 0\r\n",
                 addr_ip_text(&a, ip), ip, a.port);
    n = snprintf(
        out, WIRE_MAX,
        "%s\r\nVia: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK%s\r\nFrom: <sip:a@example.com>;tag=f%s\r\n"
        "To: <sip:b@example.com>%s%s\r\nCall-ID: %s\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\n%sContent-Length: %zu\r\n\r\n%s",
        start, call_id, call_id, *start == 'I' ? "" : ";tag=t", *start == 'I' ? "" : call_id, call_id, method,
        rtp ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
    cr_assert(n > 0 && n < WIRE_MAX);
    return (size_t)n;
}

#endif
