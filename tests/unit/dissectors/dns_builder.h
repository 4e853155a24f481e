/* DNS messages put together byte by byte, for the tests of dns.c. */
#ifndef RW_TESTS_DNS_BUILDER_H
#define RW_TESTS_DNS_BUILDER_H

#include <criterion/criterion.h>

#include "dissectors/dns.h"

enum { HEADER = 12, IN = 1 };

/* A message under construction. */
struct msg {
    uint8_t b[65536];
    size_t n;
};

static struct msg msg;
static struct dns_msg out;
static struct faults why;

static inline void put(const void *bytes, size_t n)
{
    cr_assert(n <= sizeof msg.b - msg.n);
    memcpy(msg.b + msg.n, bytes, n);
    msg.n += n;
}

static inline void put_u16(unsigned v)
{
    uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

    put(b, 2);
}

static inline void put_u32(uint32_t v)
{
    put_u16(v >> 16);
    put_u16(v & 0xffff);
}

/* "www.example.com" as labels and root; "" is the root. */
static inline void put_name(const char *text)
{
    struct span rest = span_str(text);

    while (rest.n) {
        struct span label = span_until(&rest, '.');
        uint8_t n = (uint8_t)label.n;

        put(&n, 1);
        put(label.p, label.n);
    }
    put("", 1);
}

static inline void put_pointer(size_t target)
{
    put_u16(0xc000 | (unsigned)target);
}

static inline void begin(unsigned flags, unsigned questions, unsigned answers, unsigned authority, unsigned additional)
{
    msg.n = 0;
    put_u16(0x1234);
    put_u16(flags);
    put_u16(questions);
    put_u16(answers);
    put_u16(authority);
    put_u16(additional);
}

static inline void put_question(const char *name, unsigned type)
{
    put_name(name);
    put_u16(type);
    put_u16(IN);
}

/* What stands between a record's name and its data. */
static inline void put_fixed(unsigned type, unsigned class, uint32_t ttl, size_t length)
{
    put_u16(type);
    put_u16(class);
    put_u32(ttl);
    put_u16((unsigned)length);
}

static inline void put_a(uint8_t last)
{
    uint8_t ip[4] = { 192, 0, 2, last };

    put_fixed(DNS_A, IN, 60, 4);
    put(ip, 4);
}

static inline enum dis dissect_cut(size_t captured)
{
    struct rd r = rd_init((struct span){ msg.b, captured }, msg.n), before = r;
    enum dis d;

    memset(&why, 0, sizeof why);
    d = dns_dissect(&r, &out, &why);
    cr_assert_eq(rd_wire_left(&r), d == DIS_OK ? 0 : rd_wire_left(&before), "the reader moves on DIS_OK and on nothing else");
    return d;
}

static inline enum dis dissect(void)
{
    return dissect_cut(msg.n);
}

static inline bool only_fault(enum fault_id id)
{
    return why.n == 1 && why.v[0].id == id;
}

static inline bool is_a(const struct dns_record *r, const char *name, uint8_t last)
{
    uint8_t ip[4] = { 192, 0, 2, last };
    struct addr a = addr_v4(ip, 0);

    return r->type == DNS_A && addr_eq(&r->addr, &a) && strcmp(r->name, name) == 0;
}

#endif
