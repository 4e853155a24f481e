#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/hmap.h"
#include "base/pool.h"
#include "base/span.h"

#include <criterion/criterion.h>

/* ---- span ---- */

Test(span, equality)
{
    cr_assert(span_eq(SPAN("abc"), SPAN("abc")));
    cr_assert_not(span_eq(SPAN("abc"), SPAN("abd")));
    cr_assert_not(span_eq(SPAN("abc"), SPAN("ab")));
    cr_assert(span_eq(SPAN_NONE, SPAN("")), "both are empty");
    cr_assert_eq(span_str(NULL).n, 0);
    cr_assert(span_eq_nocase(SPAN("Call-ID"), SPAN("cAlL-iD")));
    cr_assert_not(span_eq_nocase(SPAN("Call-ID"), SPAN("Call_ID")));
    cr_assert_not(span_eq_nocase(SPAN("@["), SPAN("`{")), "letters only");
    cr_assert_not(span_eq_nocase(SPAN("\xc4"), SPAN("\xe4")), "ASCII only");
}

Test(span, parts_stay_inside)
{
    struct span s = SPAN("abcdef");

    cr_assert(span_eq(span_part(s, 1, 3), SPAN("bcd")));
    cr_assert(span_eq(span_part(s, 4, SIZE_MAX), SPAN("ef")));
    cr_assert_eq(span_part(s, 6, 1).n, 0);
    cr_assert_eq(span_part(s, SIZE_MAX, SIZE_MAX).n, 0);
    cr_assert_null(span_part(SPAN_NONE, 3, 3).p);
}

Test(span, prefixes)
{
    cr_assert(span_starts(SPAN("candidate:1"), SPAN("candidate:")));
    cr_assert(span_starts(SPAN("a"), SPAN("")));
    cr_assert_not(span_starts(SPAN("cand"), SPAN("candidate")));
    cr_assert_not(span_starts(SPAN("Candidate:1"), SPAN("candidate:")));
    cr_assert(span_starts_nocase(SPAN("SIP/2.0"), SPAN("sip/")));
    cr_assert_not(span_starts_nocase(SPAN("SI"), SPAN("sip")));
}

Test(span, trimming)
{
    cr_assert(span_eq(span_trim(SPAN(" \t\r\n a b \n")), SPAN("a b")));
    cr_assert_eq(span_trim(SPAN(" \r\n\t")).n, 0);
    cr_assert_eq(span_trim(SPAN_NONE).n, 0);
    cr_assert(span_eq(span_trim(SPAN("\v")), SPAN("\v")), "other controls stay");
}

/* The lowest mark is right whatever stands above it. */
Test(span, eight_bytes_at_a_time)
{
    uint8_t eight[8] = "abcdefgh";

    cr_assert_eq(bytes8(eight), 0x6867666564636261u);
    cr_assert_eq(bytes8_less(bytes8(eight), 'a'), 0);
    for (size_t at = 0; at < 8; at++)
        for (unsigned c = 0; c < 256; c++) {
            uint64_t marks;

            memset(eight, 0xff, sizeof eight);
            memset(eight + at, (int)c, sizeof eight - at);
            marks = bytes8_less(bytes8(eight), 14);
            cr_assert_eq(marks != 0, c < 14);
            cr_assert(!marks || bytes8_first(marks) == at);
        }
}

Test(span, pieces_up_to_a_byte)
{
    struct span rest = SPAN("a;;b");

    cr_assert_eq(span_find(rest, ';'), 1);
    cr_assert_eq(span_find(rest, 'x'), 4);
    cr_assert_eq(span_find(SPAN_NONE, 'x'), 0);
    cr_assert(span_eq(span_until(&rest, ';'), SPAN("a")));
    cr_assert_eq(span_until(&rest, ';').n, 0);
    cr_assert(span_eq(span_until(&rest, ';'), SPAN("b")), "the last piece has no end");
    cr_assert_eq(rest.n, 0);
    cr_assert_eq(span_until(&rest, ';').n, 0);
}

