/* RTP streams and RTCP reports: RFC 3550 §6.4, A.1, A.3, A.8. */
#include "track/track_private.h"

#define CROWD_NS SECONDS(60)
enum { SEQ_MAX_DROPOUT = 3000, SEQ_MAX_MISORDER = 100, COMFORT_NOISE = 13, ROUND_TRIP_MAX_US = 10000000 };

/* Arrival less timestamp, in the stream's clock: only its changes mean something. */
static uint32_t transit_of(const struct stream *s, const struct datagram *d, uint32_t timestamp)
{
    return (uint32_t)((uint64_t)(d->at.ns / 1000) * s->clock_hz / 1000000) - timestamp;
}

static void stream_jitter(struct stream *s, const struct datagram *d, uint32_t timestamp)
{
    uint32_t transit, delta;

    if (!s->clock_hz)
        return;
    transit = transit_of(s, d, timestamp);
    if (s->packets.n > 1) {
        delta = transit - s->transit;
        if (delta & 0x80000000u)
            delta = -delta;
        s->jitter_x16 += delta - ((s->jitter_x16 + 8) >> 4);
    }
    s->transit = transit;
}

/*
 * A pause above STREAM_GAP_NS. The sender made it where no packet is missing and the timestamp went on meanwhile (silence suppression,
 * mute: RFC 3551 §4.1); else the network did: it lost a run of packets, or held them up.
 */
static void stream_gap(struct stream *s, const struct datagram *d, const struct rtp_msg *m, int64_t gap_ns)
{
    bool next = (uint16_t)(m->seq - s->max_seq) == 1;
    int32_t late = (int32_t)(uint32_t)(transit_of(s, d, m->timestamp) - s->transit);
    int64_t late_ns = s->clock_hz ? (int64_t)late * NS_PER_S / s->clock_hz : 0;

    if (next && late_ns < gap_ns / 2)
        return;
    s->gaps++;
    if (gap_ns / NS_PER_MS > s->longest_gap_ms)
        s->longest_gap_ms = (uint32_t)(gap_ns / NS_PER_MS);
}

/* A.1, for a stream that is already believed or on trial: moves the highest sequence number. */
static void stream_sequence(struct stream *s, uint16_t seq)
{
    uint16_t ahead = (uint16_t)(seq - s->max_seq);

    if (ahead == 0) {
        s->duplicated++;
    } else if (ahead < SEQ_MAX_DROPOUT) {
        if (seq < s->max_seq)
            s->cycles += 65536;
        s->in_sequence = ahead == 1 ? (uint8_t)(s->in_sequence + (s->in_sequence < 255)) : s->in_sequence;
        s->max_seq = seq;
    } else if (ahead > 65536 - SEQ_MAX_MISORDER) {
        s->reordered++;
    } else { /* the sender began anew */
        s->expected_before += (uint64_t)s->cycles + s->max_seq - s->base_seq + 1;
        s->max_seq = s->base_seq = seq;
        s->cycles = 0;
    }
}

static void stream_packet(struct stream *s, const struct datagram *d, const struct rtp_msg *m)
{
    if (s->packets.n) {
        int64_t gap = d->at.ns - s->packets.last.ns;

        if (gap > (int64_t)s->longest_gap_ns && gap <= TRACK_SILENCE_NS)
            s->longest_gap_ns = (uint32_t)gap;
        stream_sequence(s, m->seq);
    }
    tally_add(&s->packets, d->at);
    s->bytes += d->size;
    if (m->pt == COMFORT_NOISE)
        s->noise++;
    else
        s->pt = m->pt;
    stream_jitter(s, d, m->timestamp);
    if (s->in_sequence + 1 >= TRACK_IN_SEQUENCE)
        s->believed = true;
}

/* The clock of a dynamic payload type, as the SDP says that named an end of the flow: the receiver's tells how to send (RFC 3264 §5.1). */
static uint32_t clock_described(const struct track *t, const struct flow *f, uint8_t pt)
{
    const uint32_t ends[] = { f->dst_socket, f->src_socket };

    for (size_t i = 0; i < 2; i++) {
        const struct socket *k = track_socket(t, ends[i]);
        const struct call *c = pool_get(&t->calls, k->described_in);
        const struct sdp_fact *sdp = c ? c->sdps : NULL;
        const struct format_desc *format;

        for (uint16_t n = k->described_sdp; sdp && n; n--)
            sdp = sdp->next;
        format = sdp ? sdp_format_of(sdp, k->described_media, pt) : NULL;
        if (format && format->clock_hz)
            return format->clock_hz;
    }
    return 0;
}

static struct stream *stream_make(struct track *t, struct flow *f, const struct datagram *d, const struct rtp_msg *m)
{
    uint32_t slot;
    struct stream *s = pool_new(&t->streams, &slot);

