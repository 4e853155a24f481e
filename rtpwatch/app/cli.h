/* The command line: what the user asked for, checked. */
#ifndef RW_APP_CLI_H
#define RW_APP_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "verdict/verdict.h"

enum cli_format { FORMAT_TEXT, FORMAT_JSON };
enum cli_colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };
enum cli_action { ACTION_ANALYSE, ACTION_HELP, ACTION_VERSION };

/* Exit status (SPEC §6). */
enum { EXIT_FINE = 0, EXIT_SESSION_FAILED = 1, EXIT_UNUSABLE = 2 };

enum { CLI_LOCALS = 64, CLI_ERROR = 400 };

struct cli {
    enum cli_action action;
    enum cli_format format;
    enum cli_colour colour;
    bool dump_facts;
    const char *filter;              /* NULL: all packets */
    const char *write;               /* where the packets of failed sessions go; NULL: nowhere */
    const char *session;             /* with `write`: of this one instead */
    unsigned write_mib, write_files; /* 0: the defaults */
    bool write_audio;
    struct local_net local[CLI_LOCALS];
    size_t locals;
    const char *link_header[TRACK_LINK_HEADERS];
    size_t link_headers;
    const char *label[TRACK_LABELS]; /* headers whose values failing calls may share */
    size_t labels;
    const char **files; /* malloc'ed list of argv's strings */
    char **vantage;     /* of each file its name by --vantage, or NULL */
    size_t files_n;
};

/* False: `error` says what is wrong and what would be right. cli_done() in any case. */
bool cli_parse(struct cli *c, int argc, char **argv, char error[CLI_ERROR]);
void cli_done(struct cli *c);
void cli_help(FILE *to);

#endif
