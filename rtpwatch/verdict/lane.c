/*
 * One direction of one m-line over one span: did the media get there? What speaks for it and against it is collected first
 * (lane_collect.c); then it is weighed, strongest first (SPEC §3).
 */
#include <stddef.h>

#include "verdict/lane_private.h"

#define RTCP_PATIENCE_NS SECONDS(4) /* a first report may come before the first packet does */
#define GONE_NS          SECONDS(3) /* media that ends this long before its span did not end with it */
#define SILENT_NS        SECONDS(5)
#define STILL_NS         SECONDS(5) /* ICMP or silence for less than that may only mean that the other party hung up first */
#define OPENED_NS        SECONDS(3) /* media that goes on this long after early ICMP errors was not stopped by them */
#define QUIET_NS         SECONDS(15)

/* Has what arrives come without pauses so far? Then the sender does not suppress silence, and a pause means something. */
static bool was_steady(const struct lane *l, const struct direction_finding *out)
{
    const struct flow *f = track_find_flow(l->s->v->t, &out->received_from[0].addr, &l->s->side[l->to].home);
    const struct stream *s = f ? track_stream_at(l->s->v->t, f->streams) : NULL;

    while (s && !scene_owns(l->s, s))
        s = track_stream_at(l->s->v->t, s->next);
    return s && s->longest_gap_ns < NS_PER_S;
}

/*
 * The sender stopped long before its span did, and gives no other sign of life. How long is long: with ICMP about it at once, after a
 * steady stream two lost reports, else (a sender that suppresses silence) several.
 */
static bool fell_silent(const struct lane *l, const struct direction_finding *out, bool dead)
{
    int64_t pause = l->s->when.to_ns - l->arrived.last.ns;

    return pause >= (dead                 ? GONE_NS
                     : was_steady(l, out) ? SILENT_NS
                                          : QUIET_NS) &&
           l->from_sender.last.ns <= l->arrived.last.ns + SECONDS(1) && l->beside.last.ns <= l->arrived.last.ns + SECONDS(1) &&
           lane_checked_until(l) <= l->arrived.last.ns + SECONDS(1);
}

/* What arrived at the receiver's sockets at any time: a sender's report counts from its start, not from the span's. */
static uint64_t heard_before(const struct lane *l)
{
    struct span_of_time ever = { INT64_MIN, INT64_MAX };
    struct flows w = flows_at(l->s, l->to, &l->s->side[l->to].home, false);
    const struct flow *f;
    uint64_t n = 0;

    while ((f = flows_next(&w)) != NULL)
        n += scene_rtp(l->s, f, ever, NULL);
    return n;
}

/* The receiver's host is here: what arrives is seen, and what does not is not. */
static void weigh_at_receiver(struct lane *l, struct direction_finding *out, struct session_finding *f)
{
    char a[ADDR_TEXT];
    const char *who = party_name(l->s->call, l->from, f);

    if (l->arrived.n) {
        const struct flow *back = track_find_flow(l->s->v->t, &l->s->side[l->to].home, &out->received_from[0].addr);
        const struct icmp_about *icmp = back ? track_icmp_at(l->s->v->t, back->icmp) : NULL;
        bool dead = icmp && lane_in_span(l, icmp->errors.last) &&
                    (l->s->call->kind == SESSION_SIP || l->s->when.to_ns - l->arrived.last.ns >= STILL_NS);
        bool closed =
            dead && icmp->what == ICMP_PORT_UNREACHABLE; /* a router that does not find the host says nothing of its ports */

        if (fell_silent(l, out, dead) && (dead || l->s->call->kind == SESSION_SIP || lane_consent_asked_in_vain(l)) &&
            (l->s->call->ended_by != l->from || !l->s->call->ended_by_known)) {
            if (!dead && l->s->v->options.dropped) {
                conclude(out, DIR_UNKNOWN, "the capture lost packets, so silence proves nothing");
                return;
            }
            out->stopped = l->arrived.last;
            out->cause = closed ? CAUSE_PORT_UNREACHABLE : CAUSE_PEER_GONE;
            out->confidence = closed ? CONFIDENCE_PROVEN : CONFIDENCE_LIKELY;
            conclude(out, DIR_NOT_RECEIVED, "media stopped in mid call and nothing else came");
            evidence_add(f, l->arrived.last, "media",
                         "The last packet of %s arrives here, %.1f s before the end of the call; nothing more comes from there.",
                         who, (double)(l->s->when.to_ns - l->arrived.last.ns) / NS_PER_S);
            return;
        }
        conclude(out, DIR_RECEIVED, "packets seen at the receiver's own host");
        evidence_add(f, l->arrived.first, "media", "%llu packets of %s arrive at %s.", (unsigned long long)l->arrived.n, who,
                     addr_text(&l->s->side[l->to].home, a));
        return;
    }
    if (lane_span_ns(l->s) < JUDGE_MIN_NS) {
        conclude(out, DIR_UNKNOWN, "too short to tell");
    } else if (l->stray.n) {
        conclude(out, DIR_NOT_RECEIVED, "it arrives at the host on another port, where nobody listens");
        evidence_add(f, l->stray.first, "media", "%llu packets of %s arrive at %s, which is not the socket that the call uses.",
                     (unsigned long long)l->stray.n, who, addr_text(&l->stray_dst, a));
    } else if (l->s->v->options.dropped) {
        conclude(out, DIR_UNKNOWN, "the capture lost packets, so silence proves nothing");
    } else if (l->sr_packets > heard_before(l) + SR_SLACK) {
        conclude(out, DIR_NOT_RECEIVED, "the sender's own report says that it sends");
        evidence_add(f, l->sr_at, "rtcp", "%s reports that it has sent %u packets; none arrived here.", who, l->sr_packets);
    } else if (l->s->call->kind != SESSION_SIP && !l->sent.n) {
        conclude(out, DIR_UNKNOWN, "no description says that media is expected");
    } else if (!l->sent.n && l->beside.n) {
        conclude(out, DIR_NOT_SENT, "other media of the sender arrives on the same path");
        evidence_add(f, l->beside.first, "media", "%s is reachable and alive, and sends no %s.", who, sdp_kind_name(out->kind));
    } else if (!l->sent.n && (l->from_sender.n || l->ice->answered[l->from])) {
        conclude(out, DIR_NOT_SENT, "the path works and the sender sends nothing");
        evidence_add(f, l->from_sender.n ? l->from_sender.last : l->ice->first, "rtcp",
                     "%s is reachable and alive, and sends no media.", who);
        evidence_unsent(f, l->from);
    } else if (out->kind == SDP_VIDEO) {
        conclude(out, DIR_UNKNOWN, "nothing arrived, which a camera that is off explains");
    } else {
        conclude(out, DIR_NOT_RECEIVED, "nothing arrived");
    }
}

