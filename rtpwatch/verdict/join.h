/*
 * What two vantages say of one session, put together: silence becomes proof. Where the receiver's own host was captured, what arrived
 * there decides; where the sender's was, what it sent; and a server that one of them names is named for the failure that the other sees.
 */
#ifndef RW_VERDICT_JOIN_H
#define RW_VERDICT_JOIN_H

#include "verdict/verdict.h"

/*
 * Joins `more` into `into`; both name the parties alike. The texts that are taken over are copied. Findings of places that know hosts come
 * before those of places that media merely passes.
 */
void findings_join(struct session_finding *into, const struct session_finding *more);

/*
 * The stream that left the socket in question arrived at the other vantage from another IP than the STUN server had named: the
 * socket's own packets contradict it (SPEC §3), unless both IPs may belong to one NAT. Raises a likely bad_candidate to a proven one.
 */
void finding_prove(struct session_finding *f);

/* Takes out what one vantage could not know, once another has told it. */
void notes_drop(struct session_finding *f);

/* Moves every time in it by `ns`: from the clock of its own vantage to that of the report. */
void finding_shift(struct session_finding *f, int64_t ns);
/* The same for one time; never seen stays so. */
void seen_shift(struct seen *s, int64_t ns);

#endif
