/* How the program says on standard error what is wrong; under systemd that is the journal. */
#ifndef RW_APP_COMPLAIN_H
#define RW_APP_COMPLAIN_H

#include "app/cli.h"

static inline int complain(const char *what)
{
    fprintf(stderr, "rtpwatch: %s\n", what);
    return EXIT_UNUSABLE;
}

#endif