static void expect_number(struct span s, uint64_t max, bool good, uint64_t want)
{
    uint64_t v = 4711;

    cr_assert_eq(span_u64(s, max, &v), good, "%.*s of at most %lu", (int)s.n, (const char *)s.p, (unsigned long)max);
    cr_assert(!good || v == want);
}

Test(span, numbers)
{
    expect_number(SPAN("0"), 65535, true, 0);
    expect_number(SPAN("65535"), 65535, true, 65535);
    expect_number(SPAN("65536"), 65535, false, 0);
    expect_number(SPAN("000065535"), 65535, true, 65535);
    expect_number(SPAN("18446744073709551615"), UINT64_MAX, true, UINT64_MAX);
    expect_number(SPAN("18446744073709551616"), UINT64_MAX, false, 0);
    expect_number(SPAN("99999999999999999999999999"), UINT64_MAX, false, 0);
    expect_number(SPAN("9999999999999999999"), UINT64_MAX, true, 9999999999999999999u);
    expect_number(SPAN("10000000000000000000"), 9999999999999999999u, false, 0);
    expect_number(SPAN("0000000000000000000000000065535"), 65535, true, 65535);
    expect_number(SPAN("0000000000000000000000000065536"), 65535, false, 0);
    expect_number(SPAN(""), 10, false, 0);
    expect_number(SPAN("-1"), 10, false, 0);
    expect_number(SPAN("+1"), 10, false, 0);
    expect_number(SPAN("1 "), 10, false, 0);
    expect_number(SPAN("0x1"), 10, false, 0);
}

static void expect_digits_taken(const char *text, uint64_t max, bool good, uint64_t want, size_t left)
{
    struct span rest = span_str(text);
    uint64_t v = 4711;

    cr_assert_eq(span_take_u64(&rest, max, &v), good, "%s", text);
    cr_assert_eq(v, good ? want : 4711);
    cr_assert_eq(rest.n, left, "%s", text);
    cr_assert_eq(rest.p, (const uint8_t *)text + strlen(text) - left);
}

Test(span, digits_at_the_front)
{
    expect_digits_taken("20.5", 100, true, 20, 2);
    expect_digits_taken("20", 19, false, 0, 0);
    expect_digits_taken("x1", 9, false, 0, 2);
    expect_digits_taken("", 9, false, 0, 0);
    expect_digits_taken("18446744073709551615 7", UINT64_MAX, true, UINT64_MAX, 2);
    expect_digits_taken("18446744073709551616 7", UINT64_MAX, false, 0, 2);
    expect_digits_taken("1000000000000000000000000000000000000000x", UINT64_MAX, false, 0, 1);
}

Test(span, numbers_below_a_bound_of_one_digit)
{
    expect_number(SPAN("5"), 5, true, 5);
    expect_number(SPAN("6"), 5, false, 0);
    expect_number(SPAN("9"), 5, false, 0);
    expect_number(SPAN("9"), 0, false, 0);
    expect_number(SPAN("19"), 12, false, 0);
}

/* ---- pool ---- */

struct record {
    uint64_t a;
    uint8_t b;
};

Test(pool, records_are_zeroed_and_stay_where_they_are)
{
    struct pool p;
    uint32_t first, slot;
    struct record *r, *kept;

    pool_init(&p, sizeof(struct record), 5000);
    kept = pool_new(&p, &first);
    cr_assert_not_null(kept);
    kept->a = 7;
    for (uint32_t i = 1; i < 2000; i++) { /* over several chunks and several doublings of their list */
        r = pool_new(&p, &slot);
        cr_assert_eq(slot, i);
        cr_assert(r && r->a == 0 && r->b == 0);
        r->a = i;
    }
    for (uint32_t i = 1; i < 2000; i++)
        cr_assert_eq(((struct record *)pool_at(&p, i))->a, i);
    cr_assert_eq(pool_at(&p, first), kept);
    cr_assert_eq(kept->a, 7);
    cr_assert_eq(p.live, 2000);
    pool_done(&p);
    cr_assert_eq(p.live, 0);
}

