/* Files that are no files must not make anybody wait. */
#include "rule/file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *here(void)
{
    static char path[64];

    snprintf(path, sizeof path, "/tmp/rules-file-%ld", (long)getpid());
    return path;
}

static void put(const char *text)
{
    FILE *f = fopen(here(), "w");

    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

static void expect_refused(const char *path, size_t most, const char *why, int error)
{
    const char *said = NULL;
    size_t n;

    cr_assert_null(file_read(path, most, &n, &said));
    cr_assert_eq(errno, error);
    cr_assert_str_eq(said, why);
}

Test(file, is_read_whole_up_to_its_bound)
{
    const char *why;
    size_t n;
    char *text;

    put("12345");
    text = file_read(here(), 5, &n, &why);
    cr_assert(text);
    cr_assert_eq(n, 5);
    cr_assert_eq(memcmp(text, "12345", 5), 0);
    free(text);
    expect_refused(here(), 4, "it is too large", EIO);
    put("");
    text = file_read(here(), 4, &n, &why);
    cr_assert(text);
    cr_assert_eq(n, 0);
    free(text);
    unlink(here());
}

Test(file, that_is_not_there_is_told_from_others)
{
    expect_refused("/nonexistent/file", 5, "No such file or directory", ENOENT);
    expect_refused("/tmp", 5, "it is no regular file", EIO);
    expect_refused("/dev/zero", 5, "it is no regular file", EIO);
}

Test(file, that_is_a_fifo_is_not_waited_for, .timeout = 10)
{
    cr_assert_eq(mkfifo(here(), 0600), 0);
    expect_refused(here(), 5, "it is no regular file", EIO);
    unlink(here());
}
