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
/* A span over a string literal. */
#define SPAN(literal) ((struct span){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static inline struct span span_str(const char *s)
{
    return (struct span){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
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

bool span_eq_nocase(struct span a, struct span b); /* ASCII case only */
bool span_starts(struct span s, struct span prefix);
bool span_starts_nocase(struct span s, struct span prefix);
struct span span_trim(struct span s);                    /* without blanks, tabs, CR, LF at both ends */
size_t span_find(struct span s, uint8_t byte);           /* index of the first `byte`, or s.n */
struct span span_until(struct span *rest, uint8_t byte); /* what stands before `byte`; *rest moves behind it */
/* Reads decimal digits only; false where there are none, other bytes, or more than `max`. */
bool span_u64(struct span s, uint64_t max, uint64_t *out);

#endif
