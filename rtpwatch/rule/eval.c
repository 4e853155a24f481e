/* Events against rules: what is counted, when an incident begins, goes on and is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/eval_private.h"

enum { EVENT_WORD = 60 };
#define TICK_NS SECONDS(1)

/* One event and one rule. */
struct turn {
    struct rules *r;
    const struct rule *rule;
    struct run *run;
    const cJSON *event;
    const char *word;
    int64_t now_ns;
    const struct trace *trace;
};

const struct trace *trace_of(const struct rules *r, const struct rule *rule)
{
    return r->explained && r->trace.say && strcmp(r->explained, rule->name) == 0 ? &r->trace : NULL;
}

/* ---- telling ---- */

static void tell(struct rules *r, const struct rule *rule, struct run *run, const struct group *g, enum alert_kind kind,
                 const char *prefix, int64_t now_ns)
{
    struct strbuf message = { 0 };
    struct alert a = g->incident->alert;
    const struct trace *t = trace_of(r, rule);
    uint64_t *const told[] = { &r->counts.alerts, &r->counts.updates, &r->counts.recoveries };

    strbuf_add(&message, prefix);
    put_safe(&message, a.message, ALERT_MESSAGE - 4 - message.n);
    a.rule = rule->name;
    a.kind = kind;
    a.severity = kind == ALERT_RECOVERY && rule->severity < SEVERITY_NOTICE ? SEVERITY_NOTICE : rule->severity;
    a.facility = rule->facility;
    a.message = strbuf_str(&message);
    a.at_ns = now_ns;
    a.first_ns = g->first_ns;
    a.last_ns = g->last_ns;
    a.held_back = run->held_back;
    run->held_back = 0;
    ++*told[kind];
    trace_line(t, 1, "%s: %s %s.%s: %s", alert_kind_word(kind), rule->name, facility_word(a.facility), severity_word(a.severity),
               a.message);
    r->tell(r->self, &a);
    strbuf_done(&message);
}

static void put_events(struct strbuf *out, uint64_t n)
{
    strbuf_fmt(out, "%llu event%s", (unsigned long long)n, n == 1 ? "" : "s");
}

static void tell_update(struct rules *r, const struct rule *rule, struct run *run, struct group *g, int64_t now_ns)
{
    struct strbuf prefix = { 0 };

    strbuf_add(&prefix, "still, for ");
    put_span(&prefix, now_ns - g->first_ns);
    strbuf_add(&prefix, ", ");
    put_events(&prefix, g->incident->alert.count);
    strbuf_add(&prefix, ": ");
    tell(r, rule, run, g, ALERT_UPDATE, strbuf_str(&prefix), now_ns);
    g->told_ns = now_ns;
    g->told_count = g->incident->alert.count;
    strbuf_done(&prefix);
}

/* `event`: what ended it; NULL: nothing happened for a while. */
static void recover(struct rules *r, const struct rule *rule, struct run *run, struct group *g, const char *event, int64_t now_ns)
{
    struct strbuf prefix = { 0 };

    if (event) {
        strbuf_add(&prefix, "over (");
        put_safe(&prefix, event, EVENT_WORD);
        strbuf_add(&prefix, ")");
    } else {
        strbuf_add(&prefix, "quiet for ");
        put_span(&prefix, rule->quiet_ns);
    }
    strbuf_add(&prefix, " after ");
    put_events(&prefix, g->incident->alert.count);
    strbuf_add(&prefix, " in ");
    put_span(&prefix, g->last_ns - g->first_ns);
    strbuf_add(&prefix, ": ");
    if (rule->recovers)
        tell(r, rule, run, g, ALERT_RECOVERY, strbuf_str(&prefix), now_ns);
    else
        trace_line(trace_of(r, rule), 1, "the incident ends in silence: the rule has no recover_on");
    strbuf_done(&prefix);
    g->over_ns = now_ns;
    group_calm(run, g);
}

/* ---- counting ---- */

static int64_t slice_of(const struct rule *rule, int64_t now_ns)
{
    return now_ns / (rule->within_ns / SHARE_SLICES);
}

static void share_move(struct share *s, int64_t slice)
{
    if (slice - s->slice >= SHARE_SLICES || slice < s->slice)
        *s = (struct share){ .slice = slice };
    while (s->slice < slice) {
        s->slice++;
        s->of[s->slice % SHARE_SLICES] = s->hit[s->slice % SHARE_SLICES] = 0;
    }
}

