#include "app/events.h"

#include <cjson/cJSON.h>

/* One tick of one vantage. */
struct telling {
    struct events *e;
    const char *vantage;
    const struct view *view;
    struct report rows; /* made for the first event: most ticks have none */
    bool made;
    struct out_report out;
};

static void object_tell(struct events *e, cJSON *object, int64_t at_ns)
{
    if (!object)
        return;
    if (e->options.ndjson && e->to)
        e->failed |= !event_write(object, e->to);
    if (e->options.heard)
        e->options.heard(e->options.self, object, at_ns);
    cJSON_Delete(object);
}

static void text_write(struct events *e, const char *line)
{
    if (*line && e->to)
        e->failed |= fprintf(e->to, "%s\n", line) < 0 || fflush(e->to) != 0;
}

void events_put(struct events *e, const cJSON *object, const char *line)
{
    if (!e->options.ndjson)
        text_write(e, line);
    else if (e->to)
        e->failed |= !object || !event_write(object, e->to);
}

/* Is it written, or do rules listen? */
static bool is_read(const struct events *e, enum event_kind kind)
{
    return e->options.heard || (e->to && (e->options.ndjson || event_is_for_people(kind)));
}

/* Of events that nobody reads, sessions need not be judged. */
static uint32_t unheard(const struct events *e)
{
    uint32_t none = 0;

    for (unsigned i = 0; i < EVENTS_N; i++)
        none |= e->options.found || is_read(e, (enum event_kind)i) ? 0 : UINT32_C(1) << i;
    return none;
}

/* Lines for people tell what it is, and not why. */
static bool is_brief(const struct events *e)
{
    return !e->options.ndjson && !e->options.heard && !e->options.found;
}

static void tell(void *self, const struct event *event)
{
    struct telling *t = self;
    struct strbuf line = { 0 };

    if (t->e->options.found)
        t->e->options.found(t->e->options.finder, t->view, event);
    if (!is_read(t->e, event->kind))
        return;
    if (!t->made) {
        t->made = true;
        t->e->failed |= !report_rows(&t->rows, t->view);
    }
    if (!t->rows.server)
        return;
    if (t->e->options.ndjson || t->e->options.heard)
        object_tell(t->e, event_object(&t->out, event, t->vantage), event->at_ns);
    if (!t->e->options.ndjson) {
        event_text(&t->out, event, &line);
        text_write(t->e, strbuf_str(&line));
    }
    strbuf_done(&line);
}

bool events_init(struct events *e, const struct events_options *o, FILE *to)
{
    bool fine = true;

    *e = (struct events){ .options = *o, .to = to };
    for (size_t i = 0; i < o->vantages; i++) {
        fine &= monitor_init(&e->monitor[i], &(struct monitor_options){ .grace_ns = o->grace_ns });
        hosts_init(&e->hosts[i]);
    }
    return fine;
}

void events_done(struct events *e)
{
    for (size_t i = 0; i < e->options.vantages; i++) {
        monitor_done(&e->monitor[i]);
        hosts_done(&e->hosts[i]);
    }
    e->options.vantages = 0;
}

static void trouble_tell(struct telling *t, struct fault_trouble *told, const struct moment *m)
{
    t->out.faults = m->faults;
    for (unsigned i = 0; i < FAULT_IDS; i++)
        if (fault_trouble_look(told, m->faults, (enum fault_id)i, m->now_ns))
            object_tell(t->e, event_of_fault(&t->out, (enum fault_id)i, m->now_ns, t->vantage), m->now_ns);
}

void events_tick(struct events *e, size_t vantage, const struct moment *m, bool last)
{
    struct view view;
    struct telling t = { .e = e, .vantage = e->options.vantages > 1 ? e->options.vantage[vantage] : NULL, .view = &view };

    t.out = (struct out_report){ .report = &t.rows, .inputs = m->inputs, .inputs_n = m->inputs_n };
    view_make_again(&view, &e->hosts[vantage], m->track, m->options, m->now_ns);
    e->monitor[vantage].options.unheard = unheard(e);
    e->monitor[vantage].options.brief = is_brief(e);
    if (last)
        monitor_finish(&e->monitor[vantage], &view, tell, &t);
    else
        monitor_tick(&e->monitor[vantage], &view, tell, &t);
    if (m->faults && (e->options.ndjson || e->options.heard))
        trouble_tell(&t, &e->trouble[vantage], m);
    if (t.made)
        report_done(&t.rows);
    if (e->options.ticked)
        e->options.ticked(e->options.finder, &view);
}

void events_capture(struct events *e, const struct capture_event *c)
{
    struct strbuf line = { 0 };
    char time[OUT_TIME];

    if (e->options.ndjson || e->options.heard)
        object_tell(e, event_of_capture(c), c->at_ns);
    if (!e->options.ndjson) {
        strbuf_fmt(&line, "%.8s  CAPTURE  ", out_time(c->at_ns, time) + 11);
        if (c->text)
            strbuf_safe(&line, span_str(c->text), CAPTURE_ERROR);
        else
            strbuf_fmt(&line, "%s: %llu packets were lost while capturing", c->interface, (unsigned long long)c->dropped);
        text_write(e, strbuf_str(&line));
    }
    strbuf_done(&line);
}

void events_renumbered(struct events *e)
{
    for (size_t i = 0; i < e->options.vantages; i++) {
        monitor_renumbered(&e->monitor[i]);
        hosts_done(&e->hosts[i]);
        hosts_init(&e->hosts[i]);
    }
}

void events_summary(struct events *e, const struct out_report *r, int64_t now_ns)
{
    if (e->options.ndjson || e->options.heard)
        object_tell(e, event_summary(r, now_ns), now_ns);
}
