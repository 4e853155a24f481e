/* fisher.c: the chance of a table of two by two. */
#include "verdict/fisher.h"

#include <criterion/criterion.h>
#include <math.h>

static double p_of(uint32_t failed_with, uint32_t with, uint32_t failed_without, uint32_t without)
{
    return exp(fisher_ln_p(&(struct fourfold){ failed_with, with, failed_without, without }));
}

static void near(double got, double want)
{
    cr_expect(fabs(got - want) <= 1e-9 * fabs(want), "%.12g, expected %.12g", got, want);
}

Test(fisher, the_lady_tasting_tea)
{
    near(p_of(3, 4, 1, 4), 17.0 / 70);
    near(p_of(4, 4, 0, 4), 1.0 / 70);
    near(p_of(2, 4, 2, 4), 53.0 / 70);
}

Test(fisher, at_least_none_is_certain)
{
    near(p_of(0, 4, 4, 4), 1);
    near(p_of(1, 4, 4, 4), 1);
}

Test(fisher, the_incident)
{
    near(p_of(21, 21, 0, 60), 1 / 13636219405675529520.0 /* 81 over 21 */);
}

Test(fisher, margins_that_leave_no_choice_tell_nothing)
{
    cr_expect_not(fourfold_tells(&(struct fourfold){ 0, 0, 5, 10 }), "nobody has it");
    cr_expect_not(fourfold_tells(&(struct fourfold){ 5, 10, 0, 0 }), "all have it");
    cr_expect_not(fourfold_tells(&(struct fourfold){ 5, 5, 5, 5 }), "all failed");
    cr_expect_not(fourfold_tells(&(struct fourfold){ 0, 5, 0, 5 }), "none failed");
    cr_expect(fourfold_tells(&(struct fourfold){ 1, 5, 0, 5 }));
    near(p_of(5, 5, 5, 5), 1);
    near(p_of(5, 10, 0, 0), 1);
}

Test(fisher, large_tables_do_not_overflow)
{
    struct fourfold all = { 500000, 500000, 0, 500000 }, even = { 250000, 500000, 250000, 500000 };
    double ln = fisher_ln_p(&all);

    cr_expect(isfinite(ln) && ln < -600000, "%g", ln);
    cr_expect_float_eq(exp(fisher_ln_p(&even)), 0.5, 0.01);
    all = (struct fourfold){ UINT32_MAX / 2, UINT32_MAX / 2, 0, UINT32_MAX / 2 };
    cr_expect(isfinite(fisher_ln_p(&all)));
}

Test(fisher, more_evidence_is_stronger)
{
    cr_expect_lt(p_of(10, 10, 0, 10), p_of(9, 10, 1, 10));
    cr_expect_lt(p_of(10, 10, 0, 20), p_of(10, 10, 0, 10));
}

Test(fisher, tests_are_combined)
{
    near(exp(fisher_combine(log(0.03), 1)), 0.03);
    near(exp(fisher_combine(2 * log(0.05), 2)), 0.0025 * (1 - log(0.0025)));
    near(exp(fisher_combine(0, 0)), 1);
    cr_expect_eq(fisher_combine(0, 7), 0, "seven tests that show nothing");
    cr_expect(isfinite(fisher_combine(-50000 * log(70), 50000)));
    cr_expect_lt(fisher_combine(-50000 * log(70), 50000), -50000);
}

Test(fisher, odds)
{
    near(odds_ratio(&(struct fourfold){ 8, 10, 2, 10 }), 16);
    near(odds_ratio(&(struct fourfold){ 21, 21, 0, 60 }), 21.5 * 60.5 / (0.5 * 0.5));
}
