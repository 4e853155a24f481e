/* Fields of an event by their dotted names. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/ruleset.h"

static bool name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '$';
}

static bool step_parse(struct step *s, struct span text, struct arena *a)
{
    struct span name = text;

    s->each = text.n > 3 && memcmp(text.p + text.n - 3, "[*]", 3) == 0;
    if (s->each)
        name.n -= 3;
    for (size_t i = 0; i < name.n; i++)
        if (!name_byte(name.p[i]))
            return false;
    s->name = arena_str(a, name);
    return name.n > 0;
}

static bool alt_parse(struct path_alt *alt, struct span text, struct arena *a, const char **why)
{
    *why = "names between dots, such as session.directions[*].verdict";
    if (!text.n || text.p[text.n - 1] == '.')
        return false;
    while (text.n) {
        struct span name = span_until(&text, '.');

        if (alt->n == PATH_STEPS) {
            *why = "at most 8 names between dots";
            return false;
        }
        if (!step_parse(&alt->step[alt->n++], name, a))
            return false;
    }
    return true;
}

bool path_parse(struct path *p, const char *text, struct arena *a, const char **why)
{
    struct span rest = span_str(text);

    *p = (struct path){ .text = text };
    *why = "a field";
    if (rest.n && rest.p[rest.n - 1] == '|')
        return false;
    while (rest.n) {
        if (p->n == PATH_ALTS) {
            *why = "at most 4 alternatives between |";
            return false;
        }
        if (!alt_parse(&p->alt[p->n++], span_until(&rest, '|'), a, why))
            return false;
    }
    return p->n > 0;
}

/* ---- looking ---- */

struct walk {
    bool (*each)(void *self, const cJSON *value);
    void *self;
    bool any; /* some value was there */
};

static bool walk(const struct step *step, size_t n, const cJSON *at, struct walk *w)
{
    const cJSON *kid;

    if (n == 0) {
        if (cJSON_IsNull(at))
            return false;
        w->any = true;
        return w->each(w->self, at);
    }
    kid = cJSON_IsObject(at) ? cJSON_GetObjectItemCaseSensitive(at, step->name) : NULL;
    if (!kid)
        return false;
    if (!step->each)
        return walk(step + 1, n - 1, kid, w);
    if (!cJSON_IsArray(kid))
        return false;
    for (kid = kid->child; kid; kid = kid->next)
        if (walk(step + 1, n - 1, kid, w))
            return true;
    return false;
}

bool path_walk(const struct path *p, const cJSON *event, bool (*each)(void *self, const cJSON *value), void *self)
{
    struct walk w = { each, self, false };

    for (size_t i = 0; i < p->n && !w.any; i++)
        if (walk(p->alt[i].step, p->alt[i].n, event, &w))
            return true;
    return false;
}

static bool keep(void *self, const cJSON *value)
{
    *(const cJSON **)self = value;
    return true;
}

const cJSON *path_first(const struct path *p, const cJSON *event)
{
    const cJSON *found = NULL;

    path_walk(p, event, keep, &found);
    return found;
}

void value_text(const cJSON *value, struct strbuf *out)
{
    if (cJSON_IsString(value) && value->valuestring)
        strbuf_add(out, value->valuestring);
    else if (cJSON_IsNumber(value) && floor(value->valuedouble) == value->valuedouble && fabs(value->valuedouble) < 1e15)
        strbuf_fmt(out, "%.0f", value->valuedouble);
    else if (cJSON_IsNumber(value))
        strbuf_fmt(out, "%.6g", value->valuedouble);
    else if (cJSON_IsBool(value))
        strbuf_add(out, cJSON_IsTrue(value) ? "true" : "false");
    else
        strbuf_add(out, "-");
}

/*
 * Backslashes stay single: values of an event were escaped when it was made, and a second time would change them. No control character
 * comes through either way.
 */
void put_safe(struct strbuf *out, const char *text, size_t max)
{
    struct span rest = span_str(text);
    size_t start = out->n;

    while (rest.n && out->n - start < max) {
        size_t plain = span_find(rest, '\\');

        if (plain == 0) {
            strbuf_add(out, "\\");
            rest = span_part(rest, 1, rest.n);
            continue;
        }
        strbuf_safe(out, span_part(rest, 0, plain), max - (out->n - start));
        rest = span_part(rest, plain, rest.n);
    }
}

const char *safe_copy(struct arena *arena, const char *text, size_t max)
{
    struct strbuf b = { 0 };
    const char *copy;

    put_safe(&b, text, max);
    copy = arena_str(arena, span_str(strbuf_str(&b)));
    strbuf_done(&b);
    return copy;
}
