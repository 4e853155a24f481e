/* What a terminal is shown while long files are read: see rtpwatch/app/progress.h. */
#include "app/progress.h"

#include <criterion/criterion.h>

#include "base/clock.h"

static void expect_text(uint64_t read, uint64_t size, uint64_t packets, int64_t ns, const char *want)
{
    char text[PROGRESS_TEXT];

    progress_text(read, size, packets, ns, text);
    cr_expect_str_eq(text, want, "'%s', not '%s'", text, want);
}

Test(progress, text)
{
    expect_text(2500000000, 10000000000, 1234567, SECONDS(2), "25 % of 10.0 GB, 1,234,567 packets, 1.2 GB/s, 6 s left");
    expect_text(1000000, 900000000, 999, SECONDS(1), "0 % of 900.0 MB, 999 packets, 1.0 MB/s, 15 min left");
    expect_text(5000000, 5000000, 1000, SECONDS(1), "100 % of 5.0 MB, 1,000 packets, 5.0 MB/s, 0 s left");
    expect_text(6000000, 5000000, 1000, SECONDS(1), "100 % of 5.0 MB, 1,000 packets, 6.0 MB/s, 0 s left");
    expect_text(6000000, 0, 1000, SECONDS(2), "6.0 MB, 1,000 packets, 3.0 MB/s");
    expect_text(0, 1000, 0, 0, "0 % of 1.0 kB, 0 packets, 0.0 kB/s");
}

Test(progress, never_longer_than_its_room)
{
    char text[PROGRESS_TEXT];

    progress_text(UINT64_MAX / 2, UINT64_MAX, UINT64_MAX, INT64_MAX, text);
    cr_expect_lt(strlen(text), PROGRESS_TEXT - 1);
    progress_text(1, UINT64_MAX, UINT64_MAX, INT64_MAX, text);
    cr_expect_lt(strlen(text), PROGRESS_TEXT - 1);
    progress_text(UINT64_MAX, UINT64_MAX, UINT64_MAX, 1, text);
    cr_expect_lt(strlen(text), PROGRESS_TEXT - 1);
}

Test(progress, is_not_looked_at_where_there_is_no_terminal)
{
    struct progress p;

    progress_begin(&p, false);
    progress_feed(&p, NULL, UINT64_MAX - 1);
    cr_expect_not(p.shown);
    progress_end(&p);
}