static const struct place *seen_at(const struct side *x, const struct addr *a, bool ip_only)
{
    for (size_t i = 0; i < x->seen_n; i++)
        if (ip_only ? addr_ip_eq(&x->seen[i].addr, a) : addr_eq(&x->seen[i].addr, a))
            return &x->seen[i];
    return NULL;
}

/*
 * The ICMP errors that quote what is sent, while the call goes on: not those of the first moments, before the receiver opened its socket,
 * nor those after it closed it with the call. They are rate-limited (RFC 1812 §4.3.2.8), so few of them mean much.
 */
static const struct icmp_about *icmp_now(const struct lane *l)
{
    const struct icmp_about *i = l->main_flow ? track_icmp_at(l->s->v->t, l->main_flow->icmp) : NULL;

    if (!i || !lane_in_span(l, i->errors.first) || i->errors.first.ns >= l->s->when.to_ns - SECONDS(1))
        return NULL;
    if (l->s->call->kind != SESSION_SIP && i->errors.first.ns > l->sent.first.ns + JUDGE_MIN_NS &&
        l->sent.last.ns - i->errors.first.ns < STILL_NS)
        return NULL; /* no BYE is seen: the other party may have hung up a moment before */
    if (i->errors.last.ns < l->sent.first.ns + JUDGE_MIN_NS && l->sent.last.ns > i->errors.last.ns + OPENED_NS)
        return NULL;
    return l->reported.frame && l->reported.ns >= i->errors.first.ns ? NULL : i;
}

/* The other party moved to another port or address in mid call and what is sent did not follow (a NAT that forgot: RFC 4787 §4.3). */
static const struct place *moved(const struct lane *l)
{
    const struct side *to = &l->s->side[l->to];
    const struct flow *old = to->local ? NULL : track_find_flow(l->s->v->t, &l->main_dst, &l->s->side[l->from].home);
    struct tally was = { 0 }, is = { 0 };

    if (!old || !scene_rtp(l->s, old, l->s->when, &was) || l->s->when.to_ns - was.last.ns < GONE_NS)
        return NULL;
    for (size_t i = 0; i < to->seen_n; i++) {
        const struct flow *f = track_find_flow(l->s->v->t, &to->seen[i].addr, &l->s->side[l->from].home);

        is = (struct tally){ 0 };
        if (f && f != old && scene_rtp(l->s, f, l->s->when, &is) && is.first.ns >= was.last.ns - SECONDS(1) &&
            is.last.ns - was.last.ns >= GONE_NS)
            return &to->seen[i];
    }
    return NULL;
}

