#include "app/trouble.h"

#include <cjson/cJSON.h>

#include "out/event.h"
#include "out/syslog.h"
#include "rule/rule.h"

/* ---- full tables ---- */

bool fault_trouble_look(struct fault_trouble *t, const struct fault_log *log, enum fault_id id, int64_t now_ns)
{
    if (!fault_is_ours(id) || log->count[id] == t->count[id] || now_ns < t->due_ns[id])
        return false;
    t->count[id] = log->count[id];
    t->due_ns[id] = now_ns + TROUBLE_EVERY_NS;
    return true;
}

void fault_trouble_again(struct fault_trouble *t, enum fault_id id)
{
    t->count[id] = 0;
    t->due_ns[id] = 0;
}

/* ---- rules and log servers ---- */

static const struct {
    const char *key, *text;
} keys[TROUBLE_KEYS] = {
    [TROUBLE_RULES_EVICTED] = { "rules.evicted", "groups of rules were given up for newer ones" },
    [TROUBLE_RULES_HELD_BACK] = { "rules.held_back", "incidents were held back for their rule's max_per_minute" },
    [TROUBLE_RULES_UNUSABLE] = { "rules.unusable", "a rule file could not be used: the rules stay as they were" },
    [TROUBLE_STATE_UNWRITABLE] = { "state.unwritable", "the incidents could not be saved" },
};

static void tell(struct alert_trouble *o, const char *key, const char *text, uint64_t count, int64_t now_ns)
{
    cJSON *event = event_of_trouble(key, text, count, now_ns);

    if (event)
        o->tell(o->self, event, now_ns);
    cJSON_Delete(event);
}

static void grew(struct alert_trouble *o, enum alert_trouble_key key, uint64_t count, int64_t now_ns)
{
    if (count <= o->count[key])
        return;
    o->count[key] = count;
    tell(o, keys[key].key, keys[key].text, count, now_ns);
}

void alert_trouble_tell(struct alert_trouble *o, enum alert_trouble_key key, int64_t now_ns)
{
    grew(o, key, o->count[key] + 1, now_ns);
}

void alert_trouble_of_rules(struct alert_trouble *o, const struct rules *r, int64_t now_ns)
{
    struct rules_counts c = rules_count(r);

    grew(o, TROUBLE_RULES_EVICTED, c.evicted, now_ns);
    grew(o, TROUBLE_RULES_HELD_BACK, c.held_back, now_ns);
}

void alert_trouble_of_log(struct alert_trouble *o, const struct alert_log *l, int64_t now_ns)
{
    for (size_t i = 0; i < l->n; i++) {
        struct strbuf text = { 0 };
        struct syslog_stats s;

        syslog_stats(l->to[i], &s);
        if (s.lost > o->lost[i]) {
            strbuf_fmt(&text, "messages to %s were lost: its queue was full", l->target[i]);
            tell(o, "syslog.queue_full", strbuf_str(&text), s.lost, now_ns);
            strbuf_clear(&text);
        }
        if (!s.up && s.breaks > o->breaks[i]) {
            strbuf_fmt(&text, "%s cannot be reached: ", l->target[i]);
            strbuf_safe(&text, span_str(s.why), 200);
            tell(o, "syslog.unreachable", strbuf_str(&text), s.breaks, now_ns);
        }
        o->lost[i] = s.lost;
        o->breaks[i] = s.breaks;
        strbuf_done(&text);
    }
}
