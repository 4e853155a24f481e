#include "base/span.h"

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

bool span_any_u64(struct span digits, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < digits.n; i++) {
        uint64_t digit = (uint64_t)digits.p[i] - '0';

        if (v > max / 10 || digit > max - v * 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}
