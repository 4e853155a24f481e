#include "app/alerts.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdlib.h>

#include "app/alert_log.h"
#include "app/complain.h"
#include "app/trouble.h"
#include "rule/rule.h"

enum {
    MINUTE = 60,      /* seconds, between two looks at the state file and at own trouble */
    STEPS = 1440,     /* of a long gap */
    KEPT_MOST = 4096, /* alerts of one report */
};

struct alerts {
    const struct cli *cli; /* as it was started */
    struct events *events;
    FILE *wrong;
    struct rules *rules;
    struct alert_log log;
    struct alert_trouble trouble;
    bool live, begun, unloaded; /* unloaded: a reload failed, not yet told as trouble */
    int64_t now_ns, looked_ns;
    struct rules_counts saved; /* as of the latest writing of the state file */
    struct out_alerts kept;
    struct out_alert *alert; /* KEPT_MOST at most; room is doubled when n reaches a power of two */
};

static void say_wrong(void *self, const char *line)
{
    const struct alerts *a = self;

    complain_to(a->wrong, line);
}

/* ---- one alert ---- */

/* Takes `object`. */
static void keep(struct alerts *a, cJSON *object, int64_t at_ns)
{
    size_t n = a->kept.n;
    struct out_alert *more = a->alert;

    if (object && n < KEPT_MOST && (n & (n - 1)) == 0) {
        more = realloc(a->alert, (n ? 2 * n : 1) * sizeof *more);
        a->alert = more ? more : a->alert;
    }
    if (n >= KEPT_MOST || !more || !object) {
        a->kept.left_out++;
        cJSON_Delete(object);
        return;
    }
    a->alert[a->kept.n++] = (struct out_alert){ at_ns, object };
}

/* "22:26:37  ALERT  crit bad-stun-server: STUN server ..." */
static void put_line(struct strbuf *b, const struct alert *alert)
{
    char time[OUT_TIME], kind[16];
    size_t n = 0;

    for (const char *k = alert_kind_word(alert->kind); *k && n < sizeof kind - 1; k++)
        kind[n++] = (char)toupper((unsigned char)*k);
    kind[n] = '\0';
    strbuf_fmt(b, "%.8s  %s  %s %s: %s", out_time(alert->at_ns, time) + 11, kind, severity_word(alert->severity), alert->rule,
               alert->message);
}

static void tell(void *self, const struct alert *alert)
{
    struct alerts *a = self;
    cJSON *object = alert_json(alert);
    struct strbuf line = { 0 };

    alert_log_send(&a->log, alert);
    put_line(&line, alert);
    events_put(a->events, object, strbuf_str(&line));
    strbuf_done(&line);
    if (a->live)
        cJSON_Delete(object);
    else
        keep(a, object, alert->at_ns);
}

static void hear_own(void *self, const cJSON *event, int64_t at_ns)
{
    struct alerts *a = self;

    events_put(a->events, event, "");
    rules_event(a->rules, event, at_ns);
}

/* ---- beginning ---- */

bool alerts_open(struct alerts **out, const struct alerts_options *o, char *error)
{
    struct alerts *a;

    *out = NULL;
    if (!o->cli->rules)
        return true;
    a = calloc(1, sizeof *a);
    if (!a)
        return false;
    *out = a;
    a->cli = o->cli;
    a->events = o->events;
    a->wrong = o->wrong;
    a->live = o->live;
    a->trouble = (struct alert_trouble){ .tell = hear_own, .self = a };
    a->rules = rules_new(tell, a);
    return a->rules && alert_log_open(&a->log, o->cli, o->wrong, error);
}

static void explain_line(void *self, const char *line)
{
    fprintf(self, "%s\n", line);
}

bool alerts_load(struct alerts *a, char *error)
{
    const char *explained = a ? a->cli->explain_rule : NULL;

    if (!a)
        return true;
    if (!rules_load(a->rules, a->cli->rule, a->cli->rules, say_wrong, a)) {
        snprintf(error, CAPTURE_ERROR, "the rules cannot be used; 'rtpwatch --check-rules' tries them");
        return false;
    }
    if (!explained || rules_explain(a->rules, explained, explain_line, stdout))
        return true;
    snprintf(error, CAPTURE_ERROR, "--explain-rule: expected one of the rules that 'rtpwatch --check-rules' lists");
    return false;
}

/* ---- time ---- */

