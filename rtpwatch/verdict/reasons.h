/*
 * Why sessions are unknown, each reason with how many have it: said once for all of them, and kept as they are judged, so that a report
 * of a hundred thousand need not judge them again to tell it.
 */
#ifndef RW_VERDICT_REASONS_H
#define RW_VERDICT_REASONS_H

#include "verdict/verdict.h"

enum { REASONS_KEPT = 4 };

struct reasons {
    size_t n;
    const char *text[REASONS_KEPT]; /* sentences; in `arena` */
    uint64_t count[REASONS_KEPT];
    uint64_t others; /* sessions with reasons that are not kept */
    struct arena arena;
};

/* Why that session, whose verdict is unknown, is so; lives with `f`. */
const char *reason_of(const struct session_finding *f);
/* Adds a session whose verdict is unknown. reasons_done() frees. */
void reasons_add(struct reasons *all, const struct session_finding *f);
void reasons_done(struct reasons *all);

#endif
