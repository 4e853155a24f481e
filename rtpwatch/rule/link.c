/* What is known once all files are read: the lists that rules name, and whether their events have the fields that they name. */
#include <string.h>

#include "rule/ruleset.h"

/* ---- lists ---- */

static const struct list *link_list(struct ruleset *s, const struct rule *r, const char *name, struct problems *p)
{
    const char *names[RULE_LISTS + 1] = { NULL }, *meant;
    const struct list *l = ruleset_list(s, name);

    if (l)
        return l;
    for (size_t i = 0; i < s->lists_n; i++)
        names[i] = s->list[i].name;
    meant = nearest(name, names);
    problem(p, "%s:%u:%u: rule %s: no file has the list \"%s\"%s%s%s", r->file, r->line, r->column, r->name, name,
            meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
    return NULL;
}

static void link_cond(struct ruleset *s, const struct rule *r, struct cond *c, struct problems *p)
{
    for (; c; c = c->next) {
        for (struct test *t = c->tests; t; t = t->next) {
            t->list = t->list_name ? link_list(s, r, t->list_name, p) : NULL;
            for (size_t i = 0; t->op == OP_CIDR && t->list && i < t->list->n; i++)
                if (t->list->v[i].net.none)
                    problem(p, "%s:%u:%u: rule %s: entry %zu of list \"%s\" is no network (use \"listed\" for names)", r->file,
                            r->line, r->column, r->name, i + 1, t->list->name);
        }
        link_cond(s, r, c->child, p);
    }
}

/* ---- fields ---- */

/* Whether one alternative of the field is of some event in `l`. */
static bool heard(const struct listen *l, const struct path *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const char *first = p->alt[i].step[0].name;

        for (size_t k = 0; k < l->n; k++)
            if (event_has(l->on[k], first))
                return true;
    }
    return false;
}

/* A condition on a field that never comes would make a rule that never speaks, a group that never is over. */
static void link_field(const struct rule *r, const struct listen *l, const char *where, const struct path *path,
                       struct problems *p)
{
    if (l->n && path->n && !heard(l, path))
        problem(p, "%s:%u:%u: rule %s: no event in \"%s\" has the field \"%s\"", r->file, r->line, r->column, r->name, where,
                path->text);
}

static void link_fields(const struct rule *r, const struct listen *l, const char *where, const struct cond *c, struct problems *p)
{
    for (; c; c = c->next) {
        link_field(r, l, where, &c->path, p);
        link_fields(r, l, where, c->child, p);
    }
}

static void link_rule(const struct rule *r, struct problems *p)
{
    link_fields(r, &r->on, "on", r->on.where, p);
    link_fields(r, &r->of, "share.of", r->of.where, p);
    link_fields(r, &r->over, "recover_on.on", r->over.where, p);
    for (size_t i = 0; i < r->group_n; i++) {
        link_field(r, &r->on, "on", &r->group[i], p);
        link_field(r, &r->of, "share.of", &r->group[i], p);
        link_field(r, &r->over, "recover_on.on", &r->group[i], p);
    }
    for (size_t i = 0; i < r->pieces_n; i++)
        if (strncmp(r->pieces[i].text, "alert.", strlen("alert.")) != 0) /* what the rule itself knows */
            link_field(r, &r->on, "on", &r->pieces[i].path, p);
}

/* ---- all ---- */

void ruleset_link(struct ruleset *s, struct problems *p)
{
    for (size_t i = 0; i < s->n; i++) {
        struct rule *r = &s->rule[i];

        link_cond(s, r, r->on.where, p);
        link_cond(s, r, r->of.where, p);
        link_cond(s, r, r->over.where, p);
        link_rule(r, p);
        r->resting = false;
        for (size_t k = 0; k < r->needs_n; k++) {
            const struct list *l = link_list(s, r, r->needs[k], p);

            r->resting |= !l || !l->n;
        }
    }
}
