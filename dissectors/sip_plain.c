#include "sip_plain.h"

uint64_t plain_marks(const uint8_t *block, const uint8_t *end)
{
    size_t n = (size_t)(end - block), i = 0;
    uint64_t marks = 0;

    if (n < LANE)
        return lane_marks(end - LANE) >> (LANE - n) | UINT64_C(1) << n;
    if (n < PLAIN_BLOCK)
        marks = UINT64_C(1) << n;
    else
        n = PLAIN_BLOCK;
    for (; i + LANE < n; i += LANE)
        marks |= (uint64_t)lane_marks(block + i) << i;
    return marks | (uint64_t)lane_marks(block + n - LANE) << (n - LANE); /* some bytes twice, which is the same again */
}
