/*
 * rtpwatch's own trouble, as events that rules may listen to (`self.trouble`): tables that are full, rules and log servers that do not do
 * what was asked. Each kind is told when it is met, and then once a minute at most.
 */
#ifndef RW_APP_TROUBLE_H
#define RW_APP_TROUBLE_H

#include "app/alert_log.h"
#include "base/fault.h"

struct cJSON;
struct rules;

#define TROUBLE_EVERY_NS SECONDS(60)

/* ---- of all that the fault log counts: tables that are full ---- */

struct fault_trouble {
    uint64_t count[FAULT_IDS]; /* when it was told */
    int64_t due_ns[FAULT_IDS]; /* before that it is not told again */
};

/* Once a second, of each fault. True: it is ours, was met since it was told, and it is time to tell. */
bool fault_trouble_look(struct fault_trouble *t, const struct fault_log *log, enum fault_id id, int64_t now_ns);
/* What was told of it was not heard: fault_trouble_look() tells it again. */
void fault_trouble_again(struct fault_trouble *t, enum fault_id id);

/* ---- of rules and alerts ---- */

enum alert_trouble_key {
    TROUBLE_RULES_EVICTED,
    TROUBLE_RULES_HELD_BACK,
    TROUBLE_RULES_UNUSABLE,
    TROUBLE_STATE_UNWRITABLE,
    TROUBLE_KEYS
};

struct alert_trouble {
    void (*tell)(void *self, const struct cJSON *event, int64_t at_ns);
    void *self;
    uint64_t count[TROUBLE_KEYS]; /* as it was told last */
    uint64_t lost[CLI_SYSLOGS];   /* likewise, for each log server */
    uint64_t breaks[CLI_SYSLOGS]; /* likewise */
};

/* It happened once more. */
void alert_trouble_tell(struct alert_trouble *o, enum alert_trouble_key key, int64_t now_ns);
/* Called once a minute; each tells what grew since the last time. */
void alert_trouble_of_rules(struct alert_trouble *o, const struct rules *r, int64_t now_ns);
void alert_trouble_of_log(struct alert_trouble *o, const struct alert_log *l, int64_t now_ns);

#endif
