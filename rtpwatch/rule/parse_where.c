/* Conditions of a rule file. */
#include <string.h>

#include "rule/parse_private.h"

bool read_literal(struct reader *r, const cJSON *value, struct literal *out)
{
    *out = (struct literal){ .net = { .none = true } };
    if (cJSON_IsNumber(value) || cJSON_IsBool(value)) {
        out->is_bool = cJSON_IsBool(value);
        out->number = out->is_bool ? cJSON_IsTrue(value) : value->valuedouble;
        return true;
    }
    if (!cJSON_IsString(value))
        return wrong(r, value, ABOUT_VALUE, "expected a string, a number, true or false");
    out->text = arena_str(&r->set->arena, span_str(value->valuestring));
    net_parse(out->text, &out->net);
    return strlen(value->valuestring) <= RULE_TEXT || wrong(r, value, ABOUT_VALUE, "expected at most %d bytes", RULE_TEXT);
}

static bool literal_fits(struct reader *r, const cJSON *value, enum op op, const struct literal *l)
{
    if (op == OP_CIDR && (!l->text || l->net.none))
        return wrong(r, value, ABOUT_VALUE,
                     "expected a network such as \"198.51.100.0/24\" or \"2001:db8::/32\", or one address");
    if ((op == OP_GLOB || op == OP_LISTED) && !l->text)
        return wrong(r, value, ABOUT_VALUE, "expected a string");
    if (op == OP_EXISTS && !l->is_bool)
        return wrong(r, value, ABOUT_VALUE, "expected true or false");
    if (op >= OP_LT && op <= OP_GE && (l->text || l->is_bool))
        return wrong(r, value, ABOUT_VALUE, "expected a number");
    return true;
}

static bool takes_list(enum op op)
{
    return op == OP_ONE_OF || op == OP_GLOB || op == OP_CIDR || op == OP_LISTED;
}

static bool read_literals(struct reader *r, const cJSON *value, struct test *t)
{
    bool list = cJSON_IsArray(value), fine = true;
    const cJSON *item = list ? value->child : value;
    size_t n = list ? (size_t)cJSON_GetArraySize(value) : 1, i = 0;
    struct literal *v;

    if (list != takes_list(t->op) && (list || t->op == OP_ONE_OF))
        return wrong(r, value, ABOUT_VALUE, list ? "expected one value, not a list" : "expected a list of values, or \"@NAME\"");
    if (n > RULE_WORDS)
        return wrong(r, value, ABOUT_VALUE, "expected at most %d values", RULE_WORDS);
    v = arena_take(&r->set->arena, n * sizeof *v);
    if (!v)
        return wrong(r, value, ABOUT_VALUE, "no memory");
    for (; item && i < n; item = item->next, i++) {
        fine &= read_literal(r, item, &v[i]) && literal_fits(r, item, t->op, &v[i]);
        if (!list)
            break;
    }
    t->v = v;
    t->n = n;
    return fine;
}

static bool read_test(struct reader *r, const cJSON *value, enum op op, struct cond *c)
{
    struct test *t = arena_take(&r->set->arena, sizeof *t), **end = &c->tests;

    if (!t)
        return wrong(r, value, ABOUT_VALUE, "no memory");
    t->op = op;
    while (*end)
        end = &(*end)->next;
    *end = t;
    if (takes_list(op) && cJSON_IsString(value) && value->valuestring[0] == '@') {
        t->list_name = arena_str(&r->set->arena, span_str(value->valuestring + 1));
        return true;
    }
    return read_literals(r, value, t);
}

static bool read_conds(struct reader *r, const cJSON *list, struct cond **out);
static bool read_cond(struct reader *r, const cJSON *value, struct cond **out);

static bool read_field(struct reader *r, const cJSON *value, void *into)
{
    return read_path(r, value, &((struct cond *)into)->path);
}

static bool read_and(struct reader *r, const cJSON *value, void *into)
{
    struct cond *c = into;

    c->kind = COND_AND;
    return read_conds(r, value, &c->child);
}

