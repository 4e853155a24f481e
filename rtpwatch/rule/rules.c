/* The rules in force: loading, reloading, checking. */
#include <stdlib.h>
#include <string.h>

#include "rule/eval_private.h"

struct rules *rules_new(rules_tell *tell, void *self)
{
    struct rules *r = calloc(1, sizeof *r);

    if (r) {
        r->tell = tell;
        r->self = self;
    }
    return r;
}

static void set_free(struct ruleset *set)
{
    for (size_t i = 0; set && i < set->n; i++)
        run_free(set->rule[i].run);
    ruleset_free(set);
}

void rules_free(struct rules *r)
{
    if (!r)
        return;
    set_free(r->set);
    free(r->explained);
    free(r);
}

/* ---- loading ---- */

/* Each new rule takes over the state of the one that it is the same as. */
static void take_over(struct ruleset *old, struct rule *rule)
{
    struct rule *same = old ? ruleset_find(old, rule->name) : NULL;
    struct run *fresh = rule->run;

    if (!same || strcmp(same->text, rule->text) != 0)
        return;
    rule->run = same->run;
    same->run = fresh;
}

/* `set` NULL: its problems were told. */
static bool put_in_force(struct rules *r, struct ruleset *set, struct problems *p)
{
    if (!set)
        return false;
    for (size_t i = 0; i < set->n; i++) {
        set->rule[i].run = run_new();
        if (!set->rule[i].run) {
            problem(p, "no memory");
            set_free(set);
            return false;
        }
    }
    for (size_t i = 0; i < set->n; i++)
        take_over(r->set, &set->rule[i]);
    set_free(r->set);
    r->set = set;
    return true;
}

bool rules_load(struct rules *r, const char *const *paths, size_t n, rules_say *say, void *self)
{
    struct problems p = { say, self, 0 };

    return put_in_force(r, ruleset_read(paths, n, &p), &p);
}

bool rules_load_text(struct rules *r, const char *name, struct span text, rules_say *say, void *self)
{
    struct problems p = { say, self, 0 };
    struct ruleset *set = calloc(1, sizeof *set);

    if (!set)
        return false;
    ruleset_parse(set, name, text, &p);
    ruleset_link(set, &p);
    if (p.n) {
        ruleset_free(set);
        set = NULL;
    }
    return put_in_force(r, set, &p);
}

/* ---- checking ---- */

static void summarise(const struct rule *rule, rules_say *say, void *self)
{
    struct strbuf b = { 0 };

    strbuf_fmt(&b, "%s: %s.%s, %s", rule->name, facility_word(rule->facility), severity_word(rule->severity),
               !rule->enabled  ? "not enabled"
               : rule->resting ? "resting until a list that it needs has entries"
                               : "in force");
    for (size_t i = 0; rule->resting && i < rule->needs_n; i++)
        strbuf_fmt(&b, "%s%s", i ? ", " : ": ", rule->needs[i]);
    say(self, strbuf_str(&b));
    strbuf_done(&b);
}

bool rules_check(const char *const *paths, size_t n, bool summary, rules_say *say, void *self)
{
    struct problems p = { say, self, 0 };
    struct ruleset *set = ruleset_read(paths, n, &p);

    for (size_t i = 0; set && summary && i < set->n; i++)
        summarise(&set->rule[i], say, self);
    ruleset_free(set);
    return set != NULL;
}

/* ---- explaining and counting ---- */

static void tell_no_rule(const struct rules *r, const char *name, rules_say *say, void *self)
{
    const char *names[RULES_MAX + 1] = { NULL }, *meant;
    struct strbuf b = { 0 };

    for (size_t i = 0; r->set && i < r->set->n; i++)
        names[i] = r->set->rule[i].name;
    meant = nearest(name, names);
    strbuf_add(&b, "there is no rule \"");
    strbuf_safe(&b, span_str(name), RULE_NAME);
    strbuf_fmt(&b, "\"%s%s%s", meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
    say(self, strbuf_str(&b));
    strbuf_done(&b);
}

static void tell_rule(const struct rule *rule, rules_say *say, void *self)
{
    struct strbuf b = { 0 };

    strbuf_fmt(&b, "rule %s of %s:%u:%u", rule->name, rule->file, rule->line, rule->column);
    say(self, strbuf_str(&b));
    summarise(rule, say, self);
    strbuf_done(&b);
}

bool rules_explain(struct rules *r, const char *rule, rules_say *say, void *self)
{
    const struct rule *found = r->set ? ruleset_find(r->set, rule) : NULL;
    size_t n = strlen(rule) + 1;

    free(r->explained);
    r->explained = NULL;
    r->trace = (struct trace){ say, self };
    if (!say)
        return found != NULL;
    if (!found) {
        tell_no_rule(r, rule, say, self);
        return false;
    }
    r->explained = malloc(n);
    if (r->explained)
        memcpy(r->explained, rule, n);
    tell_rule(found, say, self);
    return r->explained != NULL;
}

struct rules_counts rules_count(const struct rules *r)
{
    struct rules_counts c = r->counts;

    c.rules = c.resting = c.groups = c.incidents = 0;
    for (size_t i = 0; r->set && i < r->set->n; i++) {
        c.rules += r->set->rule[i].enabled;
        c.resting += r->set->rule[i].enabled && r->set->rule[i].resting;
        c.groups += r->set->rule[i].run->groups.live;
        c.incidents += r->set->rule[i].run->incidents;
    }
    return c;
}
