/* Rule files: what doc/rules.schema.json describes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/parse_private.h"

enum { PIECES_MOST = 64, PER_MINUTE_DEFAULT = 30, PER_MINUTE_MOST = 6000 };
#define QUIET_DEFAULT_NS    SECONDS(600)
#define COOLDOWN_DEFAULT_NS SECONDS(300)

/* ---- the message ---- */

static bool add_piece(struct reader *r, const cJSON *value, struct rule *rule, struct piece p)
{
    if (rule->pieces_n == PIECES_MOST)
        return wrong(r, value, ABOUT_VALUE, "expected at most %d pieces", PIECES_MOST);
    rule->pieces[rule->pieces_n++] = p;
    return true;
}

/* What stands between { and }. */
static bool read_placeholder(struct reader *r, const cJSON *value, struct rule *rule, struct span name)
{
    struct piece p = { .text = arena_str(&r->set->arena, name) };
    const char *why;

    if (!path_parse(&p.path, p.text, &r->set->arena, &why))
        return wrong(r, value, ABOUT_VALUE, "expected %s between { and }", why);
    return check_path(r, value, &p.path) && add_piece(r, value, rule, p);
}

static bool read_message(struct reader *r, const cJSON *value, void *into)
{
    struct rule *rule = into;
    const char *text;
    struct span rest;

    rule->pieces_n = 0;
    rule->pieces = arena_take(&r->set->arena, PIECES_MOST * sizeof *rule->pieces);
    if (!rule->pieces || !read_string(r, value, RULE_TEXT, &text))
        return false;
    for (rest = span_str(text); rest.n;) {
        size_t open = span_find(rest, '{'), close;
        struct span before = span_part(rest, 0, open);

        if (before.n && !add_piece(r, value, rule, (struct piece){ .text = arena_str(&r->set->arena, before) }))
            return false;
        if (open == rest.n)
            break;
        rest = span_part(rest, open + 1, rest.n);
        close = span_find(rest, '}');
        if (close == rest.n)
            return wrong(r, value, ABOUT_VALUE, "expected a closing } after {%.40s", (const char *)rest.p);
        if (!read_placeholder(r, value, rule, span_part(rest, 0, close)))
            return false;
        rest = span_part(rest, close + 1, rest.n);
    }
    return true;
}

/* ---- words ---- */

static bool read_word(struct reader *r, const cJSON *value, const char *const *words, unsigned *out)
{
    struct strbuf all = { 0 };

    for (unsigned i = 0; words[i]; i++) {
        if (cJSON_IsString(value) && strcmp(value->valuestring, words[i]) == 0) {
            *out = i;
            strbuf_done(&all);
            return true;
        }
        strbuf_fmt(&all, "%s%s", i ? ", " : "", words[i]);
    }
    wrong(r, value, ABOUT_VALUE, "expected one of %s", strbuf_str(&all));
    strbuf_done(&all);
    return false;
}

static bool read_severity(struct reader *r, const cJSON *value, void *into)
{
    const char *words[SEVERITY_DEBUG + 2] = { NULL };
    unsigned found = 0;

    for (unsigned i = 0; i <= SEVERITY_DEBUG; i++)
        words[i] = severity_word((enum severity)i);
    if (!read_word(r, value, words, &found))
        return false;
    ((struct rule *)into)->severity = (enum severity)found;
    return true;
}

static bool read_facility(struct reader *r, const cJSON *value, void *into)
{
    const char *words[25] = { NULL };

    for (unsigned i = 0; i < 24; i++)
        words[i] = facility_word(i);
    return read_word(r, value, words, &((struct rule *)into)->facility);
}

/* ---- what is listened to ---- */

static bool read_share_on(struct reader *r, const cJSON *value, void *into)
{
    return read_listen(r, value, &((struct rule *)into)->of);
}

static bool read_share_where(struct reader *r, const cJSON *value, void *into)
{
    return read_where(r, value, &((struct rule *)into)->of.where);
}

static bool read_share_percent(struct reader *r, const cJSON *value, void *into)
{
    return read_number(r, value, 0.001, 100, &((struct rule *)into)->percent);
}

static const struct member share_members[] = {
    { "percent", read_share_percent, false },
    { "of", read_share_on, false },
    { "where", read_share_where, true },
};