static bool read_or(struct reader *r, const cJSON *value, void *into)
{
    struct cond *c = into;

    c->kind = COND_OR;
    return read_conds(r, value, &c->child);
}

static bool read_not(struct reader *r, const cJSON *value, void *into)
{
    struct cond *c = into;

    c->kind = COND_NOT;
    return read_cond(r, value, &c->child);
}

#define X(id, word)                                                                                                              \
    static bool read_##id(struct reader *r, const cJSON *value, void *into)                                                      \
    {                                                                                                                            \
        return read_test(r, value, OP_##id, into);                                                                               \
    }
OPS(X)
#undef X

static const struct member cond_members[] = { { "and", read_and, false },
                                              { "or", read_or, false },
                                              { "not", read_not, false },
                                              { "field", read_field, false },
#define X(id, word) { word, read_##id, false },
                                              OPS(X)
#undef X
};

/* A condition is one of: a field with tests, "and", "or", "not". */
static bool check_shape(struct reader *r, const cJSON *value)
{
    int size = cJSON_GetArraySize(value);

    for (const cJSON *item = value->child; item; item = item->next)
        if ((strcmp(item->string, "and") == 0 || strcmp(item->string, "or") == 0 || strcmp(item->string, "not") == 0) && size > 1)
            return wrong(r, item, ABOUT_NAME, "expected nothing beside it: put \"%s\" into an object of its own", item->string);
    return true;
}

/* A misspelt word would make a condition that never holds. */
static bool check_words(struct reader *r, const cJSON *value, const struct cond *c)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(value, op_word(OP_EQUALS));
    bool fine = !item || check_word(r, item, &c->path);

    item = cJSON_GetObjectItemCaseSensitive(value, op_word(OP_ONE_OF));
    for (item = cJSON_IsArray(item) ? item->child : NULL; item; item = item->next)
        fine &= check_word(r, item, &c->path);
    return fine;
}

static bool read_cond(struct reader *r, const cJSON *value, struct cond **out)
{
    struct cond *c = arena_take(&r->set->arena, sizeof *c);

    *out = c;
    if (!c)
        return wrong(r, value, ABOUT_VALUE, "no memory");
    if (cJSON_IsArray(value)) {
        c->kind = COND_AND;
        return read_conds(r, value, &c->child);
    }
    if (++r->conds > RULE_CONDS)
        return wrong(r, value, ABOUT_VALUE, "expected at most %d conditions in one rule", RULE_CONDS);
    if (!read_object(r, value, cond_members, sizeof cond_members / sizeof *cond_members, c) || !check_shape(r, value))
        return false;
    if (c->kind == COND_FIELD && !c->path.n)
        return wrong(r, value, ABOUT_VALUE, "expected \"field\", \"and\", \"or\" or \"not\"");
    if (c->kind == COND_FIELD && !c->tests)
        return wrong(r, value, ABOUT_VALUE,
                     "expected what the field must be: equals, one_of, glob, cidr, listed, lt, le, gt, ge or exists");
    return check_words(r, value, c);
}

static bool read_conds(struct reader *r, const cJSON *list, struct cond **out)
{
    bool fine = true;

    if (!cJSON_IsArray(list))
        return wrong(r, list, ABOUT_VALUE, "expected a list [ ] of conditions");
    if (!list->child)
        return wrong(r, list, ABOUT_VALUE, "expected at least one condition");
    for (const cJSON *item = list->child; item && r->conds <= RULE_CONDS; item = item->next) {
        fine &= read_cond(r, item, out);
        if (!*out)
            return false;
        out = &(*out)->next;
    }
    return fine;
}

bool read_where(struct reader *r, const cJSON *value, struct cond **out)
{
    *out = NULL;
    if (cJSON_IsNull(value))
        return true;
    if (!cJSON_IsArray(value) && !cJSON_IsObject(value))
        return wrong(r, value, ABOUT_VALUE, "expected a condition { }, or a list [ ] of conditions that must all hold");
    return read_cond(r, value, out);
}
