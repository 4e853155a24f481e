/*
 * What became of a stream between the vantages: an SSRC that left one place is looked for at the others, since a NAT changes addresses
 * and not SSRCs. This is told in so many words, and it decides only what the vantages left open.
 */
#ifndef RW_VERDICT_PASSAGE_H
#define RW_VERDICT_PASSAGE_H

#include "verdict/verdict.h"

/* A place's streams by SSRC, the same ones next to each other. */
struct ssrc_index {
    uint32_t n;
    struct ssrc_entry {
        uint32_t ssrc, stream;
    } * v;
};

bool ssrc_index_make(struct ssrc_index *x, const struct track *t); /* false without memory */
void ssrc_index_done(struct ssrc_index *x);

/* One vantage of the report. */
struct passage_place {
    const char *name;
    const struct view *view;
    const struct ssrc_index *index;
    int64_t clock_ns; /* what its clock is ahead of the report's */
    bool has_session; /* the session in hand is known there by its own name */
};

/* Adds to the joined finding; `place` in the order of the report's vantages. */
void passage_tell(const struct passage_place *place, size_t n, struct session_finding *f);

#endif
