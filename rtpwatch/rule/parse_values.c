/* Values of a rule file, each with what was expected where it is another. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rule/parse_private.h"

enum { MEMBERS_MOST = 64, DAYS_MOST = 30 };

bool wrong(struct reader *r, const cJSON *item, enum about about, const char *fmt, ...)
{
    struct strbuf path = { 0 };
    struct place at;
    unsigned line, column;
    char text[1200];
    va_list ap;

    if (r->problems->n >= PROBLEMS_TOLD) { /* finding a place takes time, and no one reads it */
        problem(r->problems, "%s: there is more", r->file);
        return false;
    }
    at = place_of(r->text, r->root, item, &path);
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    place_line(r->text, about == ABOUT_NAME ? at.key : at.value, &line, &column);
    problem(r->problems, "%s:%u:%u: %s%s%s", r->file, line, column, strbuf_str(&path), path.n ? ": " : "", text);
    strbuf_done(&path);
    return false;
}

/* ---- objects ---- */

static const struct member *member_find(const struct member *members, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

static bool unknown(struct reader *r, const cJSON *item, const struct member *members, size_t n)
{
    const char *names[MEMBERS_MOST + 1] = { NULL }, *meant;

    for (size_t i = 0; i < n && i < MEMBERS_MOST; i++)
        names[i] = members[i].name;
    meant = nearest(item->string, names);
    return wrong(r, item, ABOUT_NAME, "no such field%s%s%s", meant ? "; did you mean \"" : "", meant ? meant : "",
                 meant ? "\"?" : "");
}

bool given_before(const cJSON *object, const cJSON *item)
{
    for (const cJSON *other = object->child; other != item; other = other->next)
        if (strcmp(other->string, item->string) == 0)
            return true;
    return false;
}

bool read_object(struct reader *r, const cJSON *object, const struct member *members, size_t n, void *into)
{
    bool fine = true;

    if (!cJSON_IsObject(object))
        return wrong(r, object, ABOUT_VALUE, "expected an object { }");
    if (cJSON_GetArraySize(object) > MEMBERS_MOST)
        return wrong(r, object, ABOUT_VALUE, "expected at most %d fields", MEMBERS_MOST);
    for (const cJSON *item = object->child; item; item = item->next) {
        const struct member *m = member_find(members, n, item->string);

        if (given_before(object, item))
            fine = wrong(r, item, ABOUT_NAME, "given twice");
        else if (!m)
            fine = unknown(r, item, members, n);
        else if (cJSON_IsNull(item) && !m->nullable)
            fine = wrong(r, item, ABOUT_VALUE, "expected a value, not null");
        else if (m->read)
            fine &= m->read(r, item, into);
    }
    return fine;
}

/* ---- values ---- */

bool read_string(struct reader *r, const cJSON *value, size_t max, const char **out)
{
    size_t n;

    if (!cJSON_IsString(value))
        return wrong(r, value, ABOUT_VALUE, "expected a string in double quotes");
    n = strlen(value->valuestring);
    if (n == 0 || n > max)
        return wrong(r, value, ABOUT_VALUE, "expected a string of 1 to %zu bytes, this one has %zu", max, n);
    *out = arena_str(&r->set->arena, span_str(value->valuestring));
    return true;
}

bool read_number(struct reader *r, const cJSON *value, double least, double most, double *out)
{
    if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble) || value->valuedouble < least || value->valuedouble > most)
        return wrong(r, value, ABOUT_VALUE, "expected a number from %g to %g", least, most);
    *out = value->valuedouble;
    return true;
}

bool read_whole(struct reader *r, const cJSON *value, unsigned least, unsigned most, unsigned *out)
{
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= least && value->valuedouble <= most) ||
        floor(value->valuedouble) != value->valuedouble)
        return wrong(r, value, ABOUT_VALUE, "expected a whole number from %u to %u", least, most);
    *out = (unsigned)value->valuedouble;
    return true;
}

bool read_bool(struct reader *r, const cJSON *value, bool *out)
{
    if (!cJSON_IsBool(value))
        return wrong(r, value, ABOUT_VALUE, "expected true or false");
    *out = cJSON_IsTrue(value);
    return true;
}

bool read_duration(struct reader *r, const cJSON *value, int64_t *out_ns)
{
    static const char units[] = "smhd";
    static const int64_t seconds[] = { 1, 60, 3600, 86400 };
    struct span text = cJSON_IsString(value) ? span_str(value->valuestring) : SPAN_NONE;
    const char *unit = text.n ? strchr(units, text.p[text.n - 1]) : NULL;
    uint64_t n = 0;

    *out_ns = 0;
    if (cJSON_IsNull(value))
        return true;
    if (!unit || !span_u64(span_part(text, 0, text.n - 1), 1000000000, &n) || n == 0 ||
        (int64_t)n * seconds[unit - units] > (int64_t)DAYS_MOST * 86400)
        return wrong(r, value, ABOUT_VALUE, "expected a time such as \"30s\", \"5m\", \"2h\" or \"1d\", at most \"%dd\"",
                     DAYS_MOST);
    *out_ns = SECONDS((int64_t)n * seconds[unit - units]);
    return true;
}