/* The sender's host is here and the receiver's is not: it must be told by what comes back. False: nothing told. */
bool lane_told_by_reports(struct lane *l, struct direction_finding *out, struct session_finding *f)
{
    const char *who = party_name(l->s->call, l->to, f);

    if (l->reports && !l->stalled.frame) {
        conclude(out, DIR_RECEIVED, "the receiver reports it (RTCP)");
        evidence_add(f, l->reported, "rtcp", "%s reports that it hears this stream (RTCP, %llu report block%s).", who,
                     (unsigned long long)l->reports, l->reports == 1 ? "" : "s");
        return true;
    }
    if (l->stalled.frame) {
        out->stopped = l->stalled;
        conclude(out, DIR_NOT_RECEIVED, "the receiver's reports stop advancing");
        evidence_add(f, l->stalled, "rtcp", "After this report of %s its highest sequence number does not advance any more.",
                     who);
        return true;
    }
    if (l->empty_reports && l->empty_last.ns - l->sent.first.ns >= RTCP_PATIENCE_NS && !l->s->v->options.dropped) {
        conclude(out, DIR_NOT_RECEIVED, "the receiver's RTCP never reports on it");
        if (l->hears_beside) /* then the path is open, and no address is wrong */
            out->cause = CAUSE_UNKNOWN;
        evidence_add(f, l->empty_last, "rtcp", "%s sends RTCP %s.", who,
                     l->reports_others ? "with reports of other streams and never of this one: it does not hear it"
                                       : "without a single report block (RC = 0): it hears nobody");
        return true;
    }
    return false;
}

/* What comes from outside to a private address is here already: it goes to this network, and none of its hosts is known. */
static bool leads_away(const struct lane *l)
{
    return l->s->side[l->from].local || addr_is_unroutable(&l->main_flow->src);
}

static void weigh_at_sender(struct lane *l, struct direction_finding *out, struct session_finding *f)
{
    const struct side *to = &l->s->side[l->to];
    const struct icmp_about *icmp = icmp_now(l);
    const struct check *check = l->main_flow ? track_check_at(l->s->v->t, l->main_flow->checks) : NULL;
    const struct place *now = moved(l);
    const char *who = party_name(l->s->call, l->to, f);
    char dst[ADDR_TEXT], src[ADDR_TEXT];

    if (!f->brief)
        addr_text(&l->main_dst, dst);
    if (lane_consent_lost(l, out, f)) {
        return;
    } else if (icmp) {
        conclude(out, DIR_NOT_RECEIVED, "ICMP says that it does not arrive");
        evidence_add(f, icmp->errors.first, "icmp", "%s: ICMP %s from %s for what is sent to %s (%llu time%s).", who,
                     icmp_what_name(icmp->what), addr_ip_text(&icmp->reporter, src), dst, (unsigned long long)icmp->errors.n,
                     icmp->errors.n == 1 ? "" : "s");
        if (l->reported.frame)
            out->stopped = icmp->errors.first;
    } else if (lane_told_by_reports(l, out, f)) {
        return;
    } else if (now) {
        out->stopped = now->first;
        out->moved = true;
        conclude(out, DIR_NOT_RECEIVED, "the receiver moved to another address in mid call");
        evidence_add(f, out->stopped, "media", "From here on %s sends from %s; what is sent to it still goes to %s.", who,
                     addr_text(&now->addr, src), dst);
    } else if (seen_at(to, &l->main_dst, false)) {
        conclude(out, DIR_RECEIVED, "the other party's packets come from exactly that address (weak)");
        out->weak = true;
    } else if (check && check->answers.n) {
        conclude(out, DIR_RECEIVED, "ICE checks on that path were answered");
        evidence_add(f, check->answers.last, "check", "An ICE check to %s was answered.", dst);
    } else if (to->seen_n && !seen_at(to, &l->main_dst, true) && !addr_same_site(&l->main_dst, &l->s->side[l->from].home)) {
        conclude(out, DIR_NOT_RECEIVED, "the other party is somewhere else");
        evidence_add(f, to->seen[0].first, "media", "%s sends from %s; what is sent to it goes to %s, from where nothing comes.",
                     who, addr_text(&to->seen[0].addr, src), dst);
    } else if (!to->seen_n && addr_is_unroutable(&l->main_dst) && !addr_same_site(&l->main_dst, &l->s->side[l->from].home) &&
               leads_away(l)) {
        conclude(out, DIR_NOT_RECEIVED, "it goes to a private address of another network");
    } else if (!to->seen_n && known_elsewhere(l->s, l->to, &l->main_dst)) {
        conclude(out, DIR_NOT_RECEIVED, "nothing comes back, and the receiver is known to be elsewhere");
    } else if (!to->seen_n) {
        conclude(out, DIR_UNKNOWN, "nothing comes back that would tell");
    } else {
        conclude(out, DIR_UNKNOWN, "the other party's media comes from another port there");
    }
}

