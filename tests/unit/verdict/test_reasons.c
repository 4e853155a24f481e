/* Why sessions are unknown, counted: see rtpwatch/verdict/reasons.h. */
#include "verdict/reasons.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct session_finding f; /* large */

static void note(struct reasons *all, const char *text)
{
    f.evidence[0] = (struct evidence){ .kind = "rtcp", .text = "something else" };
    f.evidence[1] = (struct evidence){ .kind = "note", .text = text };
    f.evidence_n = 2;
    reasons_add(all, &f);
}

Test(reasons, those_that_are_the_same_are_counted)
{
    struct reasons all = { 0 };
    char text[] = "The call began before the capture.";

    note(&all, text);
    note(&all, "No offer and answer.");
    note(&all, "The call began before the capture.");
    memset(text, '?', sizeof text - 1);
    cr_assert_eq(all.n, 2);
    cr_assert_str_eq(all.text[0], "The call began before the capture.", "kept, whatever becomes of the finding");
    cr_assert_eq(all.count[0], 2);
    cr_assert_eq(all.count[1], 1);
    cr_assert_eq(all.others, 0);
    reasons_done(&all);
    cr_assert_eq(all.n, 0);
}

Test(reasons, of_many_the_first_are_kept_and_the_rest_counted)
{
    struct reasons all = { 0 };

    for (unsigned i = 0; i < 3 * (REASONS_KEPT + 2); i++) {
        char text[32];

        snprintf(text, sizeof text, "reason %u", i % (REASONS_KEPT + 2));
        note(&all, text);
    }
    cr_assert_eq(all.n, REASONS_KEPT);
    cr_assert_eq(all.count[REASONS_KEPT - 1], 3);
    cr_assert_eq(all.others, 6);
    reasons_done(&all);
}

Test(reasons, without_a_note_an_unknown_direction_tells)
{
    struct reasons all = { 0 };

    f.direction[0] = (struct direction_finding){ .verdict = DIR_RECEIVED, .why = "heard" };
    f.direction[1] = (struct direction_finding){ .verdict = DIR_UNKNOWN, .why = "too short to tell" };
    f.directions_n = 2;
    reasons_add(&all, &f);
    f.directions_n = 1;
    reasons_add(&all, &f);
    cr_assert_str_eq(all.text[0], "too short to tell");
    cr_assert_str_eq(all.text[1], "this vantage cannot tell");
    reasons_done(&all);
}