    if (!s) {
        fault_log_one(t->faults, FAULT_STREAM_TABLE_FULL, d->at.frame);
        return NULL;
    }
    s->flow = f->slot;
    s->next = f->streams;
    s->ssrc = m->ssrc;
    s->pt = s->first_pt = m->pt;
    s->ids = POOL_NONE;
    s->max_seq = s->base_seq = m->seq;
    if (!rtp_static_encoding(m->pt, &s->clock_hz))
        s->clock_hz = clock_described(t, f, m->pt);
    s->believed = track_socket(t, f->src_socket)->advertised || track_socket(t, f->dst_socket)->advertised;
    f->streams = f->hot = slot;
    if (f->streams_n < TRACK_STREAMS_PER_FLOW)
        f->streams_n++;
    f->contains |= FLOW_RTP;
    track_socket(t, f->dst_socket)->takes_media = true;
    return s;
}

/* Among the newest: what is older has long been silent. */
uint32_t flow_stream(const struct track *t, const struct flow *f, uint32_t ssrc)
{
    const struct stream *s;
    unsigned n = 0;

    for (uint32_t i = f->streams; n < TRACK_STREAMS_PER_FLOW && (s = track_stream_at(t, i)) != NULL; i = s->next, n++)
        if (s->ssrc == ssrc)
            return i;
    return POOL_NONE;
}

static struct stream *stream_find(struct track *t, struct flow *f, uint32_t ssrc)
{
    uint32_t slot = flow_stream(t, f, ssrc);

    if (slot != POOL_NONE)
        f->hot = slot;
    return track_stream_at(t, slot);
}

/*
 * So many records in so short a time are no RTP, or nothing that one flow should carry. Over hours there may be more: ports are used again
 * by the next call, and a stream that pauses begins another record.
 */
bool flow_crowded(const struct track *t, const struct flow *f, int64_t now_ns)
{
    const struct stream *s;

    if (f->streams_n < TRACK_STREAMS_PER_FLOW)
        return false;
    s = track_stream_at(t, f->streams);
    for (unsigned n = 1; s && n < TRACK_STREAMS_PER_FLOW; n++)
        s = track_stream_at(t, s->next);
    return s && now_ns - s->packets.first.ns < CROWD_NS;
}

/*
 * A new stream, or one that comes back: the older record goes on unless it was ended, or the stream was silent for long, and there is room.
 * NULL: too many SSRCs, so this is no RTP, or nothing that one flow should carry.
 */
static struct stream *stream_resume(struct track *t, struct flow *f, const struct datagram *d, const struct rtp_msg *m,
                                    struct stream *s)
{
    int64_t gap_ns = s ? d->at.ns - s->packets.last.ns : 0;
    const struct stream *before = s;

    if (s && !s->closed && gap_ns <= TRACK_SILENCE_NS) {
        stream_gap(s, d, m, gap_ns);
        return s;
    }
    if (flow_crowded(t, f, d->at.ns))
        return s;
    s = stream_make(t, f, d, m);
    if (s && before) {
        s->believed |= before->believed;
        s->ids = before->ids; /* a mid is sent only until the receiver knows it (RFC 9143 §15.1) */
    }
    return s;
}

enum rtp_taken track_rtp(struct track *t, struct flow *f, const struct datagram *d, const struct rtp_msg *m)
{
    struct stream *s = track_stream_at(t, f->hot);
    enum rtp_taken taken = RTP_KNOWN;

    if (!s || s->ssrc != m->ssrc)
        s = stream_find(t, f, m->ssrc);
    if (!s || s->closed || d->at.ns - s->packets.last.ns > STREAM_GAP_NS) {
        s = stream_resume(t, f, d, m, s);
        if (!s)
            return RTP_REFUSED;
        taken = s->packets.n ? RTP_KNOWN : RTP_FIRST;
    }
    stream_packet(s, d, m);
    return taken;
}

static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    return s.n > 0 && s.n <= STREAM_ID_TEXT;
}

static void id_keep(struct stream_ids *ids, uint8_t id, struct span value)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->v[i].id == id)
            return;
    if (ids->n == STREAM_IDS_KEPT)
        return;
    ids->v[ids->n] = (struct stream_id){ .id = id, .len = (uint8_t)value.n };
    memcpy(ids->v[ids->n++].text, value.p, value.n);
}

void track_rtp_ids(struct track *t, const struct flow *f, const struct rtp_msg *m)
{
    struct stream *s = track_stream_at(t, f->hot);
    struct span ext = m->ext, value;
    uint8_t id;

    while (s && rtp_ext_next(m->ext_profile, &ext, &id, &value)) {
        if (!is_token(value))
            continue;
        if (s->ids == POOL_NONE && !pool_new(&t->stream_ids, &s->ids)) {
            s->ids = POOL_NONE;
            return;
        }
        id_keep(pool_at(&t->stream_ids, s->ids), id, value);
    }
}

uint64_t stream_expected(const struct stream *s)
{
    return s->expected_before + (uint64_t)s->cycles + s->max_seq - s->base_seq + 1;
}

/* ---- RTCP ---- */

/* As with streams: among the newest, and no more of them in so short a time. */
static struct rtcp_sender *rtcp_get(struct track *t, struct flow *f, uint32_t ssrc, int64_t now_ns)
{
    struct rtcp_sender *r;
    int64_t oldest_ns = INT64_MIN;
    uint32_t slot, n = 0;