/* Whether enough of all are hits; *hits: how many. */
static bool share_met(const struct rule *rule, const struct share *s, uint64_t *hits, uint64_t *of)
{
    *hits = *of = 0;
    for (unsigned i = 0; i < SHARE_SLICES; i++) {
        *hits += s->hit[i];
        *of += s->of[i];
    }
    return *hits >= rule->count && 100.0 * (double)*hits >= rule->percent * (double)*of;
}

static void count_of(const struct turn *t, struct group *g)
{
    int64_t slice = slice_of(t->rule, t->now_ns);

    share_move(g->share, slice);
    g->share->of[slice % SHARE_SLICES]++;
}

static bool count_share(const struct turn *t, struct group *g, uint64_t *hits)
{
    int64_t slice = slice_of(t->rule, t->now_ns);
    uint64_t of;
    bool met;

    share_move(g->share, slice);
    g->share->hit[slice % SHARE_SLICES]++;
    met = share_met(t->rule, g->share, hits, &of);
    trace_line(t->trace, 1, "counted: %llu of %llu, asked for are %u and %g %%", (unsigned long long)*hits,
               (unsigned long long)of, t->rule->count, t->rule->percent);
    return met;
}

/* Whether `count` of them lie within the time; *first: the oldest of those that do. */
static bool count_window(const struct turn *t, struct group *g, uint64_t *hits, int64_t *first)
{
    unsigned count = t->rule->count;

    g->times[g->times_at] = t->now_ns;
    g->times_at = (g->times_at + 1) % count;
    g->times_n += g->times_n < count;
    *hits = 0;
    for (unsigned i = 1; i <= g->times_n; i++) {
        int64_t at = g->times[(g->times_at + count - i) % count];

        if (t->now_ns - at > t->rule->within_ns)
            break;
        *first = at;
        ++*hits;
    }
    trace_line(t->trace, 1, "counted: %llu of %u", (unsigned long long)*hits, count);
    return *hits == count;
}

static bool count_hit(const struct turn *t, struct group *g, uint64_t *hits, int64_t *first)
{
    *first = t->now_ns;
    *hits = 1;
    if (g->share)
        return count_share(t, g, hits);
    return !g->times || count_window(t, g, hits, first);
}

/* ---- incidents ---- */

/* One rule may not flood the log, however many groups it finds. */
static bool may_tell(const struct turn *t, struct group *g)
{
    int64_t minute = t->now_ns / SECONDS(60);

    if (minute != t->run->minute) {
        t->run->minute = minute;
        t->run->told = 0;
    }
    if (t->run->told < t->rule->max_per_minute) {
        t->run->told++;
        return true;
    }
    if (g->held_minute != minute) { /* however many events it has */
        g->held_minute = minute;
        t->run->held_back++;
        t->r->counts.held_back++;
    }
    trace_line(t->trace, 1, "held back: the rule has told max_per_minute (%u) incidents", t->rule->max_per_minute);
    return false;
}

static void begin(const struct turn *t, struct group *g, uint64_t hits, int64_t first_ns)
{
    if (g->over_ns && t->now_ns - g->over_ns < t->rule->cooldown_ns) {
        trace_line(t->trace, 1, "cooling down: the last incident of this group was over too short a time ago");
        return;
    }
    if (!may_tell(t, g))
        return;
    if (!group_fire(t->run, g)) {
        t->r->counts.no_memory++;
        return;
    }
    g->first_ns = first_ns;
    g->last_ns = g->told_ns = t->now_ns;
    g->incident->alert.count = g->told_count = hits;
    g->incident->alert.first_ns = first_ns;
    alert_fill(&g->incident->alert, &g->incident->arena, t->rule, g->key, t->event);
    tell(t->r, t->rule, t->run, g, ALERT_NEW, "", t->now_ns);
}

static void hit(const struct turn *t, struct group *g)
{
    int64_t first;
    uint64_t hits;
    bool met = count_hit(t, g, &hits, &first);

    if (!g->incident) {
        group_met(t->run, g);
        if (met)
            begin(t, g, hits, first);
        return;
    }
    g->incident->alert.count++;
    if (met) {
        g->last_ns = t->now_ns;
        group_met(t->run, g);
    }
    trace_line(t->trace, 1, "the incident of this group goes on: nothing new is told");
}

/* ---- one event ---- */

