/* How well a direction arrives: loss, reordering, gaps and jitter, by its packets or the receiver's reports; and a MOS from those. */
#include <math.h>

#include "verdict/verdict_private.h"

#define MOS_MIN_NS    SECONDS(3)  /* what is shorter is no opinion on a call */
#define REJOIN_MAX_NS SECONDS(60) /* after this long a sequence number tells nothing of how many were lost */
enum { JITTER_MIN_PACKETS = 16, REJOIN_MAX_PACKETS = 3000 };

/* What an endpoint adds to the network's delay is not seen. */
enum { PATH_MS = 50 /* one way, where no round trip is known */, PTIME_MS = 20, BUFFER_MIN_MS = 40, BUFFER_MAX_MS = 200 };

/* ---- counting ---- */

static bool in_time(const struct scene *s, const struct stream *x)
{
    return x->believed && x->packets.first.ns >= s->when.from_ns && x->packets.first.ns < s->when.to_ns && scene_owns(s, x);
}

/* The encoding that the stream's packets have; telephone-events and comfort noise name none, RED that of what it carries. */
static const char *encoding_of(const struct scene *s, const struct stream *x)
{
    const uint8_t pts[] = { x->first_pt, x->pt };
    uint32_t clock_hz;

    for (size_t i = 0; i < 2; i++) {
        const struct format_desc *f = media_format(s->agreement, s->media, pts[i]);
        const char *fixed = f ? NULL : rtp_static_encoding(pts[i], &clock_hz);

        if (f && f->role == SDP_ROLE_RED)
            return s->side[CALLER].media->codec;
        if (f && f->role == SDP_ROLE_MEDIA && *f->encoding)
            return f->encoding;
        if (fixed && strcmp(fixed, "CN") != 0)
            return fixed;
    }
    return "";
}

static uint32_t clock_of(const struct scene *s, const struct stream *x)
{
    const struct format_desc *f = x->clock_hz ? NULL : media_format(s->agreement, s->media, x->first_pt);

    return f ? f->clock_hz : x->clock_hz;
}

/* The older record of the same SSRC: a new one begins after a pause, or with a new description. */
static const struct stream *before(const struct scene *s, const struct stream *x)
{
    const struct stream *o;

    for (uint32_t i = x->next; (o = track_stream_at(s->v->t, i)) != NULL; i = o->next)
        if (o->ssrc == x->ssrc)
            return in_time(s, o) ? o : NULL;
    return NULL;
}

/* What was lost in the pause between two records; a sender that paused by itself goes on with the next sequence number. */
static void count_between(const struct stream *older, const struct stream *x, struct quality *q)
{
    int64_t pause = x->packets.first.ns - older->packets.last.ns;
    uint16_t ahead = (uint16_t)(x->base_seq - older->max_seq);

    if (x->expected_before || ahead < 2 || ahead > REJOIN_MAX_PACKETS || pause < 0 || pause > REJOIN_MAX_NS)
        return;
    q->expected += ahead - 1u;
    q->lost += ahead - 1u;
    q->gaps += pause > STREAM_GAP_NS;
    if (pause > STREAM_GAP_NS && pause > q->longest_gap_ns)
        q->longest_gap_ns = pause;
}

static void count_stream(const struct scene *s, const struct stream *x, struct quality *q)
{
    uint64_t expected = stream_expected(x), got = x->packets.n - x->duplicated;
    struct quality one = { .expected = expected,
                           .lost = expected > got ? expected - got : 0,
                           .reordered = x->reordered,
                           .duplicated = x->duplicated,
                           .gaps = x->gaps,
                           .longest_gap_ns = (int64_t)x->longest_gap_ms * NS_PER_MS,
                           .heard_ns = x->packets.last.ns - x->packets.first.ns,
                           .codec = encoding_of(s, x) };
    const struct stream *older = before(s, x);

    if (x->clock_hz && x->packets.n > JITTER_MIN_PACKETS) {
        one.jitter_ms = (double)x->jitter_x16 / 16 * 1000 / x->clock_hz;
        one.jitter_packets = x->packets.n;
    }
    if (older)
        count_between(older, x, &one);
    quality_join(q, &one);
}

void quality_of_packets(const struct scene *s, enum party from, const struct direction_finding *d, struct quality *out)
{
    const struct side *to = &s->side[other_party(from)];

    out->ptime_ms = s->side[from].media->ptime_ms;
    for (size_t i = 0; i < d->received_from_n; i++) {
        const struct flow *f = track_find_flow(s->v->t, &d->received_from[i].addr, &to->home);
        const struct stream *x;

        for (uint32_t k = f ? f->streams : POOL_NONE; (x = track_stream_at(s->v->t, k)) != NULL; k = x->next)
            if (in_time(s, x))
                count_stream(s, x, out);
    }
}

/*
 * What the receiver had expected when it wrote its last report: from the stream's first packet, or where the capture does not hold that,
 * from its first report.
 */
