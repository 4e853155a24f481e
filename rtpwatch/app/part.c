#include "app/part.h"

#include <inttypes.h>
#include <stdio.h>

#include "app/twice.h"
#include "track/run.h"

static bool damaged(char error[CAPTURE_ERROR])
{
    snprintf(error, CAPTURE_ERROR, "damaged: write it again with --reduce");
    return false;
}

static bool unfit(const struct run_told *told, char error[CAPTURE_ERROR])
{
    snprintf(error, CAPTURE_ERROR,
             "frame %" PRIu64
             " and what follows of its voice do not fit what was read before: reduce this file together with the "
             "one before it, or give the captures themselves",
             frame_number(told->lead.frame));
    return false;
}

static void clock_raise(struct pipeline *p, int64_t ns)
{
    if (ns > p->clock.now_ns)
        p->clock.now_ns = ns;
}

/* One packet of a run, as the pipeline would take it. False: it would have looked at more of it than is told. */
static bool packet_take(struct pipeline *p, const struct run_told *told, const struct run_packet *packet)
{
    struct datagram d = { .at = packet->at, .since = packet->at.frame, .src = told->src, .dst = told->dst, .size = packet->size };
    struct rtp_msg m = { .pt = packet->pt, .seq = packet->seq, .timestamp = packet->timestamp, .ssrc = packet->ssrc };
    struct flow *f = track_flow(p->track, &d);
    enum rtp_taken taken = f ? track_rtp(p->track, f, &d, &m) : RTP_REFUSED;

    p->packets++;
    p->done[taken == RTP_REFUSED ? DONE_UNEXPLAINED : DONE_RTP]++;
    if (taken == RTP_REFUSED && f) {
        f->contains |= FLOW_OTHER;
        return ++f->other > HINTS_PACKETS; /* the first ones are shown to nDPI, whole */
    }
    return taken != RTP_FIRST;
}

static bool packets_take(struct pipeline *p, const struct run_told *told, char error[CAPTURE_ERROR])
{
    struct run_list list = run_list(told);
    struct run_packet packet = { .at = told->lead };

    while (list.n) {
        if (!run_next(&list, &packet) || packet.at.frame > told->last.frame)
            return damaged(error);
        if (!packet_take(p, told, &packet))
            return unfit(told, error);
    }
    return (packet.at.frame == told->last.frame && packet.at.ns == told->last.ns) || damaged(error);
}

static bool run_take(struct pipeline *p, const struct reduced_whole *whole, unsigned base, struct span bytes,
                     char error[CAPTURE_ERROR])
{
    struct run_told told;
    struct stream *s;
    struct flow *f;
    unsigned input;

    if (!run_read(bytes, &told))
        return damaged(error);
    input = frame_input(told.lead.frame);
    if (input >= whole->inputs || input != frame_input(told.last.frame))
        return damaged(error);
    told.lead.frame += frame_id(base, 0);
    told.last.frame += frame_id(base, 0);
    switch (run_fits(p->track, &told, &f, &s)) {
    case RUN_UNFIT: return unfit(&told, error);
    case RUN_ANEW:
        if (!packets_take(p, &told, error))
            return false;
        break;
    default:
        run_apply(p->track, f, s, &told);
        p->packets += told.n;
        p->done[DONE_RTP] += told.n;
    }
    clock_raise(p, told.last.ns);
    return true;
}

/* `twice`: the pipeline's, or NULL. Where another part cannot hold the packet, it was looked for when the part was reduced. */
static bool record_take(struct pipeline *p, struct twice *twice, struct reduced_record *r)
{
    switch (r->kind) {
    case REDUCED_FRAME:
    case REDUCED_EDGE:
        p->twice = r->kind == REDUCED_EDGE ? twice : NULL;
        pipeline_frame(p, &r->frame);
        p->twice = twice;
        return true;
    case REDUCED_COPY: pipeline_copy(p, &r->frame); return true;
    case REDUCED_CLOCK: clock_raise(p, r->frame.ts_ns); return true;
    default: return false;
    }
}

static void whole_take(struct pipeline *p, const struct reduced_whole *w, unsigned base)
{
    clock_raise(p, w->clock_ns);
    pipeline_outside(p, w->outside);
    for (size_t i = 0; p->twice && i < w->copies; i++)
        twice_put(p->twice, &(struct twice_entry){ w->copy[i].hash, w->copy[i].ns, base + w->copy[i].input });
}

bool part_read(struct reduced *part, unsigned base, struct pipeline *p, char error[CAPTURE_ERROR])
{
    const struct reduced_whole *whole = reduced_whole(part);
    struct reduced_record r;

    while (reduced_next(part, &r) != REDUCED_WHOLE) {
        r.frame.id += frame_id(base, 0);
        if (r.kind == REDUCED_RUN ? !run_take(p, whole, base, r.run, error) : !record_take(p, p->twice, &r) && !damaged(error))
            return false;
    }
    whole_take(p, whole, base);
    return true;
}
