/*
 * Private to sip*.c: values as nearly all are sent, without blanks, quotes and commas between their parts. They are read from one mark to
 * the next, a mark being a byte that may end a part; what lies between is not looked at. Where anything else is met the value is not
 * plain, and is read again by the whole grammar.
 */
#ifndef RW_DISSECTORS_SIP_PLAIN_H
#define RW_DISSECTORS_SIP_PLAIN_H

#include "sip_parse.h"

/* A cursor whose address is handed on lives in memory, and costs as much as looking at the bytes. */
#define PLAIN_INLINE __attribute__((always_inline)) static inline

enum { PLAIN_BLOCK = LANES };

struct sip_plain {
    const uint8_t *at, *end; /* the mark that was come to, and where the value ends */
    uint8_t stop;            /* the byte there; at the end some blank */
    const uint8_t *block;    /* what bit 0 of `marks` tells of */
    uint64_t marks;          /* of this block, those ahead */
};

/*
 * Bit i: the value ends at block + i, or a byte stands there that is a blank, below a blank, no ASCII, or one of ! " , : ; < = > ? @
 * At least LANE bytes stand before `end`.
 */
uint64_t plain_more(const uint8_t *block, const uint8_t *end);

/*
 * Begins behind `prefix`; `last` is the message's (sip_lane.h). False where the prefix does not stand in front, or the message ends with the
 * value.
 */
PLAIN_INLINE bool plain_begin(struct sip_plain *c, struct span value, const uint8_t *last, struct span prefix)
{
    if (!last || value.n <= prefix.n || value.p + value.n == last + LANES || memcmp(value.p, prefix.p, prefix.n) != 0)
        return false;
    c->at = value.p + prefix.n - 1;
    c->end = value.p + value.n;
    c->block = value.p;
    c->marks = lanes_of(value.p, last, lane_marks);
    if (value.n < PLAIN_BLOCK) /* what stands behind the value is none of its marks */
        c->marks = (c->marks | UINT64_C(1) << value.n) & ((UINT64_C(2) << value.n) - 1);
    c->marks &= UINT64_MAX << prefix.n;
    return true;
}

/* What stands between the mark that was come to and the next. */
PLAIN_INLINE struct span plain_part(struct sip_plain *c)
{
    const uint8_t *from = c->at + 1;

    while (c->marks == 0) {
        c->block += PLAIN_BLOCK;
        c->marks = plain_more(c->block, c->end);
    }
    c->at = c->block + __builtin_ctzll(c->marks);
    c->marks &= c->marks - 1;
    c->stop = *c->at;
    return (struct span){ from, (size_t)(c->at - from) };
}

/* What stands before `byte`, or before what makes the value not plain. */
PLAIN_INLINE struct span plain_until(struct sip_plain *c, uint8_t byte)
{
    struct span part = plain_part(c);

    while (c->stop != byte && c->stop >= ':' && c->stop <= '@')
        (void)plain_part(c);
    part.n = (size_t)(c->at - part.p);
    return part;
}

/* The next ";name=value"; false where none follows. */
PLAIN_INLINE bool plain_param(struct sip_plain *c, struct sip_param *out)
{
    if (c->stop != ';')
        return false;
    out->name = plain_part(c);
    out->value = c->stop == '=' ? plain_until(c, ';') : SPAN_NONE;
    return true;
}

#endif
