/* One report, put together for an output: what was judged, what was done with the packets, what was malformed. */
#ifndef RW_APP_RESULT_H
#define RW_APP_RESULT_H

#include "app/pipeline.h"
#include "out/out.h"

enum { RESULT_HINTS = 64 };

/* Where it comes from; all is borrowed until result_done(). */
struct result_of {
    const struct vantage_input *vantage; /* one for each pipeline */
    struct pipeline *const *pipeline;
    size_t vantages;
    const struct capture_input *const *inputs;
    size_t inputs_n;
    const unsigned char *vantage_of;   /* of each input */
    const struct forgotten *forgotten; /* NULL: nothing was given up */
};

struct result {
    struct report report;
    struct fault_log faults; /* of all pipelines and inputs */
    struct out_count packets[DISPOSITIONS_N], hints[RESULT_HINTS];
    char hint_name[RESULT_HINTS][HINTS_NAME];
    size_t hints_n;
    struct out_report out; /* points into the rest, so `*r` stays where it is */
};

bool result_make(struct result *r, const struct result_of *from); /* false without memory; result_done() in any case */
void result_done(struct result *r);
bool result_failed(const struct result *r); /* a session did */

#endif
