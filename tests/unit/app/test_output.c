/* Where events go: a file that grows, or a pipe that somebody reads. */
#include "app/output.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/scratch.h"

static void put(const char *text)
{
    char error[CAPTURE_ERROR];
    FILE *to = output_open(scratch_path(), true, error);

    cr_assert(to, "%s", error);
    fputs(text, to);
    cr_assert(output_close(to));
}

Test(output, of_a_file_is_added_to)
{
    char got[16] = "";
    FILE *f;

    put("one ");
    put("two");
    f = fopen(scratch_path(), "r");
    cr_assert(f);
    cr_assert_eq(fread(got, 1, sizeof got - 1, f), 7);
    cr_assert_str_eq(got, "one two");
    fclose(f);
    scratch_remove();
}

Test(output, to_a_fifo_does_not_wait_for_a_reader, .timeout = 10)
{
    char error[CAPTURE_ERROR], got[8] = "";
    int reader;

    cr_assert_eq(mkfifo(scratch_path(), 0600), 0);
    cr_assert_null(output_open(scratch_path(), true, error));
    cr_assert_not_null(strstr(error, "cannot be written: nobody reads it"), "%s", error);
    reader = open(scratch_path(), O_RDONLY | O_NONBLOCK);
    put("events");
    cr_assert_eq(read(reader, got, sizeof got - 1), 6);
    cr_assert_str_eq(got, "events");
    close(reader);
    scratch_remove();
}
