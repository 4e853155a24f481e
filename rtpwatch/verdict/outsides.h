/* What SIP showed of each host's outside address, by host: a search for each of many hosts through all that was shown would be squared. */
#ifndef RW_VERDICT_OUTSIDES_H
#define RW_VERDICT_OUTSIDES_H

#include "base/hmap.h"
#include "track/track.h"

struct outsides {
    const struct track *t;
    struct hmap by_host;   /* the first fact of each host */
    uint32_t *next, *last; /* of the same host, in the track's order; last: of a first one, the last of its list */
};

/* False without memory: nothing is found then. outsides_done() frees. */
bool outsides_make(struct outsides *o, const struct track *t);
/* The first fact about that IP, and the one after it; POOL_NONE: no more. */
uint32_t outsides_first(const struct outsides *o, const struct addr *host);
static inline uint32_t outsides_next(const struct outsides *o, uint32_t fact)
{
    return o->next[fact];
}
void outsides_done(struct outsides *o);

#endif