static bool applies(const struct turn *t, const struct listen *l, const char *what)
{
    bool holds = listens(l, t->word);

    if (holds && l->where)
        trace_line(t->trace, 1, "%s:", what);
    holds = holds && cond_holds(l->where, t->event, t->trace, 2);
    return holds;
}

static void trace_group(const struct turn *t, const char *key)
{
    struct span rest = span_str(key);

    span_until(&rest, '\x1f');
    for (size_t i = 0; t->trace && i < t->rule->group_n; i++) {
        struct span value = span_until(&rest, '\x1f');

        trace_line(t->trace, 1, "group %s: %.*s", t->rule->group[i].text, (int)value.n, (const char *)value.p);
    }
}

static void rule_event(const struct turn *t)
{
    bool over = applies(t, &t->rule->over, "recover_on.where"),
         of = t->rule->percent > 0 && applies(t, &t->rule->of, "share.where");
    bool met = applies(t, &t->rule->on, "where");
    struct strbuf key;
    struct group *g;

    if (!over && !of && !met) {
        trace_line(t->trace, 1, "so nothing happens");
        return;
    }
    key = group_key(t->rule, t->event);
    trace_group(t, strbuf_str(&key));
    g = key.failed ? NULL : group_find(t->run, strbuf_str(&key));
    if (over && g && g->incident)
        recover(t->r, t->rule, t->run, g, t->word, t->now_ns);
    else if (over)
        trace_line(t->trace, 1, "nothing to recover from: this group has no incident");
    if ((of || met) && !g && !key.failed)
        g = group_new(t->r, t->rule, t->run, strbuf_str(&key));
    if (!g)
        t->r->counts.no_memory += of || met;
    if (g && of)
        count_of(t, g);
    if (g && met)
        hit(t, g);
    strbuf_done(&key);
}

static bool hears(const struct rule *rule, const char *event)
{
    return rule->enabled && !rule->resting &&
           (listens(&rule->on, event) || listens(&rule->over, event) || listens(&rule->of, event));
}

bool rules_listen(const struct rules *r, const char *event)
{
    for (size_t i = 0; r->set && i < r->set->n; i++)
        if (hears(&r->set->rule[i], event))
            return true;
    return false;
}

void rules_event(struct rules *r, const struct cJSON *event, int64_t at_ns)
{
    const cJSON *word = cJSON_GetObjectItemCaseSensitive(event, "event");
    char buf[40];

    if (!r->set || !cJSON_IsString(word) || strcmp(word->valuestring, "rule.alert") == 0) /* no rule feeds itself */
        return;
    rules_tick(r, at_ns);
    for (size_t i = 0; i < r->set->n; i++) {
        struct turn t = {
            r, &r->set->rule[i], r->set->rule[i].run, event, word->valuestring, r->clock.now_ns, trace_of(r, &r->set->rule[i])
        };

        if (!hears(t.rule, t.word))
            continue;
        trace_line(t.trace, 0, "%s %.60s", time_text(t.now_ns, buf), t.word);
        rule_event(&t);
    }
}

/* ---- time ---- */

static void tick_group(struct rules *r, const struct rule *rule, struct run *run, struct group *g)
{
    int64_t now = r->clock.now_ns;
    char buf[40];

    if (rule->quiet_ns && now - g->last_ns >= rule->quiet_ns) {
        trace_line(trace_of(r, rule), 0, "%s no more events", time_text(now, buf));
        recover(r, rule, run, g, NULL, now);
    } else if (rule->update_ns && now - g->told_ns >= rule->update_ns &&
               (!rule->quiet_ns || g->incident->alert.count > g->told_count)) {
        trace_line(trace_of(r, rule), 0, "%s update_every", time_text(now, buf));
        tell_update(r, rule, run, g, now);
    }
}

void rules_tick(struct rules *r, int64_t now_ns)
{
    clock_feed(&r->clock, now_ns);
    if (!r->set || r->clock.now_ns - r->ticked_ns < TICK_NS)
        return;
    r->ticked_ns = r->clock.now_ns;
    for (size_t i = 0; i < r->set->n; i++) {
        struct run *run = r->set->rule[i].run;

        for (uint32_t slot = run->firing.oldest, newer; slot != POOL_NONE; slot = newer) {
            struct group *g = pool_at(&run->groups, slot);

            newer = g->newer;
            tick_group(r, &r->set->rule[i], run, g);
        }
    }
}
