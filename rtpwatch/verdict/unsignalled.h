/*
 * Sessions whose signalling is encrypted or elsewhere (SPEC §2: `ice`). What an SDP would have said is taken from the checks
 * themselves: the username fragments of both sides, the sockets that sent, the addresses that were tried (RFC 8445 §7), and what STUN
 * servers told those sockets. The same verdicts then follow, as far as that goes.
 */
#ifndef RW_VERDICT_UNSIGNALLED_H
#define RW_VERDICT_UNSIGNALLED_H

#include "verdict/verdict.h"

enum { UNSIGNALLED_KEPT = 1 << 16 };

struct unsignalled {
    struct pool calls; /* struct call */
    struct hmap by_ufrags;
};

/* Gathers the ICE sessions that belong to no SIP call of the track; false without memory. unsignalled_done() frees. */
bool unsignalled_make(struct unsignalled *u, const struct view *v);
/* Another vantage calls its parties the other way round: from now on this one does as well. */
void unsignalled_turn(struct call *c);
void unsignalled_done(struct unsignalled *u);

#endif
