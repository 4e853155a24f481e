#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

const char *scratch_path(void)
{
    static char path[64];

    snprintf(path, sizeof path, "/tmp/rtpwatch-test-%ld", (long)getpid());
    return path;
}

void scratch_put(const char *text)
{
    FILE *f = fopen(scratch_path(), "w");

    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

const char *scratch_get(void)
{
    static char text[100000];
    FILE *f = fopen(scratch_path(), "r");

    cr_assert(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

void scratch_remove(void)
{
    unlink(scratch_path());
}
