/*
 * The sessions of one conversation in a row, from the first caller to the last callee, and where on that way the audio is lost. It says no
 * more than the legs' own directions do: who lost what was judged there.
 */
#ifndef RW_VERDICT_PATH_H
#define RW_VERDICT_PATH_H

#include "verdict/report.h"

enum { PATH_LEGS = 8 };

#define PATH_PLACES(X)                                                                                                           \
    X(SOURCE, "source")                                                                                                          \
    X(LEG, "leg")                                                                                                                \
    X(INSIDE, "inside")                                                                                                          \
    X(UNKNOWN, "unknown")

#define X(id, word) LOST_##id,
enum lost_where { PATH_PLACES(X) LOST_WHERES };
#undef X

struct path_loss {
    bool backward; /* from the path's last party to its first */
    enum lost_where
        where;  /* SOURCE: it sends none; LEG: on the way; INSIDE: a B2BUA gets it and sends none on; UNKNOWN: it sends none */
    size_t leg; /* on which, or where it does not come out */
    const char *text; /* one plain sentence */
};

/* What a path needs of a leg's finding: its main audio, by the party that sends. */
struct path_lane {
    bool there;
    struct direction_finding finding;
};
struct path_leg {
    uint32_t session;
    enum party near; /* which of its parties stands nearer to the path's begin */
    enum verdict verdict;
    struct path_lane from[PARTIES];
};

struct path {
    struct arena arena;
    size_t legs; /* fewer than 2: no path */
    struct path_leg leg[PATH_LEGS];
    const char *node[PATH_LEGS + 1]; /* who stands between the legs, and at both ends; safe to print */
    size_t losses;
    struct path_loss lost[2];
};

/* The path through session `i` of a finished report. `out` is written whole; path_done() frees its texts. */
void path_make(const struct report *r, uint32_t i, struct path *out);
void path_done(struct path *p);
const char *lost_where_word(enum lost_where w);

#endif
