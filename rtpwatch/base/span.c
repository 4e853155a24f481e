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

/* Of as many digits as need not fit, looked at one by one. */
bool span_take_long_u64(struct span *rest, uint64_t max, uint64_t *out)
{
    uint64_t v = 0, digit;
    bool fits = true;

    for (; rest->n && (digit = (uint64_t)rest->p[0] - '0') <= 9; *rest = span_part(*rest, 1, rest->n)) {
        fits &= v <= max / 10 && digit <= max - v * 10;
        v = v * 10 + digit;
    }
    if (fits)
        *out = v;
    return fits;
}
