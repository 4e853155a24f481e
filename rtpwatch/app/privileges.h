/* What live capture keeps of its privileges once it runs: which user, which files (confine.h does it). */
#ifndef RW_APP_PRIVILEGES_H
#define RW_APP_PRIVILEGES_H

#include "app/cli.h"

/* False: error (CAPTURE_ERROR bytes) says why; the caller must not go on. Tells on standard error what could not be given up. */
bool privileges_drop(const struct cli *c, char *error);

#endif
