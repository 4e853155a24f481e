/*
 * What was noted of each record of a pool, by slot. Pools that are made smaller keep their records' order (pool_compact()), so the notes
 * find their records again by a key that outlives the slot.
 */
#ifndef RW_VERDICT_LEDGER_H
#define RW_VERDICT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every row begins with its record's key. */
struct ledger {
    size_t size; /* bytes of a row */
    uint32_t n, room;
    unsigned char *rows;
    bool moved; /* the pool's slots have changed since */
};

typedef uint64_t ledger_key(const void *self, uint32_t slot); /* of the record in that slot */

void ledger_init(struct ledger *l, size_t size);
void ledger_done(struct ledger *l);
void *ledger_at(const struct ledger *l, uint32_t slot); /* slot < l->n */
/* A zeroed row for slot l->n but for its key; NULL without memory. */
void *ledger_add(struct ledger *l, uint64_t key);
/* After l->moved: each row goes to its record's slot, of `used`, and those whose record is gone are dropped. */
void ledger_follow(struct ledger *l, uint32_t used, ledger_key *key, const void *self);

#endif