static void begin(struct alerts *a, int64_t now_ns)
{
    a->begun = true;
    a->now_ns = a->looked_ns = now_ns;
    if (a->cli->state)
        rules_restore(a->rules, a->cli->state, now_ns, say_wrong, a);
}

/* Packets may be far apart: what was over between two is told with the minute in which it was, or nearly so after days of nothing. */
static void pass(struct alerts *a, int64_t now_ns)
{
    int64_t gap_ns = now_ns - a->now_ns, step_ns = gap_ns / STEPS > SECONDS(MINUTE) ? gap_ns / STEPS : SECONDS(MINUTE);

    for (int64_t left_ns = gap_ns - step_ns; left_ns > 0 && rules_count(a->rules).incidents; left_ns -= step_ns)
        rules_tick(a->rules, now_ns - left_ns);
    if (now_ns > a->now_ns)
        a->now_ns = now_ns;
}

static void save(struct alerts *a, bool last)
{
    struct rules_counts now = rules_count(a->rules), *then = &a->saved;
    bool same = now.alerts == then->alerts && now.updates == then->updates && now.recoveries == then->recoveries;

    /* An incident that goes on counts, and its latest event tells when it is over. */
    if (!a->cli->state || !a->begun || (same && !now.incidents && !last))
        return;
    if (!rules_save(a->rules, a->cli->state, say_wrong, a))
        alert_trouble_tell(&a->trouble, TROUBLE_STATE_UNWRITABLE, a->now_ns);
    a->saved = now;
}

void alerts_hear(void *self, const cJSON *event, int64_t at_ns)
{
    struct alerts *a = self;

    if (!a->begun)
        begin(a, at_ns);
    pass(a, at_ns);
    rules_event(a->rules, event, at_ns);
}

void alerts_tick(struct alerts *a, int64_t now_ns)
{
    if (!a)
        return;
    if (!a->begun)
        begin(a, now_ns);
    pass(a, now_ns);
    rules_tick(a->rules, now_ns);
    if (a->now_ns - a->looked_ns < SECONDS(MINUTE))
        return;
    a->looked_ns = a->now_ns;
    alert_trouble_of_rules(&a->trouble, a->rules, a->now_ns);
    if (a->unloaded)
        alert_trouble_tell(&a->trouble, TROUBLE_RULES_UNUSABLE, a->now_ns);
    a->unloaded = false;
    if (a->live) {
        alert_trouble_of_log(&a->trouble, &a->log, a->now_ns);
        save(a, false);
    }
}

/* ---- the loop ---- */

size_t alerts_poll(const struct alerts *a, struct pollfd *out)
{
    return a ? alert_log_poll(&a->log, out) : 0;
}

void alerts_run(struct alerts *a, bool woken)
{
    if (a)
        alert_log_run(&a->log, woken);
}

void alerts_reload(struct alerts *a, const struct cli *c)
{
    if (!a)
        return;
    if (!c->rules) {
        complain_to(a->wrong, "no rules are named any more: those in force stay until a restart");
    } else if (!rules_load(a->rules, c->rule, c->rules, say_wrong, a)) {
        a->unloaded = true;
        complain_to(a->wrong, "the rules stay as they were");
    }
    alert_log_reopen(&a->log, a->wrong);
}

/* ---- the end ---- */

const struct out_alerts *alerts_kept(struct alerts *a)
{
    struct rules_counts c;

    if (!a)
        return NULL;
    c = rules_count(a->rules);
    a->kept.alert = a->alert;
    a->kept.rules = c.rules;
    a->kept.resting = c.resting;
    a->kept.going_on = c.incidents;
    return &a->kept;
}

void alerts_close(struct alerts *a, unsigned most_ms)
{
    if (!a)
        return;
    save(a, true);
    alert_log_close(&a->log, most_ms, a->wrong);
    rules_free(a->rules);
    for (size_t i = 0; i < a->kept.n; i++)
        cJSON_Delete(a->alert[i].object);
    free(a->alert);
    free(a);
}

/* ---- checking ---- */

static void say_line(void *self, const char *line)
{
    strbuf_fmt(self, "%s\n", line);
}

int alerts_check(const struct cli *c)
{
    struct strbuf said = { 0 };
    bool fine = rules_check(c->rule, c->rules, true, say_line, &said);

    fputs(strbuf_str(&said), fine ? stdout : stderr);
    strbuf_done(&said);
    return fine ? EXIT_FINE : complain("the rules cannot be used as they are");
}
