/*
 * What two vantages say of one session, put together: silence becomes proof. Where the receiver's own host was captured, what arrived
 * there decides; where the sender's was, what it sent; and a server that one of them names is named for the failure that the other sees.
 */
#ifndef RW_VERDICT_JOIN_H
#define RW_VERDICT_JOIN_H

#include "verdict/verdict.h"

/* Joins `more` into `into`; the texts that are taken over are copied. */
void findings_join(struct session_finding *into, const struct session_finding *more);

#endif
