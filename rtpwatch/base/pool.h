/*
 * Records of one size that stay where they are, side by side, so that a pointer holds as long as its record lives.
 * Long-lived objects name one another by `struct id`: a stale id is told from a live one by its generation.
 */
#ifndef RW_BASE_POOL_H
#define RW_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pages.h"

enum { POOL_NONE = UINT32_MAX >> 1 };

struct id {
    uint32_t slot, gen; /* gen 0: no object */
};

struct pool {
    struct pages records; /* they begin with a page, so those of 64 or 128 bytes keep to their cache lines */
    size_t size;          /* bytes of one record, rounded up to 8 */
    uint32_t cap;         /* never more records than this */
    uint32_t room;        /* slots that there is memory for */
    uint32_t used;        /* slots ever given out */
    uint32_t clean;       /* from this slot on all bytes are zero */
    uint32_t live;        /* given out and not freed */
    uint32_t free_slot;   /* head of the free list, POOL_NONE at its end */
    uint64_t refused;     /* asked for while full, or without memory */
    struct pages gens;    /* uint32_t of each slot; odd: live; even: free */
};

void pool_init(struct pool *p, size_t size, uint32_t cap);
void pool_done(struct pool *p); /* frees all; the pool may be initialised again */

/* A zeroed record and its slot; NULL when full or without memory (counted in `refused`). */
void *pool_new(struct pool *p, uint32_t *slot);
void pool_free(struct pool *p, uint32_t slot);

/*
 * Keeps the records whose `keep` is true and moves them together, in their order; `to` gets each old slot's new one, POOL_NONE for those
 * that are gone. Both have `used` entries. What names records by slot is wrong until it is renumbered, and every id is stale.
 */
void pool_compact(struct pool *p, const bool *keep, uint32_t *to);

/* The record in `slot`; the slot must be one that pool_new() gave. */
static inline void *pool_at(const struct pool *p, uint32_t slot)
{
    return (uint8_t *)p->records.at + (size_t)slot * p->size;
}

size_t pool_bytes(const struct pool *p); /* all that was taken from the system */
struct id pool_id(const struct pool *p, uint32_t slot);
void *pool_get(const struct pool *p, struct id id); /* NULL: stale or none */

#endif