static void count_reported(const struct stream *x, const struct rtcp_about *a, struct quality *q)
{
    uint32_t all = a->last_highest - x->base_seq + 1, since = a->last_highest - a->first_highest;
    int32_t lost = a->lost;

    if (all > 0 && all <= stream_expected(x) + 1) {
        q->expected = all;
    } else if (a->blocks.n > 1 && since > 0 && since <= stream_expected(x) + 1) {
        q->expected = since;
        lost -= a->first_lost;
    }
    q->lost = lost < 0 ? 0 : (uint64_t)lost > q->expected ? q->expected : (uint64_t)lost;
}

void quality_of_report(const struct scene *s, const struct stream *x, const struct rtcp_about *a, struct quality *out)
{
    uint32_t clock_hz = clock_of(s, x);

    *out = (struct quality){ .by_rtcp = true, .codec = encoding_of(s, x), .heard_ns = a->blocks.last.ns - x->packets.first.ns };
    count_reported(x, a, out);
    if (clock_hz && out->expected) {
        out->jitter_ms = (double)a->jitter * 1000 / clock_hz;
        out->jitter_packets = out->expected;
    }
}

void quality_join(struct quality *into, const struct quality *more)
{
    if (into->expected && into->by_rtcp != more->by_rtcp) { /* what was counted here is better known */
        if (into->by_rtcp && more->expected)
            *into = *more;
        return;
    }
    if (more->expected > into->expected && more->codec && *more->codec)
        into->codec = more->codec;
    if (more->jitter_packets > into->jitter_packets) {
        into->jitter_ms = more->jitter_ms;
        into->jitter_packets = more->jitter_packets;
    }
    into->by_rtcp = more->expected ? more->by_rtcp : into->by_rtcp;
    into->expected += more->expected;
    into->lost += more->lost;
    into->reordered += more->reordered;
    into->duplicated += more->duplicated;
    into->gaps += more->gaps;
    into->longest_gap_ns = more->longest_gap_ns > into->longest_gap_ns ? more->longest_gap_ns : into->longest_gap_ns;
    into->heard_ns += more->heard_ns;
    into->ptime_ms = into->ptime_ms ? into->ptime_ms : more->ptime_ms;
    into->round_trip_us = into->round_trip_us ? into->round_trip_us : more->round_trip_us;
}

/* ---- rating ---- */

static double clamped(double x, double least, double most)
{
    return x < least ? least : x > most ? most : x;
}

static void rate(struct session_finding *f, struct direction_finding *d)
{
    const struct quality *q = &d->quality;
    const struct emodel_codec *c = q->codec ? emodel_codec(q->codec) : NULL;
    unsigned path = q->round_trip_us ? q->round_trip_us / 2000 : PATH_MS, ptime = q->ptime_ms ? q->ptime_ms : PTIME_MS,
             buffer = (unsigned)clamped(2 * q->jitter_ms, BUFFER_MIN_MS, BUFFER_MAX_MS), delay = path + ptime + buffer;
    struct strbuf b = { 0 };

    if (!c || d->kind == SDP_VIDEO || q->heard_ns < MOS_MIN_NS)
        return;
    d->mos = round(100 * emodel_mos(emodel_r(c->ie, c->bpl, d->loss_percent, delay))) / 100;
    d->mos_assumed = "";
    if (f->brief)
        return;
    strbuf_fmt(&b,
               "ITU-T G.107 without echo; %s: %s, loss at random; %u ms to the ear: path %u (%s), packet %u, jitter buffer %u",
               c->name, c->source, delay, path, q->round_trip_us ? "half the round trip by RTCP" : "assumed", ptime, buffer);
    d->mos_assumed = text_keep(f, &b);
}

static void warn(struct session_finding *f, const struct direction_finding *d)
{
    struct strbuf b = { 0 };

    if (f->brief) {
        warn_add(f, "poor_quality", POOL_NONE, "");
        return;
    }
    strbuf_fmt(&b, "The %s of %s arrives badly: %.1f %% of it is lost", sdp_kind_name(d->kind), party_name(f->call, d->from, f),
               d->loss_percent);
    if (d->jitter_ms >= 0)
        strbuf_fmt(&b, ", jitter %.0f ms", d->jitter_ms);
    if (d->mos > 0)
        strbuf_fmt(&b, ", MOS %.1f", d->mos);
    strbuf_fmt(&b, "%s.", d->quality.by_rtcp ? " (its receiver's reports)" : "");
    warn_add(f, "poor_quality", POOL_NONE, text_keep(f, &b));
}

void quality_conclude(struct session_finding *f, bool dropped)
{
    for (size_t i = 0; i < f->directions_n; i++) {
        struct direction_finding *d = &f->direction[i];
        const struct quality *q = &d->quality;

        d->has_quality = q->expected > 0;
        d->loss_percent = q->expected ? 100.0 * (double)q->lost / (double)q->expected : 0;
        d->jitter_ms = q->jitter_packets ? q->jitter_ms : -1;
        if (q->codec && *q->codec) /* what flows, not what was described first */
            d->codec = q->codec;
        if (!d->has_quality || d->verdict != DIR_RECEIVED ||
            (dropped && !q->by_rtcp)) /* what the capture lost, the network did not */
            continue;
        rate(f, d);
        if (q->heard_ns >= MOS_MIN_NS && ((d->mos > 0 && d->mos < POOR_MOS) || d->loss_percent >= POOR_LOSS_PERCENT))
            warn(f, d);
    }
}
