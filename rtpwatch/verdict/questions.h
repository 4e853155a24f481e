/* STUN transactions that two vantages saw pass: one question, one answer, and not two. */
#ifndef RW_VERDICT_QUESTIONS_H
#define RW_VERDICT_QUESTIONS_H

#include "verdict/verdict.h"

/*
 * Takes out of the findings of `t` (one per server of it) the transactions that the `n` tracks of `before` hold as well, known by server
 * and transaction id. False without memory.
 */
bool questions_count_once(const struct track *t, const struct track *const *before, size_t n, struct server_finding *own);

#endif
