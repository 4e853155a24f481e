/*
 * Rules at work (rule/rule.h): events come in, alerts go to the log servers, to the output of events, and into the report of files.
 * Whoever asks for no rules has no alerts (NULL), and pays nothing: all functions take NULL and do nothing.
 */
#ifndef RW_APP_ALERTS_H
#define RW_APP_ALERTS_H

#include "app/cli.h"
#include "app/events.h"

struct alerts;
struct pollfd;

struct alerts_options {
    const struct cli *cli;
    struct events *events; /* where alerts are written */
    FILE *wrong;           /* where it is said what is wrong with files and log servers */
    bool live;             /* else they are kept for the report */
};

/*
 * In two steps, since the first may need privileges that the second must do without, so that a reload later can do what the start could:
 * log servers are looked up and certificates read; then rules are read. False: `error` (CAPTURE_ERROR bytes) says why, and what is wrong
 * with a rule file was told line by line. *out is NULL where no rules are asked for; alerts_close() in any case.
 */
bool alerts_open(struct alerts **out, const struct alerts_options *o, char *error);
bool alerts_load(struct alerts *a, char *error);

/* For events_options.heard; `self` is the alerts. */
void alerts_hear(void *self, const struct cJSON *event, int64_t at_ns);
/* Once a second of packet time: incidents end, the state file is written once a minute, and own trouble is looked for. */
void alerts_tick(struct alerts *a, int64_t now_ns);

size_t alerts_poll(const struct alerts *a, struct pollfd *out); /* CLI_SYSLOGS at most; returns how many */
void alerts_run(struct alerts *a, bool woken);                  /* never waits; `woken`: one of these is ready */

/* Rules of `c` take the place of those in force, unless a file is wrong; log servers are connected to anew. Reads local files alone. */
void alerts_reload(struct alerts *a, const struct cli *c);

/* What the report of files tells; NULL where nothing is kept. Valid until the next call. */
const struct out_alerts *alerts_kept(struct alerts *a);

/* Saves the state, gives each log server so long for what waits, and frees all. */
void alerts_close(struct alerts *a, unsigned most_ms);

/* ---- actions of their own ---- */

/* The rule files of the command line, or those of the service: nothing wrong, or each mistake with its place. The exit status. */
int alerts_check(const struct cli *c);

#endif
