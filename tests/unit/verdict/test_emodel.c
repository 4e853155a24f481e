/* emodel.c, against values that ITU-T G.107 and G.109 publish. */
#include <criterion/criterion.h>
#include <math.h>

#include "verdict/verdict_private.h"

static bool near(double got, double want, double by)
{
    return fabs(got - want) <= by;
}
#define NEAR(got, want, by) cr_expect(near(got, want, by), "%f, expected %f", (double)(got), (double)(want))

Test(emodel, default_parameters)
{
    NEAR(emodel_r(0, 25.1, 0, 0), 93.2, 0.001);
    NEAR(emodel_mos(93.2), 4.41, 0.005);
}

/* G.109 table 1. */
Test(emodel, ratings_and_scores)
{
    NEAR(emodel_mos(90), 4.34, 0.01);
    NEAR(emodel_mos(80), 4.03, 0.01);
    NEAR(emodel_mos(70), 3.60, 0.01);
    NEAR(emodel_mos(60), 3.10, 0.01);
    NEAR(emodel_mos(50), 2.58, 0.01);
}

Test(emodel, scores_are_bounded)
{
    NEAR(emodel_mos(-20), 1, 0);
    NEAR(emodel_mos(0), 1, 0);
    NEAR(emodel_mos(3), 1, 0); /* where the polynomial is below 1 */
    NEAR(emodel_mos(100), 4.5, 0);
    NEAR(emodel_mos(120), 4.5, 0);
}

/* G.107 (7-27): Idd of 400 ms is 24.1. */
Test(emodel, delay)
{
    NEAR(emodel_r(0, 25.1, 0, 100), 93.2, 0.001);
    NEAR(emodel_r(0, 25.1, 0, 150), 93.0, 0.1);
    NEAR(emodel_r(0, 25.1, 0, 400), 93.2 - 24.1, 0.1);
}

/* Ie,eff = Ie + (95 - Ie) Ppl / (Ppl + Bpl) */
Test(emodel, loss)
{
    NEAR(emodel_r(0, 25.1, 5, 0), 93.2 - 95 * 5 / 30.1, 0.001);
    NEAR(emodel_r(11, 19, 0, 0), 82.2, 0.001);
    NEAR(emodel_r(11, 19, 100, 0), 93.2 - 11 - 84 * 100 / 119.0, 0.001);
}

Test(emodel, codecs)
{
    cr_assert_not_null(emodel_codec("pcma"));
    NEAR(emodel_codec("PCMU")->bpl, 25.1, 0);
    NEAR(emodel_codec("G729")->ie, 11, 0);
    cr_expect(strstr(emodel_codec("OPUS")->source, "no ITU value"));
    cr_expect_null(emodel_codec("G722"));
    cr_expect_null(emodel_codec("VP8"));
    cr_expect_null(emodel_codec(""));
}
