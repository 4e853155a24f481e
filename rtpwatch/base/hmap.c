#include "base/hmap.h"

#include <stdlib.h>
#include <string.h>

static uint64_t cell_make(uint64_t hash, uint32_t slot)
{
    return (hash & 0xffffffff00000000u) | (slot + 1u);
}

static void cell_insert(struct hmap *m, uint64_t cell)
{
    size_t at = hmap_home(cell, m->mask);

    while (m->cell[at])
        at = (at + 1) & m->mask;
    m->cell[at] = cell;
}

static bool hmap_resize(struct hmap *m, size_t cells)
{
    struct hmap wide = { calloc(cells, sizeof *wide.cell), cells - 1, m->used };

    if (!wide.cell)
        return false;
    for (size_t i = 0; m->mask && i <= m->mask; i++)
        if (m->cell[i])
            cell_insert(&wide, m->cell[i]);
    free(m->cell);
    *m = wide;
    return true;
}

bool hmap_put(struct hmap *m, uint64_t hash, uint32_t slot)
{
    if (!m->mask || m->used + 1 > m->mask / 4 * 3) {
        if (!hmap_resize(m, m->mask ? (m->mask + 1) * 2 : 64) && m->used + 1 >= m->mask)
            return false;
    }
    cell_insert(m, cell_make(hash, slot));
    m->used++;
    return true;
}

/* Linear probing leaves no hole: what follows in the run moves up where its home allows (Knuth 6.4, algorithm R). */
void hmap_del(struct hmap *m, uint64_t hash, uint32_t slot)
{
    size_t i;

    if (!m->mask)
        return;
    for (i = hmap_home(hash, m->mask); m->cell[i] && m->cell[i] != cell_make(hash, slot); i = (i + 1) & m->mask)
        ;
    if (!m->cell[i])
        return;
    m->used--;
    for (size_t j = (i + 1) & m->mask; m->cell[j]; j = (j + 1) & m->mask) {
        size_t want = hmap_home(m->cell[j], m->mask);

        if (((j - want) & m->mask) >= ((j - i) & m->mask)) {
            m->cell[i] = m->cell[j];
            i = j;
        }
    }
    m->cell[i] = 0;
}

bool hmap_renumber(struct hmap *m, uint32_t (*to)(const void *self, uint32_t slot), const void *self)
{
    struct hmap made = { 0 };

    for (size_t i = 0; m->mask && i <= m->mask; i++) {
        uint32_t slot = m->cell[i] ? to(self, (uint32_t)m->cell[i] - 1) : HMAP_NONE;

        if (slot != HMAP_NONE && !hmap_put(&made, m->cell[i], slot)) { /* a cell's high half is all of the hash that places it */
            hmap_done(&made);
            return false;
        }
    }
    free(m->cell);
    *m = made;
    return true;
}

void hmap_done(struct hmap *m)
{
    free(m->cell);
    *m = (struct hmap){ 0 };
}

uint64_t hash_bytes(const void *p, size_t n)
{
    const uint8_t *b = p;
    uint64_t h = 0x9e3779b97f4a7c15u ^ n;

    for (; n >= 8; n -= 8, b += 8) {
        uint64_t w;

        memcpy(&w, b, 8);
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    for (; n; n--, b++)
        h = (h ^ *b) * 0x100000001b3u;
    h = (h ^ (h >> 29)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 32);
}