Test(pool, a_freed_slot_is_used_again_and_its_old_ids_are_stale)
{
    struct pool p;
    uint32_t a, b, again;
    struct id old, fresh;
    struct record *r;

    pool_init(&p, sizeof(struct record), 10);
    r = pool_new(&p, &a);
    cr_assert_not_null(r);
    r->a = r->b = 255;
    old = pool_id(&p, a);
    cr_assert_not_null(pool_new(&p, &b));
    cr_assert_eq(pool_get(&p, old), r);
    pool_free(&p, a);
    cr_assert_null(pool_get(&p, old));
    cr_assert_null(pool_get(&p, pool_id(&p, a)), "the id of a free slot names nothing");
    r = pool_new(&p, &again);
    cr_assert_eq(again, a);
    cr_assert(r && r->a == 0 && r->b == 0, "what was there before is gone");
    fresh = pool_id(&p, again);
    cr_assert_null(pool_get(&p, old));
    cr_assert_eq(pool_get(&p, fresh), r);
    cr_assert_neq(old.gen, fresh.gen);
    pool_done(&p);
}

Test(pool, the_free_list_holds_all_that_was_freed)
{
    struct pool p;
    bool seen[600] = { false };
    uint32_t slot;

    pool_init(&p, 1, 600);
    for (uint32_t i = 0; i < 600; i++)
        cr_assert_not_null(pool_new(&p, &slot));
    for (uint32_t i = 0; i < 600; i += 2)
        pool_free(&p, i);
    cr_assert_eq(p.live, 300);
    for (uint32_t i = 0; i < 300; i++) {
        cr_assert_not_null(pool_new(&p, &slot));
        cr_assert(slot < 600 && slot % 2 == 0 && !seen[slot], "slot %u", slot);
        seen[slot] = true;
    }
    cr_assert_null(pool_new(&p, &slot));
    cr_assert_eq(p.used, 600);
    pool_done(&p);
}

Test(pool, a_full_pool_refuses_and_counts)
{
    struct pool p;
    uint32_t slot;

    pool_init(&p, sizeof(struct record), 3);
    for (int i = 0; i < 3; i++)
        cr_assert_not_null(pool_new(&p, &slot));
    cr_assert_null(pool_new(&p, &slot));
    cr_assert_null(pool_new(&p, &slot));
    cr_assert_eq(p.refused, 2);
    cr_assert_eq(p.live, 3);
    pool_free(&p, 1);
    cr_assert_not_null(pool_new(&p, &slot));
    cr_assert_eq(slot, 1);
    pool_done(&p);
}

Test(pool, no_id_names_nothing)
{
    struct pool p;
    uint32_t slot;

    pool_init(&p, sizeof(struct record), 3);
    cr_assert_null(pool_get(&p, (struct id){ 0, 0 }));
    cr_assert_null(pool_get(&p, (struct id){ 0, 1 }), "no slot was ever given out");
    cr_assert_not_null(pool_new(&p, &slot));
    cr_assert_null(pool_get(&p, (struct id){ 0, 0 }));
    cr_assert_null(pool_get(&p, (struct id){ 1, 1 }));
    cr_assert_null(pool_get(&p, (struct id){ UINT32_MAX, 1 }));
    pool_done(&p);
    pool_done(&p);
    cr_assert_not_null(pool_new(&p, &slot), "usable again");
    pool_done(&p);
}

/* ---- hmap ---- */

enum { KEYS = 6000, CHAIN = 40 };

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

