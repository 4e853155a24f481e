/*
 * Sessions whose signalling is encrypted or elsewhere (SPEC §2: `ice` and `rtp`). What an SDP would have said is taken from what is seen:
 * the username fragments of the checks, the sockets that sent, the addresses that were tried (RFC 8445 §7), what STUN servers told
 * those sockets, and without any check the two ends of the RTP. The same verdicts then follow, as far as that goes.
 */
#ifndef RW_VERDICT_UNSIGNALLED_H
#define RW_VERDICT_UNSIGNALLED_H

#include "verdict/verdict.h"

enum { UNSIGNALLED_KEPT = 1 << 16 };

struct unsignalled {
    struct pool calls; /* struct call */
    struct hmap by_ufrags, by_restart;
    uint64_t refused; /* sessions that are not judged: the table is full, or memory */
};

/*
 * Gathers the ICE sessions that belong to no SIP call of the track, then the RTP that belongs to neither. unsignalled_done() frees. What
 * there was no room or memory for is counted.
 */
void unsignalled_make(struct unsignalled *u, const struct view *v);
/* Another vantage calls its parties the other way round: from now on this one does as well. */
void unsignalled_turn(struct call *c);
void unsignalled_done(struct unsignalled *u);

#endif
