/* Findings as they happen, from the monitor of each vantage to an output: JSON lines for programs, or lines of text for people. */
#ifndef RW_APP_EVENTS_H
#define RW_APP_EVENTS_H

#include "app/trouble.h"
#include "out/event.h"

struct events_options {
    bool ndjson; /* else text */
    int64_t grace_ns;
    const char *const *vantage; /* names, one for each; borrowed */
    size_t vantages;
    /* Told of each event as an object, and of its time, once it is written: for alerts, which follow it. May be NULL. */
    void (*heard)(void *self, const struct cJSON *object, int64_t at_ns);
    void *self;
    /* Told of each event as it was found, and of the end of each tick, with what there was to look at. Both or neither may be NULL. */
    void (*found)(void *finder, const struct view *v, const struct event *e);
    void (*ticked)(void *finder, const struct view *v);
    void *finder;
};

struct events {
    struct events_options options;
    FILE *to;    /* where lines go, NULL: nowhere; may be changed between two calls */
    bool failed; /* a line could not be written */
    struct monitor monitor[VANTAGES_KEPT];
    struct hosts hosts[VANTAGES_KEPT];
    struct fault_trouble trouble[VANTAGES_KEPT];
};

/* What there is to look at. */
struct moment {
    const struct track *track;
    const struct view_options *options;
    int64_t now_ns;
    const struct capture_input *const *inputs; /* their names are those of frames */
    size_t inputs_n;
    const struct fault_log *faults; /* NULL: our own trouble is not told */
};

bool events_init(struct events *e, const struct events_options *o,
                 FILE *to); /* false without memory; events_done() in any case */
void events_done(struct events *e);

/* Judges what is due at m->now_ns, once a second; `last`: the end of input, where everything is. */
void events_tick(struct events *e, size_t vantage, const struct moment *m, bool last);
void events_renumbered(struct events *e); /* the notebook's slots have other numbers: pipeline_compact() */
/* An event of someone else's making, as it is: `object` to JSON lines (borrowed), `line` to text, "" for nothing. Nobody hears of it. */
void events_put(struct events *e, const struct cJSON *object, const char *line);
void events_capture(struct events *e, const struct capture_event *c);
void events_summary(struct events *e, const struct out_report *r, int64_t now_ns); /* nothing for people: they have the report */

#endif