/* A factor of the hash is the second word and a constant: where it stood alone in it, a sender could make it zero. */
Test(hash, keys_made_to_fall_upon_each_other_do_not)
{
    enum { MADE = 2000 };
    const uint64_t constants[] = { 0xff51afd7ed558ccdu, 0xc4ceb9fe1a85ec53u };
    uint32_t halves[MADE];

    for (size_t c = 0; c < sizeof constants / sizeof *constants; c++)
        for (size_t n = 16; n <= 24; n += 8) {
            for (uint64_t i = 0; i < MADE; i++) {
                uint64_t key[3] = { i, constants[c], 7 };
                uint32_t half = (uint32_t)(hash_bytes(key, n) >> 32), same = 0;

                for (uint64_t k = 0; k < i; k++)
                    same += halves[k] == half;
                cr_assert_lt(same, 3u, "%zu bytes", n);
                halves[i] = half;
            }
        }
}

/* State and reduced captures hold it. */
Test(hash, fixed_is_the_same_in_every_process)
{
    cr_expect_eq(hash_fixed("", 0), 0x213f420a603c90b7u);
    cr_expect_eq(hash_fixed("abc", 3), 0x290619fa1020649au);
    cr_expect_eq(hash_fixed("0123456789abcdefghijklmnop", 26), 0x6465f81592943961u);
}

Test(hmap, an_empty_map_finds_nothing)
{
    struct hmap m = { 0 };
    uint32_t key = 1;

    cr_assert_eq(hmap_find(&m, key_hash(key), key_eq, &key, &key), HMAP_NONE);
    hmap_del(&m, key_hash(key), 0);
    hmap_prefetch(&m, key_hash(key));
    hmap_done(&m);
}

Test(hmap, thousands_of_keys)
{
    static uint32_t keys[KEYS];
    struct hmap m = { 0 };

    for (uint32_t i = 0; i < KEYS; i++) {
        keys[i] = i * 7;
        cr_assert(hmap_put(&m, key_hash(keys[i]), i));
    }
    cr_assert_eq(m.used, KEYS);
    for (uint32_t i = 0; i < KEYS * 7; i++)
        cr_assert_eq(hmap_find(&m, key_hash(i), key_eq, keys, &i), i % 7 ? HMAP_NONE : i / 7);
    for (uint32_t i = 0; i < KEYS; i += 2)
        hmap_del(&m, key_hash(keys[i]), i);
    cr_assert_eq(m.used, KEYS / 2);
    for (uint32_t i = 0; i < KEYS; i++)
        cr_assert_eq(hmap_find(&m, key_hash(keys[i]), key_eq, keys, &keys[i]), i % 2 ? i : HMAP_NONE);
    hmap_done(&m);
    cr_assert_eq(m.used, 0);
}

/* Random puts and deletes against an array that says what is in. Few hashes: runs are long, and wrap around the table's end. */
static void against_model(uint32_t keys_n, uint32_t hashes, unsigned steps)
{
    static uint32_t keys[KEYS];
    static bool in[KEYS];
    struct hmap m = { 0 };
    uint32_t x = 2463534242u;
    size_t live = 0;

    memset(in, 0, sizeof in);
    for (uint32_t i = 0; i < keys_n; i++)
        keys[i] = i;
    for (unsigned step = 0; step < steps; step++) {
        uint32_t key = next_random(&x) % keys_n;
        uint64_t hash = key_hash(key % hashes);

        if (in[key]) {
            hmap_del(&m, hash, key);
            live--;
        } else {
            cr_assert(hmap_put(&m, hash, key));
            live++;
        }
        in[key] = !in[key];
        cr_assert_eq(m.used, live);
        key = next_random(&x) % keys_n;
        cr_assert_eq(hmap_find(&m, key_hash(key % hashes), key_eq, keys, &key), in[key] ? key : HMAP_NONE);
    }
    for (uint32_t key = 0; key < keys_n; key++)
        cr_assert_eq(hmap_find(&m, key_hash(key % hashes), key_eq, keys, &key), in[key] ? key : HMAP_NONE);
    hmap_done(&m);
}

Test(hmap, like_a_naive_model)
{
    against_model(KEYS, UINT32_MAX, 60000);
    against_model(50, UINT32_MAX, 20000); /* a table of the smallest size, nearly full */
}

