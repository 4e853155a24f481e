/* A borrowed run of bytes. It dies with the packet (or the arena) it points into. */
#ifndef RW_BASE_SPAN_H
#define RW_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Kept out of line: inlined, what is rare takes the registers of what is usual. */
#define RARE __attribute__((cold, noinline))

struct span {
    const uint8_t *p;
    size_t n;
};

#define SPAN_NONE ((struct span){ NULL, 0 })
/* A span over a string literal; SPAN_INIT where a table holds it. */
#define SPAN_INIT(literal)                                                                                                       \
    {                                                                                                                            \
        (const uint8_t *)(literal), sizeof(literal) - 1                                                                          \
    }
#define SPAN(literal) ((struct span)SPAN_INIT(literal))

static inline struct span span_str(const char *s)
{
    return (struct span){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

/* Compared by the length of `b`: where that is a literal, the compiler needs no call. */
static inline bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (b.n == 0 || memcmp(a.p, b.p, b.n) == 0);
}

/* The bytes [from, from + n) of `s`, cut to what is there. */
static inline struct span span_part(struct span s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    return (struct span){ s.p ? s.p + from : NULL, n };
}

bool bytes_eq_nocase(const uint8_t *a, const uint8_t *b, size_t n); /* ASCII case only */

/* Nearly always the lengths differ, or the first bytes, or nothing: that much is told without a call where `b` is a literal. */
static inline bool span_eq_nocase(struct span a, struct span b)
{
    return span_eq(a, b) || (a.n == b.n && ((a.p[0] ^ b.p[0]) & 0xdf) == 0 && bytes_eq_nocase(a.p, b.p, b.n));
}

static inline bool byte_is_blank(uint8_t c)
{
    return c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

/* Without blanks, tabs, CR, LF at both ends. */
static inline struct span span_trim(struct span s)
{
    while (s.n && byte_is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && byte_is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/*
 * Eight bytes, the first one lowest, and marks in their top bits. The lowest mark is that of the first byte that is meant; what is
 * marked above it may be chance.
 */
#define BYTES8(c) ((c)*0x0101010101010101u)

static inline uint64_t bytes8(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

/* Which are less than `limit`, at most 128. */
static inline uint64_t bytes8_less(uint64_t eight, uint8_t limit)
{
    return (eight - BYTES8(limit)) & ~eight & BYTES8(0x80u);
}

static inline size_t bytes8_first(uint64_t marks)
{
    return (size_t)__builtin_ctzll(marks) / 8;
}

/* Index of the first `byte`, or s.n. */
static inline size_t span_find(struct span s, uint8_t byte)
{
    const uint8_t *at = s.n ? memchr(s.p, byte, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

/* The same, where it is near: a call of memchr() costs more than to look at the few bytes of a word. */
static inline size_t span_find_near(struct span s, uint8_t byte)
{
    size_t n = 0;

    while (n < s.n && s.p[n] != byte)
        n++;
    return n;
}

/* What stands before `byte`; *rest moves behind it. */
static inline struct span span_until(struct span *rest, uint8_t byte)
{
    size_t at = span_find_near(*rest, byte), taken = at < rest->n ? at + 1 : at;
    struct span head = { rest->p, at };

    if (taken)
        rest->p += taken;
    rest->n -= taken;
    return head;
}

static inline bool span_starts(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_eq((struct span){ s.p, prefix.n }, prefix);
}

static inline bool span_starts_nocase(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_eq_nocase((struct span){ s.p, prefix.n }, prefix);
}

enum { SPAN_USUAL_DIGITS = 19 }; /* that many fit into 64 bits, whatever they are */
/* What `digits` make, however many they are; false, and *out as it was, where that is more than `max`. */
RARE bool span_any_u64(struct span digits, uint64_t max, uint64_t *out);

/* Takes the decimal digits at the front. False, and *out as it was, where there are none or they make more than `max`. */
static inline bool span_take_u64(struct span *rest, uint64_t max, uint64_t *out)
{
    const struct span s = *rest;
    uint64_t v = 0, digit;
    size_t n = 0;

    for (; n < s.n && (digit = (uint64_t)s.p[n] - '0') <= 9; n++)
        v = v * 10 + digit;
    if (n == 0)
        return false;
    *rest = (struct span){ s.p + n, s.n - n };
    if (n > SPAN_USUAL_DIGITS)
        return span_any_u64((struct span){ s.p, n }, max, out);
    if (v > max)
        return false;
    *out = v;
    return true;
}

/* Reads decimal digits only; false, and *out as it was, where there are none, other bytes, or more than `max`. */
static inline bool span_u64(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t v;
    bool all = span_take_u64(&s, max, &v) && s.n == 0;

    if (all)
        *out = v;
    return all;
}

#endif
