#include "base/span.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool span_eq_nocase(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool span_starts(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_eq(span_part(s, 0, prefix.n), prefix);
}

bool span_starts_nocase(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_eq_nocase(span_part(s, 0, prefix.n), prefix);
}

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
    while (s.n && blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t span_find(struct span s, uint8_t byte)
{
    const uint8_t *at = s.n ? memchr(s.p, byte, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

struct span span_until(struct span *rest, uint8_t byte)
{
    size_t at = span_find(*rest, byte);
    struct span head = span_part(*rest, 0, at);

    *rest = span_part(*rest, at + 1, rest->n);
    return head;
}

bool span_u64(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint64_t digit;

        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        digit = (uint64_t)(s.p[i] - '0');
        if (v > max / 10 || digit > max - v * 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}
