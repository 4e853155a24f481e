/* Memory that grows in place, and what is built of it: pools, large hash tables, arenas that begin in a record. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/hmap.h"
#include "base/pages.h"
#include "base/poison.h"
#include "base/pool.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

/* What the system holds of it in memory, in pages. */
static size_t resident(const struct pages *p)
{
    static unsigned char in[32768];
    size_t n = 0;

    cr_assert_eq(mincore(p->at, p->have, in), 0);
    for (size_t i = 0; i < p->have / 4096; i++)
        n += in[i] & 1;
    return n;
}

static bool all_zero(const uint8_t *p, size_t n)
{
    return n == 0 || (*p == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* ---- pages ---- */

/* Through all sizes of steps: what was written stays where it was, and what comes is zero. */
Test(pages, grow_in_place)
{
    struct pages p = pages_of(16 * MIB);
    uint8_t *at;

    cr_assert(pages_grow(&p, 1));
    at = p.at;
    for (size_t n = 1; n <= 16 * MIB; n += 10007) {
        size_t had = p.have;

        cr_assert(pages_grow(&p, n));
        cr_assert_geq(p.have, n);
        cr_assert_eq(p.at, at);
        if (p.have > had)
            cr_assert(all_zero(at + had, p.have - had), "at %zu", had);
        at[n - 1] = (uint8_t)(n % 251 + 1);
    }
    for (size_t n = 1; n <= 16 * MIB; n += 10007)
        cr_assert_eq(at[n - 1], n % 251 + 1);
    pages_done(&p);
    cr_assert_null(p.at);
    pages_done(&p);
}

Test(pages, never_more_than_the_most)
{
    struct pages p = pages_of(5 * MIB);

    cr_assert(pages_grow(&p, 5 * MIB));
    cr_assert_eq(p.have, 5 * MIB);
    cr_assert_not(pages_grow(&p, 5 * MIB + 1));
    cr_assert_not(pages_grow(&p, SIZE_MAX));
    cr_assert_eq(p.have, 5 * MIB, "what there is stays");
    pages_done(&p);
}

/* A table that is made for millions takes one page until it has something. */
Test(pages, little_takes_little)
{
    struct pages p = pages_of((size_t)1 << 32);

    cr_assert(pages_grow(&p, 64));
    *(char *)p.at = 1;
    cr_expect_eq(resident(&p), 1);
    cr_expect_eq(pages_given(&p, 64), 64);
    cr_assert(pages_grow(&p, MIB));
    cr_expect_eq(pages_given(&p, 64), MIB, "from here on all is there at once");
    pages_done(&p);
}

Test(pages, what_is_wanted_whole_begins_with_a_huge_page)
{
    struct pages p = pages_of(3 * MIB);

    cr_assert(pages_grow(&p, 3 * MIB));
    cr_assert_eq((uintptr_t)p.at % (2 * MIB), 0);
    pages_done(&p);
}

Test(pages, what_is_given_back_comes_back_as_zero)
{
    struct pages p = pages_of(64 * MIB);
    size_t all;

    cr_assert(pages_grow(&p, 12 * MIB));
    memset(p.at, 0xff, p.have);
    all = p.have;
    pages_shrink(&p, 11 * MIB);
    cr_assert_eq(p.have, all, "a little less is no reason");
    pages_shrink(&p, 100 * KIB);
    cr_assert_lt(p.have, 256 * KIB);
    cr_assert_geq(p.have, 100 * KIB);
    all = p.have;
    cr_assert(pages_grow(&p, 12 * MIB));
    for (size_t i = 0; i < 100 * KIB; i++)
        cr_assert_eq(((uint8_t *)p.at)[i], 0xff);
    cr_assert(all_zero((uint8_t *)p.at + all, p.have - all));
    pages_done(&p);
}

Test(pages, memory_that_is_given_back_is_the_systems_again)
{
    struct pages p = pages_of(64 * MIB);
    struct pages whole;

    cr_assert(pages_grow(&p, 32 * MIB));
    memset(p.at, 1, p.have);
    whole = p;
    cr_expect_eq(resident(&whole), 32 * MIB / 4096);
    pages_shrink(&p, MIB);
    cr_expect_leq(resident(&whole), 3 * MIB / 2 / 4096);
    pages_done(&p);
}

/* ulimit -v: one table has not all that the process may have. */
Test(pages, fewer_addresses_than_wanted)
{
    struct rlimit limit = { (rlim_t)1 << 46, RLIM_INFINITY };
    struct pages p = pages_of((size_t)1 << 42), none = pages_of(0);

    cr_assert_eq(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = (rlim_t)1 << 46;
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    cr_assert(pages_grow(&p, 1));
    cr_expect_eq(p.most, (size_t)1 << 41);
    cr_expect_not(pages_grow(&p, p.most + 1));
    cr_expect_not(pages_grow(&none, 1));
    pages_done(&p);
}

/* ---- pool ---- */

struct record {
    uint64_t a[16];
};

static uint32_t fill(struct pool *p, uint32_t n)
{
    uint32_t slot;

    for (uint32_t i = 0; i < n; i++) {
        struct record *r = pool_new(p, &slot);

        cr_assert_not_null(r);
        cr_assert(all_zero((uint8_t *)r, sizeof *r), "slot %u", slot);
        memset(r, 0xff, sizeof *r);
    }
    return slot;
}

/* Slots that were used before, some whose memory went and came back, and some that never were: a record is zero in each. */
Test(pool, records_are_zero_after_a_sweep)
{
    enum { N = 50000 };
    static bool keep[N];
    static uint32_t to[N];
    struct pool p;

    for (uint32_t left = 0; left <= 40000; left = left ? left * 10 : 4) {
        pool_init(&p, sizeof(struct record), N);
        fill(&p, N - 1);
        for (uint32_t i = 0; i < N; i++)
            keep[i] = i < left;
        pool_compact(&p, keep, to);
        cr_assert_eq(p.live, left);
        cr_assert_eq(fill(&p, N - left), N - 1);
        cr_assert_null(pool_new(&p, to), "the cap is the same");
        pool_done(&p);
    }
}

Test(pool, a_sweep_gives_memory_back_and_ids_stay_stale)
{
    enum { N = 50000 };
    static bool keep[N] = { true };
    static uint32_t to[N];
    struct id first, last;
    struct pool p;

    pool_init(&p, sizeof(struct record), N);
    last = pool_id(&p, fill(&p, N));
    first = pool_id(&p, 0);
    pool_compact(&p, keep, to);
    cr_expect_lt(pool_bytes(&p), MIB);
    cr_assert_eq(to[0], 0);
    cr_assert_eq(to[1], POOL_NONE);
    cr_expect_null(pool_get(&p, first));
    cr_expect_null(pool_get(&p, last));
    cr_assert_eq(fill(&p, N - 1), N - 1);
    cr_expect_null(pool_get(&p, last), "the slot has another record");
    pool_done(&p);
}

Test(pool, bytes_are_those_of_the_records)
{
    struct pool p;

    pool_init(&p, 100, 1 << 20);
    cr_expect_eq(pool_bytes(&p), 0);
    for (uint32_t i = 0, slot; i < 10; i++)
        cr_assert_not_null(pool_new(&p, &slot));
    cr_expect_eq(pool_bytes(&p), 10 * (104 + 4));
    pool_free(&p, 3);
    cr_expect_eq(pool_bytes(&p), 10 * (104 + 4), "it is not given back");
    pool_done(&p);
}

#ifdef POISON_ON
static bool forbidden(const void *p)
{
    return __asan_address_is_poisoned(p);
}

Test(pool, sanitizers_see_what_is_no_record)
{
    bool keep[3] = { true };
    uint32_t to[3], slot;
    uint8_t *r[3];
    struct pool p;

    pool_init(&p, 64, 1000);
    for (int i = 0; i < 3; i++)
        r[i] = pool_new(&p, &slot);
    cr_expect_not(forbidden(r[2] + 63));
    cr_expect(forbidden(r[2] + 64), "beyond the last one");
    pool_free(&p, 1);
    cr_expect(forbidden(r[1]), "freed");
    cr_assert_eq(pool_new(&p, &slot), r[1]);
    cr_expect_not(forbidden(r[1]));
    pool_compact(&p, keep, to);
    cr_expect_not(forbidden(r[0]));
    cr_expect(forbidden(r[1]), "gone");
    pool_done(&p);
}

Test(arena, sanitizers_see_the_end_of_what_was_lent)
{
    struct arena a = { 0 };
    _Alignas(8) uint8_t room[256] = { 0 };

    arena_begin(&a, room, sizeof room);
    cr_expect(forbidden(room + 255));
    UNPOISON(room, sizeof room);
}
#endif

/* ---- hmap ---- */

static bool key_eq(const void *self, uint32_t slot, const void *key)
{
    (void)self;
    return slot == *(const uint32_t *)key;
}

static uint32_t half(const void *self, uint32_t slot)
{
    (void)self;
    return slot % 2 ? HMAP_NONE : slot / 2;
}

/* Tables that are large enough to be pages, and the way there and back. */
Test(hmap, large_tables)
{
    enum { N = 300000 };
    struct hmap m = { 0 };

    for (uint32_t i = 0; i < N; i++)
        cr_assert(hmap_put(&m, hash_bytes(&i, sizeof i), i));
    cr_assert_geq(hmap_bytes(&m), 2 * MIB);
    for (uint32_t i = 0; i < 2 * N; i++)
        cr_assert_eq(hmap_find(&m, hash_bytes(&i, sizeof i), key_eq, NULL, &i), i < N ? i : HMAP_NONE);
    hmap_renumber(&m, half, NULL);
    cr_assert_eq(m.used, N / 2);
    for (uint32_t i = 0; i < N; i += 2) {
        uint32_t now = i / 2;

        cr_assert_eq(hmap_find(&m, hash_bytes(&i, sizeof i), key_eq, NULL, &now), now);
    }
    hmap_done(&m);
}

/* ---- arena ---- */

Test(arena, begins_in_what_is_lent)
{
    struct arena a = { 0 };
    _Alignas(8) uint8_t room[256] = { 0 };
    uint8_t *record;
    const char *text;

    arena_begin(&a, room, sizeof room);
    record = arena_take(&a, 40);
    text = arena_str(&a, SPAN("a text"));
    cr_expect(record > room && record < room + sizeof room);
    cr_expect(text > (char *)room && text < (char *)room + sizeof room);
    cr_expect_eq((uintptr_t)record % 8, 0);
    cr_expect_eq(a.bytes, 0, "nothing is the system's");
    memset(record, 0xff, 40);
    for (int i = 0; i < 20; i++)
        cr_assert_eq(*(uint8_t *)arena_take(&a, 40), 0, "more than what was lent");
    cr_expect_str_eq(text, "a text");
    cr_expect_gt(a.bytes, 0);
    arena_done(&a); /* sanitizers see whether what was lent is freed */
    cr_expect_null(a.blocks);
    UNPOISON(room, sizeof room);
}
