#include "verdict/questions.h"

#include <stdlib.h>

struct question {
    const struct track *t;
    const struct stun_tx *tx;
};

static uint64_t question_hash(const struct stun_tx *tx)
{
    return hash_bytes(tx->tid, sizeof tx->tid);
}

static bool question_eq(const void *self, uint32_t slot, const void *key)
{
    const struct track *t = self;
    const struct question *q = key;
    const struct stun_tx *tx = track_tx_at(t, slot);

    return memcmp(tx->tid, q->tx->tid, sizeof tx->tid) == 0 &&
           addr_eq(&track_server_at(t, tx->server)->addr, &track_server_at(q->t, q->tx->server)->addr);
}

static void less(uint64_t *n)
{
    *n -= *n > 0;
}

/* Only what the other place counted as well goes: an answer may have been lost between the two. */
static void take_out(const struct stun_tx *own, const struct stun_tx *other, struct server_finding *f)
{
    less(&f->requests);
    if (!own->answer.frame) {
        less(&f->unanswered);
    } else if (other->answer.frame) {
        less(&f->responses);
        if (own->error && (own->error != 401 || own->credentials))
            less(&f->errors);
        if (own->success && own->mapped.port)
            less(&f->mappings);
    }
}

/* Takes out what `before` holds too; `told`: transactions that an earlier place held already. */
static bool take_out_all(const struct track *t, const struct track *before, bool *told, struct server_finding *own)
{
    struct hmap by_id = { 0 };
    bool fine = true;

    for (uint32_t i = 0; i < before->stun_txs.used && fine; i++)
        fine = hmap_put(&by_id, question_hash(track_tx_at(before, i)), i);
    for (uint32_t i = 0; i < t->stun_txs.used && fine; i++) {
        struct question q = { t, track_tx_at(t, i) };
        uint32_t other = told[i] ? HMAP_NONE : hmap_find(&by_id, question_hash(q.tx), question_eq, before, &q);

        if (other == HMAP_NONE)
            continue;
        take_out(q.tx, track_tx_at(before, other), &own[q.tx->server]);
        told[i] = true;
    }
    hmap_done(&by_id);
    return fine;
}

bool questions_count_once(const struct track *t, const struct track *const *before, size_t n, struct server_finding *own)
{
    bool *told = calloc(t->stun_txs.used + 1u, sizeof *told), fine = told != NULL;

    for (size_t k = 0; k < n && fine && t->stun_txs.used; k++)
        fine = take_out_all(t, before[k], told, own);
    free(told);
    return fine;
}
