/* Fisher's exact test on a table of two by two: do those that have something fail more often than those that do not? */
#ifndef RW_VERDICT_FISHER_H
#define RW_VERDICT_FISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sessions that have something and sessions that do not, and how many of each failed. failed_x <= x. */
struct fourfold {
    uint32_t failed_with, with, failed_without, without;
};

/* Do its margins leave anything to chance? Else each table with them is the only one. */
bool fourfold_tells(const struct fourfold *t);
/*
 * The natural logarithm of the chance that, with the same margins, at least as many of those that have it failed (one-sided);
 * 0 where the table tells nothing. No table is too large: what would be smaller than the smallest double stays a logarithm.
 */
double fisher_ln_p(const struct fourfold *t);
/* Fisher's method: the logarithm of the joint chance of `n` independent tests, given the sum of theirs; 0 for none. */
double fisher_combine(double sum_ln_p, size_t n);
/* Odds of failing with it to those without. Where a cell is 0, half is added to each (Haldane and Anscombe). */
double odds_ratio(const struct fourfold *t);

#endif
