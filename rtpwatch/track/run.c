#include "track/run.h"

#include "base/wr.h"
#include "track/track_private.h"

enum { ADDR_BYTES = 18, STATE_BYTES = 96, PACKET_BYTES = 40 /* the most that one packet takes */ };

/* Which of a packet's values stand in the list, since they are not as expected. */
enum { HAS_SEQ = 1, HAS_STEP = 2, HAS_SIZE = 4, HAS_PT = 8, IN_NS = 16 /* else in microseconds */, FLAGS = 31 };

/* ---- a record as bytes: all that a packet changes in it or is measured against, but the tally and the clock ---- */

static void state_write(struct wr *w, const struct stream *s)
{
    wr_uint(w, s->expected_before, 8);
    wr_uint(w, s->reordered, 4);
    wr_uint(w, s->duplicated, 4);
    wr_uint(w, s->gaps, 4);
    wr_uint(w, s->longest_gap_ms, 4);
    wr_uint(w, s->noise, 4);
    wr_uint(w, s->bytes, 8);
    wr_uint(w, s->longest_gap_ns, 4);
    wr_uint(w, s->ssrc, 4);
    wr_uint(w, s->pt, 1);
    wr_uint(w, s->believed, 1);
    wr_uint(w, s->in_sequence, 1);
    wr_uint(w, s->max_seq, 2);
    wr_uint(w, s->base_seq, 2);
    wr_uint(w, s->cycles, 4);
    wr_uint(w, s->transit, 4);
    wr_uint(w, s->jitter_x16, 4);
}

static void state_read(struct rd *r, struct stream *s)
{
    s->expected_before = rd_u64(r);
    s->reordered = rd_u32(r);
    s->duplicated = rd_u32(r);
    s->gaps = rd_u32(r);
    s->longest_gap_ms = rd_u32(r);
    s->noise = rd_u32(r);
    s->bytes = rd_u64(r);
    s->longest_gap_ns = rd_u32(r);
    s->ssrc = rd_u32(r);
    s->pt = rd_u8(r);
    s->believed = rd_u8(r);
    s->in_sequence = rd_u8(r);
    s->max_seq = rd_u16(r);
    s->base_seq = rd_u16(r);
    s->cycles = rd_u32(r);
    s->transit = rd_u32(r);
    s->jitter_x16 = rd_u32(r);
}

static uint64_t digest(const struct stream *s)
{
    uint8_t room[STATE_BYTES];
    struct wr w = wr_init(room, sizeof room);

    state_write(&w, s);
    wr_uint(&w, s->clock_hz, 4);
    wr_uint(&w, s->packets.n, 8);
    wr_uint(&w, (uint64_t)s->packets.last.ns, 8);
    return hash_fixed(room, w.n);
}

/* ---- numbers of few bytes: seven bits each, the lowest first ---- */

static void varint_write(struct wr *w, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        wr_uint(w, v | 128, 1);
    wr_uint(w, v, 1);
}

static uint64_t varint_read(struct rd *r)
{
    uint64_t v = 0;
    unsigned shift = 0;
    uint8_t b;

    do {
        b = rd_u8(r);
        v |= (uint64_t)(b & 127) << shift;
        shift += 7;
    } while (b & 128 && shift < 64);
    return v;
}

/* Small numbers of either sign: 0, -1, 1, -2, ... */
static uint64_t zigzag(int64_t v)
{
    return v < 0 ? 2 * ~(uint64_t)v + 1 : 2 * (uint64_t)v;
}

static int64_t zagzig(uint64_t v)
{
    return v & 1 ? -(int64_t)(v >> 1) - 1 : (int64_t)(v >> 1);
}

/* ---- making one ---- */

void run_begin(struct run *r, const struct stream *s)
{
    r->after = *s;
    r->before = digest(s);
    r->lead = s->packets.last;
    r->place = (struct run_place){ .packet = { .at = s->packets.last, .ssrc = s->ssrc } };
    r->n = 0;
    r->list_n = 0;
}

