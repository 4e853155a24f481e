/* RTP streams and RTCP reports: RFC 3550 §6.4, A.1, A.3, A.8. */
#include "track/track_private.h"

enum { SEQ_MAX_DROPOUT = 3000, SEQ_MAX_MISORDER = 100, COMFORT_NOISE = 13 };

static void stream_jitter(struct stream *s, const struct datagram *d, uint32_t timestamp)
{
    uint32_t arrival, transit, delta;

    if (!s->clock_hz)
        return;
    arrival = (uint32_t)((uint64_t)(d->at.ns / 1000) * s->clock_hz / 1000000);
    transit = arrival - timestamp;
    if (s->packets.n > 1) {
        delta = transit - s->transit;
        if (delta & 0x80000000u)
            delta = -delta;
        s->jitter_x16 += delta - ((s->jitter_x16 + 8) >> 4);
    }
    s->transit = transit;
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

        if (gap > s->longest_gap_ns)
            s->longest_gap_ns = gap;
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
    s->pt = m->pt;
    s->max_seq = s->base_seq = m->seq;
    rtp_static_encoding(m->pt, &s->clock_hz);
    s->believed = track_socket(t, f->src_socket)->advertised || track_socket(t, f->dst_socket)->advertised;
    f->streams = f->hot = slot;
    f->streams_n++;
    f->contains |= FLOW_RTP;
    return s;
}

static struct stream *stream_find(struct track *t, struct flow *f, uint32_t ssrc)
{
    struct stream *s;

    for (uint32_t i = f->streams; (s = track_stream_at(t, i)) != NULL; i = s->next)
        if (s->ssrc == ssrc) {
            f->hot = i;
            return s;
        }
    return NULL;
}

/* An older record goes on unless it was ended, or the stream was silent for long. */
static bool goes_on(const struct stream *s, const struct datagram *d)
{
    return !s->closed && d->at.ns - s->packets.last.ns <= TRACK_SILENCE_NS;
}

bool track_rtp(struct track *t, struct flow *f, const struct datagram *d, const struct rtp_msg *m)
{
    struct stream *s = track_stream_at(t, f->hot);

    if (!s || s->ssrc != m->ssrc)
        s = stream_find(t, f, m->ssrc);
    if (!s || !goes_on(s, d)) {
        bool believed = s && s->believed;

        if (f->streams_n < TRACK_STREAMS_PER_FLOW)
            s = stream_make(t, f, d, m);
        if (!s)
            return false; /* too many SSRCs: this is no RTP, or nothing that one flow should carry */
        s->believed |= believed;
    }
    stream_packet(s, d, m);
    return true;
}

uint64_t stream_expected(const struct stream *s)
{
    return s->expected_before + (uint64_t)s->cycles + s->max_seq - s->base_seq + 1;
}

/* ---- RTCP ---- */

static struct rtcp_sender *rtcp_get(struct track *t, struct flow *f, uint32_t ssrc)
{
    struct rtcp_sender *r;
    uint32_t slot, n = 0;

    for (uint32_t i = f->rtcps; (r = track_rtcp_at(t, i)) != NULL; i = r->next, n++)
        if (r->ssrc == ssrc)
            return r;
    if (n >= TRACK_STREAMS_PER_FLOW || !(r = pool_new(&t->rtcps, &slot)))
        return NULL;
    r->flow = f->slot;
    r->next = f->rtcps;
    r->ssrc = ssrc;
    r->reports = POOL_NONE;
    f->rtcps = slot;
    return r;
}

static void rtcp_block(struct track *t, struct flow *f, const struct datagram *d, const struct rtcp_report *b)
{
    struct rtcp_sender *r = rtcp_get(t, f, b->from);
    struct rtcp_about *a = NULL;
    uint32_t slot, n = 0;

    if (!r)
        return;
    for (uint32_t i = r->reports; (a = track_about_at(t, i)) != NULL && a->ssrc != b->about; i = a->next)
        n++;
    if (!a) {
        if (n >= TRACK_STREAMS_PER_FLOW || !(a = pool_new(&t->abouts, &slot)))
            return;
        a->next = r->reports;
        a->ssrc = b->about;
        a->first_highest = b->highest_seq;
        r->reports = slot;
    } else if (b->highest_seq > a->last_highest) {
        a->advanced = d->at;
    }
    tally_add(&a->blocks, d->at);
    a->last_highest = b->highest_seq;
    a->fraction_lost = b->fraction_lost;
    a->lost = b->lost;
    a->jitter = b->jitter;
}

void track_rtcp(struct track *t, struct flow *f, const struct datagram *d, const struct rtcp_msg *m)
{
    bool any = false;
    struct rtcp_sender *first = NULL;

    f->contains |= FLOW_RTCP;
    for (size_t i = 0; i < m->packets; i++) {
        const struct rtcp_packet *p = &m->packet[i];
        struct rtcp_sender *r = p->type == RTCP_SR || p->type == RTCP_RR ? rtcp_get(t, f, p->ssrc) : NULL;

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
        struct rtcp_sender *r = rtcp_get(t, f, m->bye[i]);

        if (r)
            r->bye = d->at;
    }
}
