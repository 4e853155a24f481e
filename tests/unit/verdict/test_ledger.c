/* Rows that follow their records when a pool is made smaller. */
#include <criterion/criterion.h>

#include "base/pool.h"
#include "verdict/ledger.h"

struct row {
    uint64_t key;
    unsigned note;
};

static uint64_t key_of(const void *self, uint32_t slot)
{
    return ((const uint64_t *)self)[slot];
}

static void fill(struct ledger *l, unsigned n)
{
    ledger_init(l, sizeof(struct row));
    for (unsigned i = 0; i < n; i++) {
        struct row *r = ledger_add(l, 100 + i);

        cr_assert(r);
        r->note = i;
    }
}

static unsigned note(const struct ledger *l, uint32_t slot)
{
    return ((const struct row *)ledger_at(l, slot))->note;
}

Test(ledger, rows_follow_their_records)
{
    const uint64_t now[] = { 101, 104, 199, 900, 901 };
    struct ledger l;

    fill(&l, 100);
    l.moved = true;
    ledger_follow(&l, 5, key_of, now);
    cr_assert_eq(l.n, 3, "the last two are new");
    cr_expect_eq(note(&l, 0), 1);
    cr_expect_eq(note(&l, 1), 4);
    cr_expect_eq(note(&l, 2), 99);
    cr_expect_eq(((struct row *)ledger_add(&l, 900))->note, 0, "a new row is empty");
    ledger_done(&l);
}

Test(ledger, nothing_moves_unless_it_is_told)
{
    const uint64_t now[] = { 1, 2, 3 };
    struct ledger l;

    fill(&l, 3);
    ledger_follow(&l, 3, key_of, now);
    cr_expect_eq(l.n, 3);
    cr_expect_eq(note(&l, 2), 2);
    l.moved = true;
    ledger_follow(&l, 3, key_of, now);
    cr_expect_eq(l.n, 0, "none of them is left");
    l.moved = true;
    ledger_follow(&l, 0, key_of, now);
    cr_expect_eq(l.n, 0);
    ledger_done(&l);
}
