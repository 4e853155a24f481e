#include "verdict/path.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *lost_where_word(enum lost_where w)
{
#define X(id, word) word,
    static const char *const words[LOST_WHERES] = { PATH_PLACES(X) };
#undef X

    return words[w];
}

/* ---- which legs, in which order ---- */

static bool on_path(const struct path *p, uint32_t session)
{
    for (size_t i = 0; i < p->legs; i++)
        if (p->leg[i].session == session)
            return true;
    return false;
}

/* Of several forks the one that was answered; of those the earliest. */
static bool better(const struct call *a, const struct call *b)
{
    bool up = a->answered.frame != 0, was_up = b->answered.frame != 0;

    return up != was_up ? up : a->started.ns < b->started.ns;
}

/* The leg that goes on where party `end` of the session stands; NULL: the path ends there. */
static const struct link *goes_on(const struct report *r, const struct path *p, uint32_t session, enum party end)
{
    const struct link *best = NULL;

    for (const struct link *k = link_first(&r->links, session); k; k = link_next(&r->links, k))
        if (k->legs && k->end == end && !on_path(p, k->other) &&
            (!best || better(report_any_call(r, k->other), report_any_call(r, best->other))))
            best = k;
    return best;
}

/* From the last leg of `p` on, as far as it goes. */
static void extend(const struct report *r, struct path *p)
{
    while (p->legs < PATH_LEGS) {
        const struct path_leg *last = &p->leg[p->legs - 1];
        const struct link *k = goes_on(r, p, last->session, other_party(last->near));

        if (!k)
            return;
        p->leg[p->legs++] = (struct path_leg){ .session = k->other, .near = k->other_end };
    }
}

static void turn(struct path *p)
{
    for (size_t i = 0; i < (p->legs + 1) / 2; i++) {
        struct path_leg a = p->leg[i], b = p->leg[p->legs - 1 - i];

        a.near = other_party(a.near);
        b.near = other_party(b.near);
        p->leg[i] = b;
        p->leg[p->legs - 1 - i] = a;
    }
}

/* Both ways from the session, then in the order of time: the leg that began first is the first. */
static void chain(const struct report *r, uint32_t i, struct path *p)
{
    const struct call *first, *last;

    p->legs = 1;
    p->leg[0] = (struct path_leg){ .session = i, .near = CALLEE };
    extend(r, p);
    turn(p);
    extend(r, p);
    first = report_any_call(r, p->leg[0].session);
    last = report_any_call(r, p->leg[p->legs - 1].session);
    if (first->started.ns > last->started.ns)
        turn(p);
}

/* ---- what is known of each leg ---- */

static void lanes_take(struct path_leg *leg, const struct session_finding *f)
{
    leg->verdict = f->verdict;
    for (size_t i = 0; i < f->directions_n; i++) {
        const struct direction_finding *d = &f->direction[i];
        struct path_lane *lane = &leg->from[d->from];

        if (d->kind == SDP_AUDIO && !lane->there) {
            *lane = (struct path_lane){ true, *d };
            lane->finding.why = lane->finding.mid = lane->finding.codec = ""; /* texts go with the finding */
        }
    }
}

/* Who stands before leg `i`, as the SIP of the two legs that meet there shows it. */
static const char *host_name(const struct report *r, struct path *p, size_t i)
{
    const struct path_leg *before = &p->leg[i - 1], *after = &p->leg[i];
    const struct addr *a = &report_any_call(r, after->session)->signalling[after->near];
    const struct addr *b = &report_any_call(r, before->session)->signalling[other_party(before->near)];
    char ip[ADDR_TEXT];

    if (!a->port && !b->port)
        return "the B2BUA";
    return arena_str(&p->arena, span_str(addr_ip_text(a->port ? a : b, ip)));
}

static const char *end_name(const struct report *r, struct path *p, uint32_t session, enum party party, struct session_finding *f)
{
    return arena_str(&p->arena, span_str(party_name(report_any_call(r, session), party, f)));
}

static void names_take(const struct report *r, struct path *p, struct session_finding *f)
{
    const struct path_leg *first = &p->leg[0], *last = &p->leg[p->legs - 1];

    p->node[0] = end_name(r, p, first->session, first->near, f);
    p->node[p->legs] = end_name(r, p, last->session, other_party(last->near), f);
    for (size_t i = 1; i < p->legs; i++)
        p->node[i] = host_name(r, p, i);
}

/* ---- where it is lost ---- */

/* A path as its audio goes: leg 0 is the sender's, node 0 the sender. */
struct way {
    const struct report *r;
    const struct path *p;
    bool backward;
};

static size_t leg_at(const struct way *w, size_t i)
{
    return w->backward ? w->p->legs - 1 - i : i;
}

static const struct path_leg *leg_of(const struct way *w, size_t i)
{
    return &w->p->leg[leg_at(w, i)];
}

static const char *node_of(const struct way *w, size_t i)
{
    return w->p->node[w->backward ? w->p->legs - i : i];
}

static const struct path_lane *lane_of(const struct way *w, size_t i)
{
    const struct path_leg *leg = leg_of(w, i);

    return &leg->from[w->backward ? other_party(leg->near) : leg->near];
}

static bool arrives(const struct way *w, size_t i)
{
    const struct path_lane *lane = lane_of(w, i);

    return lane->there && lane->finding.verdict == DIR_RECEIVED && lane->finding.received_seen && lane->finding.received;
}

