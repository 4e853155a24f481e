/* DNS answers: by whom, how old they were when their addresses were used, and who says something else. Facts, never blame. */
#ifndef RW_VERDICT_DNS_FINDING_H
#define RW_VERDICT_DNS_FINDING_H

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

#endif
