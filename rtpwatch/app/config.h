/*
 * A configuration file: lines of `NAME = VALUE`, by the long names of the options; a switch may stand alone or say yes or no. `#` at
 * the beginning of a line or after a blank begins a comment; a value in double quotes is taken as it stands between them.
 */
#ifndef RW_APP_CONFIG_H
#define RW_APP_CONFIG_H

#include "app/cli.h"

/*
 * Takes over all that the file says; strings go to c->strings. Each wrong line is told to `wrong` with file, line, what is wrong and what
 * would be right, and the others still count. False: the file cannot be read, or a line is wrong; `error` then sums it up.
 */
bool config_read(struct cli *c, const char *path, FILE *wrong, char error[CLI_ERROR]);

#endif
