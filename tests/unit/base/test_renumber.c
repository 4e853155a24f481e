/* Tables whose records were moved together. */
#include <criterion/criterion.h>

#include "base/hmap.h"

enum { KEYS = 6000 };

static bool key_eq(const void *self, uint32_t slot, const void *key)
{
    return ((const uint32_t *)self)[slot] == *(const uint32_t *)key;
}

static uint64_t key_hash(uint32_t key)
{
    return hash_bytes(&key, sizeof key);
}

/* A generator that is the same everywhere (Marsaglia's xorshift). */
static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static uint32_t renumbered(const void *self, uint32_t slot)
{
    return ((const uint32_t *)self)[slot];
}

/* One in `each` stays, those that stay get new numbers, and go again and again. */
static void renumber(uint32_t hashes, uint32_t each)
{
    static uint32_t keys[KEYS], to[KEYS];
    struct hmap m = { 0 };
    uint32_t x = 2463534242u, n = 0, kept = 0;

    for (unsigned round = 0; round < 6; round++) {
        for (; n < (hashes < 100 ? 300 : KEYS); n++) {
            keys[n] = next_random(&x);
            cr_assert(hmap_put(&m, key_hash(keys[n] % hashes), n));
        }
        kept = 0;
        for (uint32_t i = 0; i < n; i++)
            to[i] = next_random(&x) % each ? HMAP_NONE : kept++;
        hmap_renumber(&m, renumbered, to);
        cr_assert_eq(m.used, kept);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t key = keys[i];

            if (to[i] != HMAP_NONE)
                keys[to[i]] = key;
        }
        n = kept;
        for (uint32_t i = 0; i < n; i++)
            cr_assert_eq(hmap_find(&m, key_hash(keys[i] % hashes), key_eq, keys, &keys[i]), i);
    }
    hmap_done(&m);
}

Test(hmap, slots_get_other_numbers)
{
    renumber(UINT32_MAX, 1);
    renumber(UINT32_MAX, 2);
    renumber(UINT32_MAX, 50);
    renumber(5, 2); /* runs are long, and wrap around the table's end */
    renumber(1, 3);
}

static uint32_t first_ten(const void *self, uint32_t slot)
{
    (void)self;
    return slot < 10 ? slot : HMAP_NONE;
}

Test(hmap, gets_smaller_with_what_it_holds)
{
    struct hmap m = { 0 };

    hmap_renumber(&m, first_ten, NULL);
    for (uint32_t i = 0; i < KEYS; i++)
        cr_assert(hmap_put(&m, key_hash(i), i));
    hmap_renumber(&m, first_ten, NULL);
    cr_expect_eq(m.used, 10);
    cr_expect_leq(hmap_bytes(&m), 1024u);
    hmap_done(&m);
}