static void weigh(struct lane *l, struct direction_finding *out, struct session_finding *f)
{
    const struct side *from = &l->s->side[l->from], *to = &l->s->side[l->to];

    if (l->s->call->kind == SESSION_RTP) {
        lane_weigh_rtp(l, out, f);
    } else if (scene_held(l->s, l->from) && !l->sent.n && !l->arrived.n && l->sr_packets <= heard_before(l) + SR_SLACK) {
        conclude(out, DIR_NOT_EXPECTED, "on hold: music may be played, and need not be");
    } else if (to->local) {
        if (from->local && !l->sent.n && !l->arrived.n && lane_span_ns(l->s) >= JUDGE_MIN_NS)
            conclude(out, DIR_NOT_SENT, "the sender sends nothing");
        else
            weigh_at_receiver(l, out, f);
    } else if (!l->sent.n && from->local) {
        if (lane_span_ns(l->s) < JUDGE_MIN_NS)
            conclude(out, DIR_UNKNOWN, "too short to tell");
        else if (l->s->call->kind != SESSION_SIP)
            conclude(out, DIR_UNKNOWN, "no description says that media is expected");
        else
            conclude(out, DIR_NOT_SENT, "the sender sends nothing");
    } else if (l->sent.n) {
        weigh_at_sender(l, out, f);
    } else {
        conclude(out, DIR_UNKNOWN, "neither its sender nor its receiver is at this vantage");
    }
}

static uint64_t expected_packets(const struct scene *s, enum party from)
{
    const struct media_desc *m = s->side[from].media;
    int64_t span = lane_span_ns(s), each = (int64_t)(m->ptime_ms ? m->ptime_ms : 20) * NS_PER_MS;

    return m->kind == SDP_AUDIO && span > 0 ? (uint64_t)(span / each) : 0;
}

/* Takes back what was concluded. */
static void undecided(struct direction_finding *out, const char *why)
{
    conclude(out, DIR_UNKNOWN, why);
    out->cause = CAUSE_NONE;
    out->confidence = CONFIDENCE_NONE;
    out->stopped = out->resumed = (struct seen){ 0 };
    out->moved = false;
}

/* What the descriptions say of it. */
static void describe(const struct scene *s, enum party from, struct direction_finding *out)
{
    const struct side *a = &s->side[from], *b = &s->side[other_party(from)];

    memset(out, 0, offsetof(struct direction_finding, sent_to)); /* the lists are large */
    out->media = s->media;
    out->from = from;
    out->to = other_party(from);
    out->server = POOL_NONE;
    out->mid = out->codec = "";
    out->jitter_ms = -1;
    if (!a->media || !b->media)
        return;
    out->kind = a->media->kind;
    out->since = s->agreement->since;
    out->awaited_at = b->home;
    out->sent_from = a->home;
    out->mid = a->media->mid;
    out->codec = *a->media->codec ? a->media->codec : b->media->codec;
    out->expected = scene_expects(s, from);
    out->expected_packets = out->expected ? expected_packets(s, from) : 0;
    out->sent_seen = a->local;
    out->received_seen = b->local;
}

void lane_judge(const struct scene *s, const struct ice_result *ice, enum party from, struct direction_finding *out,
                struct session_finding *session)
{
    struct lane l;

    describe(s, from, out);
    if (!s->side[from].media || !s->side[out->to].media) {
        conclude(out, DIR_NOT_EXPECTED, "this media section was not agreed on");
        return;
    }
    if (s->v->media_captured) {
        l = (struct lane){ .s = s, .ice = ice, .from = from, .to = out->to };
        lane_collect(&l, out);
    }
    if (!out->expected) {
        conclude(out, DIR_NOT_EXPECTED, "the descriptions in force do not ask for it");
        return;
    }
    if (!s->v->media_captured) {
        conclude(out, DIR_UNKNOWN, "media is not captured here");
        return;
    }
    weigh(&l, out, session);
    if (out->verdict == DIR_RECEIVED)
        lane_gap(&l, out, session);
    if (!out->received_seen)
        out->received_from_n = 0;
    if (s->crowded && (out->verdict == DIR_NOT_RECEIVED || out->verdict == DIR_NOT_SENT)) {
        undecided(out, "its socket serves too many at a time to tell what is missing");
        return;
    }
    if ((out->verdict == DIR_NOT_RECEIVED || out->weak || (out->verdict == DIR_RECEIVED && !out->received_seen)) &&
        turn_of_loss(s, out, session))
        conclude(out, DIR_NOT_RECEIVED, "its TURN relay does not pass it on");
    else if (out->verdict == DIR_NOT_RECEIVED && out->cause == CAUSE_NONE)
        cause_of_loss(s, l.to, l.main_flow && !out->received_seen ? &l.main_dst : NULL, out, session);
}
