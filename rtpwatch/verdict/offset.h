/*
 * How far the clocks of two vantages are apart, from packets that both saw. One that goes from here to there is seen there later by the
 * way's delay, one that comes from there earlier; with both the delay falls out, as NTP does it (RFC 5905 §8).
 */
#ifndef RW_VERDICT_OFFSET_H
#define RW_VERDICT_OFFSET_H

#include "verdict/verdict.h"

enum { OFFSET_PAIRS = 4096 }; /* of each direction; the first ones count */

struct offset {
    bool known;
    bool bounded;      /* packets of both directions: `within_ns` means something */
    int64_t ns;        /* the other clock minus this one */
    int64_t within_ns; /* half the round trip: the estimate is not further off, unless the clocks drift */
    size_t pairs;      /* packets that both saw */
};

/* Not known where no packet is found at both. */
void offset_estimate(const struct view *here, const struct view *there, struct offset *out);
/* More than what it is uncertain by: worth correcting times with. */
bool offset_counts(const struct offset *o);

#endif
