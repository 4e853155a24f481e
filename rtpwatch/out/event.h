/*
 * Events, one JSON object a line (doc/events.schema.json): what the monitor tells, what happens to an interface, and at the end a summary.
 * A session and a STUN server look in them as they do in the report.
 */
#ifndef RW_OUT_EVENT_H
#define RW_OUT_EVENT_H

#include "out/out.h"
#include "verdict/monitor.h"

struct cJSON;

/* Of an interface; `what`: "capture.drops", "capture.down" or "capture.up". */
struct capture_event {
    const char *what, *interface;
    int64_t at_ns;
    uint64_t packets, dropped; /* of drops: since it was last told */
    const char *text;          /* of the others: a sentence */
};

/*
 * Made as an object first, for whoever looks into it before it is written. `r->report` is a report whose servers are rows by slot
 * (report_rows()); `vantage`: where it was seen, NULL where there is one place. cJSON_Delete() frees; NULL without memory.
 */
struct cJSON *event_object(const struct out_report *r, const struct event *e, const char *vantage);
struct cJSON *event_of_capture(const struct capture_event *e);
/* `self.trouble`: a limit of our own, with its count so far; `r->faults` is where it was counted. */
struct cJSON *event_of_fault(const struct out_report *r, enum fault_id id, int64_t at_ns, const char *vantage);
/* `self.trouble` of what no input is about: a key of doc/events.schema.json, a sentence that is safe to print, how often
 * so far. */
struct cJSON *event_of_trouble(const char *key, const char *text, uint64_t count, int64_t at_ns);
/* The last line: inputs, sessions by verdict and cause, packets, STUN servers, faults. `r` is a whole report. */
struct cJSON *event_summary(const struct out_report *r, int64_t at_ns);

/* One line, at once. False: it could not be written. */
bool event_write(const struct cJSON *object, FILE *to);

bool event_is_for_people(enum event_kind k); /* the others are only for programs */
/* For people: one line of what matters in it, "" for events that are only for programs. */
void event_text(const struct out_report *r, const struct event *e, struct strbuf *out);

#endif
