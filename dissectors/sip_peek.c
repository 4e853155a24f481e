/* The name of a call before its message is read, for who wants to know early where to look and reads the message in any case. */
#include "sip.h"
#include "sip_lane.h"

enum { HEADER_NAME = 8, HYPHEN = 4 }; /* "Call-ID:" */

static bool is_call_id(const uint8_t *p)
{
    return (p[0] | 0x20) == 'c' && (p[HYPHEN + 1] | 0x20) == 'i' && p[HEADER_NAME - 1] == ':';
}

/* Where the header's value begins, or NULL. Few names have their hyphen there. The last bytes, fewer than two lanes, are not looked at. */
static const uint8_t *call_id_value(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 2 * LANE; p += LANE)
        for (unsigned lines = lane_equal(p, '\n') & lane_equal(p + HYPHEN + 1, '-'); lines; lines &= lines - 1) {
            const uint8_t *line = p + (unsigned)__builtin_ctz(lines) + 1;

            if (is_call_id(line))
                return line + HEADER_NAME;
        }
    return NULL;
}

static bool is_capital(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

struct span sip_peek_call_id(struct span s)
{
    const uint8_t *end = s.p + s.n, *from, *to;

    if (s.n < LANE || !is_capital(s.p[0]) || !is_capital(s.p[1])) /* a method, or SIP/2.0 */
        return SPAN_NONE;
    from = call_id_value(s.p, end);
    to = from ? lane_find(from, end, '\r') : NULL;
    return to ? span_trim((struct span){ from, (size_t)(to - from) }) : SPAN_NONE;
}
