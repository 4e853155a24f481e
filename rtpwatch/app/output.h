/* Where reports and events go: standard output, or a file. */
#ifndef RW_APP_OUTPUT_H
#define RW_APP_OUTPUT_H

#include "app/cli.h"
#include "out/out.h"

/* NULL for `path`: standard output. `add`: to what the file holds, and without waiting: a FIFO that nobody reads is
 * refused. NULL: error (CAPTURE_ERROR bytes) says why. */
FILE *output_open(const char *path, bool add, char *error);
bool output_close(FILE *to); /* NULL and standard output: nothing, or what waits is written; false: not all could be */

/* A report in the format that was asked for (for people also where that is ndjson). */
bool output_report(const struct out_report *r, const struct cli *c, FILE *to);
/* A report as JSON, written beside `path` and renamed, so that nobody reads half of one. */
bool output_snapshot(const struct out_report *r, const char *path, char *error);

#endif
