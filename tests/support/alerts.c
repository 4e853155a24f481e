#include "support/alerts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES_MOST = 8 };

void alerts_say(void *self, const char *line)
{
    struct alerts *a = self;

    strbuf_fmt(&a->said, "%s\n", line);
}

static void tell(void *self, const struct alert *x)
{
    struct alerts *a = self;

    a->n++;
    strbuf_fmt(&a->lines, "%s %s [", alert_kind_word(x->kind), x->rule);
    for (size_t i = 0; i < x->group_n; i++)
        strbuf_fmt(&a->lines, "%s%s", i ? ", " : "", x->group[i].value);
    strbuf_fmt(&a->lines, "] %llu: %s\n", (unsigned long long)x->count, x->message);
    cJSON_Delete(a->latest);
    a->latest = alert_json(x);
}

static void write_file(char path[], const char *text)
{
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

bool alerts_load_all(struct alerts *a, const char *const *rules, size_t n)
{
    char path[FILES_MOST][32];
    const char *paths[FILES_MOST] = { NULL };
    bool fine;

    for (size_t i = 0; i < n; i++) {
        snprintf(path[i], sizeof path[i], "/tmp/rules-XXXXXX");
        write_file(path[i], rules[i]);
        paths[i] = path[i];
    }
    fine = rules_load(a->rules, paths, n, alerts_say, a);
    for (size_t i = 0; i < n; i++)
        unlink(path[i]);
    return fine;
}

bool alerts_load(struct alerts *a, const char *rules)
{
    return alerts_load_all(a, &rules, 1);
}

void alerts_begin(struct alerts *a, const char *rules)
{
    *a = (struct alerts){ 0 };
    a->rules = rules_new(tell, a);
    cr_assert(a->rules);
    cr_assert(!rules || alerts_load(a, rules), "%s", strbuf_str(&a->said));
}

void alerts_end(struct alerts *a)
{
    rules_free(a->rules);
    strbuf_done(&a->lines);
    strbuf_done(&a->said);
    cJSON_Delete(a->latest);
}

void alerts_event(struct alerts *a, unsigned at_s, const char *event)
{
    cJSON *e = cJSON_Parse(event);

    cr_assert(e, "%s", event);
    rules_event(a->rules, e, T0 + SECONDS(at_s));
    cJSON_Delete(e);
}

void alerts_tick(struct alerts *a, unsigned at_s)
{
    rules_tick(a->rules, T0 + SECONDS(at_s));
}

void alerts_expect(struct alerts *a, const char *lines)
{
    cr_assert_str_eq(strbuf_str(&a->lines), lines, "wanted:\n%sgot:\n%s", lines, strbuf_str(&a->lines));
    strbuf_clear(&a->lines);
}
