/*
 * What the failing sessions share and the healthy ones do not (SPEC §3): how often each value of each factor goes with a failure, and
 * the fewest values that explain most failures. Only sessions that are ok or failed count. Kept of each are the numbers of its values.
 */
#ifndef RW_VERDICT_FACTORS_H
#define RW_VERDICT_FACTORS_H

#include "base/hmap.h"
#include "verdict/fisher.h"
#include "verdict/verdict.h"

/* In the order in which they are preferred where two explain the same. */
enum factor {
    FACTOR_STUN_SERVER,
    FACTOR_LOCAL_ADDRESS,
    FACTOR_PEER_NETWORK,
    FACTOR_ACCOUNT,
    FACTOR_USER_AGENT,
    FACTOR_CODEC,
    FACTOR_HEADER, /* the first of the headers given with --label; the others follow */
    FACTORS_N = FACTOR_HEADER + TRACK_LABELS
};

enum {
    FACTOR_VALUES_KEPT = 4096, /* of each factor; others are counted */
    FACTOR_FAILED_LEAST = 5,   /* failed sessions below which nothing is claimed */
    FACTOR_JUDGED_LEAST = 10,  /* and sessions judged */
    FACTOR_RISK_LEAST = 3,     /* those with it fail so many times as often as those without */
    SHARED_KEPT = 3,
    SAME_KEPT = 6,
};
#define FACTOR_P_MOST 0.001 /* after correction for the number of values that were tested (Bonferroni) */

/* One value of one factor. */
struct factor_value {
    unsigned factor;
    uint32_t server;      /* FACTOR_STUN_SERVER: a row of the report, POOL_NONE else */
    const char *text;     /* as it came: not safe to print */
    uint32_t failed, all; /* sessions that are being looked at */
    uint32_t joint;       /* of them, those that have another value as well */
};

struct factor_session {
    size_t value; /* its first one in `values` */
    uint32_t values_n;
    bool failed;
    bool open;      /* it failed, and no packet proves somebody else's fault: a STUN server may be behind it */
    bool explained; /* by a value that was chosen */
    int64_t ns;     /* when it began */
};

/* A claim: a value that goes with failure. Counts are of the sessions that the claims before it do not explain. */
struct shared_factor {
    uint32_t value;
    struct fourfold n;
    double ln_p; /* corrected */
    uint32_t same[SAME_KEPT];
    size_t same_n; /* values of other factors that the very same sessions have */
    const char *text;
};

/* What a STUN server of the report is called, into `out`. */
typedef void factor_server_name(const void *self, uint32_t row, struct strbuf *out);

struct factors {
    factor_server_name *server_name;
    const void *self; /* for server_name */
    const char *const *label;
    size_t labels;
    struct pool value;
    struct hmap by_value;
    struct arena arena;
    uint32_t kept[FACTORS_N];
    uint64_t refused; /* values beyond FACTOR_VALUES_KEPT */
    size_t sessions, sessions_room, values, values_room;
    struct factor_session *session;
    uint32_t *values_of; /* numbers of values, all sessions' one after the other */
    bool unsignalled;    /* not all sessions are calls */
    bool broken;         /* no memory: nothing is claimed */
    size_t shared_n;
    struct shared_factor shared[SHARED_KEPT];
};

/* Set in a session's number of a STUN server's value: its address was confirmed there, or reached. */
#define FACTOR_CLEARED (1u << 31)

/* `label`: the headers that calls carry values of (struct call), borrowed, as `self` is. */
void factors_init(struct factors *fs, const char *const *label, size_t labels, factor_server_name *name, const void *self);
void factors_done(struct factors *fs);
void factors_add(struct factors *fs, const struct session_finding *f); /* `server` fields in it: rows of the report */
void factors_share(struct factors *fs);                                /* finds `shared`, after all were added */

static inline struct factor_value *factor_value_at(const struct factors *fs, uint32_t value)
{
    return pool_at(&fs->value, value & ~FACTOR_CLEARED);
}
const char *factor_word(unsigned factor); /* "stun_server", ..., "header" */
/* The header's name where the factor is one that --label named; NULL else. */
const char *factor_label(const struct factors *fs, unsigned factor);

/* ---- suspicion.c ---- */

/*
 * Is the STUN server `value` behind it, as far as calls tell: what used its candidates failed and what did not, did not, at the same time
 * and from the same hosts, and nothing else that those calls share explains it as well? Then the counts, of that time.
 */
bool factors_suspect(const struct factors *fs, uint32_t value, struct fourfold *out);

#endif
