#include "base/pool.h"

#include <string.h>

#include "base/ahead.h"
#include "base/poison.h"

void pool_init(struct pool *p, size_t size, uint32_t cap)
{
    size = (size + 7) & ~(size_t)7;
    *p = (struct pool){ .records = pages_of(size * cap),
                        .size = size,
                        .cap = cap,
                        .free_slot = POOL_NONE,
                        .gens = pages_of(sizeof(uint32_t) * cap) };
}

void pool_done(struct pool *p)
{
    UNPOISON(p->records.at, p->records.have);
    pages_done(&p->records);
    pages_done(&p->gens);
    pool_init(p, p->size, p->cap);
}

static uint32_t *gen_of(const struct pool *p, uint32_t slot)
{
    return (uint32_t *)p->gens.at + slot;
}

static uint32_t room_of(const struct pool *p)
{
    size_t records = p->records.have / p->size, gens = p->gens.have / sizeof(uint32_t), least = records < gens ? records : gens;

    return least < p->cap ? (uint32_t)least : p->cap;
}

static bool pool_grow(struct pool *p)
{
    size_t had = p->records.have, slots = (size_t)p->used + 1;

    if (p->used == p->cap || !pages_grow(&p->gens, slots * sizeof(uint32_t)) || !pages_grow(&p->records, slots * p->size))
        return false;
    POISON((uint8_t *)p->records.at + had, p->records.have - had);
    p->room = room_of(p);
    return true;
}

/* Nobody has written for a while to where the next records will be: they are asked for, each line once. */
AHEAD void ask_for_next(const struct pool *p, uint32_t slot)
{
    enum { LEAD = 4 * CACHE_LINE };

    ask_to_write((const uint8_t *)pool_at(p, slot + 1) + LEAD, p->size);
}

void *pool_new(struct pool *p, uint32_t *slot)
{
    void *rec;

    if (p->free_slot != POOL_NONE) {
        *slot = p->free_slot;
        UNPOISON(pool_at(p, *slot), p->size);
        memcpy(&p->free_slot, pool_at(p, *slot), sizeof p->free_slot);
    } else {
        if (p->used == p->room && !pool_grow(p)) {
            p->refused++;
            return NULL;
        }
        *slot = p->used++;
        ask_for_next(p, *slot);
    }
    ++*gen_of(p, *slot);
    p->live++;
    rec = pool_at(p, *slot);
    UNPOISON(rec, p->size);
    if (*slot < p->clean)
        memset(rec, 0, p->size);
    else
        p->clean = *slot + 1;
    return rec;
}

void pool_free(struct pool *p, uint32_t slot)
{
    ++*gen_of(p, slot);
    p->live--;
    memcpy(pool_at(p, slot), &p->free_slot, sizeof p->free_slot);
    POISON(pool_at(p, slot), p->size);
    p->free_slot = slot;
}

static bool is_live(const struct pool *p, uint32_t slot)
{
    return *gen_of(p, slot) % 2 == 1;
}

/* The first n records are all there are. */
static void cut(struct pool *p, uint32_t n)
{
    pages_shrink(&p->records, n * p->size);
    p->room = room_of(p);
    if (p->clean > p->room)
        p->clean = p->room + 1; /* what is left of a record on the edge */
    p->used = p->live = n;
    p->free_slot = POOL_NONE;
}

void pool_compact(struct pool *p, const bool *keep, uint32_t *to)
{
    uint32_t n = 0, old = p->used;
    size_t had = p->records.have;

    UNPOISON(p->records.at, had);
    for (uint32_t i = 0; i < old; i++) {
        to[i] = POOL_NONE;
        if (!keep[i] || !is_live(p, i))
            continue;
        if (n != i)
            memcpy(pool_at(p, n), pool_at(p, i), p->size);
        to[i] = n++;
    }
    /* A slot that is given out again must not look like what it was: its generation goes on, and ends odd where it is live. */
    for (uint32_t i = 0; i < old; i++)
        *gen_of(p, i) = ((*gen_of(p, i) + 2) & ~1u) + (i < n);
    cut(p, n);
    POISON((uint8_t *)p->records.at + n * p->size, p->records.have - n * p->size);
}

size_t pool_bytes(const struct pool *p)
{
    return pages_given(&p->records, p->clean * p->size) + pages_given(&p->gens, p->clean * sizeof(uint32_t));
}

struct id pool_id(const struct pool *p, uint32_t slot)
{
    return (struct id){ slot, *gen_of(p, slot) };
}

void *pool_get(const struct pool *p, struct id id)
{
    return id.gen % 2 == 1 && id.slot < p->used && *gen_of(p, id.slot) == id.gen ? pool_at(p, id.slot) : NULL;
}
