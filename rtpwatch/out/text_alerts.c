/* What rules would have told of the capture: when, how severe, by which rule. */
#include <cjson/cJSON.h>

#include "out/text_private.h"

enum { BODY = 9, TOLD = 50 };

/* Made safe by rule/alert.c. */
static const char *text_of(const struct out_alert *a, const char *name)
{
    const cJSON *alert = cJSON_GetObjectItemCaseSensitive(a->object, "alert");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(alert, name));

    return text ? text : "";
}

static void row(const struct text *t, const struct out_alert *a, struct text_table *x)
{
    struct strbuf time = { 0 };

    text_clock(t, &time, a->at_ns);
    table_take(x, &time);
    table_cell(x, text_of(a, "kind"));
    table_cell(x, text_of(a, "severity"));
    table_cell(x, text_of(a, "rule"));
    table_cell(x, text_of(a, "message"));
}

static void table(struct text *t, const struct out_alerts *a)
{
    static const struct text_column columns[] = {
        { .title = "time" }, { .title = "what" }, { .title = "severity" }, { .title = "rule" }, { .title = "message" }
    };
    struct text_table x;

    table_begin(&x, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < a->n && i < TOLD; i++)
        row(t, &a->alert[i], &x);
    table_print(t, &x, 2);
}

static void rest(struct text *t, const struct out_alerts *a)
{
    uint64_t more = a->n > TOLD ? a->n - TOLD : 0;
    struct strbuf b = { 0 };

    if (more + a->left_out) {
        text_count(&b, more + a->left_out, "more line is", "more lines are");
        strbuf_add(&b, " not told here. ");
    }
    if (a->going_on) {
        text_count(&b, a->going_on, "incident was", "incidents were");
        strbuf_add(&b, " not over at the end of the capture.");
    }
    if (b.n)
        text_paragraph(t, "", BODY, strbuf_str(&b));
    strbuf_done(&b);
}

void text_alerts(struct text *t)
{
    const struct out_alerts *a = t->r->alerts;
    struct strbuf b = { 0 };

    if (!a)
        return;
    text_line_empty(t);
    if (!a->n)
        strbuf_add(&b, "none; ");
    text_count(&b, a->rules, "rule was", "rules were");
    strbuf_add(&b, " in force");
    if (a->resting)
        strbuf_fmt(&b, ", %llu of them without effect until a list that they need is given", (unsigned long long)a->resting);
    strbuf_add(&b, ".");
    text_paragraph(t, "Alerts", BODY, strbuf_str(&b));
    strbuf_done(&b);
    if (a->n)
        table(t, a);
    rest(t, a);
}