Test(hmap, like_a_naive_model_with_collisions)
{
    against_model(CHAIN, 1, 5000);
    against_model(200, 3, 10000);
    against_model(500, 40, 20000);
}

Test(hmap, deleting_what_is_not_there_changes_nothing)
{
    uint32_t keys[2] = { 10, 11 };
    struct hmap m = { 0 };

    cr_assert(hmap_put(&m, key_hash(10), 0));
    hmap_del(&m, key_hash(11), 1);
    hmap_del(&m, key_hash(10), 1);
    cr_assert_eq(m.used, 1);
    cr_assert_eq(hmap_find(&m, key_hash(10), key_eq, keys, &keys[0]), 0);
    hmap_del(&m, key_hash(10), 0);
    hmap_del(&m, key_hash(10), 0);
    cr_assert_eq(m.used, 0);
    hmap_done(&m);
}

Test(hmap, hash_depends_on_every_byte_and_the_length)
{
    uint8_t text[33] = { 0 };
    uint64_t whole = hash_bytes(text, 32);

    for (size_t i = 0; i < 32; i++) {
        text[i] = 1;
        cr_assert_neq(hash_bytes(text, 32), whole, "byte %zu", i);
        text[i] = 0;
    }
    cr_assert_neq(hash_bytes(text, 31), whole);
    cr_assert_neq(hash_bytes(text, 33), whole);
    cr_assert_eq(hash_bytes(text, 0), hash_bytes(NULL, 0));
}

/* ---- arena ---- */

Test(arena, what_is_taken_is_zeroed_aligned_and_apart)
{
    struct arena a = { 0 };
    uint8_t *v[200];

    for (size_t i = 1; i < 200; i++) {
        v[i] = arena_take(&a, i);
        cr_assert_not_null(v[i]);
        cr_assert_eq((uintptr_t)v[i] % 8, 0);
        for (size_t k = 0; k < i; k++)
            cr_assert_eq(v[i][k], 0);
        memset(v[i], (int)i, i);
    }
    for (size_t i = 1; i < 200; i++)
        for (size_t k = 0; k < i; k++)
            cr_assert_eq(v[i][k], (uint8_t)i);
    cr_assert_geq(a.bytes, (size_t)200 * 199 / 2);
    arena_done(&a);
    cr_assert_eq(a.bytes, 0);
    arena_done(&a);
}

Test(arena, larger_than_a_block)
{
    struct arena a = { 0 };
    uint8_t *small = arena_take(&a, 8), *large = arena_take(&a, 100000), *next = arena_take(&a, 8);

    cr_assert(small && large && next);
    memset(large, 0xff, 100000);
    cr_assert_eq(*small, 0);
    cr_assert_eq(*next, 0);
    arena_done(&a);
}

/* What is large and does not fit leaves the latest block to what is small; both are zeroed and apart. */
Test(arena, what_is_large_stands_alone)
{
    struct arena a = { 0 };
    uint8_t *small = arena_take(&a, 600), *large = arena_take(&a, 400), *next = arena_take(&a, 16);
    size_t bytes = a.bytes;

    cr_assert(small && large && next);
    cr_assert_eq(next, small + 600, "the rest of the first block serves on");
    for (size_t i = 0; i < 400; i++)
        cr_assert_eq(large[i], 0);
    memset(large, 0xff, 400);
    cr_assert_eq(*next, 0);
    cr_assert_str_eq(arena_str(&a, SPAN("word")), "word");
    cr_assert_eq(a.bytes, bytes, "and for texts, too");
    arena_done(&a);
}

/* Few blocks for much, and little that stays empty. */
Test(arena, grows_by_a_fraction_of_what_it_holds)
{
    struct arena a = { 0 };
    size_t taken = 0, grown = 0, before = 0;

    for (; taken < 1000000; taken += 24) {
        cr_assert_not_null(arena_take(&a, 24));
        grown += a.bytes != before;
        before = a.bytes;
        cr_assert(a.bytes <= taken + taken / 8 + 1024, "%zu bytes for %zu", a.bytes, taken);
    }
    cr_assert_leq(grown, 150);
    arena_done(&a);
}

