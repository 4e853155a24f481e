/*
 * --reduce: part of a large set of captures becomes one small file, from which a later run makes the report that the captures themselves
 * would give (parts.h). Whatever is no plain voice stands whole in it, each frame with its number; of voice the first packets of each
 * stream do, and the rest is packed into runs (track/run.h).
 */
#ifndef RW_APP_REDUCE_H
#define RW_APP_REDUCE_H

#include "app/cli.h"

int reduce_run(const struct cli *c); /* the exit status */

#endif
