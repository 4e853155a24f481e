/* The log servers of --syslog: each alert goes to all of them, and none is waited for (out/syslog.h). */
#ifndef RW_APP_ALERT_LOG_H
#define RW_APP_ALERT_LOG_H

#include "app/cli.h"

struct alert;
struct pollfd;
struct syslog;

struct alert_log {
    size_t n;
    const char *target[CLI_SYSLOGS]; /* borrowed */
    struct syslog *to[CLI_SYSLOGS];
};

/*
 * Looks names up and reads certificates, for which it blocks; connects later. `c` is borrowed until the end; `wrong`: where is said what an
 * operator should know. False: `error` (CAPTURE_ERROR bytes) says why. alert_log_close() in any case.
 */
bool alert_log_open(struct alert_log *l, const struct cli *c, FILE *wrong, char *error);
/* The fields of the alert as structured data. Where the queue is full, it counts what is lost. */
void alert_log_send(struct alert_log *l, const struct alert *a);

size_t alert_log_poll(const struct alert_log *l,
                      struct pollfd *out); /* what to wait for: CLI_SYSLOGS at most; returns how many */
/* Sends what can be sent without waiting. `woken`: one of those descriptors is ready; else only what is due is done. */
void alert_log_run(struct alert_log *l, bool woken);

/* Reads certificates again and connects anew, without a look-up. What is not possible is told, and leaves in force what was. */
void alert_log_reopen(struct alert_log *l, FILE *wrong);
/* What waits is sent for so long at most, for each server; what was not is told. */
void alert_log_close(struct alert_log *l, unsigned most_ms, FILE *wrong);

#endif
