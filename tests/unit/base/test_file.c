/* Files that are no files must not make anybody wait. */
#include "base/file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/scratch.h"

#define IRREGULAR "it is no regular file: save what it gives to one, and name that"

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

    scratch_put("12345");
    text = file_read(scratch_path(), 5, &n, &why);
    cr_assert(text);
    cr_assert_eq(n, 5);
    cr_assert_eq(memcmp(text, "12345", 5), 0);
    free(text);
    expect_refused(scratch_path(), 4, "it is too large", EIO);
    scratch_put("");
    text = file_read(scratch_path(), 4, &n, &why);
    cr_assert(text);
    cr_assert_eq(n, 0);
    free(text);
    scratch_remove();
}

Test(file, is_read_by_lines)
{
    char line[8];
    const char *why;
    FILE *f;

    scratch_put("one\ntwo\n");
    f = file_open(scratch_path(), &why);
    cr_assert(f);
    cr_assert(fgets(line, sizeof line, f) && strcmp(line, "one\n") == 0);
    fclose(f);
    scratch_remove();
    cr_assert_null(file_open(scratch_path(), &why));
    cr_assert_str_eq(why, "No such file or directory");
}

Test(file, that_is_not_there_is_told_from_others)
{
    expect_refused("/nonexistent/file", 5, "No such file or directory", ENOENT);
    expect_refused("/tmp", 5, "it is a folder", EIO);
    expect_refused("/dev/zero", 5, IRREGULAR, EIO);
}

Test(file, that_is_a_fifo_is_not_waited_for, .timeout = 10)
{
    cr_assert_eq(mkfifo(scratch_path(), 0600), 0);
    expect_refused(scratch_path(), 5, IRREGULAR, EIO);
    scratch_remove();
}
