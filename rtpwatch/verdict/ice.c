#include "verdict/verdict_private.h"

enum { UNANSWERED_LEAST = 3 }; /* checks back on a pair before their silence tells anything */

static uint64_t rtp_of_pair(const struct scene *s, const struct flow *f)
{
    const struct flow *back = track_find_flow(s->v->t, &f->dst, &f->src);

    return flow_rtp(s->v, f, s->when, NULL) + (back ? flow_rtp(s->v, back, s->when, NULL) : 0);
}

/* Aggressive nomination marks every check: of the pairs that it makes valid the one that media takes counts, else the latest. */
static void nominated(const struct scene *s, const struct flow *f, const struct check *c, struct ice_result *out)
{
    uint64_t rtp = rtp_of_pair(s, f);
    bool away = !view_has(s->v, &f->src) && view_has(s->v, &f->dst);
    struct ice_finding *r = &out->roles;

    if (r->nominated.frame && (rtp < out->nominated_rtp || (rtp == out->nominated_rtp && c->nominated_ok.ns <= r->nominated.ns)))
        return;
    out->nominated_rtp = rtp;
    r->nominated = c->nominated_ok;
    r->local = away ? f->dst : f->src;
    r->remote = away ? f->src : f->dst;
}

/* DTLS, media, or what nobody can read. */
static bool beyond_checks(const struct flow *f)
{
    return f && (f->contains & (FLOW_DTLS | FLOW_RTP | FLOW_RTCP | FLOW_OTHER));
}

static void roles(const struct scene *s, enum party p, const struct flow *f, const struct check *c, struct ice_result *out)
{
    out->beyond |= beyond_checks(f) || beyond_checks(track_find_flow(s->v->t, &f->dst, &f->src));
    if (c->controlling) {
        out->roles.has_controlling = true;
        out->roles.controlling = p;
    }
    out->conflicts += c->conflicts;
    out->nominating |= c->nominated.frame > 0;
    if (c->nominated_ok.frame && c->nominated_ok.ns < s->when.to_ns)
        nominated(s, f, c, out);
}

/*
 * An answer that leaves from here says that the check arrived. Whether the answer did is not seen, and where each check back on that pair
 * goes unanswered it most likely did not: the pair is no valid one (RFC 8445 §7.2.5.3.2, §7.3.1.4).
 */
bool ice_works(const struct view *v, const struct check *c)
{
    const struct flow *f = track_flow_at(v->t, c->flow), *back;
    const struct check *own;

    if (!c->answers.n || view_is_local(v, &f->src) || !view_is_local(v, &f->dst))
        return c->answers.n > 0;
    back = track_find_flow(v->t, &f->dst, &f->src);
    own = back ? track_check_at(v->t, back->checks) : NULL;
    return !own || own->requests.n < UNANSWERED_LEAST || own->answers.n;
}

/* Checks that leave from a socket of this party, and what came back. */
static void checks_from(const struct scene *s, enum party p, struct ice_result *out)
{
    const struct side *x = &s->side[p];
    const struct flow *f;

    for (size_t i = 0; i < x->own_n; i++) {
        for (struct flows w = flows_of(s, p, i, true); (f = flows_next(&w)) != NULL;) {
            const struct check *c = track_check_at(s->v->t, f->checks);

            if (!c || c->requests.first.ns >= s->when.to_ns || c->requests.last.ns < s->when.from_ns)
                continue;
            out->sent[p] += c->requests.n;
            out->answered[p] += c->answers.n;
            out->connected |= ice_works(s->v, c);
            roles(s, p, f, c, out);
            out->routable_tried |= !addr_is_unroutable(&f->dst) || addr_same_site(&f->dst, &f->src);
            if (!out->first.frame || c->requests.first.ns < out->first.ns)
                out->first = c->requests.first;
            if (c->requests.last.ns > out->last.ns)
                out->last = c->requests.last;
        }
    }
}

/* Checks that reach the other party's local socket from an address that this party never named: peer-reflexive (RFC 8445 §7.3.1.3). */
static void checks_reflexive(const struct scene *s, enum party p, struct ice_result *out)
{
    const struct side *x = &s->side[p], *other = &s->side[other_party(p)];
    const struct flow *f;

    for (size_t i = 0; other->local && i < other->own_n; i++) {
        struct flows w = flows_of(s, other_party(p), i, false);

        while (view_has(s->v, &other->own[i]) && (f = flows_next(&w)) != NULL) {
            const struct check *c = track_check_at(s->v->t, f->checks);

            if (!c || side_has(x, &f->src) || c->requests.first.ns >= s->when.to_ns || c->requests.last.ns < s->when.from_ns)
                continue;
            out->sent[p] += c->requests.n;
            out->answered[p] += c->answers.n;
            out->connected |= ice_works(s->v, c);
            roles(s, p, f, c, out);
        }
    }
}

/* Who answers and never asks. In a call the descriptions say it; where there are none, what is seen does. */
static bool is_lite(const struct scene *s, const struct ice_result *r, enum party p)
{
    return s->side[p].sdp->ice_lite || (s->call->kind == SESSION_ICE && !r->sent[p] && r->answered[other_party(p)]);
}

void ice_judge(const struct scene *s, struct ice_result *out)
{
    *out = (struct ice_result){ 0 };
    for (enum party p = CALLER; !s->quiet && p < PARTIES; p++) {
        checks_from(s, p, out);
        checks_reflexive(s, p, out);
    }
    for (enum party p = CALLER; p < PARTIES; p++) {
        out->lite[p] = is_lite(s, out, p);
        if (out->lite[p]) {
            out->roles.has_lite = true;
            out->roles.lite = p;
        }
    }
    out->roles.restarts = s->call->ice_restarts;
}

void ice_tell_unconnected(const struct ice_result *ice, struct session_finding *f)
{
    unsigned long long sent = ice->sent[CALLER] + ice->sent[CALLEE], answered = ice->answered[CALLER] + ice->answered[CALLEE];

    if (answered)
        evidence_add(
            f, ice->first, "check",
            "%llu ICE checks for RTP were sent from this frame on; to %llu that arrived an answer left here, and the checks "
            "back on that pair got none: the answers do not arrive. No media was ever sent.",
            sent, answered);
    else
        evidence_add(f, ice->first, "check",
                     "%llu ICE checks for RTP were sent from this frame on; none was answered, and no media was ever sent.",
                     sent);
}
