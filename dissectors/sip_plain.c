#include "sip_plain.h"

#ifdef __SSE2__
#include <emmintrin.h>

/* Signed comparisons: bytes above 127 are below all others. */
static uint64_t lane(const uint8_t *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i low = _mm_cmpgt_epi8(_mm_set1_epi8('"' + 1), x);
    __m128i comma = _mm_cmpeq_epi8(x, _mm_set1_epi8(','));
    __m128i colon_to_at = _mm_cmpgt_epi8(_mm_add_epi8(x, _mm_set1_epi8(INT8_MAX - '@')), _mm_set1_epi8(INT8_MAX - '@' + '9'));

    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, comma), colon_to_at));
}
#else
static uint64_t lane(const uint8_t *p)
{
    uint64_t marks = 0;

    for (size_t i = 0; i < PLAIN_LANE; i++)
        marks |= (uint64_t)(p[i] <= '"' || p[i] >= 0x80 || p[i] == ',' || (p[i] >= ':' && p[i] <= '@')) << i;
    return marks;
}
#endif

uint64_t plain_marks(const uint8_t *block, const uint8_t *end)
{
    size_t n = (size_t)(end - block), i = 0;
    uint64_t marks = 0;

    if (n < PLAIN_LANE)
        return lane(end - PLAIN_LANE) >> (PLAIN_LANE - n) | UINT64_C(1) << n;
    if (n < PLAIN_BLOCK)
        marks = UINT64_C(1) << n;
    else
        n = PLAIN_BLOCK;
    for (; i + PLAIN_LANE < n; i += PLAIN_LANE)
        marks |= lane(block + i) << i;
    return marks | lane(block + n - PLAIN_LANE) << (n - PLAIN_LANE); /* some bytes twice, which is the same again */
}