static void packet_write(struct wr *w, struct run_place *place, const struct run_packet *p)
{
    const struct run_packet *before = &place->packet;
    int64_t delta_ns = p->at.ns - before->at.ns, late_ns = delta_ns - place->delta_ns;
    uint32_t step = p->timestamp - before->timestamp;
    unsigned has = (p->seq != (uint16_t)(before->seq + 1) ? HAS_SEQ : 0u) | (step != place->step ? HAS_STEP : 0u) |
                   (p->size != before->size ? HAS_SIZE : 0u) | (p->pt != before->pt ? HAS_PT : 0u) |
                   (late_ns % NS_PER_US ? IN_NS : 0u);

    wr_uint(w, has, 1);
    if (has & HAS_SEQ)
        wr_uint(w, p->seq, 2);
    if (has & HAS_STEP)
        wr_uint(w, step, 4);
    if (has & HAS_SIZE)
        varint_write(w, p->size);
    if (has & HAS_PT)
        wr_uint(w, p->pt, 1);
    varint_write(w, p->at.frame - before->at.frame);
    varint_write(w, zigzag(has & IN_NS ? late_ns : late_ns / NS_PER_US));
    *place = (struct run_place){ *p, step, delta_ns };
}

bool run_add(struct run *r, const struct stream *s, const struct run_packet *p)
{
    int64_t gap_ns = p->at.ns - r->after.packets.last.ns;
    struct wr w = wr_init(r->list + r->list_n, RUN_LIST - r->list_n);

    if (w.room < PACKET_BYTES || s->closed || s->packets.n != r->after.packets.n + 1 || p->ssrc != r->after.ssrc)
        return false;
    if (gap_ns < 0 || gap_ns > STREAM_GAP_NS || p->at.ns > RUN_LATEST_NS || p->at.ns < -RUN_LATEST_NS || p->size > UINT16_MAX)
        return false;
    if (p->at.frame <= r->after.packets.last.frame || p->at.frame - r->after.packets.last.frame > UINT32_MAX)
        return false;
    packet_write(&w, &r->place, p);
    r->list_n += w.n;
    r->n++;
    r->after = *s;
    return true;
}

static void addr_write(struct wr *w, const struct addr *a)
{
    wr_span(w, (struct span){ a->ip, sizeof a->ip });
    wr_uint(w, a->port, 2);
}

static void seen_write(struct wr *w, struct seen at)
{
    wr_uint(w, (uint64_t)at.ns, 8);
    wr_uint(w, at.frame, 8);
}

size_t run_pack(const struct run *r, const struct flow *f, uint8_t *out)
{
    struct wr w = wr_init(out, RUN_BYTES);

    addr_write(&w, &f->src);
    addr_write(&w, &f->dst);
    seen_write(&w, r->lead);
    seen_write(&w, r->after.packets.last);
    wr_uint(&w, r->before, 8);
    state_write(&w, &r->after);
    wr_uint(&w, r->n, 4);
    wr_span(&w, (struct span){ r->list, r->list_n });
    return w.n;
}

/* ---- reading one ---- */

static struct addr addr_read(struct rd *r)
{
    struct span ip = rd_take(r, sizeof(struct addr){ { 0 }, 0 }.ip);
    uint16_t port = rd_u16(r);

    return ip.p ? addr_v6(ip.p, port) : ADDR_NONE;
}

static struct seen seen_read(struct rd *r)
{
    int64_t ns = (int64_t)rd_u64(r);

    return (struct seen){ ns, rd_u64(r) };
}

/* What track keeps true of its records holds for these too. */
static bool sound(const struct run_told *told)
{
    int64_t lasts_ns = told->last.ns - told->lead.ns;

    return told->n && told->n <= told->list.n && lasts_ns >= 0 && lasts_ns <= told->n * STREAM_GAP_NS &&
           told->last.frame > told->lead.frame && told->after.pt < 128;
}

