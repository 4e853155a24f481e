#include "app/alert_log.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "app/complain.h"
#include "base/strbuf.h"
#include "out/syslog.h"
#include "rule/rule.h"

enum { PARAMS = ALERT_FIELDS + 8, NUMBER = 24, TIME = 32 };

static int64_t wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

bool alert_log_open(struct alert_log *l, const struct cli *c, FILE *wrong, char *error)
{
    struct syslog_options o = {
        .sd_id = c->syslog_sd_id,
        .pid = (uint32_t)getpid(),
        .tls = { .ca_file = c->syslog_ca, .cert_file = c->syslog_cert, .key_file = c->syslog_key, .insecure = c->syslog_insecure }
    };
    char why[SYSLOG_ERROR];

    *l = (struct alert_log){ 0 };
    for (size_t i = 0; i < c->syslogs; i++) {
        struct syslog *s = syslog_open(c->syslog[i], &o, why);

        if (!s) {
            snprintf(error, CAPTURE_ERROR, "--syslog: %.300s", why);
            return false;
        }
        l->target[l->n] = c->syslog[i];
        l->to[l->n++] = s;
        if (syslog_caution(s))
            complain_to(wrong, syslog_caution(s));
    }
    return true;
}

/* ---- sending ---- */

struct params {
    struct syslog_param param[PARAMS];
    size_t n;
};

static void add(struct params *p, const char *name, const char *value)
{
    if (*value && p->n < PARAMS)
        p->param[p->n++] = (struct syslog_param){ name, span_str(value) };
}

static void put_list(struct strbuf *b, const char *value)
{
    strbuf_add(b, b->n ? ", " : "");
    strbuf_add(b, value);
}

static void put_time(int64_t ns, char text[TIME])
{
    time_t s = (time_t)(ns / NS_PER_S);
    struct tm tm = { 0 };

    gmtime_r(&s, &tm);
    strftime(text, TIME, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The important ones first: what does not fit is left out from the end. */
static void fill(struct params *p, const struct alert *a, struct strbuf *group, struct strbuf *frames)
{
    add(p, "group", strbuf_str(group));
    for (size_t i = 0; i < a->fields_n; i++)
        add(p, a->field[i].name, a->field[i].value);
    add(p, "frames", strbuf_str(frames));
}

void alert_log_send(struct alert_log *l, const struct alert *a)
{
    struct strbuf group = { 0 }, frames = { 0 };
    struct params p = { 0 };
    char count[NUMBER], held_back[NUMBER], first[TIME], last[TIME];
    struct syslog_message m = { .severity = (enum syslog_severity)a->severity,
                                .facility = a->facility,
                                .id = alert_kind_word(a->kind),
                                .text = span_str(a->message) };

    for (size_t i = 0; i < a->group_n; i++)
        put_list(&group, a->group[i].value);
    for (size_t i = 0; i < a->frames_n; i++)
        put_list(&frames, a->frame[i]);
    snprintf(count, sizeof count, "%llu", (unsigned long long)a->count);
    snprintf(held_back, sizeof held_back, "%llu", (unsigned long long)a->held_back);
    put_time(a->first_ns, first);
    put_time(a->last_ns, last);
    add(&p, "rule", a->rule);
    add(&p, "count", count);
    add(&p, "first", first);
    add(&p, "last", last);
    if (a->held_back)
        add(&p, "held_back", held_back);
    fill(&p, a, &group, &frames);
    m.params = p.param;
    m.n = p.n;
    for (size_t i = 0; i < l->n; i++)
        (void)syslog_send(l->to[i], &m, a->at_ns);
    strbuf_done(&group);
    strbuf_done(&frames);
}

/* ---- the loop ---- */

size_t alert_log_poll(const struct alert_log *l, struct pollfd *out)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        short events = 0;
        int fd = syslog_descriptor(l->to[i], &events);

        if (fd >= 0)
            out[n++] = (struct pollfd){ .fd = fd, .events = events };
    }
    return n;
}

void alert_log_run(struct alert_log *l, bool woken)
{
    int64_t now_ns = l->n ? wall_ns() : 0;

    for (size_t i = 0; i < l->n; i++)
        if (woken || syslog_due(l->to[i]) <= now_ns)
            syslog_run(l->to[i], now_ns);
}

/* ---- beginning again, and the end ---- */

void alert_log_reopen(struct alert_log *l, FILE *wrong)
{
    char why[SYSLOG_ERROR], text[SYSLOG_ERROR + 100];

    for (size_t i = 0; i < l->n; i++) {
        if (syslog_reopen(l->to[i], why))
            continue;
        snprintf(text, sizeof text, "--syslog %.80s: %s", l->target[i], why);
        complain_to(wrong, text);
    }
}

/* What was not delivered, and why. */
static void tell_unsent(FILE *wrong, const char *target, const struct syslog_stats *s)
{
    struct strbuf text = { 0 };

    strbuf_fmt(&text, "%.80s: %zu message%s could not be sent, %llu dropped before%s", target, s->queued,
               s->queued == 1 ? "" : "s", (unsigned long long)s->lost, *s->why ? ": " : "");
    strbuf_safe(&text, span_str(s->why), 300);
    complain_to(wrong, strbuf_str(&text));
    strbuf_done(&text);
}

void alert_log_close(struct alert_log *l, unsigned most_ms, FILE *wrong)
{
    for (size_t i = 0; i < l->n; i++) {
        struct syslog_stats s;

        syslog_drain(l->to[i], most_ms, wall_ns);
        syslog_stats(l->to[i], &s);
        if (s.queued || s.lost)
            tell_unsent(wrong, l->target[i], &s);
        syslog_close(l->to[i], 0, wall_ns);
    }
    *l = (struct alert_log){ 0 };
}