static bool rtp_from(const struct view *v, const struct addr *from, int64_t since, int64_t until)
{
    const struct socket *k = track_find_socket(v->t, from);
    const struct flow *f;
    const struct stream *s;

    for (uint32_t i = k ? k->flows_out : POOL_NONE; (f = track_flow_at(v->t, i)) != NULL; i = f->next_out)
        for (uint32_t j = view_has(v, &f->dst) ? f->streams : POOL_NONE; (s = track_stream_at(v->t, j)) != NULL; j = s->next)
            if (s->believed && s->packets.first.ns < until && s->packets.last.ns > since)
                return true;
    return false;
}

/* Was the audio of leg `i` coming in while it should have gone on: from `since` to the end of the next leg? */
static bool comes_in_meanwhile(const struct way *w, size_t i)
{
    const struct direction_finding *d = &lane_of(w, i)->finding;
    const struct call *next = report_any_call(w->r, leg_of(w, i + 1)->session);
    int64_t since = lane_of(w, i + 1)->finding.since.ns, until = next->ended.frame ? next->ended.ns : w->r->now_ns;

    since = (next->answered.ns > since ? next->answered.ns : since) + JUDGE_MIN_NS;
    for (size_t v = 0; v < w->r->vantages; v++)
        for (size_t k = 0; k < d->received_from_n; k++)
            if (rtp_from(&w->r->vantage[v].view, &d->received_from[k].addr, since, until))
                return true;
    return false;
}

__attribute__((format(printf, 5, 6))) static bool lose(const struct way *w, size_t i, enum lost_where where, struct path *p,
                                                       const char *fmt, ...)
{
    char text[480];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    p->lost[p->losses++] = (struct path_loss){ w->backward, where, leg_at(w, i), arena_str(&p->arena, span_str(text)) };
    return true;
}

/* On the way over leg `i`. Before the B2BUA it is the sender's own audio; after it only where all of it came as far. */
static bool lost_on_leg(const struct way *w, size_t i, bool came, struct path *p)
{
    const struct direction_finding *d = &lane_of(w, i)->finding;
    const char *from = node_of(w, i), *to = node_of(w, i + 1), *part = d->received ? " for a part of the call" : "";

    if (leg_of(w, i)->verdict == VERDICT_SETUP_FAILED || d->verdict == DIR_NOT_SENT)
        return lose(w, i, LOST_LEG, p, "Between %s and %s media was never set up.", from, to);
    if (i == 0 || came)
        return lose(w, i, LOST_LEG, p, "The audio of %s is lost between %s and %s%s.", node_of(w, 0), from, to, part);
    return lose(w, i, LOST_LEG, p, "What %s sends is lost between %s and %s%s.", from, from, to, part);
}

/* The sender of leg `i` sends none on it. `came`: what it should pass on is known to come as far. */
static bool lost_at_node(const struct way *w, size_t i, bool came, struct path *p)
{
    const char *from = node_of(w, i), *to = node_of(w, i + 1), *who = node_of(w, 0);

    if (i == 0)
        return lose(w, i, LOST_SOURCE, p, "%s sends no audio to %s.", from, to);
    if (came && comes_in_meanwhile(w, i - 1))
        return lose(w, i, LOST_INSIDE, p, "%s receives the audio of %s and sends none on to %s.", from, who, to);
    return lose(w, i, LOST_UNKNOWN, p, "%s sends no audio to %s; whether it receives any of %s then is not known.", from, to,
                who);
}

/* The sender gave it to the network, or would have, had ICE found it a way. */
static bool fails_on_leg(const struct path_leg *leg, const struct direction_finding *d)
{
    bool no_way = leg->verdict == VERDICT_SETUP_FAILED || (d->cause != CAUSE_UNKNOWN && d->cause != CAUSE_NONE);

    return d->verdict == DIR_NOT_RECEIVED || (d->verdict == DIR_NOT_SENT && no_way);
}

/* The first place where the audio of this way ends; from where it is not known to have come so far, it is no more called the sender's. */
static void way_follow(const struct way *w, struct path *p)
{
    bool came = true, done = false;

    for (size_t i = 0; i < p->legs && !done; i++) {
        const struct path_leg *leg = leg_of(w, i);
        const struct path_lane *lane = lane_of(w, i);
        bool fails = lane->there && verdict_is_failure(leg->verdict) && lane->finding.cause != CAUSE_MUTED;

        if (fails && fails_on_leg(leg, &lane->finding))
            done = lost_on_leg(w, i, came, p);
        else if (fails && lane->finding.verdict == DIR_NOT_SENT)
            done = lost_at_node(w, i, came, p);
        came = came && arrives(w, i);
    }
}

static bool any_failed(const struct report *r, const struct path *p)
{
    for (size_t i = 0; i < p->legs; i++)
        if (verdict_is_failure((enum verdict)r->verdict[p->leg[i].session]))
            return true;
    return false;
}

void path_make(const struct report *r, uint32_t i, struct path *out)
{
    struct session_finding *f;

    memset(out, 0, sizeof *out);
    if (!link_first(&r->links, i))
        return;
    chain(r, i, out);
    f = out->legs > 1 ? calloc(1, sizeof *f) : NULL;
    if (!f) {
        out->legs = 0;
        return;
    }
    names_take(r, out, f);
    session_finding_done(f);
    for (size_t k = 0; k < out->legs && any_failed(r, out); k++) {
        report_judge(r, out->leg[k].session, f);
        lanes_take(&out->leg[k], f);
        session_finding_done(f);
    }
    free(f);
    if (!any_failed(r, out))
        return;
    way_follow(&(struct way){ r, out, false }, out);
    way_follow(&(struct way){ r, out, true }, out);
}

void path_done(struct path *p)
{
    arena_done(&p->arena);
    *p = (struct path){ 0 };
}
