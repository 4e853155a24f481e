/*
 * Everything that was found in one run, for the outputs. Each vantage is judged by itself; then what the vantages saw of one session is
 * put together (SPEC §2, "vantage"). All times are by the first vantage's clock where the others' differ from it. Sessions are judged
 * again when they are told: a long report needs little memory.
 */
#ifndef RW_VERDICT_REPORT_H
#define RW_VERDICT_REPORT_H

#include "verdict/dns_finding.h"
#include "verdict/factors.h"
#include "verdict/flow_index.h"
#include "verdict/links.h"
#include "verdict/offset.h"
#include "verdict/passage.h"
#include "verdict/reasons.h"
#include "verdict/unsignalled.h"
#include "verdict/verdict.h"

enum { VANTAGES_KEPT = 8 };

/* One place of capture: a track of its own. */
struct vantage {
    const char *name;
    struct view view;
    struct unsignalled unsignalled;
    struct ssrc_index index; /* where there are several vantages */
    struct offset offset;    /* of its clock, against the first vantage's; the first's own is none */
    uint32_t *server_row;    /* the report's row of each of the track's STUN servers */
    uint8_t *claims;         /* for view.claims */
    struct flow_index flows; /* for view.flows */
};

/* One session, by its number in each vantage (SIP calls first, then those without signalling); POOL_NONE: not seen there. */
struct session_ref {
    uint32_t in[VANTAGES_KEPT];
};

struct report {
    size_t vantages;
    struct vantage vantage[VANTAGES_KEPT];
    uint32_t sessions, sip_sessions;
    struct session_ref *session;
    uint8_t *verdict; /* of each session: enum verdict */
    bool *warns;      /* of each session: it carries a warning */
    struct links links;
    int64_t now_ns; /* the newest packet of all, by the first vantage's clock */
    uint32_t servers;
    struct server_finding *server;
    uint64_t by_verdict[VERDICTS_N], by_cause[CAUSES_N];
    uint64_t warned;     /* sessions that went well and carry a warning */
    uint64_t unanswered; /* of those with no media to expect */
    struct reasons unknown;
    struct factors factors;
    struct dns_finding *dns; /* of each vantage, in the order of the answers */
    size_t dns_n;
};

/* What its clock is ahead of the report's; 0 where that is too little to tell. */
int64_t vantage_clock_ns(const struct vantage *v);

struct vantage_input {
    const char *name;
    const struct track *track;
    struct view_options options;
    int64_t now_ns;
};

/* Judges all that the vantages saw; false without memory or with more than VANTAGES_KEPT. report_done() frees. */
bool report_make(struct report *r, const struct vantage_input *in, size_t n);
void report_done(struct report *r);

/*
 * A report of one view in which no session is judged: it has the rows of the STUN servers, in the order of the track's slots, so that what
 * judge_call() finds can be written as it stands. `v` is copied. False without memory.
 */
bool report_rows(struct report *r, const struct view *v);

/* Judges session number `i`; `server` fields in it are rows of the report. session_finding_done() frees its texts. */
void report_judge(const struct report *r, uint32_t i, struct session_finding *out);
/* Session number `i` as one vantage sees it, NULL: it does not; and as the first does that sees it. */
const struct call *report_call(const struct report *r, uint32_t i, size_t vantage);
const struct call *report_any_call(const struct report *r, uint32_t i);
/* The name and address of a row, as server_text() writes them. */
void report_server_text(const struct report *r, uint32_t row, struct strbuf *out);

#endif
