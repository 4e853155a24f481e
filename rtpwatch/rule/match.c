/* Conditions: whether they hold, and why. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rule/ruleset.h"

const char *op_word(enum op o)
{
#define X(id, word) word,
    static const char *const words[] = { OPS(X) };
#undef X

    return words[o];
}

void trace_line(const struct trace *t, unsigned depth, const char *fmt, ...)
{
    struct strbuf b = { 0 };
    char line[1600];
    va_list ap;

    if (!t)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    strbuf_fmt(&b, "%*s", (int)(2 * depth), "");
    put_safe(&b, line, sizeof line);
    t->say(t->self, strbuf_str(&b));
    strbuf_done(&b);
}

/* ---- text and networks ---- */

static uint8_t lower(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool glob_match(const char *pattern, const char *text)
{
    const char *star = NULL, *from = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            from = text;
        } else if (*pattern == '?' || (*pattern && lower(*pattern) == lower(*text))) {
            pattern++;
            text++;
        } else if (star) { /* the last star takes one character more */
            pattern = star;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

bool net_parse(const char *text, struct net *out)
{
    struct span rest = span_str(text), ip = span_until(&rest, '/');
    bool has_bits = ip.n < strlen(text);
    uint64_t bits = 0;
    unsigned most;

    *out = (struct net){ .none = true };
    if (!addr_parse_ip(ip, 0, &out->addr))
        return false;
    most = addr_is_v4(&out->addr) ? 32 : 128;
    if (has_bits && !span_u64(rest, most, &bits))
        return false;
    out->bits = 128 - most + (has_bits ? (unsigned)bits : most);
    out->none = false;
    return true;
}

static bool net_holds(const struct net *n, const struct addr *a)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;

    if (n->none || memcmp(n->addr.ip, a->ip, whole) != 0)
        return false;
    return !rest || ((n->addr.ip[whole] ^ a->ip[whole]) >> (8 - rest)) == 0;
}

static bool value_in_net(const cJSON *value, const struct net *n)
{
    struct addr a;

    return !n->none && cJSON_IsString(value) && addr_parse(span_str(value->valuestring), &a) && net_holds(n, &a);
}

/* ---- one test ---- */

static bool same(const cJSON *value, const struct literal *l)
{
    if (l->text)
        return cJSON_IsString(value) && strcmp(value->valuestring, l->text) == 0;
    if (l->is_bool)
        return cJSON_IsBool(value) && cJSON_IsTrue(value) == (l->number != 0);
    return cJSON_IsNumber(value) && value->valuedouble == l->number;
}

static bool like(const cJSON *value, const struct literal *l)
{
    return l->text && cJSON_IsString(value) && glob_match(l->text, value->valuestring);
}

static bool literal_holds(enum op op, const cJSON *value, const struct literal *l)
{
    switch (op) {
    case OP_EQUALS:
    case OP_ONE_OF: return same(value, l);
    case OP_GLOB: return like(value, l);
    case OP_CIDR: return value_in_net(value, &l->net);
    case OP_LISTED: return l->net.none ? like(value, l) : value_in_net(value, &l->net);
    case OP_LT: return cJSON_IsNumber(value) && value->valuedouble < l->number;
    case OP_LE: return cJSON_IsNumber(value) && value->valuedouble <= l->number;
    case OP_GT: return cJSON_IsNumber(value) && value->valuedouble > l->number;
    case OP_GE: return cJSON_IsNumber(value) && value->valuedouble >= l->number;
    default: return false;
    }
}

static bool test_holds(const struct test *t, const cJSON *value)
{
    const struct literal *v = t->list ? t->list->v : t->v;
    size_t n = t->list ? t->list->n : t->n;

    for (size_t i = 0; i < n; i++)
        if (literal_holds(t->op, value, &v[i]))
            return true;
    return false;
}

static bool is_exists(const struct test *t)
{
    return t->op == OP_EXISTS;
}

struct asked {
    const struct cond *cond;
};

static bool all_tests(void *self, const cJSON *value)
{
    const struct asked *a = self;

    for (const struct test *t = a->cond->tests; t; t = t->next)
        if (!is_exists(t) && !test_holds(t, value))
            return false;
    return true;
}

/* Whether a field is there is asked of the field, the other tests of its values. */
static bool field_holds(const struct cond *c, const cJSON *event)
{
    struct asked asked = { c };
    bool others = false;

    for (const struct test *t = c->tests; t; t = t->next) {
        others |= !is_exists(t);
        if (is_exists(t) && (path_first(&c->path, event) != NULL) != (t->v->number != 0))
            return false;
    }
    return !others || path_walk(&c->path, event, all_tests, &asked);
}

/* ---- telling ---- */

enum { TOLD_VALUES = 6, TOLD_BYTES = 100 };

static void put_literal(struct strbuf *b, const struct literal *l)
{
    if (l->text) {
        strbuf_add(b, "\"");
        strbuf_safe(b, span_str(l->text), TOLD_BYTES);
        strbuf_add(b, "\"");
    } else if (l->is_bool) {
        strbuf_add(b, l->number != 0 ? "true" : "false");
    } else {
        strbuf_fmt(b, "%.6g", l->number);
    }
}

static void put_test(struct strbuf *b, const struct test *t)
{
    strbuf_fmt(b, " %s ", op_word(t->op));
    if (t->list_name) {
        strbuf_fmt(b, "@%s", t->list_name);
        return;
    }
    for (size_t i = 0; i < t->n && i < TOLD_VALUES; i++) {
        strbuf_add(b, i ? ", " : "");
        put_literal(b, &t->v[i]);
    }
    strbuf_add(b, t->n > TOLD_VALUES ? ", ..." : "");
}

struct told {
    struct strbuf *b;
    unsigned n;
};

static bool put_value(void *self, const cJSON *value)
{
    struct told *t = self;
    struct strbuf text = { 0 };

    if (t->n == TOLD_VALUES) {
        strbuf_add(t->b, ", ...");
        return true;
    }
    value_text(value, &text);
    strbuf_add(t->b, t->n++ ? ", " : "");
    strbuf_add(t->b, cJSON_IsString(value) ? "\"" : "");
    if (cJSON_IsObject(value) || cJSON_IsArray(value))
        strbuf_add(t->b, cJSON_IsArray(value) ? "a list" : "an object");
    else
        strbuf_safe(t->b, span_str(strbuf_str(&text)), TOLD_BYTES);
    strbuf_add(t->b, cJSON_IsString(value) ? "\"" : "");
    strbuf_done(&text);
    return false;
}

static void trace_field(const struct cond *c, const cJSON *event, bool holds, const struct trace *t, unsigned depth)
{
    struct strbuf b = { 0 };
    struct told told = { &b, 0 };

    strbuf_add(&b, holds ? "yes  " : "no   ");
    strbuf_add(&b, c->path.text);
    for (const struct test *x = c->tests; x; x = x->next)
        put_test(&b, x);
    strbuf_add(&b, ": it is ");
    path_walk(&c->path, event, put_value, &told);
    strbuf_add(&b, told.n ? "" : "not there");
    trace_line(t, depth, "%s", strbuf_str(&b));
    strbuf_done(&b);
}

static void trace_join(enum cond_kind kind, bool holds, const struct trace *t, unsigned depth)
{
    static const char *const text[] = { "", "and: all of the above", "or: one of the above", "not: none of the above" };

    trace_line(t, depth, "%s  %s", holds ? "yes" : "no ", text[kind]);
}

/* ---- the whole ---- */

bool cond_holds(const struct cond *c, const cJSON *event, const struct trace *t, unsigned depth)
{
    bool holds;

    if (!c)
        return true;
    if (c->kind == COND_FIELD) {
        holds = field_holds(c, event);
        if (t)
            trace_field(c, event, holds, t, depth);
        return holds;
    }
    holds = c->kind == COND_AND;
    for (const struct cond *kid = c->child; kid && (t || holds == (c->kind == COND_AND)); kid = kid->next) {
        bool inside = cond_holds(kid, event, t, depth + 1);

        holds = c->kind == COND_AND ? holds && inside : holds || inside;
    }
    holds = c->kind == COND_NOT ? !holds : holds;
    if (t)
        trace_join(c->kind, holds, t, depth);
    return holds;
}

bool listens(const struct listen *l, const char *event)
{
    for (size_t i = 0; i < l->n; i++)
        if (glob_match(l->on[i], event))
            return true;
    return false;
}
