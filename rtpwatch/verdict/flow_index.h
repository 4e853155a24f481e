/*
 * A way through the list of a socket's flows that leaves out those of another time: a media server's one address may have the flows of
 * very many calls. Each flow of a list knows an older one behind it, near or far, and what may be left out on the way there, so that few
 * steps lead to any (E. Myers: An applicative random-access stack, 1983).
 */
#ifndef RW_VERDICT_FLOW_INDEX_H
#define RW_VERDICT_FLOW_INDEX_H

#include "track/track.h"

/* Of a flow, in the list of one of its ends. */
struct flow_leap {
    uint32_t to;     /* an older flow of the list; POOL_NONE: behind the last */
    uint32_t depth;  /* how many there are from this one to the last */
    int64_t last_ns; /* the latest packet of this one and those before `to` */
};

/*
 * Begins as { track }: it is made when it is first asked, since few captures have long lists, and holds as long as nothing is added to
 * the track.
 */
struct flow_index {
    const struct track *t;
    struct flow_leap *leap[2]; /* by slot: in the list of flows that come to its socket, and of those that leave from it */
    bool failed[2];            /* without memory: each flow is asked */
};

void flow_index_done(struct flow_index *x);

/* The next one of the list of flows that leave from its socket, or of those that come to it. */
static inline uint32_t flow_older(const struct flow *f, bool out)
{
    return out ? f->next_out : f->next_in;
}

/* The next older flow of the list that began before `ns`, or may have; from `f`, which did not. */
uint32_t flow_index_before(struct flow_index *x, const struct flow *f, bool out, int64_t ns);
/* The next older flow of the list that had a packet at `ns` or later, or may have; `f` itself need not be asked then. */
uint32_t flow_index_since(struct flow_index *x, const struct flow *f, bool out, int64_t ns);

#endif
