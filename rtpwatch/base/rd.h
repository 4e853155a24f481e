/*
 * The one way packet bytes are read. Read straight through and test `err` once at the end:
 * after a failure every read gives zero and rd_left() is 0, so loops stop.
 *
 * Two ways to run out, kept apart: RD_CUT, the bytes were on the wire and the capture's snap
 * length removed them; RD_SHORT, the sender never sent them.
 */
#ifndef RW_BASE_RD_H
#define RW_BASE_RD_H

#include "base/span.h"

enum rd_err { RD_FINE, RD_CUT, RD_SHORT };

struct rd {
    const uint8_t *p, *end; /* captured bytes not yet read */
    size_t uncap;           /* wire bytes lost after `end` */
    enum rd_err err;        /* the first failure; it sticks */
};

/* `wire` is the length on the wire; smaller than the captured length (a broken capture file) it is ignored. */
static inline struct rd rd_init(struct span captured, size_t wire)
{
    return (struct rd){ captured.p, captured.n ? captured.p + captured.n : captured.p, wire > captured.n ? wire - captured.n : 0,
                        RD_FINE };
}

static inline size_t rd_left(const struct rd *r)
{
    return r->err || !r->p ? 0 : (size_t)(r->end - r->p);
}

/* Wire bytes not yet read, captured or not. */
static inline size_t rd_wire_left(const struct rd *r)
{
    return r->err ? 0 : rd_left(r) + r->uncap;
}

/* What is left of the captured bytes, without moving. */
static inline struct span rd_rest(const struct rd *r)
{
    return (struct span){ r->p, rd_left(r) };
}

static inline void rd_fail(struct rd *r, size_t missing)
{
    if (!r->err)
        r->err = missing <= r->uncap ? RD_CUT : RD_SHORT;
}

static inline struct span rd_take(struct rd *r, size_t n)
{
    struct span s = { r->p, n };
    size_t left = rd_left(r);

    if (n > left)
        rd_fail(r, n - left);
    if (r->err)
        return SPAN_NONE;
    if (n)
        r->p += n;
    return s;
}

static inline uint8_t rd_u8(struct rd *r)
{
    struct span s = rd_take(r, 1);
    return s.p ? s.p[0] : 0;
}

static inline uint16_t rd_u16(struct rd *r)
{
    struct span s = rd_take(r, 2);
    return (uint16_t)(s.p ? (unsigned)s.p[0] << 8 | s.p[1] : 0u);
}

static inline uint32_t rd_u24(struct rd *r)
{
    struct span s = rd_take(r, 3);
    return s.p ? (uint32_t)s.p[0] << 16 | (uint32_t)s.p[1] << 8 | s.p[2] : 0u;
}

static inline uint32_t rd_u32(struct rd *r)
{
    struct span s = rd_take(r, 4);
    return s.p ? (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 | (uint32_t)s.p[2] << 8 | s.p[3] : 0u;
}

static inline uint64_t rd_u64(struct rd *r)
{
    uint64_t hi = rd_u32(r), lo = rd_u32(r);

    return r->err ? 0 : hi << 32 | lo;
}

/* A child that cannot see past its own `n` wire bytes; the parent skips them. */
static inline struct rd rd_sub(struct rd *r, size_t n)
{
    size_t left = rd_left(r), cap = n < left ? n : left;
    struct rd kid = { r->p, r->p ? r->p + cap : r->p, n - cap, RD_FINE };

    if (n - cap > r->uncap)
        rd_fail(r, n - cap);
    if (r->err)
        return (struct rd){ r->p, r->p, 0, r->err };
    if (cap)
        r->p += cap;
    r->uncap -= n - cap;
    return kid;
}

#endif
