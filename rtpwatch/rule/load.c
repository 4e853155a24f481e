/* Rule files and folders of them into one set of rules. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "rule/ruleset.h"

void problem(struct problems *p, const char *fmt, ...)
{
    struct strbuf safe = { 0 };
    char text[2000];
    va_list ap;

    if (p->n++ > PROBLEMS_TOLD)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    put_safe(&safe, p->n > PROBLEMS_TOLD ? "there is more: mend these first" : text, sizeof text);
    if (p->say)
        p->say(p->self, strbuf_str(&safe));
    strbuf_done(&safe);
}

struct rule *ruleset_find(struct ruleset *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->rule[i].name, name) == 0)
            return &s->rule[i];
    return NULL;
}

struct list *ruleset_list(struct ruleset *s, const char *name)
{
    for (size_t i = 0; i < s->lists_n; i++)
        if (strcmp(s->list[i].name, name) == 0)
            return &s->list[i];
    return NULL;
}

void ruleset_free(struct ruleset *s)
{
    if (s)
        arena_done(&s->arena);
    free(s);
}

/* ---- files ---- */

static void read_file(struct ruleset *s, const char *path, struct problems *p)
{
    const char *why;
    size_t n;
    char *text = file_read(path, RULE_FILE_BYTES, &n, &why);

    if (text)
        ruleset_parse(s, path, (struct span){ (const uint8_t *)text, n }, p);
    else
        problem(p, "%s: cannot be read: %s", path, why);
    free(text);
}

static int is_json(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

/* In the order of their bytes, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_folder(struct ruleset *s, const char *path, struct problems *p)
{
    struct dirent **entry;
    int n = scandir(path, &entry, is_json, by_name);

    if (n < 0) {
        problem(p, "%s: cannot be read: %s", path, strerror(errno));
        return;
    }
    if (n > RULE_FILES)
        problem(p, "%s: expected at most %d files", path, RULE_FILES);
    for (int i = 0; i < n; i++) {
        struct strbuf file = { 0 };

        strbuf_fmt(&file, "%s/%s", path, entry[i]->d_name);
        if (n <= RULE_FILES)
            read_file(s, strbuf_str(&file), p);
        strbuf_done(&file);
        free(entry[i]);
    }
    free(entry);
}

struct ruleset *ruleset_read(const char *const *paths, size_t n, struct problems *p)
{
    struct ruleset *s = calloc(1, sizeof *s);

    if (!s) {
        problem(p, "no memory");
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        struct stat st;

        if (stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode))
            read_folder(s, paths[i], p);
        else
            read_file(s, paths[i], p);
    }
    ruleset_link(s, p);
    if (!p->n)
        return s;
    ruleset_free(s);
    return NULL;
}
