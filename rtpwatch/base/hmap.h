/*
 * A hash map from a key to a 32-bit slot. Keys live in the records that the slots name, so the map holds 8 bytes an entry;
 * the caller compares. Open addressing with linear probing, at most 3/4 full.
 */
#ifndef RW_BASE_HMAP_H
#define RW_BASE_HMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HMAP_NONE = UINT32_MAX >> 1 };

struct hmap {
    uint64_t *cell; /* 0: empty; else hash in the high half, slot + 1 in the low half */
    size_t mask;    /* cells - 1; 0 before the first entry */
    size_t used;
};

/* Does the record in `slot` have the key? */
typedef bool hmap_eq(const void *self, uint32_t slot, const void *key);

bool hmap_put(struct hmap *m, uint64_t hash, uint32_t slot); /* the key must not be in it; false without memory */
void hmap_del(struct hmap *m, uint64_t hash, uint32_t slot);
void hmap_done(struct hmap *m);
/* The slots have other numbers: `to` of each, HMAP_NONE for one that is gone. The map takes less memory where far fewer are left. */
void hmap_renumber(struct hmap *m, uint32_t (*to)(const void *self, uint32_t slot), const void *self);

/*
 * The high half alone places a cell, since that is all of the hash that a cell keeps when the table grows. Its lowest bits are used as they
 * are: keys that are looked for together may be given cells side by side.
 */
static inline size_t hmap_home(uint64_t hash, size_t mask)
{
    return (size_t)(hash >> 32) & mask;
}

static inline bool hmap_any(const void *self, uint32_t slot, const void *key)
{
    (void)self, (void)slot, (void)key;
    return true;
}

static inline size_t hmap_bytes(const struct hmap *m)
{
    return m->mask ? (m->mask + 1) * sizeof *m->cell : 0;
}

/* Inline, so that the comparison is: one such call is made for every packet. */
static inline uint32_t hmap_find(const struct hmap *m, uint64_t hash, hmap_eq *eq, const void *self, const void *key)
{
    if (!m->mask)
        return HMAP_NONE;
    for (size_t i = hmap_home(hash, m->mask); m->cell[i]; i = (i + 1) & m->mask) {
        uint32_t slot = (uint32_t)m->cell[i] - 1;

        if (((m->cell[i] ^ hash) >> 32) == 0 && eq(self, slot, key))
            return slot;
    }
    return HMAP_NONE;
}

/* The first slot whose key has the upper half of `hash`, most likely the one that is looked for: a guess that reads no record. */
static inline uint32_t hmap_first(const struct hmap *m, uint64_t hash)
{
    return hmap_find(m, hash, hmap_any, NULL, NULL);
}

/* Asks the processor for the cell of `hash`, so that a find soon after does not wait for memory. */
__attribute__((always_inline)) static inline void hmap_prefetch(const struct hmap *m, uint64_t hash)
{
    if (m->mask)
        __builtin_prefetch(&m->cell[hmap_home(hash, m->mask)]);
}

/*
 * What no sender of packets knows, so that nobody can make keys that fall upon each other: where the system put the program (address space
 * layout randomisation). The order of a table must therefore be seen nowhere.
 */
extern const uint8_t hash_place;
static inline uint64_t hash_secret(void)
{
    return (uintptr_t)&hash_place * 0x9e3779b97f4a7c15u;
}

uint64_t hash_bytes(const void *p, size_t n); /* for tables: of one process */
uint64_t hash_fixed(const void *p, size_t n); /* the same in every process: for what is written down, or sorted */

#endif
