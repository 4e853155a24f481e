/* The program's own trouble with rules and alerts, as events that rules may listen to: `self.trouble`, once a minute at most for each. */
#ifndef RW_APP_OWN_TROUBLE_H
#define RW_APP_OWN_TROUBLE_H

#include "app/alert_log.h"

struct cJSON;
struct rules;

enum own_key { OWN_RULES_EVICTED, OWN_RULES_HELD_BACK, OWN_RULES_UNUSABLE, OWN_STATE_UNWRITABLE, OWN_KEYS };

struct own_trouble {
    void (*tell)(void *self, const struct cJSON *event, int64_t at_ns);
    void *self;
    uint64_t count[OWN_KEYS];     /* as it was told last */
    uint64_t lost[CLI_SYSLOGS];   /* likewise, for each log server */
    uint64_t breaks[CLI_SYSLOGS]; /* likewise */
};

/* It happened once more. */
void own_trouble_tell(struct own_trouble *o, enum own_key key, int64_t now_ns);
/* Called once a minute; each tells what grew since the last time. */
void own_trouble_of_rules(struct own_trouble *o, const struct rules *r, int64_t now_ns);
void own_trouble_of_log(struct own_trouble *o, const struct alert_log *l, int64_t now_ns);

#endif
