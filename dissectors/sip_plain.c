#include "sip_plain.h"

uint64_t plain_more(const uint8_t *block, const uint8_t *end)
{
    size_t n = (size_t)(end - block);

    if (n >= LANE)
        return plain_marks(block, end);
    return lane_marks(end - LANE) >> (LANE - n) | UINT64_C(1) << n;
}
