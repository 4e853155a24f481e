/*
 * Who told the address that media was lost to. The vantage that sees the loss knows the address; the one at the other party's knows the
 * STUN exchange that it came from, and alone has nothing to hold against it.
 */
#ifndef RW_VERDICT_TELLER_H
#define RW_VERDICT_TELLER_H

#include "verdict/passage.h"

/* Names the server in a joined finding that blames a candidate and nobody for it. */
void teller_find(const struct passage_place *place, struct session_finding *f);

#endif
