#include "base/span.h"

enum { NEVER_TOO_LARGE = 19 }; /* that many digits fit into 64 bits, whatever they are */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool bytes_eq_nocase(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
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

/* Of more digits than always fit, looked at one by one. */
static bool long_u64(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        uint64_t digit = (uint64_t)s.p[i] - '0';

        if (digit > 9 || v > max / 10 || digit > max - v * 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool span_u64(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n > NEVER_TOO_LARGE)
        return long_u64(s, max, out);
    for (size_t i = 0; i < s.n; i++) {
        uint64_t digit = (uint64_t)s.p[i] - '0';

        if (digit > 9)
            return false;
        v = v * 10 + digit;
    }
    if (s.n == 0 || v > max)
        return false;
    *out = v;
    return true;
}
