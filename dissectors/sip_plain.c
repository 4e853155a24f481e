#include "sip_plain.h"

/* Some of the last LANE bytes are looked at twice, and tell the same again. */
static uint64_t marks_of(const uint8_t *block, const uint8_t *end)
{
    size_t n = (size_t)(end - block), last;
    uint64_t marks = n < PLAIN_BLOCK ? UINT64_C(1) << n : 0;

    last = (n < PLAIN_BLOCK ? n : PLAIN_BLOCK) - LANE;
    for (size_t i = 0; i < last; i += LANE)
        marks |= (uint64_t)lane_marks(block + i) << i;
    return marks | (uint64_t)lane_marks(block + last) << last;
}

uint64_t plain_more(const uint8_t *block, const uint8_t *end)
{
    size_t n = (size_t)(end - block);

    if (n >= LANE)
        return marks_of(block, end);
    return lane_marks(end - LANE) >> (LANE - n) | UINT64_C(1) << n;
}
