/* Capture files, from the first packet to the report or the events. */
#ifndef RW_APP_OFFLINE_H
#define RW_APP_OFFLINE_H

#include "app/cli.h"

int offline_run(const struct cli *c); /* the exit status; complains on standard error */

#endif
