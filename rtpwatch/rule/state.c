/* Incidents in a file, so that a restart in the middle of one does not tell it again. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "rule/eval_private.h"
#include "rule/place.h"

enum { STATE_VERSION = 1, STATE_BYTES = 16 << 20, STATE_INCIDENTS = 4096 };

__attribute__((format(printf, 3, 4))) static bool trouble(rules_say *say, void *self, const char *fmt, ...)
{
    struct problems p = { say, self, 0 };
    char text[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    problem(&p, "%s", text);
    return false;
}

/* A rule that was changed since then is another rule. */
static const char *definition(const struct rule *rule, char buf[20])
{
    snprintf(buf, 20, "%016llx", (unsigned long long)hash_fixed(rule->text, strlen(rule->text)));
    return buf;
}

/* ---- saving ---- */

/* Microseconds: a double holds them exactly, nanoseconds it would not. */
static void put_us(cJSON *o, const char *name, int64_t ns)
{
    int64_t us = ns / NS_PER_US;

    cJSON_AddNumberToObject(o, name, (double)us);
}

static cJSON *saved(const struct rule *rule, const struct group *g)
{
    const struct alert *a = &g->incident->alert;
    cJSON *o = cJSON_CreateObject(), *list;
    char buf[20];

    cJSON_AddStringToObject(o, "rule", rule->name);
    cJSON_AddStringToObject(o, "definition", definition(rule, buf));
    list = cJSON_AddArrayToObject(o, "group");
    for (size_t i = 0; i < a->group_n; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(a->group[i].value));
    put_us(o, "first_us", g->first_ns);
    put_us(o, "last_us", g->last_ns);
    put_us(o, "told_us", g->told_ns);
    cJSON_AddNumberToObject(o, "count", (double)a->count);
    cJSON_AddStringToObject(o, "message", a->message);
    list = cJSON_AddObjectToObject(o, "fields");
    for (size_t i = 0; i < a->fields_n; i++)
        cJSON_AddStringToObject(list, a->field[i].name, a->field[i].value);
    list = cJSON_AddArrayToObject(o, "frames");
    for (size_t i = 0; i < a->frames_n; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(a->frame[i]));
    return o;
}

static char *state_text(const struct rules *r)
{
    cJSON *o = cJSON_CreateObject(), *list;
    size_t n = 0;
    char *text;

    cJSON_AddNumberToObject(o, "version", STATE_VERSION);
    list = cJSON_AddArrayToObject(o, "incidents");
    for (size_t i = 0; r->set && i < r->set->n; i++) {
        const struct run *run = r->set->rule[i].run;

        for (uint32_t slot = run->firing.oldest; slot != POOL_NONE && n < STATE_INCIDENTS; n++) {
            const struct group *g = pool_at(&run->groups, slot);

            cJSON_AddItemToArray(list, saved(&r->set->rule[i], g));
            slot = g->newer;
        }
    }
    text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return text;
}

/* Without fsync(2): capture must not wait for a disk, and what a power cut takes is an alert told once more. */
static bool write_all(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t done = write(fd, text, n);

        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            text += done;
            n -= (size_t)done;
        }
    }
    return true;
}

bool rules_save(const struct rules *r, const char *path, rules_say *say, void *self)
{
    struct strbuf beside = { 0 };
    char *text = state_text(r);
    bool fine;
    int fd;

    strbuf_fmt(&beside, "%s.new", path);
    fd = text ? open(strbuf_str(&beside), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600) : -1;
    fine = fd >= 0 && write_all(fd, text, strlen(text));
    if (fd >= 0 && close(fd) != 0)
        fine = false;
    fine = fine && rename(strbuf_str(&beside), path) == 0;
    if (!fine) {
        trouble(say, self, "%s: incidents cannot be saved: %s", path, text ? strerror(errno) : "no memory");
        if (fd >= 0)
            unlink(strbuf_str(&beside));
    }
    strbuf_done(&beside);
    cJSON_free(text);
    return fine;
}

/* ---- restoring ---- */

static const char *text_of(const cJSON *o, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsString(item) ? item->valuestring : "";
}

/* A time that is none, or lies ahead of us, is this moment: a clock that was wrong must not keep an incident for ever. */
static int64_t time_of(const cJSON *o, const char *name, int64_t now_ns)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, name);
    double us = cJSON_IsNumber(item) ? item->valuedouble : -1;
    int64_t now_us = now_ns / NS_PER_US;

    return us >= 0 && us < (double)now_us ? (int64_t)us * NS_PER_US : now_ns;
}