static bool read_share(struct reader *r, const cJSON *value, void *into)
{
    struct rule *rule = into;

    rule->percent = 0;
    rule->of = (struct listen){ 0 };
    if (cJSON_IsNull(value))
        return true;
    if (!read_object(r, value, share_members, sizeof share_members / sizeof *share_members, into))
        return false;
    return (rule->percent > 0 && rule->of.n) ||
           wrong(r, value, ABOUT_VALUE, "expected \"percent\" and \"of\" (the events that it is a share of)");
}

static bool read_over_on(struct reader *r, const cJSON *value, void *into)
{
    return read_listen(r, value, &((struct rule *)into)->over);
}

static bool read_over_where(struct reader *r, const cJSON *value, void *into)
{
    return read_where(r, value, &((struct rule *)into)->over.where);
}

static bool read_quiet(struct reader *r, const cJSON *value, void *into)
{
    return read_duration(r, value, &((struct rule *)into)->quiet_ns);
}

static const struct member over_members[] = {
    { "on", read_over_on, false },
    { "where", read_over_where, true },
    { "quiet", read_quiet, false },
};

static bool read_recover(struct reader *r, const cJSON *value, void *into)
{
    struct rule *rule = into;

    rule->over = (struct listen){ 0 };
    rule->recovers = !cJSON_IsNull(value);
    rule->quiet_ns = rule->recovers ? 0 : QUIET_DEFAULT_NS;
    if (!rule->recovers)
        return true;
    if (!read_object(r, value, over_members, sizeof over_members / sizeof *over_members, into))
        return false;
    if (rule->over.where && !rule->over.n)
        return wrong(r, value, ABOUT_VALUE, "expected \"on\" beside \"where\"");
    return rule->over.n || rule->quiet_ns || wrong(r, value, ABOUT_VALUE, "expected \"on\", \"quiet\", or both");
}

/* ---- the other fields of a rule ---- */

static bool read_rule_name(struct reader *r, const cJSON *value, void *into)
{
    return read_string(r, value, RULE_NAME, &((struct rule *)into)->name) &&
           check_name(r, value, ABOUT_VALUE, value->valuestring);
}

static bool read_description(struct reader *r, const cJSON *value, void *into)
{
    return read_string(r, value, RULE_TEXT, &((struct rule *)into)->description);
}

static bool read_enabled(struct reader *r, const cJSON *value, void *into)
{
    return read_bool(r, value, &((struct rule *)into)->enabled);
}

static bool read_on(struct reader *r, const cJSON *value, void *into)
{
    return read_listen(r, value, &((struct rule *)into)->on);
}

static bool read_rule_where(struct reader *r, const cJSON *value, void *into)
{
    return read_where(r, value, &((struct rule *)into)->on.where);
}

static bool read_count(struct reader *r, const cJSON *value, void *into)
{
    return read_whole(r, value, 1, RULE_COUNT, &((struct rule *)into)->count);
}

static bool read_within(struct reader *r, const cJSON *value, void *into)
{
    return read_duration(r, value, &((struct rule *)into)->within_ns);
}

static bool read_cooldown(struct reader *r, const cJSON *value, void *into)
{
    return read_duration(r, value, &((struct rule *)into)->cooldown_ns);
}

static bool read_update(struct reader *r, const cJSON *value, void *into)
{
    return read_duration(r, value, &((struct rule *)into)->update_ns);
}

static bool read_per_minute(struct reader *r, const cJSON *value, void *into)
{
    return read_whole(r, value, 1, PER_MINUTE_MOST, &((struct rule *)into)->max_per_minute);
}

static bool read_needs(struct reader *r, const cJSON *value, void *into)
{
    struct rule *rule = into;

    rule->needs_n = 0;
    return cJSON_IsNull(value) || read_names(r, value, RULE_LISTS, &rule->needs, &rule->needs_n);
}

static bool read_group_by(struct reader *r, const cJSON *value, void *into)
{
    struct rule *rule = into;
    const cJSON *item = cJSON_IsArray(value) ? value->child : value;
    bool fine = true;

    rule->group_n = 0;
    if (cJSON_IsNull(value))
        return true;
    if (cJSON_IsArray(value) && cJSON_GetArraySize(value) > ALERT_GROUP)
        return wrong(r, value, ABOUT_VALUE, "expected at most %d fields", ALERT_GROUP);
    for (; item && fine; item = cJSON_IsArray(value) ? item->next : NULL)
        fine = read_path(r, item, &rule->group[rule->group_n++]);
    return fine;
}

