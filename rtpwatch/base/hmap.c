#include "base/hmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

/* What is smaller than this is malloc()'s matter. */
enum { HMAP_PAGES = 256 << 10, HMAP_LEAST = 64 /* cells */ };

static uint64_t *cells_new(size_t cells)
{
    struct pages whole = pages_of(cells * sizeof(uint64_t));

    if (whole.most < HMAP_PAGES)
        return calloc(cells, sizeof(uint64_t));
    if (!pages_grow(&whole, whole.most))
        pages_done(&whole);
    return whole.at;
}

static void cells_free(const struct hmap *m)
{
    size_t n = hmap_bytes(m);

    if (n < HMAP_PAGES)
        free(m->cell);
    else
        pages_done(&(struct pages){ m->cell, n, n });
}

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
    struct hmap wide = { cells_new(cells), cells - 1, m->used };

    if (!wide.cell)
        return false;
    for (size_t i = 0; m->mask && i <= m->mask; i++)
        if (m->cell[i])
            cell_insert(&wide, m->cell[i]);
    cells_free(m);
    *m = wide;
    return true;
}

bool hmap_put(struct hmap *m, uint64_t hash, uint32_t slot)
{
    if (!m->mask || m->used + 1 > m->mask / 4 * 3) {
        if (!hmap_resize(m, m->mask ? (m->mask + 1) * 2 : HMAP_LEAST) && m->used + 1 >= m->mask)
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

/* One that is nearly empty takes less memory; without memory to make it smaller it stays as large as it is. */
static void hmap_shrink(struct hmap *m)
{
    size_t mask = m->mask;

    while (mask >= HMAP_LEAST && m->used < mask / 4)
        mask /= 2;
    if (mask < m->mask)
        hmap_resize(m, mask + 1);
}

/* Begins behind an empty cell, where a run begins: then a cell that is taken out finds its place no later than where it was. */
void hmap_renumber(struct hmap *m, uint32_t (*to)(const void *self, uint32_t slot), const void *self)
{
    size_t start = 0;

    if (!m->mask)
        return;
    while (m->cell[start])
        start++;
    m->used = 0;
    for (size_t i = start; i <= start + m->mask; i++) {
        uint64_t cell = m->cell[i & m->mask];
        uint32_t slot = cell ? to(self, (uint32_t)cell - 1) : HMAP_NONE;

        m->cell[i & m->mask] = 0;
        if (slot == HMAP_NONE)
            continue;
        cell_insert(m, cell_make(cell, slot));
        m->used++;
    }
    hmap_shrink(m);
}

void hmap_done(struct hmap *m)
{
    cells_free(m);
    *m = (struct hmap){ 0 };
}

/* Both halves of the product, one upon the other: each bit of it depends on all of a and b. */
static uint64_t fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t al = a & UINT32_MAX, ah = a >> 32, bl = b & UINT32_MAX, bh = b >> 32;
    uint64_t low = al * bl, mid = ah * bl + (low >> 32), cross = al * bh + (mid & UINT32_MAX);

    return (cross << 32 | (low & UINT32_MAX)) ^ (ah * bh + (mid >> 32) + (cross >> 32));
#endif
}

static uint64_t eight(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, 8);
    return w;
}

static uint64_t four(const uint8_t *p)
{
    uint32_t w;

    memcpy(&w, p, 4);
    return w;
}

/*
 * Sixteen bytes a multiplication; what is left, up to sixteen, is read as two words that may overlap. The secret is part of each factor:
 * who could make one of them zero would have the product, whatever the other is.
 */
static inline uint64_t hash_with(uint64_t secret, const uint8_t *b, size_t n)
{
    uint64_t h = (0x9e3779b97f4a7c15u ^ secret) + n, first = 0, last = 0;

    for (; n > 16; n -= 16, b += 16)
        h = fold(eight(b) ^ h, eight(b + 8) ^ secret ^ 0xff51afd7ed558ccdu);
    if (n >= 8) {
        first = eight(b);
        last = eight(b + n - 8);
    } else if (n >= 4) {
        first = four(b);
        last = four(b + n - 4);
    } else if (n) {
        first = (uint64_t)b[0] << 16 | (uint64_t)b[n / 2] << 8 | b[n - 1];
    }
    return fold(fold(first ^ h, last ^ secret ^ 0xc4ceb9fe1a85ec53u), 0xd6e8feb86659fd93u);
}

const uint8_t hash_place = 0;

uint64_t hash_bytes(const void *p, size_t n)
{
    return hash_with(hash_secret(), p, n);
}

uint64_t hash_fixed(const void *p, size_t n)
{
    return hash_with(0, p, n);
}
