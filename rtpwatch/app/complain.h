/* How the program says on standard error what is wrong; under systemd that is the journal. */
#ifndef RW_APP_COMPLAIN_H
#define RW_APP_COMPLAIN_H

#include "app/cli.h"

/* Live capture has its own stream for it, which does not wait for the reader of standard error. */
static inline int complain_to(FILE *to, const char *what)
{
    fprintf(to, "rtpwatch: %s\n", what);
    return EXIT_UNUSABLE;
}

static inline int complain(const char *what)
{
    return complain_to(stderr, what);
}

#endif
