/* Private to sip*.c and sdp*.c: sixteen bytes looked at together. Bit i of a result tells of byte i. */
#ifndef RW_DISSECTORS_LANE_H
#define RW_DISSECTORS_LANE_H

#include "base/span.h"

enum { LANE = 16, LANES = 64 };

#ifdef __SSE2__
#include <emmintrin.h>

static inline unsigned lane_equal(const uint8_t *p, char byte)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8(byte)));
}

static inline unsigned lane_same(const uint8_t *p, const void *other)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p), y = _mm_loadu_si128((const __m128i *)other);

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y));
}

/* Blanks and what is below, ! " and what is no ASCII: less than # as signed numbers. What is negative has its bit in the mask. */
static inline __m128i lane_below(__m128i x)
{
    return _mm_subs_epi8(x, _mm_set1_epi8('#'));
}

static inline unsigned lane_low(const uint8_t *p)
{
    return (unsigned)_mm_movemask_epi8(lane_below(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

/* The low ones, and , : ; < = > ? @ */
static inline unsigned lane_marks(const uint8_t *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i comma = _mm_cmpeq_epi8(x, _mm_set1_epi8(','));
    __m128i colon_to_at = _mm_cmpgt_epi8(_mm_add_epi8(x, _mm_set1_epi8(INT8_MAX - '@')), _mm_set1_epi8(INT8_MAX - '@' + '9'));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(lane_below(x), comma), colon_to_at));
}
#else
static inline unsigned lane_equal(const uint8_t *p, char byte)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < LANE; i++)
        bits |= (unsigned)(p[i] == (uint8_t)byte) << i;
    return bits;
}

static inline unsigned lane_same(const uint8_t *p, const void *other)
{
    const uint8_t *q = other;
    unsigned bits = 0;

    for (unsigned i = 0; i < LANE; i++)
        bits |= (unsigned)(p[i] == q[i]) << i;
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

static inline unsigned lane_feeds(const uint8_t *p)
{
    return lane_equal(p, '\n');
}

/*
 * What `lane` tells of four of them at `p`, without a jump that depends on how long a line or a value is. `last` is the last place of the
 * message where LANES bytes are: beyond it they are looked at from there, and what stands before `p`, which is less than LANES behind, is
 * shifted out.
 */
__attribute__((always_inline)) static inline uint64_t lanes_of(const uint8_t *p, const uint8_t *last,
                                                               unsigned (*lane)(const uint8_t *))
{
    const uint8_t *q = p < last ? p : last;
    uint64_t bits = (uint64_t)lane(q) | (uint64_t)lane(q + LANE) << LANE | (uint64_t)lane(q + 2 * LANE) << 2 * LANE |
                    (uint64_t)lane(q + 3 * LANE) << 3 * LANE;

    return bits >> (size_t)(p - q);
}

/* Takes the first bit, of which there must be one. */
static inline size_t lanes_next(uint64_t *bits)
{
    size_t first = (size_t)__builtin_ctzll(*bits);

    *bits &= *bits - 1;
    return first;
}

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
