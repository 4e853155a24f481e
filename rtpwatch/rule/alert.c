/* What an alert says. Everything from an event is made safe and cut here. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rule/eval_private.h"

/* Session, server and evidence of an event, whatever its kind: what log systems are asked for. */
#define ALERT_FIELD_LIST(X)                                                                                                      \
    X("session", "session.id")                                                                                                   \
    X("from", "session.from")                                                                                                    \
    X("to", "session.to")                                                                                                        \
    X("dialer", "dialer")                                                                                                        \
    X("verdict", "session.verdict|stun_server.verdict")                                                                          \
    X("cause", "session.cause")                                                                                                  \
    X("confidence", "session.confidence|mapping.confidence")                                                                     \
    X("stun_server", "session.stun_server.name|stun_server.name")                                                                \
    X("stun_address", "session.stun_server.address|stun_server.address")                                                         \
    X("candidate", "candidate|mapping.mapped")                                                                                   \
    X("socket", "mapping.socket")                                                                                                \
    X("dns_name", "dns.name")                                                                                                    \
    X("resolver", "dns.resolver")                                                                                                \
    X("ttl", "dns.ttl")                                                                                                          \
    X("icmp_about", "icmp.address")                                                                                              \
    X("interface", "capture.interface")                                                                                          \
    X("dropped", "capture.dropped")                                                                                              \
    X("trouble", "self.key")

static const char *const field_names[] = {
#define X(name, path) name,
    ALERT_FIELD_LIST(X)
#undef X
        NULL,
};
static const char *const field_paths[] = {
#define X(name, path) path,
    ALERT_FIELD_LIST(X)
#undef X
};
static const char *const frame_paths[] = { "mapping.frame", "session.evidence[*].frame", "dns.frame", "icmp.frame", "asked.frame",
                                           "refusal.frame", "self.first_frame" };

enum { FIELDS_N = sizeof field_paths / sizeof *field_paths, FRAME_BYTES = 120 };
_Static_assert((int)FIELDS_N <= (int)ALERT_FIELDS, "room for all fields");

const char *const *alert_field_names(void)
{
    return field_names;
}

char *time_text(int64_t ns, char buf[40])
{
    time_t s = (time_t)(ns / NS_PER_S);
    struct tm tm;

    if (ns < 0 || !gmtime_r(&s, &tm))
        tm = (struct tm){ .tm_year = 70, .tm_mday = 1 };
    snprintf(buf, 40, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
             tm.tm_min, tm.tm_sec, ns < 0 ? 0 : (int)(ns % NS_PER_S / NS_PER_US));
    return buf;
}

void put_span(struct strbuf *out, int64_t ns)
{
    int64_t s = ns < 0 ? 0 : ns / NS_PER_S;

    if (s < 120)
        strbuf_fmt(out, "%llds", (long long)s);
    else if (s < 7200)
        strbuf_fmt(out, "%lldm", (long long)(s / 60));
    else if (s < 172800)
        strbuf_fmt(out, "%lldh", (long long)(s / 3600));
    else
        strbuf_fmt(out, "%lldd", (long long)(s / 86400));
}

/* ---- the message ---- */

/* What a rule knows and no event: {alert.count} and its like. */
static bool own_value(const struct rule *rule, const struct alert *a, const char *name, struct strbuf *out)
{
    char buf[40];

    if (strcmp(name, "alert.rule") == 0)
        strbuf_add(out, rule->name);
    else if (strcmp(name, "alert.count") == 0)
        strbuf_fmt(out, "%llu", (unsigned long long)a->count);
    else if (strcmp(name, "alert.within") == 0)
        put_span(out, rule->within_ns);
    else if (strcmp(name, "alert.first") == 0)
        strbuf_add(out, time_text(a->first_ns, buf));
    else
        return false;
    return true;
}

static void put_message(struct strbuf *out, const struct rule *rule, const struct alert *a, const cJSON *event)
{
    struct strbuf value = { 0 };

    for (size_t i = 0; i < rule->pieces_n; i++) {
        const struct piece *p = &rule->pieces[i];

        strbuf_clear(&value);
        if (!p->path.n)
            strbuf_add(out, p->text);
        else if (!own_value(rule, a, p->text, out)) {
            value_text(path_first(&p->path, event), &value);
            put_safe(out, strbuf_str(&value), ALERT_VALUE);
        }
    }
    strbuf_done(&value);
}

/* ---- fields ---- */

