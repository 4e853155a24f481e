/* Packets made by hand for the tests of net/: bytes are appended, lengths filled in afterwards. */
#ifndef RW_TESTS_NET_PACKETS_H
#define RW_TESTS_NET_PACKETS_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/net.h"

enum { PACKET_ROOM = 70000, LINK_ETH = 1, LINK_RAW4 = 228, LINK_RAW6 = 229, UDP = 17, TCP = 6 };

struct packet {
    size_t n;
    uint8_t v[PACKET_ROOM];
};

static inline void put8(struct packet *p, unsigned v)
{
    cr_assert_lt(p->n, PACKET_ROOM);
    p->v[p->n++] = (uint8_t)v;
}

static inline void put16(struct packet *p, unsigned v)
{
    put8(p, v >> 8 & 0xff);
    put8(p, v & 0xff);
}

static inline void put32(struct packet *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p, v & 0xffff);
}

static inline void put(struct packet *p, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put8(p, ((const uint8_t *)bytes)[i]);
}

static inline void put_many(struct packet *p, unsigned v, size_t n)
{
    while (n--)
        put8(p, v);
}

static inline void set16(struct packet *p, size_t at, unsigned v)
{
    p->v[at] = (uint8_t)(v >> 8);
    p->v[at + 1] = (uint8_t)v;
}

static inline void put_eth(struct packet *p, unsigned ethertype)
{
    put(p, "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
    put16(p, ethertype);
}

/* From 10.0.0.1 to 10.0.0.2. Returns where the header begins, for end_ip4(). `flags`: the flags and offset field. */
static inline size_t put_ip4(struct packet *p, unsigned proto, unsigned id, unsigned flags)
{
    size_t at = p->n;

    put16(p, 0x4500);
    put16(p, 0);
    put16(p, id);
    put16(p, flags);
    put8(p, 64);
    put8(p, proto);
    put16(p, 0);
    put(p, "\x0a\0\0\1\x0a\0\0\2", 8);
    return at;
}

static inline void end_ip4(struct packet *p, size_t at)
{
    set16(p, at + 2, (unsigned)(p->n - at));
}

/* From 2001:db8::1 to 2001:db8::2. */
static inline size_t put_ip6(struct packet *p, unsigned next)
{
    size_t at = p->n;

    put32(p, 0x60000000);
    put16(p, 0);
    put8(p, next);
    put8(p, 63);
    put(p, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    put(p, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
    return at;
}

static inline void end_ip6(struct packet *p, size_t at)
{
    set16(p, at + 4, (unsigned)(p->n - at - 40));
}

/* Ports 5060 to 5080. */
static inline void put_udp(struct packet *p, const char *text)
{
    put16(p, 5060);
    put16(p, 5080);
    put16(p, (unsigned)(8 + strlen(text)));
    put16(p, 0);
    put(p, text, strlen(text));
}

static inline void put_ip4_udp(struct packet *p, const char *text)
{
    size_t at = put_ip4(p, UDP, 1, 0x4000);

    put_udp(p, text);
    end_ip4(p, at);
}

static inline void put_ip6_udp(struct packet *p, const char *text)
{
    size_t at = put_ip6(p, UDP);

    put_udp(p, text);
    end_ip6(p, at);
}

/* One net and what it told. */
struct bench {
    struct fault_log faults;
    struct net *net;
    struct net_packet got;
    uint64_t frame;
    int64_t now_ns;
};

static inline size_t nobody_listens(void *self, const struct net_packet *segment, struct span bytes, bool after_gap)
{
    (void)self, (void)segment, (void)bytes, (void)after_gap;
    return TCP_IGNORE;
}

static inline struct bench *bench_new(struct tcp_sink sink)
{
    struct bench *b = calloc(1, sizeof *b);

    cr_assert_not_null(b);
    b->net = net_new(sink, &b->faults);
    cr_assert_not_null(b->net);
    b->now_ns = SECONDS(1700000000);
    return b;
}

static inline struct bench *bench_udp(void)
{
    return bench_new((struct tcp_sink){ NULL, nobody_listens });
}

static inline void bench_free(struct bench *b)
{
    net_free(b->net);
    free(b);
}

static inline enum net_kind bench_bytes(struct bench *b, int link, struct span bytes, size_t wire)
{
    struct frame f = { b->now_ns, ++b->frame, link, bytes, wire };

    return net_frame(b->net, &f, &b->got);
}

static inline enum net_kind bench_packet(struct bench *b, int link, const struct packet *p)
{
    return bench_bytes(b, link, (struct span){ p->v, p->n }, p->n);
}

static inline bool got_text(const struct bench *b, const char *text)
{
    return span_eq(rd_rest(&b->got.payload), span_str(text)) && b->got.payload.uncap == 0;
}

static inline bool is_addr(const struct addr *a, const char *text)
{
    char buf[ADDR_TEXT];

    return strcmp(addr_text(a, buf), text) == 0;
}

#endif