/* ---- names and fields ---- */

bool check_name(struct reader *r, const cJSON *at, enum about about, const char *name)
{
    for (const char *c = name; *c; c++)
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && !(c > name && strchr("-_.", *c)))
            return wrong(r, at, about, "expected a name of a-z, 0-9, - _ and . (such as bad-stun-server)");
    return true;
}

static void alt_text(const struct path_alt *a, struct strbuf *out)
{
    for (size_t i = 0; i < a->n; i++)
        strbuf_fmt(out, "%s%s%s", i ? "." : "", a->step[i].name, a->step[i].each ? "[*]" : "");
}

static bool check_field(struct reader *r, const cJSON *at, const char *field)
{
    const char *meant;

    if (field_is_known(field))
        return true;
    meant = field_nearest(field);
    return wrong(r, at, ABOUT_VALUE, "no event has the field \"%s\"%s%s%s", field, meant ? "; did you mean \"" : "",
                 meant ? meant : "", meant ? "\"?" : "");
}

bool check_path(struct reader *r, const cJSON *at, const struct path *p)
{
    bool fine = true;

    for (size_t i = 0; i < p->n; i++) {
        struct strbuf text = { 0 };

        alt_text(&p->alt[i], &text);
        fine &= check_field(r, at, strbuf_str(&text));
        strbuf_done(&text);
    }
    return fine;
}

bool check_word(struct reader *r, const cJSON *at, const struct path *p)
{
    struct strbuf field = { 0 }, all = { 0 };
    bool fine = !cJSON_IsString(at);

    for (size_t i = 0; i < p->n && !fine; i++) {
        strbuf_clear(&field);
        alt_text(&p->alt[i], &field);
        fine = field_may_be(strbuf_str(&field), at->valuestring);
    }
    if (!fine) {
        field_words(strbuf_str(&field), &all);
        wrong(r, at, ABOUT_VALUE, "%s is never \"%.80s\": expected one of %s", p->text, at->valuestring, strbuf_str(&all));
    }
    strbuf_done(&field);
    strbuf_done(&all);
    return fine;
}

bool read_path(struct reader *r, const cJSON *value, struct path *out)
{
    const char *text = "", *why = "";

    if (!read_string(r, value, RULE_TEXT, &text))
        return false;
    if (!path_parse(out, text, &r->set->arena, &why))
        return wrong(r, value, ABOUT_VALUE, "expected %s", why);
    return check_path(r, value, out);
}

bool read_names(struct reader *r, const cJSON *value, size_t max, const char ***out, size_t *n)
{
    const cJSON *item = cJSON_IsArray(value) ? value->child : value;
    size_t wanted = cJSON_IsArray(value) ? (size_t)cJSON_GetArraySize(value) : 1;
    bool fine = true;

    if (!cJSON_IsArray(value) && !cJSON_IsString(value))
        return wrong(r, value, ABOUT_VALUE, "expected a string, or a list of strings");
    if (wanted == 0 || wanted > max)
        return wrong(r, value, ABOUT_VALUE, "expected 1 to %zu strings", max);
    *out = arena_take(&r->set->arena, wanted * sizeof **out);
    if (!*out)
        return wrong(r, value, ABOUT_VALUE, "no memory");
    for (*n = 0; *n < wanted; item = item->next, ++*n)
        fine &= read_string(r, item, RULE_TEXT, &(*out)[*n]);
    return fine;
}

static bool no_such_event(struct reader *r, const cJSON *item, const char *word)
{
    struct strbuf meant = { 0 };

    if (event_nearest(word, &meant))
        wrong(r, item, ABOUT_VALUE, "there is no event \"%s\"; did you mean \"%s\"?", word, strbuf_str(&meant));
    else
        wrong(r, item, ABOUT_VALUE, "there is no event \"%s\"; the man page lists them, at EVENTS", word);
    strbuf_done(&meant);
    return false;
}

bool read_listen(struct reader *r, const cJSON *on, struct listen *out)
{
    const cJSON *item = cJSON_IsArray(on) ? on->child : on;
    bool fine = read_names(r, on, 32, &out->on, &out->n);

    for (size_t i = 0; fine && i < out->n; i++, item = item->next)
        fine = event_pattern_is_known(out->on[i]) || no_such_event(r, item, out->on[i]);
    if (!fine)
        out->n = 0;
    return fine;
}