static const struct member rule_members[] = {
    { "name", read_rule_name, false },
    { "override", NULL, false },
    { "description", read_description, false },
    { "enabled", read_enabled, false },
    { "on", read_on, false },
    { "where", read_rule_where, true },
    { "count", read_count, false },
    { "within", read_within, true },
    { "share", read_share, true },
    { "group_by", read_group_by, true },
    { "needs", read_needs, true },
    { "cooldown", read_cooldown, true },
    { "update_every", read_update, true },
    { "max_per_minute", read_per_minute, false },
    { "recover_on", read_recover, true },
    { "severity", read_severity, false },
    { "facility", read_facility, false },
    { "message", read_message, false },
};

/* ---- a rule ---- */

/* Fields that make sense only together. `at`: the object that wrote the last of them. */
static bool check_rule(struct reader *r, const cJSON *at, const struct rule *rule)
{
    if (!rule->on.n)
        return wrong(r, at, ABOUT_VALUE, "expected \"on\": the events that it listens to");
    if (!rule->pieces_n)
        return wrong(r, at, ABOUT_VALUE, "expected \"message\": what the alert says");
    if ((rule->count > 1 || rule->percent > 0) && !rule->within_ns)
        return wrong(r, at, ABOUT_VALUE, "expected \"within\" (such as \"5m\") beside \"count\" or \"share\"");
    if (rule->within_ns && rule->count == 1 && rule->percent == 0)
        return wrong(r, at, ABOUT_VALUE, "expected \"count\" of 2 or more, or \"share\", beside \"within\"");
    return true;
}

static void keep_text(struct reader *r, struct rule *rule, const cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    struct strbuf all = { 0 };

    strbuf_fmt(&all, "%s%s", rule->text ? rule->text : "", text ? text : "");
    rule->text = arena_str(&r->set->arena, span_str(strbuf_str(&all)));
    strbuf_done(&all);
    cJSON_free(text);
}

static void read_fields(struct reader *r, const cJSON *object, struct rule *rule)
{
    struct place at = place_of(r->text, r->root, object, NULL);

    r->conds = 0;
    rule->file = arena_str(&r->set->arena, span_str(r->file));
    place_line(r->text, at.value, &rule->line, &rule->column);
    if (read_object(r, object, rule_members, sizeof rule_members / sizeof *rule_members, rule))
        check_rule(r, object, rule);
    keep_text(r, rule, object);
}

static const char *nearest_rule(const struct ruleset *s, const char *name)
{
    const char *names[RULES_MAX + 1] = { NULL };

    for (size_t i = 0; i < s->n; i++)
        names[i] = s->rule[i].name;
    return nearest(name, names);
}

static void override_rule(struct reader *r, const cJSON *object, const cJSON *name)
{
    struct rule *rule = cJSON_IsString(name) ? ruleset_find(r->set, name->valuestring) : NULL;
    const char *meant;

    if (!cJSON_IsString(name)) {
        wrong(r, name, ABOUT_VALUE, "expected the name of a rule");
    } else if (cJSON_HasObjectItem(object, "name")) {
        wrong(r, object, ABOUT_VALUE, "expected \"name\" (a new rule) or \"override\" (changes of one), not both");
    } else if (!rule) {
        meant = nearest_rule(r->set, name->valuestring);
        wrong(r, name, ABOUT_VALUE, "no file before this one has that rule%s%s%s", meant ? "; did you mean \"" : "",
              meant ? meant : "", meant ? "\"?" : "");
    } else {
        read_fields(r, object, rule);
    }
}

static void new_rule(struct reader *r, const cJSON *object)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(object, "name");
    const struct rule *same = cJSON_IsString(name) ? ruleset_find(r->set, name->valuestring) : NULL;
    struct rule *rule = &r->set->rule[r->set->n];

    if (same) {
        wrong(r, name, ABOUT_VALUE, "%s:%u:%u has a rule of that name; to change it, write \"override\" instead of \"name\"",
              same->file, same->line, same->column);
        return;
    }
    *rule = (struct rule){ .name = "",
                           .description = "",
                           .enabled = true,
                           .count = 1,
                           .max_per_minute = PER_MINUTE_DEFAULT,
                           .quiet_ns = QUIET_DEFAULT_NS,
                           .cooldown_ns = COOLDOWN_DEFAULT_NS,
                           .severity = SEVERITY_WARNING,
                           .facility = 3 /* daemon */ };
    r->set->n++;
    read_fields(r, object, rule);
    if (!name)
        wrong(r, object, ABOUT_VALUE, "expected \"name\"");
}