static uint64_t count_of(const cJSON *o)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, "count");

    return cJSON_IsNumber(item) && item->valuedouble >= 1 && item->valuedouble < 1e15 ? (uint64_t)item->valuedouble : 1;
}

/* False: not as many values as the rule has fields, or one that is no text. */
static bool restore_key(const struct rule *rule, const cJSON *o, struct strbuf *key)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "group");
    size_t n = 0;

    strbuf_add(key, "");
    if (!cJSON_IsArray(list))
        return false;
    for (const cJSON *item = list->child; item; item = item->next, n++) {
        if (!cJSON_IsString(item) || n == rule->group_n)
            return false;
        strbuf_add(key, "\x1f");
        put_safe(key, item->valuestring, ALERT_VALUE);
    }
    return n == rule->group_n && !key->failed;
}

static void restore_group(struct alert *a, struct arena *arena, const struct rule *rule, const cJSON *o)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, "group")->child;

    for (a->group_n = 0; item; item = item->next, a->group_n++)
        a->group[a->group_n] = (struct alert_field){ arena_str(arena, span_str(rule->group[a->group_n].text)),
                                                     safe_copy(arena, item->valuestring, ALERT_VALUE) };
}

static void restore_details(struct alert *a, struct arena *arena, const cJSON *o)
{
    const cJSON *fields = cJSON_GetObjectItemCaseSensitive(o, "fields"), *frames = cJSON_GetObjectItemCaseSensitive(o, "frames");

    for (const char *const *name = alert_field_names(); *name; name++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(fields, *name);

        if (cJSON_IsString(value))
            a->field[a->fields_n++] = (struct alert_field){ *name, safe_copy(arena, value->valuestring, ALERT_VALUE) };
    }
    for (const cJSON *f = cJSON_IsArray(frames) ? frames->child : NULL; f && a->frames_n < ALERT_FRAMES; f = f->next)
        if (cJSON_IsString(f))
            a->frame[a->frames_n++] = safe_copy(arena, f->valuestring, ALERT_VALUE);
}

static void restore_incident(struct rules *r, const cJSON *o, int64_t now_ns)
{
    const struct rule *rule = ruleset_find(r->set, text_of(o, "rule"));
    struct run *run = rule ? rule->run : NULL;
    struct strbuf key = { 0 };
    struct group *g = NULL;
    char buf[20];

    if (rule && rule->enabled && !rule->resting && strcmp(text_of(o, "definition"), definition(rule, buf)) == 0 &&
        restore_key(rule, o, &key) && !group_find(run, strbuf_str(&key)))
        g = group_new(r, rule, run, strbuf_str(&key));
    strbuf_done(&key);
    if (!g || !group_fire(run, g))
        return;
    g->first_ns = time_of(o, "first_us", now_ns);
    g->last_ns = time_of(o, "last_us", now_ns);
    g->told_ns = time_of(o, "told_us", now_ns);
    g->last_ns = g->last_ns < g->first_ns ? g->first_ns : g->last_ns;
    g->incident->alert.count = g->told_count = count_of(o);
    g->incident->alert.message = safe_copy(&g->incident->arena, text_of(o, "message"), ALERT_MESSAGE - 8);
    restore_group(&g->incident->alert, &g->incident->arena, rule, o);
    restore_details(&g->incident->alert, &g->incident->arena, o);
}

bool rules_restore_text(struct rules *r, const char *name, struct span text, int64_t now_ns, rules_say *say, void *self)
{
    struct place_error e;
    cJSON *root = place_check(text, &e) ? cJSON_ParseWithLength((const char *)text.p, text.n) : NULL;
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "version");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "incidents");
    bool fine = cJSON_IsNumber(version) && version->valuedouble == STATE_VERSION && cJSON_IsArray(list);
    size_t n = 0;

    clock_feed(&r->clock, now_ns);
    for (const cJSON *o = fine && r->set ? list->child : NULL; o && n < STATE_INCIDENTS; o = o->next, n++)
        if (cJSON_IsObject(o))
            restore_incident(r, o, now_ns);
    cJSON_Delete(root);
    return fine || trouble(say, self, "%s: not a file of incidents that this version wrote: it is not used", name);
}

bool rules_restore(struct rules *r, const char *path, int64_t now_ns, rules_say *say, void *self)
{
    const char *why;
    size_t n;
    char *text = file_read(path, STATE_BYTES, &n, &why);
    bool fine;

    if (!text)
        return errno == ENOENT || trouble(say, self, "%s: cannot be read: %s", path, why);
    fine = rules_restore_text(r, path, (struct span){ (const uint8_t *)text, n }, now_ns, say, self);
    free(text);
    return fine;
}
