/*
 * Live capture, as a service: packets as they pass, findings as they happen, a report at the end. Signals: TERM and INT end it, HUP
 * opens the output again and reads the configuration anew, USR1 writes a report of what there is.
 */
#ifndef RW_APP_WATCH_H
#define RW_APP_WATCH_H

#include "app/cli.h"

/* `argc` and `argv` are parsed again on HUP. Returns the exit status; complains on standard error. */
int watch_run(const struct cli *c, int argc, char **argv);

#endif
