/* Private to sip*.c: sixteen bytes looked at together. Bit i of a result tells of byte i. */
#ifndef RW_DISSECTORS_SIP_LANE_H
#define RW_DISSECTORS_SIP_LANE_H

#include "base/span.h"

enum { LANE = 16 };

#ifdef __SSE2__
#include <emmintrin.h>

static inline unsigned lane_equal(const uint8_t *p, char byte)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8(byte)));
}

/* Blanks and what is below, ! " and what is no ASCII: as signed numbers, these are below all others. */
static inline unsigned lane_low(const uint8_t *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);

    return (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(_mm_set1_epi8('"' + 1), x));
}

/* The low ones, and , : ; < = > ? @ */
static inline unsigned lane_marks(const uint8_t *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i low = _mm_cmpgt_epi8(_mm_set1_epi8('"' + 1), x);
    __m128i comma = _mm_cmpeq_epi8(x, _mm_set1_epi8(','));
    __m128i colon_to_at = _mm_cmpgt_epi8(_mm_add_epi8(x, _mm_set1_epi8(INT8_MAX - '@')), _mm_set1_epi8(INT8_MAX - '@' + '9'));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, comma), colon_to_at));
}
#else
static inline unsigned lane_equal(const uint8_t *p, char byte)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < LANE; i++)
        bits |= (unsigned)(p[i] == (uint8_t)byte) << i;
    return bits;
}

static inline unsigned lane_low(const uint8_t *p)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < LANE; i++)
        bits |= (unsigned)(p[i] <= '"' || p[i] > INT8_MAX) << i;
    return bits;
}

static inline unsigned lane_marks(const uint8_t *p)
{
    unsigned bits = lane_low(p);

    for (unsigned i = 0; i < LANE; i++)
        bits |= (unsigned)(p[i] == ',' || (p[i] >= ':' && p[i] <= '@')) << i;
    return bits;
}
#endif

/* The first `byte` in [p, end), or NULL. */
static inline const uint8_t *lane_find(const uint8_t *p, const uint8_t *end, char byte)
{
    if (end - p >= LANE)
        for (const uint8_t *last = end - LANE; p <= last; p += LANE) {
            unsigned found = lane_equal(p, byte);

            if (found)
                return p + (unsigned)__builtin_ctz(found);
        }
    return p < end ? memchr(p, byte, (size_t)(end - p)) : NULL;
}

#endif
