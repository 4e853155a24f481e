/* What the files that judge one direction share and nobody else sees. */
#ifndef RW_VERDICT_LANE_PRIVATE_H
#define RW_VERDICT_LANE_PRIVATE_H

#include "verdict/verdict_private.h"

enum { SR_SLACK = 25 }; /* packets on the way, or before the capture: half a second */

/* What is known of one direction. */
struct lane {
    const struct scene *s;
    const struct ice_result *ice;
    enum party from, to;
    struct tally sent, arrived, stray; /* RTP leaving the sender's socket; reaching the receiver's; reaching its host elsewhere */
    struct addr main_dst;              /* where most of it goes, or went last */
    const struct flow *main_flow;
    struct addr stray_dst;
    /* What the receiver reports, as seen at the sender's sockets. */
    uint64_t reports, empty_reports;
    struct seen reported, stalled, empty_last;
    bool reports_others; /* its reports are of other streams, never of this one */
    uint32_t sr_packets;
    uint32_t sr_advance; /* how much that count grew while it was seen */
    struct seen sr_at;
    struct tally from_sender;       /* RTCP of the sender: it is alive */
    struct tally beside;            /* and other media, which it sends on the same path */
    bool hears_beside;              /* the receiver reports that it hears that */
    const struct rtcp_about *about; /* the report on its main stream, and that stream */
    const struct stream *reported_stream;
    uint32_t round_trip_us[PARTIES]; /* from here to that party and back; 0 not known */
};

static inline void conclude(struct direction_finding *out, enum dir_verdict v, const char *why)
{
    out->verdict = v;
    out->why = why;
}

/* How long media was expected: early media before the agreement is a gift. */
static inline int64_t lane_span_ns(const struct scene *s)
{
    int64_t agreed = s->agreement->since.ns, from = s->when.from_ns;

    return s->when.to_ns - (from > agreed ? from : agreed);
}

static inline bool lane_in_span(const struct lane *l, struct seen at)
{
    return at.ns >= l->s->when.from_ns && at.ns <= l->s->when.to_ns;
}

/* lane_collect.c: all of `l` that is counted, and of `out`. */
void lane_collect(struct lane *l, struct direction_finding *out);

/* The receiver's reports on the stream, or that it never makes any; false: they tell nothing. */
bool lane_told_by_reports(struct lane *l, struct direction_finding *out, struct session_finding *f);

/* lane_rtp.c: a direction of which only the RTP is seen: no description says that media is expected. */
void lane_weigh_rtp(struct lane *l, struct direction_finding *out, struct session_finding *f);

/* consent.c: the sender's checks on the path that its media takes were answered, and then no more (RFC 7675). False: not so. */
bool lane_consent_lost(struct lane *l, struct direction_finding *out, struct session_finding *f);
/* Does the receiver ask for the sender's consent in vain, since about the time when its media stopped? */
bool lane_consent_asked_in_vain(const struct lane *l);
/* Until when the sender is known to be alive by its checks, and by its answers to the receiver's; 0: not at all. */
int64_t lane_checked_until(const struct lane *l);

/* lane_gap.c: did media that arrives stop in between and come back? Of a direction that is received. */
void lane_gap(const struct lane *l, struct direction_finding *out, struct session_finding *f);

#endif
