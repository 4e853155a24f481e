/* DNS answers: by whom, how old they were when their addresses were used, and who says something else. Facts, never blame. */
#ifndef RW_VERDICT_DNS_FINDING_H
#define RW_VERDICT_DNS_FINDING_H

#include "verdict/dns_index.h"
#include "verdict/verdict.h"

enum {
    DNS_TARGETS_KEPT = 8,
    DNS_COMPARED = 32, /* answers for one name; of names with more, changes and disagreement are not told */
};
/* A use that much later than the TTL allows is worth a word: a program may look up just before its next use. */
#define DNS_STALE_SLACK_NS SECONDS(60)

struct dns_finding {
    const struct dns_fact *fact;
    const struct dns_fact *target[DNS_TARGETS_KEPT]; /* of an SRV record: the addresses of its target */
    size_t targets_n;
    bool used_as_stun_server; /* its client asked there */
    struct seen last_used;    /* as STUN or SIP server, by the host that got the answer; frame 0: not seen */
    int64_t age_ns;           /* of the latest answer then; -1: not known */
    bool outlived;            /* that was after its TTL, and no answer for the name was fresher */
    bool stale;               /* by more than the slack */
    bool folded;              /* another vantage saw the same answer, and its row tells */
    bool of_failing_server;   /* its address, or the one that it replaced, is of a STUN server that is bad or suspect */
    const struct dns_fact *changed_from;   /* an answer of the same resolver that this one replaced, NULL none */
    const struct dns_fact *disagrees_with; /* of another resolver at the same time, with no address in common, NULL none */
};

/* One for each of the track's names, in their order. False without memory. */
bool dns_findings(const struct view *v, struct dns_finding *out);

/* ---- of single answers ---- */

/* It went to that host, or to the host itself (127.0.0.53), which serves all of its programs. */
bool dns_answered_to(const struct dns_fact *n, const struct addr *host);
/* The latest time at or before `ns` at which it was answered, of those that are kept: the first and the last; 0: not known. */
int64_t dns_answered_before(const struct dns_fact *n, int64_t ns);
/* Another resolver, or the same one for another client of the host, may have given the same address later. */
bool dns_any_fresh(const struct dns_index *x, const struct addr *ip, int64_t ns, int64_t slack_ns);
/* Of `group`, the answers for one name and record type: what `by` replaced, and whom `of` has nothing in common with; NULL: none. */
const struct dns_fact *dns_replaced(const struct dns_fact *const *group, size_t n, const struct dns_fact *by);
const struct dns_fact *dns_rival(const struct dns_fact *const *group, size_t n, const struct dns_fact *of);

#endif
