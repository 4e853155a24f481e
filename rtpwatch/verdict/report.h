/* Everything that was found in one run, for the outputs: what each call is, briefly, and the sums. Calls are judged again when they are told. */
#ifndef RW_VERDICT_REPORT_H
#define RW_VERDICT_REPORT_H

#include "verdict/unsignalled.h"
#include "verdict/verdict.h"

struct brief {
    uint8_t verdict, cause, confidence; /* enum verdict, cause, confidence */
    uint32_t server;
};

struct report {
    struct view view;
    struct unsignalled unsignalled;
    uint32_t sessions;     /* SIP calls, then sessions without signalling */
    struct brief *session; /* of each */
    struct server_finding *servers;
    uint64_t by_verdict[VERDICTS_N], by_cause[CAUSES_N];
};

/* Session number `i` as a call, for judge_call(). */
const struct call *report_session(const struct report *r, uint32_t i);
/* Judges all calls and servers of a track; false without memory. report_done() frees. */
bool report_make(struct report *r, const struct track *t, const struct view_options *options, int64_t now_ns);
void report_done(struct report *r);

#endif
