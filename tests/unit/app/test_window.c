/* --since and --until: see rtpwatch/app/window.h. */
#include "app/window.h"

#include <criterion/criterion.h>

#include "base/clock.h"
#include "capture/capture.h"

#define NOON SECONDS(1761998400) /* 2025-11-01T12:00:00Z */

static int64_t at(const char *text)
{
    struct window_end e;

    cr_assert(window_parse(text, &e), "%s", text);
    cr_assert(e.given && !e.time_of_day, "%s", text);
    return e.ns;
}

Test(window, times_with_a_date)
{
    cr_expect_eq(at("1970-01-01T00:00:00Z"), 0);
    cr_expect_eq(at("2025-11-01T12:00:00Z"), NOON);
    cr_expect_eq(at("2025-11-01 12:00:00z"), NOON);
    cr_expect_eq(at("2025-11-01t13:30:00+01:30"), NOON);
    cr_expect_eq(at("2025-11-01T07:00:00-05:00"), NOON);
    cr_expect_eq(at("2025-11-01T12:00:00.5Z"), NOON + NS_PER_S / 2);
    cr_expect_eq(at("2025-11-01T12:00:00.0000000019Z"), NOON + 1);
    cr_expect_eq(at("2000-02-29T00:00:00Z"), SECONDS(951782400));
    cr_expect_eq(at("2024-03-01T00:00:00Z") - at("2024-02-29T00:00:00Z"), SECONDS(86400));
    cr_expect_eq(at("2016-12-31T23:59:60Z"), at("2017-01-01T00:00:00Z"), "a leap second");
}

Test(window, what_is_no_time)
{
    static const char *const texts[] = { "",
                                         "9:15",
                                         "09",
                                         "09:",
                                         "09:1",
                                         "24:00",
                                         "09:60",
                                         "09:15:61",
                                         "09:15:",
                                         "09:15x",
                                         "09:15:30Z",
                                         "2025-11-01",
                                         "2025-11-01T12:00Z",
                                         "2025-11-01T12:00:00",
                                         "2025-11-01T12:00:00+0100",
                                         "2025-13-01T12:00:00Z",
                                         "2025-00-01T12:00:00Z",
                                         "2025-11-00T12:00:00Z",
                                         "2025-11-31T12:00:00Z",
                                         "2025-02-29T12:00:00Z",
                                         "1900-02-28T12:00:00Z",
                                         "2100-02-29T12:00:00Z",
                                         "2025-11-01T12:00:00.Z",
                                         "2025-11-01T12:00:00Zz",
                                         "9999-11-01T12:00:00Z",
                                         "-2025-11-01T12:00:00Z",
                                         "now" };
    struct window_end e;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect(!window_parse(texts[i], &e), "%s", texts[i]);
}

static struct window window(const char *since, const char *until)
{
    struct window w = { 0 };

    cr_assert(!since || window_parse(since, &w.since));
    cr_assert(!until || window_parse(until, &w.until));
    return w;
}

Test(window, times_of_day_are_those_of_the_first_packet)
{
    struct window w = window("09:15", "13:00:30");

    cr_assert(window_settle(&w, NOON));
    cr_expect_eq(w.since.ns, NOON - SECONDS(9900));
    cr_expect_eq(w.until.ns, NOON + SECONDS(3630));
}

Test(window, an_end_behind_midnight)
{
    struct window w = window("23:50", "00:10"), open = window(NULL, "12:00");

    cr_assert(window_settle(&w, NOON));
    cr_expect_eq(w.until.ns - w.since.ns, SECONDS(1200));
    cr_assert(window_settle(&open, NOON));
    cr_expect_eq(open.until.ns, NOON + SECONDS(86400), "not the moment of the first packet");
}

Test(window, nothing_between)
{
    struct window w = window("2025-11-01T12:00:00Z", "2025-11-01T12:00:00Z"), day = window("2025-11-03T12:00:00Z", "13:00");

    cr_expect_not(window_settle(&w, NOON));
    cr_expect_not(window_settle(&day, NOON));
}

Test(window, holds_its_beginning_and_not_its_end)
{
    struct window w = window("12:00", "12:01"), none = { 0 }, late = window("12:00", NULL);
    struct frame f[] = {
        { .ts_ns = NOON - 1 }, { .ts_ns = NOON }, { .ts_ns = NOON + SECONDS(60) - 1 }, { .ts_ns = NOON + SECONDS(60) }
    };

    cr_assert(window_settle(&w, NOON));
    cr_expect_eq(window_keep(&w, f, 4), 2);
    cr_expect_eq(f[0].ts_ns, NOON);
    cr_expect_eq(f[1].ts_ns, NOON + SECONDS(60) - 1);
    cr_expect(window_given(&w));
    cr_expect_not(window_given(&none));
    cr_expect(window_holds(&none, 0));
    cr_assert(window_settle(&late, NOON));
    cr_expect(window_holds(&late, INT64_MAX));
    cr_expect_not(window_holds(&late, NOON - 1));
}
