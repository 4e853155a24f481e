#include "app/result.h"

static void hint_add(void *self, const char *protocol, uint64_t flows)
{
    struct result *r = self;
    size_t i = 0;

    while (i < r->hints_n && strcmp(r->hint_name[i], protocol) != 0)
        i++;
    if (i == RESULT_HINTS)
        return;
    if (i == r->hints_n) {
        snprintf(r->hint_name[i], HINTS_NAME, "%s", protocol);
        r->hints[r->hints_n++] = (struct out_count){ r->hint_name[i], 0 };
    }
    r->hints[i].n += flows;
}

static void add_pipeline(struct result *r, const struct pipeline *p)
{
    for (unsigned i = 0; i < DISPOSITIONS_N; i++)
        r->packets[i].n += p->done[i];
    for (unsigned i = 0; i < FAULT_IDS; i++) {
        if (!r->faults.count[i])
            r->faults.first_frame[i] = p->faults.first_frame[i];
        r->faults.count[i] += p->faults.count[i];
    }
    hints_each(p->hints, hint_add, r);
}

bool result_make(struct result *r, const struct result_of *from)
{
    *r = (struct result){ 0 };
    for (unsigned i = 0; i < DISPOSITIONS_N; i++)
        r->packets[i].name = disposition_name((enum disposition)i);
    for (size_t i = 0; i < from->vantages; i++)
        add_pipeline(r, from->pipeline[i]);
    for (size_t i = 0; i < from->inputs_n; i++) {
        r->faults.count[FAULT_CAPTURE_LENGTH] += from->inputs[i]->odd_lengths;
        r->faults.count[FAULT_CAPTURE_FILE] += from->inputs[i]->truncated;
    }
    r->out = (struct out_report){ .report = &r->report,
                                  .faults = &r->faults,
                                  .inputs = from->inputs,
                                  .inputs_n = from->inputs_n,
                                  .vantage_of = from->vantage_of,
                                  .packets = r->packets,
                                  .packets_n = DISPOSITIONS_N,
                                  .hints = r->hints,
                                  .hints_n = r->hints_n,
                                  .forgotten = from->forgotten,
                                  .version = RW_VERSION };
    if (!report_make(&r->report, from->vantage, from->vantages))
        return false;
    r->faults.count[FAULT_FACTOR_LIMIT] += r->report.factors.refused;
    for (size_t i = 0; i < from->vantages; i++)
        r->faults.count[FAULT_SESSION_TABLE_FULL] += r->report.vantage[i].unsignalled.refused;
    return true;
}

void result_done(struct result *r)
{
    report_done(&r->report);
}

bool result_failed(const struct result *r)
{
    for (unsigned v = 0; v < VERDICTS_N; v++)
        if (verdict_is_failure((enum verdict)v) &&
            (r->report.by_verdict[v] || (r->out.forgotten && r->out.forgotten->by_verdict[v])))
            return true;
    return false;
}
