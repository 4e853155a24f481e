/*
 * Who runs a STUN server? Servers of one operator fail together, whatever their addresses: they are one witness, neither outvoting nor
 * vouching for one another.
 */
#ifndef RW_VERDICT_OPERATOR_H
#define RW_VERDICT_OPERATOR_H

#include "track/track.h"

/* The domain of each server's name, for those who ask of many; without it, it is looked up each time. */
struct operators {
    struct span *domain; /* by the server's slot; NULL: without memory */
};

void operators_make(struct operators *o, const struct track *t);
void operators_done(struct operators *o);
/*
 * One network (/24, /48), one port that is nobody else's (19302), or names of one domain. `known`: NULL, the names are looked up.
 * Servers are slots of `t`.
 */
bool one_operator(const struct track *t, const struct operators *known, uint32_t a, uint32_t b);
/* "example.net" of "stun1.l.example.net"; without bytes: it has none. */
struct span domain_of(const char *name);

#endif
