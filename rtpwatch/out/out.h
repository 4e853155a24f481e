/* Formats only: what is told here was judged in verdict. Text from the network is made safe on the way out. */
#ifndef RW_OUT_H
#define RW_OUT_H

#include <stdio.h>

#include "capture/capture.h"
#include "verdict/monitor.h"
#include "verdict/report.h"

struct out_count {
    const char *name;
    uint64_t n;
};

struct cJSON;
struct out_alert {
    int64_t at_ns;
    struct cJSON *object; /* the event `rule.alert` */
};

/* What rules would have told of it. */
struct out_alerts {
    const struct out_alert *alert; /* in the order in which they were told */
    size_t n;
    uint64_t left_out;       /* more than are kept */
    uint64_t going_on;       /* incidents that were not over at the end */
    uint64_t rules, resting; /* in force; of those: off until a list that they need is given */
};

/* All that an output tells. Borrowed for the call. */
struct out_report {
    const struct report *report;
    const struct fault_log *faults;
    const struct capture_input *const *inputs;
    size_t inputs_n;
    const unsigned char *vantage_of; /* of each input: its place in the report's vantages */
    const struct out_count *packets; /* by what was done with them */
    size_t packets_n;
    const struct out_count *hints; /* protocol names and flows, from nDPI */
    size_t hints_n;
    const struct forgotten *forgotten; /* what is not held any more, live or with --forget; NULL: nothing was given up */
    const struct out_alerts *alerts;   /* NULL: no rules were asked for */
    const char *version;
};

struct text_style {
    bool colour;    /* a terminal that wants it */
    unsigned width; /* columns; 0: 100 */
};

/* Both return false when a write failed. */
bool out_json(const struct out_report *r, FILE *to);
bool out_text(const struct out_report *r, const struct text_style *style, FILE *to);

/* ---- shared by the formats ---- */

enum { OUT_TIME = 40, OUT_FRAME = 32 };
const char *out_time(int64_t ns, char buf[OUT_TIME]); /* RFC 3339 UTC, microseconds */
/* "812", or "dialer.pcap:812" where several files were read. */
void out_frame(const struct out_report *r, uint64_t frame, struct strbuf *out);

#endif
