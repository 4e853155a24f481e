/* Our own trouble: full tables are told, whatever the input was like is not. */
#include <criterion/criterion.h>

#include "app/trouble.h"
#include "base/clock.h"

static unsigned told(struct trouble *t, const struct fault_log *log, int64_t now_s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < FAULT_IDS; i++)
        n += trouble_look(t, log, (enum fault_id)i, SECONDS(now_s));
    return n;
}

Test(trouble, a_full_table_once_a_minute)
{
    struct trouble t = { 0 };
    struct fault_log log = { 0 };

    cr_expect_eq(told(&t, &log, 1000), 0);
    fault_log_one(&log, FAULT_FLOW_TABLE_FULL, 7);
    cr_expect_eq(told(&t, &log, 1001), 1);
    cr_expect_eq(told(&t, &log, 1002), 0, "it was told");
    fault_log_one(&log, FAULT_FLOW_TABLE_FULL, 8);
    fault_log_one(&log, FAULT_NAME_TABLE_FULL, 8);
    cr_expect_eq(told(&t, &log, 1003), 1, "the other key alone");
    cr_expect_eq(told(&t, &log, 1060), 0);
    cr_expect_eq(told(&t, &log, 1061), 1);
    cr_expect_eq(told(&t, &log, 2000), 0, "nothing more was met");
}

Test(trouble, what_was_told_to_nobody_is_told_again)
{
    struct trouble t = { 0 };
    struct fault_log log = { 0 };

    fault_log_one(&log, FAULT_OUTPUT_FULL, 0);
    cr_expect_eq(told(&t, &log, 1000), 1);
    cr_expect_eq(told(&t, &log, 1001), 0);
    trouble_again(&t, FAULT_OUTPUT_FULL);
    cr_expect_eq(told(&t, &log, 1002), 1);
    cr_expect_eq(told(&t, &log, 1003), 0);
}

/* Malformed input, and messages or sessions larger than is kept. */
Test(trouble, what_the_input_is_like)
{
    static const enum fault_id never[] = { FAULT_STUN_ATTR_LENGTH, FAULT_TCP_BUFFER_FULL, FAULT_SESSION_FACT_LIMIT,
                                           FAULT_SIP_HEADER_COUNT, FAULT_TIME_BACKWARDS,  FAULT_CAPTURE_FILE };
    struct trouble t = { 0 };
    struct fault_log log = { 0 };

    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        fault_log_one(&log, never[i], 1);
    cr_expect_eq(told(&t, &log, 1000), 0);
}
