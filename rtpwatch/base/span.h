/* A borrowed run of bytes. It dies with the packet (or the arena) it points into. */
#ifndef RW_BASE_SPAN_H
#define RW_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* Nearly always the lengths differ or the bytes are the same: that much is told without a call where `b` is a literal. */
static inline bool span_eq_nocase(struct span a, struct span b)
{
    return span_eq(a, b) || (a.n == b.n && bytes_eq_nocase(a.p, b.p, b.n));
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

/* Index of the first `byte`, or s.n. */
static inline size_t span_find(struct span s, uint8_t byte)
{
    const uint8_t *at = s.n ? memchr(s.p, byte, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

/* What stands before `byte`; *rest moves behind it. */
static inline struct span span_until(struct span *rest, uint8_t byte)
{
    size_t at = span_find(*rest, byte), taken = at < rest->n ? at + 1 : at;
    struct span head = { rest->p, at };

    if (taken)
        rest->p += taken;
    rest->n -= taken;
    return head;
}

bool span_starts(struct span s, struct span prefix);
bool span_starts_nocase(struct span s, struct span prefix);
/* Reads decimal digits only; false where there are none, other bytes, or more than `max`. */
bool span_u64(struct span s, uint64_t max, uint64_t *out);

#endif
