/*
 * The one table of all options: the command line, the configuration file (config.h), the help and, through that, the completions are
 * made of it. A new option is a row here, a member of struct cli and an entry of the man page.
 */
#ifndef RW_APP_OPTIONS_H
#define RW_APP_OPTIONS_H

#include "app/cli.h"

struct option_row {
    const char *name;       /* without dashes */
    const char *value;      /* what its value is called; NULL: it is a switch */
    char letter;            /* 0: none */
    bool repeats;           /* each one adds; else the latest holds */
    bool command_line_only; /* it has no place in a file */
    bool (*take)(struct cli *c, const struct option_row *o, const char *value, char *error); /* `value` lives as long as `c` */
    size_t at;            /* where in struct cli, for takers that serve several rows */
    unsigned least, most; /* of a number */
    const char *help;     /* lines, parted by line breaks */
};

enum { OPTIONS_MAX = 96 };

size_t options_count(void);
const struct option_row *options_row(size_t i);
const struct option_row *options_find(const char *name); /* NULL: there is none */
const struct option_row *options_of_letter(char letter);
/* The name that `name` was probably meant to be, NULL: none is near. */
const char *options_nearest(const char *name);

#endif