bool run_read(struct span bytes, struct run_told *out)
{
    struct rd r = rd_init(bytes, bytes.n);

    *out = (struct run_told){ .src = addr_read(&r) };
    out->dst = addr_read(&r);
    out->lead = seen_read(&r);
    out->last = seen_read(&r);
    out->before = rd_u64(&r);
    state_read(&r, &out->after);
    out->n = rd_u32(&r);
    out->list = rd_rest(&r);
    if (r.err || out->lead.ns < -RUN_LATEST_NS || out->last.ns < -RUN_LATEST_NS || out->lead.ns > RUN_LATEST_NS ||
        out->last.ns > RUN_LATEST_NS)
        return false;
    return sound(out);
}

/*
 * May the packet before the run have come, and nothing been recorded of it but a count? A table is full, or it would have begun a record
 * (`s` NULL) where its flow is crowded.
 */
static bool was_refused(const struct track *t, const struct flow *f, const struct stream *s, int64_t lead_ns)
{
    if (!f)
        return t->flows.refused || t->sockets.refused;
    return t->streams.refused || (!s && flow_crowded(t, f, lead_ns));
}

enum run_fit run_fits(const struct track *t, const struct run_told *told, struct flow **f, struct stream **s)
{
    *f = track_find_flow(t, &told->src, &told->dst);
    *s = *f ? track_stream_at(t, flow_stream(t, *f, told->after.ssrc)) : NULL;
    if (!*s || (*s)->packets.last.frame != told->lead.frame)
        return was_refused(t, *f, *s, told->lead.ns) ? RUN_ANEW : RUN_UNFIT;
    if ((*s)->closed) /* a flow that can have no more records goes on in closed ones */
        return flow_crowded(t, *f, told->lead.ns) ? RUN_ANEW : RUN_UNFIT;
    return digest(*s) == told->before ? RUN_GOES_ON : RUN_ANEW;
}

/* In the order in which packets come; runs of several streams of a flow overlap. */
static bool later(struct seen a, struct seen b)
{
    return a.ns != b.ns ? a.ns > b.ns : a.frame > b.frame;
}

void run_apply(struct track *t, struct flow *f, struct stream *s, const struct run_told *told)
{
    struct stream now = told->after;

    now.flow = s->flow;
    now.next = s->next;
    now.ids = s->ids;
    now.first_pt = s->first_pt;
    now.given_up = s->given_up;
    now.clock_hz = s->clock_hz;
    now.packets = (struct tally){ s->packets.first, s->packets.n + told->n, told->last };
    *s = now;
    f->packets.n += told->n;
    if (later(told->last, f->packets.last))
        f->packets.last = told->last;
    if (later(told->last, t->last))
        t->last = told->last;
}

struct run_list run_list(const struct run_told *told)
{
    return (struct run_list){ .place = { .packet = { .at = told->lead, .ssrc = told->after.ssrc } },
                              .left = rd_init(told->list, told->list.n),
                              .n = told->n };
}

bool run_next(struct run_list *l, struct run_packet *out)
{
    struct run_place *place = &l->place;
    struct run_packet p = place->packet;
    struct rd *r = &l->left;
    unsigned has = l->n ? rd_u8(r) : 0;
    uint64_t frames;
    int64_t late;

    p.seq = has & HAS_SEQ ? rd_u16(r) : (uint16_t)(p.seq + 1);
    place->step = has & HAS_STEP ? rd_u32(r) : place->step;
    p.timestamp += place->step;
    p.size = has & HAS_SIZE ? (size_t)varint_read(r) : p.size;
    p.pt = has & HAS_PT ? rd_u8(r) & 127 : p.pt;
    frames = varint_read(r);
    late = zagzig(varint_read(r));
    if (!l->n || r->err || has > FLAGS || p.size > UINT16_MAX || frames > UINT32_MAX || late > STREAM_GAP_NS ||
        late < -STREAM_GAP_NS)
        return false;
    place->delta_ns += has & IN_NS ? late : late * NS_PER_US;
    if (place->delta_ns < 0 || place->delta_ns > STREAM_GAP_NS)
        return false;
    p.at.ns += place->delta_ns;
    p.at.frame += frames;
    place->packet = *out = p;
    l->n--;
    return true;
}
