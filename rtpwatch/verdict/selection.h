/*
 * Which packets belong to sessions: the addresses between which theirs flow and when, their signalling, the frames that findings cite,
 * and the names of their STUN servers. Pure facts of one vantage; whoever has the packets holds them against it (app/pick.h).
 *
 * A session owns the transport addresses that it advertised, the sockets behind them and those of its RTCP. What flows between two of them
 * is its own. Of an address that it has to itself, all is: the STUN questions, what is sent to it from behind an unknown NAT, and what it
 * sends to a lie. Of one that other sessions use at that time (a media server with one port for all), only what goes to or comes from its
 * own addresses or addresses of nobody, and never the flow of another session's ICE checks.
 */
#ifndef RW_VERDICT_SELECTION_H
#define RW_VERDICT_SELECTION_H

#include "verdict/owner.h"

#define SELECTION_LEAD_NS  SECONDS(60)   /* a STUN question so long before the session begins was asked for it */
#define SELECTION_AFTER_NS SECONDS(5)    /* what was under way when it ended: last media, and the ICMP that it meets */
#define SELECTION_NAMES_NS SECONDS(3600) /* names so long before are kept whole; of older answers the one in use */

/* What flows from one address to another within the time is the session's. */
struct kept_flow {
    struct addr src, dst;
    int64_t from_ns, to_ns;
    uint32_t session, next; /* next: of the same two addresses, as selection_ready() chained them */
};

/* A frame, or the hash of a Call-ID or of a name, with whose it is and when it counts. */
struct kept_key {
    uint64_t key;
    int64_t from_ns, to_ns;
    uint32_t session;
};

struct kept_keys {
    struct kept_key *list;
    size_t n, room;
};

struct selection {
    struct kept_flow *flow;
    size_t flows, room;
    struct hmap by_pair;
    struct kept_keys frames, calls, names;
    bool failed; /* no memory: it is not complete */
};

void selection_done(struct selection *s); /* it may be zeroed, and may be used again */

/*
 * Adds what belongs to call `c`, under the caller's number `session`. `all`: who owns what at that vantage, see owners_make(). Nothing of
 * the view is borrowed.
 */
void selection_add(struct selection *s, const struct view *v, const struct owners *all, const struct call *c, uint32_t session);
void selection_cite(struct selection *s, uint64_t frame, uint32_t session); /* one frame more; 0: none */
void selection_drop(struct selection *s, uint32_t session);                 /* takes out what was added for it */
/* To be called after the last change and before any question: to each cited answer of a STUN server its request is added. */
void selection_ready(struct selection *s, const struct view *v);

/*
 * Each of these fills in the sessions that it belongs to, each once, the first SELECTION_SESSIONS, behind the `n` that are there, and
 * returns how many there are then.
 */
enum { SELECTION_SESSIONS = 16 };
size_t selection_of_flow(const struct selection *s, const struct addr *src, const struct addr *dst, int64_t ns,
                         uint32_t sessions[SELECTION_SESSIONS], size_t n);
size_t selection_of_frame(const struct selection *s, uint64_t frame, uint32_t sessions[SELECTION_SESSIONS], size_t n);
size_t selection_of_call(const struct selection *s, uint64_t call, uint32_t sessions[SELECTION_SESSIONS], size_t n);
size_t selection_of_name(const struct selection *s, const char *name, int64_t ns, uint32_t sessions[SELECTION_SESSIONS],
                         size_t n);

uint64_t selection_call_key(struct span call_id); /* what selection_of_call() asks for */

#endif
