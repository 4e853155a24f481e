/*
 * Which RTP belongs to a session that is known by its signalling or its ICE checks: what flows from or to a transport address that the
 * session named, or that a STUN server gave to one of its sockets, while it lasted.
 */
#ifndef RW_VERDICT_OWNER_H
#define RW_VERDICT_OWNER_H

#include "base/hmap.h"
#include "verdict/unsignalled.h"

struct ownership {
    const struct socket *socket;
    const struct call *call;
    int64_t from_ns, to_ns;
    uint32_t next; /* of the same socket, POOL_NONE: none */
    uint32_t n;    /* of the first of a socket: how many it has */
};

struct owners {
    struct ownership *list;
    uint32_t n, room;
    struct hmap by_socket; /* the first of each socket */
    bool failed;           /* no memory: everything counts as owned */
};

/* Gathers the addresses of all SIP calls of the view and of the ICE sessions of `u`. owners_done() frees. */
void owners_make(struct owners *o, const struct view *v, const struct unsignalled *u);
/* Does a session own that address at some time within [first_ns, last_ns]? `but`: not counting that one, NULL: each counts. */
bool owners_at(const struct owners *o, const struct socket *k, int64_t first_ns, int64_t last_ns, const struct call *but);
/* Does one of them own what flowed there within the time? */
bool owners_have(const struct owners *o, const struct view *v, const struct flow *f, int64_t first_ns, int64_t last_ns);
void owners_done(struct owners *o);

/*
 * The quick question, about one flow while it is in use: may something of it belong to no SIP call? False is sure, and stays so: the call
 * that described an end of the flow last owns all that flowed there since `since_ns`, and its checks are signalled.
 */
bool may_be_unsignalled(const struct view *v, const struct flow *f, int64_t since_ns);

#endif