Test(arena, taking_nothing_from_an_empty_one)
{
    struct arena a = { 0 };

    (void)arena_take(&a, 0); /* sanitizers look on */
    cr_assert_not_null(arena_take(&a, 1));
    arena_done(&a);
}

Test(arena, strings_are_copies_that_can_always_be_printed)
{
    struct arena a = { 0 };
    char text[] = "agent1";
    const char *s = arena_str(&a, (struct span){ (const uint8_t *)text, 5 });
    struct span copy = arena_span(&a, SPAN("x\0y"));

    text[0] = 'X';
    cr_assert_str_eq(s, "agent");
    cr_assert_str_eq(arena_str(&a, SPAN_NONE), "");
    cr_assert(span_eq(copy, SPAN("x\0y")));
    cr_assert_null(arena_span(&a, SPAN_NONE).p);
    for (size_t i = 0; i < 100; i++)
        cr_assert_str_eq(arena_str(&a, SPAN("sixteen bytes...")), "sixteen bytes...");
    arena_done(&a);
}

Test(arena, records_and_texts_share_a_block)
{
    struct arena a = { 0 };
    uint64_t *record[100];
    const char *text[100];
    char want[] = "text 00";

    for (size_t i = 0; i < 100; i++) {
        want[5] = (char)('0' + i / 10);
        want[6] = (char)('0' + i % 10);
        text[i] = arena_str(&a, span_str(want));
        record[i] = arena_take(&a, sizeof *record[i]);
        cr_assert_eq((uintptr_t)record[i] % 8, 0, "whatever the length of the texts");
        cr_assert_eq(*record[i], 0);
        *record[i] = UINT64_MAX;
    }
    for (size_t i = 0; i < 100; i++) {
        want[5] = (char)('0' + i / 10);
        want[6] = (char)('0' + i % 10);
        cr_assert_str_eq(text[i], want);
        cr_assert_eq(*record[i], UINT64_MAX);
    }
    cr_assert_leq(a.bytes, 100 * (8 + 8) + 1000, "a text takes its bytes and no more");
    arena_done(&a);
}

/* ---- clock and faults ---- */

Test(clock, never_goes_back)
{
    struct clock c = { 0 };

    cr_assert_eq(clock_feed(&c, 5), 5);
    cr_assert_eq(clock_feed(&c, 5), 5);
    cr_assert_eq(c.back, 0);
    cr_assert_eq(clock_feed(&c, 3), 5);
    cr_assert_eq(c.back, 1);
    cr_assert_eq(clock_feed(&c, SECONDS(100000)), 100000000000000);
}

Test(fault, those_beyond_the_kept_are_counted)
{
    struct faults f = { 0 };
    struct fault_log log = { 0 };

    for (size_t i = 0; i < FAULTS_KEPT + 3; i++)
        fault_add(&f, FAULT_SDP_LINE, i);
    cr_assert_eq(f.n, FAULTS_KEPT + 3);
    cr_assert_eq(f.v[FAULTS_KEPT - 1].at, FAULTS_KEPT - 1);
    fault_log_all(&log, &f, 12);
    fault_log_one(&log, FAULT_SDP_LINE, 13);
    cr_assert_eq(log.count[FAULT_SDP_LINE], FAULTS_KEPT + 1);
    cr_assert_eq(log.first_frame[FAULT_SDP_LINE], 12);
    cr_assert_eq(log.count[FAULT_SDP_FIELD], 0);
}

Test(fault, each_has_its_own_dotted_key)
{
    for (int i = 0; i < FAULT_IDS; i++) {
        const char *key = fault_key((enum fault_id)i);

        cr_assert(strchr(key, '.') && *fault_text((enum fault_id)i));
        for (int k = 0; k < i; k++)
            cr_assert_str_neq(key, fault_key((enum fault_id)k));
    }
    cr_assert_str_eq(fault_key(FAULT_IDS), "unknown");
}