static const char *field_value(const char *text, struct arena *arena, const cJSON *event)
{
    struct strbuf value = { 0 };
    struct arena scratch = { 0 };
    const cJSON *found;
    const char *why, *copy = NULL;
    struct path path;

    found = path_parse(&path, text, &scratch, &why) ? path_first(&path, event) : NULL;
    if (found) {
        value_text(found, &value);
        copy = safe_copy(arena, strbuf_str(&value), ALERT_VALUE);
    }
    strbuf_done(&value);
    arena_done(&scratch);
    return copy;
}

static void fill_fields(struct alert *a, struct arena *arena, const cJSON *event)
{
    a->fields_n = 0;
    for (size_t i = 0; i < FIELDS_N; i++) {
        const char *value = field_value(field_paths[i], arena, event);

        if (value)
            a->field[a->fields_n++] = (struct alert_field){ field_names[i], value };
    }
}

struct frames {
    struct alert *a;
    struct arena *arena;
};

static bool add_frame(void *self, const cJSON *value)
{
    struct frames *f = self;

    if (!cJSON_IsString(value))
        return false;
    for (size_t i = 0; i < f->a->frames_n; i++)
        if (strcmp(f->a->frame[i], value->valuestring) == 0)
            return false;
    if (f->a->frames_n == ALERT_FRAMES)
        return true;
    f->a->frame[f->a->frames_n++] = safe_copy(f->arena, value->valuestring, FRAME_BYTES);
    return false;
}

static void fill_frames(struct alert *a, struct arena *arena, const cJSON *event)
{
    struct frames frames = { a, arena };

    a->frames_n = 0;
    for (size_t i = 0; i < sizeof frame_paths / sizeof *frame_paths; i++) {
        struct arena scratch = { 0 };
        struct path path;
        const char *why;

        if (path_parse(&path, frame_paths[i], &scratch, &why))
            path_walk(&path, event, add_frame, &frames);
        arena_done(&scratch);
    }
}

static void fill_group(struct alert *a, struct arena *arena, const struct rule *rule, const char *key)
{
    struct span rest = span_str(key);

    span_until(&rest, '\x1f');
    for (a->group_n = 0; a->group_n < rule->group_n; a->group_n++) {
        const char *value = arena_str(arena, span_until(&rest, '\x1f'));

        a->group[a->group_n] = (struct alert_field){ arena_str(arena, span_str(rule->group[a->group_n].text)), value };
    }
}

void alert_fill(struct alert *a, struct arena *arena, const struct rule *rule, const char *key, const cJSON *event)
{
    struct strbuf message = { 0 };

    fill_group(a, arena, rule, key);
    fill_fields(a, arena, event);
    fill_frames(a, arena, event);
    put_message(&message, rule, a, event);
    a->message = safe_copy(arena, strbuf_str(&message), ALERT_MESSAGE - 8);
    strbuf_done(&message);
}

/* ---- as an event ---- */

static void put_pairs(cJSON *o, const char *name, const struct alert_field *f, size_t n)
{
    cJSON *pairs = cJSON_AddObjectToObject(o, name);

    for (size_t i = 0; i < n; i++)
        cJSON_AddStringToObject(pairs, f[i].name, f[i].value);
}

static void put_time(cJSON *o, const char *name, int64_t ns)
{
    char buf[40];

    cJSON_AddStringToObject(o, name, time_text(ns, buf));
}

struct cJSON *alert_json(const struct alert *a)
{
    cJSON *o = cJSON_CreateObject(), *x, *frames;

    cJSON_AddStringToObject(o, "event", "rule.alert");
    put_time(o, "time", a->at_ns);
    x = cJSON_AddObjectToObject(o, "alert");
    cJSON_AddStringToObject(x, "rule", a->rule);
    cJSON_AddStringToObject(x, "kind", alert_kind_word(a->kind));
    cJSON_AddStringToObject(x, "severity", severity_word(a->severity));
    cJSON_AddStringToObject(x, "facility", facility_word(a->facility));
    cJSON_AddStringToObject(x, "message", a->message);
    cJSON_AddNumberToObject(x, "count", (double)a->count);
    cJSON_AddNumberToObject(x, "held_back", (double)a->held_back);
    put_time(x, "first", a->first_ns);
    put_time(x, "last", a->last_ns);
    put_pairs(x, "group", a->group, a->group_n);
    put_pairs(x, "fields", a->field, a->fields_n);
    frames = cJSON_AddArrayToObject(x, "frames");
    for (size_t i = 0; i < a->frames_n; i++)
        cJSON_AddItemToArray(frames, cJSON_CreateString(a->frame[i]));
    return o;
}