static bool read_rules(struct reader *r, const cJSON *value, void *into)
{
    (void)into;
    if (!cJSON_IsArray(value))
        return wrong(r, value, ABOUT_VALUE, "expected a list [ ] of rules");
    for (const cJSON *object = value->child; object; object = object->next) {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(object, "override");

        if (!cJSON_IsObject(object))
            wrong(r, object, ABOUT_VALUE, "expected a rule { }");
        else if (name)
            override_rule(r, object, name);
        else if (r->set->n == RULES_MAX)
            return wrong(r, object, ABOUT_VALUE, "expected at most %d rules", RULES_MAX);
        else
            new_rule(r, object);
        if (r->problems->n > PROBLEMS_TOLD)
            return false;
    }
    return true;
}

/* ---- lists ---- */

static bool fill_list(struct reader *r, const cJSON *value, struct list *l)
{
    size_t n = (size_t)cJSON_GetArraySize(value), i = 0;
    bool fine = true;
    char *text;

    if (n > RULE_WORDS)
        return wrong(r, value, ABOUT_VALUE, "expected at most %d entries", RULE_WORDS);
    l->v = arena_take(&r->set->arena, n * sizeof *l->v);
    l->n = l->v ? n : 0;
    for (const cJSON *item = value->child; item && i < l->n; item = item->next)
        fine &= read_literal(r, item, &l->v[i++]);
    text = cJSON_PrintUnformatted(value);
    l->text = arena_str(&r->set->arena, span_str(text ? text : ""));
    cJSON_free(text);
    return fine;
}

static bool read_list(struct reader *r, const cJSON *value)
{
    struct list *l = ruleset_list(r->set, value->string);

    if (!cJSON_IsArray(value))
        return wrong(r, value, ABOUT_VALUE, "expected a list [ ] of values");
    if (!l && r->set->lists_n == RULE_LISTS)
        return wrong(r, value, ABOUT_VALUE, "expected at most %d lists", RULE_LISTS);
    if (!l) {
        l = &r->set->list[r->set->lists_n++];
        l->name = arena_str(&r->set->arena, span_str(value->string));
        if (strlen(value->string) > RULE_NAME || !*value->string)
            return wrong(r, value, ABOUT_NAME, "expected a name of 1 to %d bytes", RULE_NAME);
        if (!check_name(r, value, ABOUT_NAME, l->name))
            return false;
    }
    return fill_list(r, value, l);
}

static bool read_lists(struct reader *r, const cJSON *value, void *into)
{
    (void)into;
    if (!cJSON_IsObject(value))
        return wrong(r, value, ABOUT_VALUE, "expected an object { } of lists by name");
    for (const cJSON *item = value->child; item && r->problems->n <= PROBLEMS_TOLD; item = item->next)
        if (given_before(value, item))
            wrong(r, item, ABOUT_NAME, "given twice");
        else
            read_list(r, item);
    return true;
}

/* ---- a file ---- */

static const struct member file_members[] = {
    { "$schema", NULL, true },
    { "description", NULL, true },
    { "lists", read_lists, false },
    { "rules", read_rules, false },
};

static void not_json(struct span text, const char *file, const struct place_error *e, struct problems *p)
{
    unsigned line, column;

    place_line(text, e->at, &line, &column);
    problem(p, "%s:%u:%u: this is no JSON: expected %s", file, line, column, e->expected);
}

void ruleset_parse(struct ruleset *s, const char *file, struct span text, struct problems *p)
{
    struct place_error e;
    cJSON *root = NULL;

    if (!place_check(text, &e)) {
        not_json(text, file, &e, p);
        return;
    }
    root = cJSON_ParseWithLength((const char *)text.p, text.n);
    if (root) {
        struct reader r = { .file = file, .text = text, .root = root, .set = s, .problems = p };

        read_object(&r, root, file_members, sizeof file_members / sizeof *file_members, NULL);
    } else {
        problem(p, "%s:1:1: not taken by the JSON reader: no memory", file);
    }
    cJSON_Delete(root);
}
