/*
 * Calls that belong together: the legs of a B2BUA are two sessions, each judged by itself; a link says that they are one conversation,
 * and by what it is known (SPEC §4, last row).
 */
#ifndef RW_VERDICT_LINKS_H
#define RW_VERDICT_LINKS_H

#include "verdict/verdict.h"

enum link_by {
    LINK_BY_HEADER,     /* a header names the other's Call-ID, or both carry the same value in it */
    LINK_BY_CALL_ID,    /* one Call-ID is the other's with a B2BUA's suffix */
    LINK_BY_SESSION_ID, /* RFC 7989 */
    LINK_BY_MEDIA,      /* the same RTP enters a host at one leg's socket and leaves it at the other's */
    LINK_BYS
};

enum {
    LINKS_KEPT = 16,     /* links of one session; the first stay */
    LINK_SHARED_MAX = 4, /* a value that more sessions carry joins none: a campaign, an account, a constant */
    LINK_VALUE_MIN = 6,  /* a shared value of fewer bytes says nothing: "0", "none" */
};

struct link {
    uint32_t other; /* number of the other session in the report */
    enum link_by by;
    const char *header; /* its name; "" where `by` is not LINK_BY_HEADER */
    struct seen at;     /* what shows it */
    /* The two are legs of one path, joined at the host that these parties of them are; else they are only related. */
    bool legs;
    enum party end, other_end;
    uint32_t next;
};

struct links {
    struct link *link;
    uint32_t n, room;
    uint32_t *first; /* of each session: its first link, POOL_NONE none; NULL where there is no link at all */
    uint64_t dropped;
};

struct report;

/* Finds the links among the report's sessions; its vantages and sessions must be there. False without memory. */
bool links_make(struct links *l, const struct report *r);
void links_done(struct links *l);
const char *link_by_word(enum link_by by);

/* The first link of a session, and the one after `k`; NULL: no more. */
const struct link *link_first(const struct links *l, uint32_t session);
const struct link *link_next(const struct links *l, const struct link *k);

#endif