    for (uint32_t i = f->rtcps; n < TRACK_STREAMS_PER_FLOW && (r = track_rtcp_at(t, i)) != NULL; i = r->next, n++) {
        if (r->ssrc == ssrc)
            return r;
        oldest_ns = r->made_ns;
    }
    if ((n == TRACK_STREAMS_PER_FLOW && now_ns - oldest_ns < CROWD_NS) || !(r = pool_new(&t->rtcps, &slot)))
        return NULL;
    r->made_ns = now_ns;
    r->flow = f->slot;
    r->next = f->rtcps;
    r->ssrc = ssrc;
    r->reports = POOL_NONE;
    f->rtcps = slot;
    return r;
}

/* RFC 3550 §6.4.1: how long ago the report that the block answers passed here, less the time that the receiver held it. */
static void round_trip(const struct track *t, const struct flow *f, const struct datagram *d, const struct rtcp_report *b,
                       struct rtcp_about *a)
{
    const struct flow *back = b->last_sr ? track_find_flow(t, &f->dst, &f->src) : NULL;
    int64_t held = (int64_t)((uint64_t)b->delay_last_sr * NS_PER_S >> 16);
    const struct rtcp_sender *r;

    for (uint32_t i = back ? back->rtcps : POOL_NONE; (r = track_rtcp_at(t, i)) != NULL; i = r->next) {
        int64_t us = (d->at.ns - r->sr_last.ns - held) / 1000;

        if (r->ssrc != b->about || r->sr_ntp != b->last_sr || us < 0 || us > ROUND_TRIP_MAX_US)
            continue;
        if (a->round_trips++ == 0 || us < a->round_trip_us)
            a->round_trip_us = (uint32_t)us;
    }
}

static struct rtcp_about *about_find(const struct track *t, const struct rtcp_sender *r, uint32_t ssrc, int64_t now_ns,
                                     bool *crowded)
{
    struct rtcp_about *a;
    int64_t oldest_ns = INT64_MIN;
    uint32_t n = 0;

    for (uint32_t i = r->reports; n < TRACK_STREAMS_PER_FLOW && (a = track_about_at(t, i)) != NULL; i = a->next, n++) {
        if (a->ssrc == ssrc)
            return a;
        oldest_ns = a->blocks.first.ns;
    }
    *crowded = n == TRACK_STREAMS_PER_FLOW && now_ns - oldest_ns < CROWD_NS;
    return NULL;
}

static void rtcp_block(struct track *t, struct flow *f, const struct datagram *d, const struct rtcp_report *b)
{
    struct rtcp_sender *r = rtcp_get(t, f, b->from, d->at.ns);
    struct rtcp_about *a;
    bool crowded;
    uint32_t slot;

    if (!r)
        return;
    a = about_find(t, r, b->about, d->at.ns, &crowded);
    if (!a) {
        if (crowded || !(a = pool_new(&t->abouts, &slot)))
            return;
        a->next = r->reports;
        a->ssrc = b->about;
        a->first_highest = b->highest_seq;
        a->first_lost = b->lost;
        r->reports = slot;
    } else if (b->highest_seq > a->last_highest) {
        a->advanced = d->at;
    }
    tally_add(&a->blocks, d->at);
    a->last_highest = b->highest_seq;
    a->fraction_lost = b->fraction_lost;
    a->lost = b->lost;
    a->jitter = b->jitter;
    round_trip(t, f, d, b, a);
}

void track_rtcp(struct track *t, struct flow *f, const struct datagram *d, const struct rtcp_msg *m)
{
    bool any = false;
    struct rtcp_sender *first = NULL;

    f->contains |= FLOW_RTCP;
    track_socket(t, f->dst_socket)->takes_media = true;
    for (size_t i = 0; i < m->packets; i++) {
        const struct rtcp_packet *p = &m->packet[i];
        struct rtcp_sender *r = p->type == RTCP_SR || p->type == RTCP_RR ? rtcp_get(t, f, p->ssrc, d->at.ns) : NULL;

        if (!r)
            continue;
        if (!first)
            first = r;
        any |= p->count > 0;
        r->with_reports += p->count > 0;
        r->without_reports += p->count == 0;
        if (p->type == RTCP_SR) {
            if (m->has_sr && m->sr_ssrc == p->ssrc) {
                r->sr_packets_last = m->sr_packets;
                r->sr_ntp = (uint32_t)(m->sr_ntp >> 16);
                if (!r->has_sr)
                    r->sr_packets_first = m->sr_packets;
            }
            r->has_sr = true;
            r->sr_last = d->at;
        }
    }
    if (first) {
        tally_add(&first->packets, d->at);
        first->compounds_with_reports += any;
    }
    for (size_t i = 0; i < m->reports; i++)
        rtcp_block(t, f, d, &m->report[i]);
    for (size_t i = 0; i < m->byes; i++) {
        struct rtcp_sender *r = rtcp_get(t, f, m->bye[i], d->at.ns);

        if (r)
            r->bye = d->at;
    }
}
