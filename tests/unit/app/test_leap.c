/* The clock is set while packets are captured. */
#include <criterion/criterion.h>

#include "app/leap.h"

static struct leap l;
static int64_t now, steady, wall;

static enum leapt passes(int64_t ns)
{
    steady += ns;
    wall += ns;
    now = wall > now ? wall : now;
    return leap_look(&l, now, steady, wall);
}

static void setup(void)
{
    l = (struct leap){ 0 };
    steady = SECONDS(100);
    now = wall = SECONDS(1700000000);
    cr_assert_eq(passes(0), LEAP_NONE);
}

TestSuite(leap, .init = setup);

Test(leap, time_that_passes_is_none)
{
    for (unsigned i = 0; i < 100; i++)
        cr_assert_eq(passes(SECONDS(1)), LEAP_NONE);
    cr_expect_eq(passes(SECONDS(3600)), LEAP_NONE, "nobody looked for an hour");
    cr_expect_not(leap_doubts(&l, now));
}

Test(leap, packets_that_are_read_late_are_none)
{
    wall += SECONDS(8);
    now = wall;
    cr_expect_eq(leap_look(&l, now, steady, wall), LEAP_NONE);
    cr_expect_not(leap_doubts(&l, now));
}

Test(leap, ahead)
{
    wall += SECONDS(600);
    cr_expect_eq(passes(SECONDS(1)), LEAP_AHEAD);
    cr_expect(leap_doubts(&l, now));
    cr_expect_eq(passes(SECONDS(1)), LEAP_NONE, "told once");
    cr_expect(leap_doubts(&l, now));
    passes(SECONDS(60));
    cr_expect_not(leap_doubts(&l, now));
}

/* Until the clock is again where packets have been, what comes looks old as it comes. */
Test(leap, back)
{
    wall -= SECONDS(600);
    cr_expect_eq(passes(SECONDS(1)), LEAP_BACK);
    for (unsigned i = 0; i < 585; i++)
        cr_assert_eq(passes(SECONDS(1)), LEAP_NONE);
    cr_expect(leap_doubts(&l, now));
    passes(SECONDS(20));
    cr_expect(leap_doubts(&l, now), "and a minute more");
    passes(SECONDS(60));
    cr_expect_not(leap_doubts(&l, now));
}
