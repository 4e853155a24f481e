/* What speaks for a direction's media having arrived, and against it: packets that left and came, and RTCP of both parties. */
#include "verdict/lane_private.h"

#define STALL_NS  SECONDS(8) /* two RTCP intervals and a bit (RFC 3550 §6.2: 5 s) without progress */
#define STAYED_NS SECONDS(3) /* what ended longer before the rest did is not where media went last */

static void sent_flow(struct lane *l, const struct flow *f, struct direction_finding *out)
{
    const struct side *to = &l->s->side[l->to];
    struct tally t = { 0 }, beside = { 0 };

    if (side_has(&l->s->side[l->from], &f->dst))
        return;
    scene_rtp_beside(l->s, f, l->s->when, &beside);
    tally_merge(&l->beside, &beside);
    if (!scene_rtp(l->s, f, l->s->when, &t))
        return;
    tally_merge(&l->sent, &t);
    place_add(out->sent_to, &out->sent_to_n, &f->dst, &t);
    if (to->local && view_has(l->s->v, &f->dst) && !side_has(to, &f->dst)) {
        tally_merge(&l->stray, &t);
        l->stray_dst = f->dst;
    }
    if (!l->main_flow || t.last.ns > l->sent.last.ns - STAYED_NS) { /* the place where it went last, if it stayed there */
        struct tally old = { 0 };

        if (l->main_flow)
            scene_rtp(l->s, l->main_flow, l->s->when, &old);
        if (!l->main_flow || (t.n > old.n && t.last.ns > old.first.ns) || t.first.ns > old.last.ns) {
            l->main_flow = f;
            l->main_dst = f->dst;
        }
    }
}

static void collect_sent(struct lane *l, struct direction_finding *out)
{
    const struct side *from = &l->s->side[l->from];
    const struct flow *f;

    for (size_t i = 0; i < from->own_n; i++) {
        if (from->local && !view_has(l->s->v, &from->own[i]))
            continue;
        for (struct flows w = flows_of(l->s, l->from, i, true); (f = flows_next(&w)) != NULL;)
            sent_flow(l, f, out);
    }
}

static void arrived_flow(struct lane *l, const struct flow *f, struct direction_finding *out)
{
    struct tally t = { 0 }, beside = { 0 };

    if (side_has(&l->s->side[l->to], &f->src))
        return;
    scene_rtp_beside(l->s, f, l->s->when, &beside);
    tally_merge(&l->beside, &beside);
    if (!scene_rtp(l->s, f, l->s->when, &t))
        return;
    tally_merge(&l->arrived, &t);
    place_add(out->received_from, &out->received_from_n, &f->src, &t);
}

static void collect_arrived(struct lane *l, struct direction_finding *out)
{
    const struct side *to = &l->s->side[l->to];
    const struct flow *f;

    for (size_t i = 0; i < to->own_n; i++) {
        if (to->local && !view_has(l->s->v, &to->own[i]))
            continue;
        for (struct flows w = flows_of(l->s, l->to, i, false); (f = flows_next(&w)) != NULL;)
            arrived_flow(l, f, out);
    }
}

/* The stream of that SSRC which the sender sends now; NULL: none. */
static const struct stream *sent_stream(const struct lane *l, uint32_t ssrc)
{
    const struct stream *s;

    for (uint32_t i = l->main_flow ? l->main_flow->streams : POOL_NONE; (s = track_stream_at(l->s->v->t, i)) != NULL; i = s->next)
        if (s->believed && s->ssrc == ssrc)
            return s;
    return NULL;
}

static void round_trip_read(struct lane *l, enum party of, const struct rtcp_about *a)
{
    uint32_t *least = &l->round_trip_us[of];

    if (a->round_trips && (*least == 0 || a->round_trip_us < *least))
        *least = a->round_trip_us ? a->round_trip_us : 1;
}

/* RTCP that the receiver of the lane sends: its report blocks tell what it hears. */
static void report_read(struct lane *l, const struct rtcp_sender *r)
{
    const struct rtcp_about *a;
    const struct stream *x;

    if (!lane_in_span(l, r->packets.last))
        return;
    if (r->compounds_with_reports == 0) {
        l->empty_reports += r->packets.n;
        l->empty_last = r->packets.last;
    }
    for (uint32_t i = r->reports; (a = track_about_at(l->s->v->t, i)) != NULL; i = a->next) {
        x = sent_stream(l, a->ssrc);
        if (!x || !lane_in_span(l, a->blocks.last))
            continue;
        round_trip_read(l, l->to, a);
        if (!scene_owns(l->s, x)) {
            l->hears_beside = true;
            continue;
        }
        if (!l->about || a->blocks.n > l->about->blocks.n) {
            l->about = a;
            l->reported_stream = x;
        }
        l->reports += a->blocks.n;
        l->reported = a->advanced.frame ? a->advanced : a->blocks.first;
        if (a->blocks.last.ns - l->reported.ns >= STALL_NS && l->sent.last.ns - l->reported.ns >= STALL_NS)
            l->stalled = l->reported;
    }
    if (r->reports != POOL_NONE && !l->reports && r->compounds_with_reports) {
        l->reports_others = true;
        l->empty_reports += r->packets.n;
        l->empty_last = r->packets.last;
    }
    if (r->reports == POOL_NONE) {
        if (r->compounds_with_reports && !l->reports) { /* SRTCP: only the count can be read, and it is not 0 */
            l->reports += r->compounds_with_reports;
            l->reported = r->packets.last;
        }
    }
}

