/* Rules at work in a test: rules from a text, events from texts, and the alerts that came, as lines. */
#ifndef RW_SUPPORT_ALERTS_H
#define RW_SUPPORT_ALERTS_H

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "rule/rule.h"

#define T0 SECONDS(1700000000)

struct alerts {
    struct rules *rules;
    struct strbuf lines; /* "kind rule [group, ...] count: message", one a line */
    struct strbuf said;  /* what rules_load(), rules_explain() and their like told, one a line */
    cJSON *latest;       /* alert_json() of the latest */
    int n;
};

void alerts_begin(struct alerts *a, const char *rules /* JSON; NULL: none */);
void alerts_end(struct alerts *a);
bool alerts_load(struct alerts *a, const char *rules);
/* The same from several texts, each a file. */
bool alerts_load_all(struct alerts *a, const char *const *rules, size_t n);
void alerts_event(struct alerts *a, unsigned at_s, const char *event); /* seconds after T0; JSON */
void alerts_tick(struct alerts *a, unsigned at_s);
/* Fails unless exactly these lines came since the last look. */
void alerts_expect(struct alerts *a, const char *lines);
void alerts_say(void *self, const char *line); /* a rules_say: into a->said */

#endif
