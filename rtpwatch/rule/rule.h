/*
 * Rules (SPEC §7): events go in, alerts come out. An event is a JSON object as doc/events.schema.json says, a rule one as
 * doc/rules.schema.json says; rules/README.md explains both to an operator.
 *
 * A rule keeps an incident for each group of events (such as: for each STUN server). One incident gives one alert, updates where the
 * rule asks for them, and one recovery. State is bounded: it does not grow with the number of events, whatever they hold.
 *
 * Time is that of the events and of rules_tick(), and never goes back. Nothing here reads a clock, and no program is ever run.
 */
#ifndef RW_RULE_H
#define RW_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;
struct rules;

/* RFC 5424 §6.2.1, by number. */
enum severity {
    SEVERITY_EMERG,
    SEVERITY_ALERT,
    SEVERITY_CRIT,
    SEVERITY_ERR,
    SEVERITY_WARNING,
    SEVERITY_NOTICE,
    SEVERITY_INFO,
    SEVERITY_DEBUG
};
const char *severity_word(enum severity s);   /* "crit" */
const char *facility_word(unsigned facility); /* "daemon"; facilities are RFC 5424's numbers, 0 to 23 */

enum alert_kind { ALERT_NEW, ALERT_UPDATE, ALERT_RECOVERY };
const char *alert_kind_word(enum alert_kind k); /* "alert", "update", "recovery" */

enum { ALERT_GROUP = 8, ALERT_FIELDS = 20, ALERT_FRAMES = 16 };

struct alert_field {
    const char *name, *value; /* value: made safe, at most ALERT_VALUE bytes */
};

enum { ALERT_VALUE = 200, ALERT_MESSAGE = 1000 };

/* Valid within the call that gives it. All text is one line without control characters. */
struct alert {
    const char *rule;
    enum alert_kind kind;
    enum severity severity;
    unsigned facility;
    const char *message;              /* at most ALERT_MESSAGE bytes */
    int64_t at_ns, first_ns, last_ns; /* now; the incident's first and latest event */
    uint64_t count;                   /* events of the incident so far */
    uint64_t held_back;               /* incidents of this rule that went untold for its max_per_minute since its last alert */
    size_t group_n, fields_n, frames_n;
    struct alert_field group[ALERT_GROUP];  /* name: the path as in group_by */
    struct alert_field field[ALERT_FIELDS]; /* what a machine wants: alert_field_names() */
    const char *frame[ALERT_FRAMES];        /* of the event that raised it: the way to the proof */
};

/* The names that alert.field may hold, in their order; NULL at the end. */
const char *const *alert_field_names(void);
/* The alert as an event, `rule.alert`: an object for cJSON_Delete(); NULL without memory. */
struct cJSON *alert_json(const struct alert *a);

typedef void rules_tell(void *self, const struct alert *a);
typedef void rules_say(void *self, const char *line); /* one line of text, safe to print, without its end */

struct rules *rules_new(rules_tell *tell, void *self); /* without rules; NULL without memory */
void rules_free(struct rules *r);                      /* NULL: nothing */

/*
 * Reads rule files, in this order, and puts them in force. A folder stands for its *.json, by name. A later file may override a rule
 * or replace a list of an earlier one. False: each mistake was told ("FILE:LINE:COLUMN: FIELD: what was expected") and the rules that
 * were in force still are. Called again it reloads: incidents of rules that are unchanged go on, those of others are forgotten.
 */
bool rules_load(struct rules *r, const char *const *paths, size_t n, rules_say *say, void *self);
/* The same, and nothing is put in force; what is sound but suspicious is told too. `summary`: also a line for each rule. */
bool rules_check(const char *const *paths, size_t n, bool summary, rules_say *say, void *self);

/* Does any rule listen to this event? Where none does, it need not be made. */
bool rules_listen(const struct rules *r, const char *event);
/* One event that happened at `at_ns`. Borrowed. */
void rules_event(struct rules *r, const struct cJSON *event, int64_t at_ns);
/* Time has passed: quiet incidents end, long ones are told again. About once a second is enough. */
void rules_tick(struct rules *r, int64_t now_ns);

/*
 * From here on `say` is told, step by step, what this rule does with every event: which condition held or failed, what was counted and
 * what became of it. False: there is no such rule; `say` is told the nearest name. `say` NULL: no more.
 */
bool rules_explain(struct rules *r, const char *rule, rules_say *say, void *self);

struct rules_counts {
    uint64_t rules, resting;    /* in force; of those: off until a list that they need is given */
    uint64_t groups, incidents; /* kept; of those: told and not over */
    uint64_t evicted;           /* groups given up for newer ones */
    uint64_t evicted_firing;    /* of those: incidents, whose recovery will not be told */
    uint64_t held_back;         /* incidents not told for their rule's max_per_minute */
    uint64_t no_memory;         /* events that could not be counted */
    uint64_t alerts, updates, recoveries;
};
struct rules_counts rules_count(const struct rules *r);

/*
 * The incidents that are told and not over, kept across a restart so that none is told twice. Save replaces the file in one step
 * (rename); load expects the rules in force, takes what they know, and skips the rest. False: *say is told why; a file that is not
 * there is no mistake. A file of any content is safe to load; it counts no more than ALERT bounds allow.
 */
bool rules_save(const struct rules *r, const char *path, rules_say *say, void *self);
bool rules_restore(struct rules *r, const char *path, int64_t now_ns, rules_say *say, void *self);

#endif