static void sender_alive(struct lane *l, const struct rtcp_sender *r)
{
    const struct rtcp_about *a;

    if (!lane_in_span(l, r->packets.last))
        return;
    tally_merge(&l->from_sender, &r->packets);
    for (uint32_t i = r->reports; (a = track_about_at(l->s->v->t, i)) != NULL; i = a->next)
        round_trip_read(l, l->from, a);
    if (r->has_sr && (!l->s->choose || ssrc_announced(l->s->agreement, l->s->media, r->ssrc))) {
        l->sr_packets = r->sr_packets_last;
        l->sr_advance = r->sr_packets_last - r->sr_packets_first;
        l->sr_at = r->sr_last;
    }
}

/* Without a description the next port may be anybody's: what comes from elsewhere is not that party's. */
static bool from_party(const struct lane *l, enum party p, const struct addr *src)
{
    const struct side *x = &l->s->side[p];

    for (size_t i = 0; i < x->own_n; i++)
        if (addr_ip_eq(&x->own[i], src))
            return true;
    return l->s->call->kind != SESSION_RTP;
}

static void rtcp_of_flows(struct lane *l, struct flows w, enum party of, void (*read)(struct lane *, const struct rtcp_sender *))
{
    const struct track *t = l->s->v->t;
    const struct rtcp_sender *r;
    const struct flow *f;

    while ((f = flows_next(&w)) != NULL) {
        if (side_has(&l->s->side[other_party(of)], &f->src) || !from_party(l, of, &f->src))
            continue;
        for (uint32_t i = f->rtcps; (r = track_rtcp_at(t, i)) != NULL; i = r->next)
            read(l, r);
    }
}

static void own_rtcp_of_flows(struct lane *l, struct flows w)
{
    const struct track *t = l->s->v->t;
    const struct rtcp_sender *r;
    const struct flow *f;

    while (view_has(l->s->v, w.at) && (f = flows_next(&w)) != NULL)
        for (uint32_t n = f->rtcps; (r = track_rtcp_at(t, n)) != NULL; n = r->next)
            sender_alive(l, r);
}

/* RTCP that leaves the sender's own sockets here. */
static void collect_own_rtcp(struct lane *l)
{
    const struct side *x = &l->s->side[l->from];

    for (size_t i = 0; x->local && i < x->own_n; i++) {
        own_rtcp_of_flows(l, flows_of(l->s, l->from, i, true));
        own_rtcp_of_flows(l, flows_of_rtcp(l->s, l->from, i, true));
    }
}

/* RTCP that party `of` sends, as it reaches the other party's sockets. */
static void collect_rtcp(struct lane *l, enum party of, void (*read)(struct lane *, const struct rtcp_sender *))
{
    enum party at = other_party(of);

    for (size_t i = 0; i < l->s->side[at].own_n; i++) {
        rtcp_of_flows(l, flows_of(l->s, at, i, false), of, read);
        rtcp_of_flows(l, flows_of_rtcp(l->s, at, i, false), of, read);
    }
}

/* At the receiver's own host the packets are counted; elsewhere its reports tell. */
static void quality(const struct lane *l, struct direction_finding *out)
{
    if (l->s->side[l->to].local)
        quality_of_packets(l->s, l->from, out, &out->quality);
    else if (l->about)
        quality_of_report(l->s, l->reported_stream, l->about, &out->quality);
    for (enum party p = CALLER; p < PARTIES; p++)
        if (!l->s->side[p].local && !l->round_trip_us[p])
            return;
    out->quality.round_trip_us = l->round_trip_us[CALLER] + l->round_trip_us[CALLEE];
}

/* What was under way when a new description came belongs to the span before. */
static void forget_tail(const struct lane *l, struct tally *t)
{
    if (t->n && l->s->when.from_ns != l->s->call->started.ns && t->last.ns - l->s->when.from_ns < 300 * (int64_t)NS_PER_MS &&
        lane_span_ns(l->s) >= JUDGE_MIN_NS)
        *t = (struct tally){ 0 };
}

static void collect(struct lane *l, struct direction_finding *out)
{
    collect_sent(l, out);
    collect_arrived(l, out);
    collect_rtcp(l, l->to, report_read);
    collect_rtcp(l, l->from, sender_alive);
    collect_own_rtcp(l);
}

void lane_collect(struct lane *l, struct direction_finding *out)
{
    const struct side *a = &l->s->side[l->from], *b = &l->s->side[l->to];

    if (!l->s->quiet)
        collect(l, out);
    out->sender_reports = l->from_sender.n + l->beside.n > 0;
    out->sent =
        a->local || l->sent.n > l->arrived.n ? l->sent.n : l->arrived.n; /* of a sender elsewhere: what is seen to come from it */
    out->received = b->local ? l->arrived.n : 0;
    if (!a->local && !out->sent_to_n && l->arrived.n)
        place_add(out->sent_to, &out->sent_to_n, &b->home, &l->arrived);
    quality(l, out);
    forget_tail(l, &l->sent);
    forget_tail(l, &l->arrived);
}
