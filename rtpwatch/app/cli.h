/* What the user asked for, checked: from the command line and from a configuration file (options.h has the one table of both). */
#ifndef RW_APP_CLI_H
#define RW_APP_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "app/window.h"
#include "base/arena.h"
#include "capture/live.h"
#include "tls/keylog.h"
#include "verdict/verdict.h"

enum cli_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_NDJSON };
enum cli_colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };
enum cli_action { ACTION_ANALYSE, ACTION_HELP, ACTION_VERSION, ACTION_INTERFACES, ACTION_CHECK_CONFIG, ACTION_CHECK_RULES };

/* Exit status (SPEC §6). */
enum { EXIT_FINE = 0, EXIT_SESSION_FAILED = 1, EXIT_UNUSABLE = 2 };

enum { CLI_LOCALS = 64, CLI_PUBLIC_IPS = 64, CLI_RULES = 32, CLI_SYSLOGS = 8, CLI_ERROR = 400 };

#define CLI_CONFIG "/etc/rtpwatch/rtpwatch.conf" /* what --check-config looks at where no other is named */
#define CLI_USER   "rtpwatch"                    /* whom root becomes in live capture where no other is named */

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
    const char *reduce; /* instead of a report: the reduced capture to write, NULL: none */
    struct window window;
    bool forget; /* sessions that are over are told and counted, and no longer held */
    struct local_net local[CLI_LOCALS];
    size_t locals;
    struct addr public_ip[CLI_PUBLIC_IPS];
    size_t public_ips;
    const char *link_header[TRACK_LINK_HEADERS];
    size_t link_headers;
    const char *label[TRACK_LABELS]; /* headers whose values failing calls may share */
    size_t labels;
    const char *tls_keylog[KEYLOG_FILES];
    size_t tls_keylogs;
    const char *config;   /* the file that was read, NULL: none */
    const char *output;   /* a file for reports and events, NULL: standard output */
    const char *snapshot; /* a file for the reports of SIGUSR1, NULL: the output */
    unsigned grace_s;
    /* Rules and alerts. */
    const char *rule[CLI_RULES]; /* files and folders, in their order */
    size_t rules;
    const char *syslog[CLI_SYSLOGS]; /* targets, well formed (out/syslog.h) */
    size_t syslogs;
    const char *syslog_ca, *syslog_cert, *syslog_key, *syslog_sd_id; /* NULL: as out/syslog.h has it */
    bool syslog_insecure;
    const char *state;        /* a file for incidents that are not over, NULL: none */
    const char *explain_rule; /* instead of a report: what that rule does, NULL: none */
    /* Live capture. */
    const char *interface[LIVE_INTERFACES];
    size_t interfaces;
    bool interfaces_of_file; /* those that the command line names take their place */
    unsigned buffer_mib;     /* of each interface's ring; 0: LIVE_BUFFER_DEFAULT */
    bool full_packets, promiscuous;
    const char *user; /* NULL: CLI_USER where there is one */
    bool no_confine;
    unsigned nice;
    /* Capture files; both lists are malloc'ed. */
    const char **files;
    char **vantage; /* of each file its name by --vantage, or NULL */
    size_t files_n;
    struct arena strings; /* what a configuration file said */
};

/* False: `error` says what is wrong and what would be right. cli_done() in any case. May be called again with the same `argv`. */
bool cli_parse(struct cli *c, int argc, char **argv, char error[CLI_ERROR]);
/* The same words again, for SIGHUP; what is wrong with the configuration is told to `wrong`. */
bool cli_parse_again(struct cli *c, int argc, char **argv, FILE *wrong, char error[CLI_ERROR]);
bool cli_file_add(struct cli *c, const char *path, char *vantage); /* takes `vantage`, malloc'ed or NULL; false without memory */
void cli_done(struct cli *c);

/* Live: something differs that cannot be changed while it runs, since it is open. */
bool cli_needs_restart(const struct cli *now, const struct cli *fresh);
void cli_help(FILE *to);

#endif
