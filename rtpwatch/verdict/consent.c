/*
 * Consent to send (RFC 7675): an agent asks again every 5 s or so on the pair that its media takes, and a peer that lives answers. One that
 * answered and then does not is gone, or cannot be reached any more. A lite agent asks nothing, and one that moved to another
 * pair asks there; neither says anything of this one.
 */
#include "verdict/lane_private.h"

#define LOST_NS    SECONDS(5) /* five requests in a row may be one hiccup where they are 50 ms apart */
#define GOING_NS   SECONDS(3) /* media that goes on this long shows that the pair is still the one in use */
#define SLACK_NS   SECONDS(2)
#define RESPITE_NS SECONDS(15) /* a peer that fell silent and then stopped answering: one thing, not two */
enum { UNANSWERED = 5 };

/* The checks of that flow were answered until within the time, and then asked for in vain while it lasted. */
static bool lost(const struct lane *l, const struct check *c)
{
    return c && c->answers.n && c->unanswered >= UNANSWERED && c->requests.last.ns - c->answers.last.ns >= LOST_NS &&
           c->answers.last.ns >= l->s->when.from_ns && c->unanswered_since.ns + LOST_NS <= l->s->when.to_ns;
}

static const struct check *check_of(const struct lane *l, const struct flow *f)
{
    return f ? track_check_at(l->s->v->t, f->checks) : NULL;
}

bool lane_consent_asked_in_vain(const struct lane *l)
{
    struct flows w = flows_at(l->s, l->to, &l->s->side[l->to].home, true);
    const struct flow *f;

    while ((f = flows_next(&w)) != NULL)
        if (lost(l, check_of(l, f)) && check_of(l, f)->answers.last.ns <= l->arrived.last.ns + RESPITE_NS)
            return true;
    return false;
}

int64_t lane_checked_until(const struct lane *l)
{
    const struct addr *home = &l->s->side[l->to].home;
    struct flows in = flows_at(l->s, l->to, home, false), out = flows_at(l->s, l->to, home, true);
    int64_t until = 0, end = l->s->when.to_ns;
    const struct flow *f;
    const struct check *c;

    while ((f = flows_next(&in)) != NULL)
        if ((c = check_of(l, f)) != NULL && c->requests.n && c->requests.first.ns < end && c->requests.last.ns > until)
            until = c->requests.last.ns;
    while ((f = flows_next(&out)) != NULL)
        if ((c = check_of(l, f)) != NULL && c->answers.n && c->answers.first.ns < end && c->answers.last.ns > until)
            until = c->answers.last.ns;
    return until;
}

static enum cause why(const struct lane *l, const struct check *c, enum confidence *sure)
{
    const struct icmp_about *icmp = track_icmp_at(l->s->v->t, l->main_flow->icmp);
    const struct flow *back = track_find_flow(l->s->v->t, &l->main_flow->dst, &l->main_flow->src);

    *sure = CONFIDENCE_LIKELY;
    if (icmp && icmp->what == ICMP_PORT_UNREACHABLE && icmp->errors.n > 1 && icmp->errors.last.ns >= c->answers.last.ns) {
        *sure = CONFIDENCE_PROVEN;
        return CAUSE_PORT_UNREACHABLE;
    }
    if (!back || back->packets.last.ns <= c->answers.last.ns + SLACK_NS)
        return CAUSE_PEER_GONE;
    *sure = CONFIDENCE_SUSPECTED;
    return CAUSE_PATH_BLOCKED;
}

bool lane_consent_lost(struct lane *l, struct direction_finding *out, struct session_finding *f)
{
    const struct check *c = check_of(l, l->main_flow);
    struct tally media = { 0 };

    if (!lost(l, c) || l->reported.ns > c->answers.last.ns + SLACK_NS)
        return false;
    flow_rtp(l->s->v, l->main_flow, l->s->when, &media);
    if (media.last.ns < c->answers.last.ns + GOING_NS)
        return false;
    out->cause = why(l, c, &out->confidence);
    if (out->cause != CAUSE_PORT_UNREACHABLE && l->s->v->options.dropped) {
        out->cause = CAUSE_NONE;
        out->confidence = CONFIDENCE_NONE;
        conclude(out, DIR_UNKNOWN, "the capture lost packets, so silence proves nothing");
        return true;
    }
    out->stopped = c->answers.last;
    conclude(out, DIR_NOT_RECEIVED, "the receiver's consent is gone: ICE checks on that path are not answered any more");
    evidence_add(f, c->answers.last, "check", "The last answer of %s to an ICE check from %s.", party_name(l->s->call, l->to, f),
                 addr_keep(f, &l->main_flow->src));
    evidence_add(f, c->unanswered_since, "check", "From here on %llu checks to %s were sent in vain (consent, RFC 7675).",
                 (unsigned long long)c->unanswered, addr_keep(f, &l->main_dst));
    return true;
}
