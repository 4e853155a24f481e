#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

void pool_init(struct pool *p, size_t size, uint32_t cap)
{
    *p = (struct pool){ .size = (size + 7) & ~(size_t)7, .cap = cap, .free_slot = POOL_NONE };
}

void pool_done(struct pool *p)
{
    for (uint32_t i = 0; i < p->chunks; i++)
        free(p->chunk[i]);
    free(p->chunk);
    free(p->gen);
    pool_init(p, p->size, p->cap);
}

static bool pool_grow(struct pool *p)
{
    uint32_t n = p->chunks + 1;
    uint8_t **chunk;
    uint32_t *gen;

    if ((p->chunks & (p->chunks - 1)) == 0) { /* room is doubled when the count reaches a power of two */
        size_t room = p->chunks ? (size_t)p->chunks * 2 : 1;

        chunk = realloc(p->chunk, room * sizeof *chunk);
        if (!chunk)
            return false;
        p->chunk = chunk;
        gen = realloc(p->gen, room * POOL_CHUNK * sizeof *gen);
        if (!gen)
            return false;
        p->gen = gen;
    }
    p->chunk[p->chunks] = aligned_alloc(POOL_ALIGN, p->size * POOL_CHUNK);
    if (!p->chunk[p->chunks])
        return false;
    memset(p->gen + (size_t)p->chunks * POOL_CHUNK, 0, POOL_CHUNK * sizeof *p->gen);
    p->chunks = n;
    return true;
}

void *pool_new(struct pool *p, uint32_t *slot)
{
    void *rec;

    if (p->free_slot != POOL_NONE) {
        *slot = p->free_slot;
        memcpy(&p->free_slot, pool_at(p, *slot), sizeof p->free_slot);
    } else {
        if (p->used == p->cap || (p->used == p->chunks * POOL_CHUNK && !pool_grow(p))) {
            p->refused++;
            return NULL;
        }
        *slot = p->used++;
    }
    p->gen[*slot]++;
    p->live++;
    rec = pool_at(p, *slot);
    memset(rec, 0, p->size);
    return rec;
}

void pool_free(struct pool *p, uint32_t slot)
{
    p->gen[slot]++;
    p->live--;
    memcpy(pool_at(p, slot), &p->free_slot, sizeof p->free_slot);
    p->free_slot = slot;
}

static bool is_live(const struct pool *p, uint32_t slot)
{
    return p->gen[slot] % 2 == 1;
}

void pool_compact(struct pool *p, const bool *keep, uint32_t *to)
{
    uint32_t n = 0, old = p->used;

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
        p->gen[i] = ((p->gen[i] + 2) & ~1u) + (i < n);
    while (p->chunks > n / POOL_CHUNK + 1)
        free(p->chunk[--p->chunks]);
    p->used = p->live = n;
    p->free_slot = POOL_NONE;
}

size_t pool_bytes(const struct pool *p)
{
    size_t room = 1;

    while (room < p->chunks)
        room *= 2;
    return p->chunks ? p->chunks * p->size * POOL_CHUNK + room * (sizeof *p->chunk + POOL_CHUNK * sizeof *p->gen) : 0;
}

struct id pool_id(const struct pool *p, uint32_t slot)
{
    return (struct id){ slot, p->gen[slot] };
}

void *pool_get(const struct pool *p, struct id id)
{
    return id.gen % 2 == 1 && id.slot < p->used && p->gen[id.slot] == id.gen ? pool_at(p, id.slot) : NULL;
}
