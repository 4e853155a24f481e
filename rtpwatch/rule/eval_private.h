/*
 * Rules at work. Each rule has its groups: one for each set of values of its group_by fields, in two lists by when they were last met.
 * When a rule has GROUPS_PER_RULE, the idle one that was met longest ago is given up, and only where all have an incident, one of those.
 */
#ifndef RW_RULE_EVAL_PRIVATE_H
#define RW_RULE_EVAL_PRIVATE_H

#include "base/hmap.h"
#include "base/pool.h"
#include "rule/ruleset.h"

enum { SHARE_SLICES = 16 };

/* Events in slices of the time that the share is taken over. */
struct share {
    int64_t slice; /* number of the newest one */
    uint32_t of[SHARE_SLICES], hit[SHARE_SLICES];
};

/* What is told of an incident again when it is updated or over. */
struct incident {
    struct arena arena; /* of its texts */
    struct alert alert;
};

struct group {
    uint64_t hash;
    char *key;                   /* values of the group_by fields, each behind a byte 0x1f */
    uint32_t slot, newer, older; /* in its list */
    int64_t *times;              /* the latest `count` of them, a ring */
    uint32_t times_at, times_n;
    struct share *share;
    int64_t first_ns, last_ns; /* of the incident; last: when its condition was met last */
    int64_t told_ns;           /* its latest alert or update */
    uint64_t told_count;       /* events at that time */
    int64_t over_ns;           /* its latest recovery; 0: none */
    int64_t held_minute;       /* in which its incident was last held back */
    struct incident *incident; /* NULL: none is told */
};

struct group_list {
    uint32_t newest, oldest;
};

/* A rule's state. It outlives a reload where the rule stays as it is. */
struct run {
    struct pool groups;
    struct hmap by_key;
    struct group_list idle, firing;
    int64_t minute; /* the minute that `told` counts alerts of */
    unsigned told;
    uint64_t held_back; /* since the latest alert */
    uint64_t incidents;
};

struct rules {
    rules_tell *tell;
    void *self;
    struct clock clock;
    int64_t ticked_ns;
    struct ruleset *set;
    char *explained; /* name of the rule that is traced, NULL: none */
    struct trace trace;
    struct rules_counts counts;
};

/* groups.c */
struct run *run_new(void);
void run_free(struct run *run);
struct strbuf group_key(const struct rule *rule, const cJSON *event); /* to be freed; `failed`: no memory */
struct group *group_find(const struct run *run, const char *key);
/* Gives up an older one where the table is full; NULL without memory. */
struct group *group_new(struct rules *r, const struct rule *rule, struct run *run, const char *key);
void group_met(struct run *run, struct group *g);  /* it is the newest of its list */
bool group_fire(struct run *run, struct group *g); /* an empty incident begins; false without memory */
void group_calm(struct run *run, struct group *g); /* it is over */

/* alert.c */
/* Fills in what an event tells of the incident that it raises. */
void alert_fill(struct alert *a, struct arena *arena, const struct rule *rule, const char *key, const cJSON *event);
void put_span(struct strbuf *out, int64_t ns); /* "25m" */
char *time_text(int64_t ns, char buf[40]);     /* RFC 3339 UTC, microseconds */

/* eval.c */
const struct trace *trace_of(const struct rules *r, const struct rule *rule);

#endif
