/* A pipe whose reader stands still. Where a write waits for it, the alarm ends the test. */
#include "app/outlet.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 1000, PATIENCE_S = 20 };

static int end[2];

static struct outlet *outlet(void)
{
    struct outlet *o;

    alarm(PATIENCE_S);
    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(pipe(end), 0);
    o = outlet_new(fdopen(end[1], "w"));
    cr_assert(o);
    return o;
}

static void line(struct outlet *o, unsigned number)
{
    fprintf(outlet_stream(o), "%0*u\n", LINE - 1, number);
}

/* Reads what is there and holds that its lines are whole and go on with number `next`; returns the number after them. */
static unsigned read_lines(unsigned next, size_t *bytes)
{
    static char text[LINE + 1];
    static size_t n;
    ssize_t got;

    while ((got = read(end[0], text + n, LINE - n)) > 0) {
        *bytes += (size_t)got;
        n += (size_t)got;
        if (n < LINE)
            continue;
        cr_assert_eq(text[LINE - 1], '\n');
        cr_assert_eq(strtoul(text, NULL, 10), next, "line %lu, not %u", strtoul(text, NULL, 10), next);
        next++;
        n = 0;
    }
    return next;
}

Test(outlet, what_is_read_comes_at_once)
{
    struct outlet *o = outlet();
    bool broken;
    char text[4] = "";

    fputs("a\nb\n", outlet_stream(o));
    cr_assert_eq(outlet_push(o, &broken), 0);
    cr_assert_not(broken);
    cr_assert_not(outlet_waits(o));
    cr_assert_eq(read(end[0], text, 4), 4);
    cr_assert_eq(memcmp(text, "a\nb\n", 4), 0);
    cr_assert_eq(outlet_push(o, &broken), 0);
    outlet_free(o);
}

Test(outlet, a_reader_that_stands_still_costs_new_lines_and_no_time)
{
    struct outlet *o = outlet();
    bool broken;
    uint64_t lost = 0;
    size_t bytes = 0;
    unsigned kept = 0;

    fcntl(end[0], F_SETFL, O_NONBLOCK);
    for (unsigned i = 0; i < 3000; i++) {
        line(o, i);
        lost += outlet_push(o, &broken);
        cr_assert_not(broken);
    }
    cr_assert(outlet_waits(o));
    cr_assert_gt(lost, 1000);
    do {
        kept = read_lines(kept, &bytes);
        cr_assert_eq(outlet_push(o, &broken), 0);
    } while (outlet_waits(o));
    kept = read_lines(kept, &bytes);
    cr_assert_eq(kept + lost, 3000, "%u came, %llu were given up", kept, (unsigned long long)lost);
    cr_assert_eq(bytes, (size_t)kept * LINE);
    cr_assert_geq(bytes, OUTLET_BYTES - LINE);
    line(o, kept); /* and then it goes on */
    cr_assert_eq(outlet_push(o, &broken), 0);
    cr_assert_eq(read_lines(kept, &bytes), kept + 1);
    outlet_free(o);
}

Test(outlet, what_is_too_much_at_once_waits_all_the_same)
{
    struct outlet *o = outlet();
    bool broken;

    for (unsigned i = 0; i < 2 * OUTLET_BYTES / LINE; i++)
        line(o, i);
    cr_assert_eq(outlet_push(o, &broken), 0, "a report is not given up because it is long");
    line(o, 0);
    cr_assert_eq(outlet_push(o, &broken), 1);
    outlet_free(o);
}

Test(outlet, a_reader_that_stands_still_is_not_waited_for_in_vain)
{
    struct outlet *o = outlet();

    for (unsigned i = 0; i < OUTLET_BYTES / LINE; i++)
        line(o, i);
    cr_assert_not(outlet_drain(o, 1));
    cr_assert(outlet_waits(o));
    outlet_free(o);
}

Test(outlet, a_reader_that_is_gone)
{
    struct outlet *o = outlet();
    bool broken;

    close(end[0]);
    line(o, 0);
    (void)outlet_push(o, &broken);
    cr_assert(broken);
    cr_assert_not(outlet_waits(o));
    line(o, 1);
    cr_assert_not(outlet_drain(o, -1));
    outlet_free(o);
}

Test(outlet, a_regular_file_is_written_to_as_it_is)
{
    FILE *file = tmpfile();
    struct outlet *o = outlet_new(file);
    bool broken;

    cr_assert_eq(outlet_stream(o), file);
    for (unsigned i = 0; i < 3 * OUTLET_BYTES / LINE; i++)
        line(o, i);
    cr_assert_eq(outlet_push(o, &broken), 0);
    cr_assert_not(broken);
    cr_assert_not(outlet_waits(o));
    cr_assert(outlet_drain(o, -1));
    outlet_free(o);
    cr_assert_eq(fclose(file), 0, "it is borrowed");
}
