#include "verdict/ledger.h"

#include <stdlib.h>
#include <string.h>

void ledger_init(struct ledger *l, size_t size)
{
    *l = (struct ledger){ .size = size };
}

void ledger_done(struct ledger *l)
{
    free(l->rows);
    ledger_init(l, l->size);
}

void *ledger_at(const struct ledger *l, uint32_t slot)
{
    return l->rows + slot * l->size;
}

static bool grow(struct ledger *l)
{
    uint32_t room = l->room ? l->room * 2 : 64;
    unsigned char *rows = realloc(l->rows, room * l->size);

    if (!rows)
        return false;
    l->rows = rows;
    l->room = room;
    return true;
}

void *ledger_add(struct ledger *l, uint64_t key)
{
    unsigned char *row;

    if (l->n == l->room && !grow(l))
        return NULL;
    row = ledger_at(l, l->n++);
    memset(row, 0, l->size);
    memcpy(row, &key, sizeof key);
    return row;
}

/* The first row from `from` on with that key; l->n: none. */
static uint32_t find(const struct ledger *l, uint32_t from, uint64_t key)
{
    while (from < l->n && memcmp(ledger_at(l, from), &key, sizeof key) != 0)
        from++;
    return from;
}

void ledger_follow(struct ledger *l, uint32_t used, ledger_key *key, const void *self)
{
    uint32_t kept = 0;

    if (!l->moved)
        return;
    l->moved = false;
    /* The first record without a row is new, and so are all behind it. */
    for (uint32_t row = 0; kept < used && (row = find(l, row, key(self, kept))) < l->n; row++)
        memmove(ledger_at(l, kept++), ledger_at(l, row), l->size);
    l->n = kept;
}
