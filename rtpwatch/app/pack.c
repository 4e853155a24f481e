#include "app/pack.h"

#include <stdlib.h>

#include "app/twice.h"
#include "track/run.h"

#define EDGE_NS   (2 * TWICE_NS)                  /* so long after a part's beginning another part may hold the same packets */
#define BEFORE_NS SECONDS(NET_FRAGMENT_TIMEOUT_S) /* so long what began before the part may be completed in it */
#define LOOK_NS   SECONDS(5)                      /* how often runs are looked for whose streams pause */
#define LEAP_NS   SECONDS(86400)                  /* as in pipeline.c */

/* A run that is being made. */
struct open_run {
    struct run run;
    uint32_t stream;
    size_t place; /* in the list of all */
};

/* What is remembered of each of track's streams. */
struct voice {
    struct open_run *run; /* NULL: none; the next packet stands for itself, and then one begins */
    uint8_t due;          /* so many packets more stand for themselves first */
};

struct pack {
    struct pipeline *pipeline;
    struct reduced_out *to;
    struct voice *voice; /* by the stream's slot */
    size_t voices;
    struct open_run **open;
    size_t open_n, open_room;
    int64_t begun_ns, look_ns;
    uint64_t faults;  /* so many were told when a frame came last that is no plain datagram */
    int64_t clock_ns; /* as who reads the file will have it */
    bool edge;        /* at the beginning still */
    bool failed;      /* no memory */
};

/* ---- runs ---- */

static void run_end(struct pack *k, struct open_run *o)
{
    const struct track *t = k->pipeline->track;
    uint8_t bytes[RUN_BYTES];

    if (o->run.n) {
        size_t n = run_pack(&o->run, track_flow_at(t, track_stream_at(t, o->stream)->flow), bytes);

        reduced_run(k->to, (struct span){ bytes, n });
        if (o->run.after.packets.last.ns > k->clock_ns)
            k->clock_ns = o->run.after.packets.last.ns;
    }
    k->voice[o->stream].run = NULL;
    k->open[o->place] = k->open[--k->open_n];
    k->open[o->place]->place = o->place;
    free(o);
}

static void runs_end(struct pack *k)
{
    while (k->open_n)
        run_end(k, k->open[k->open_n - 1]);
}

static void runs_end_of_flow(struct pack *k, const struct flow *f)
{
    const struct stream *s;

    for (uint32_t i = f->streams; (s = track_stream_at(k->pipeline->track, i)) != NULL; i = s->next)
        if (i < k->voices && k->voice[i].run)
            run_end(k, k->voice[i].run);
}

/* Streams that pause have most likely ended. */
static void runs_look(struct pack *k, int64_t now_ns)
{
    if (now_ns < k->look_ns)
        return;
    k->look_ns = now_ns + LOOK_NS;
    for (size_t i = k->open_n; i-- > 0;)
        if (now_ns - k->open[i]->run.after.packets.last.ns > STREAM_GAP_NS)
            run_end(k, k->open[i]);
}

static bool open_room(struct pack *k)
{
    size_t room = k->open_room ? 2 * k->open_room : 64;
    struct open_run **more = k->open_n < k->open_room ? k->open : realloc(k->open, room * sizeof(struct open_run *));

    if (more && k->open_n == k->open_room)
        k->open_room = room;
    k->open = more ? more : k->open;
    return more;
}

static void run_open(struct pack *k, uint32_t stream)
{
    struct open_run *o = open_room(k) ? malloc(sizeof *o) : NULL;

    if (!o) {
        k->failed = true;
        return;
    }
    run_begin(&o->run, track_stream_at(k->pipeline->track, stream));
    o->stream = stream;
    o->place = k->open_n;
    k->open[k->open_n++] = o;
    k->voice[stream].run = o;
}

/* NULL without memory. A stream that is new begins with packets that nDPI may see, should its flow turn out to be none. */
static struct voice *voice_of(struct pack *k, uint32_t stream)
{
    size_t room = k->voices ? k->voices : 256;
    struct voice *more;

    while (room <= stream)
        room *= 2;
    if (room > k->voices) {
        more = realloc(k->voice, room * sizeof *more);
        if (!more) {
            k->failed = true;
            return NULL;
        }
        for (size_t i = k->voices; i < room; i++)
            more[i] = (struct voice){ .due = HINTS_PACKETS };
        k->voice = more;
        k->voices = room;
    }
    return &k->voice[stream];
}

/* ---- what may split streams: the runs end before it ---- */

static void runs_end_at(struct pack *k, const struct addr *a)
{
    const struct track *t = k->pipeline->track;
    const struct socket *s = track_find_socket(t, a);
    const struct flow *f;

    for (uint32_t i = s ? s->flows_out : POOL_NONE; (f = track_flow_at(t, i)) != NULL; i = f->next_out)
        runs_end_of_flow(k, f);
    for (uint32_t i = s ? s->flows_in : POOL_NONE; (f = track_flow_at(t, i)) != NULL; i = f->next_in)
        runs_end_of_flow(k, f);
}

/* The addresses of a description, as track/offer.c takes them. */
static void runs_end_of_sdp(struct pack *k, const struct sdp_fact *sdp)
{
    for (size_t i = 0; i < sdp->medias; i++) {
        struct addr beside = addr_with_port(sdp->from, sdp->media[i].addr.port);

        runs_end_at(k, &sdp->media[i].addr);
        runs_end_at(k, &beside);
    }
    for (size_t i = 0; i < sdp->cands; i++)
        runs_end_at(k, &sdp->cand[i].addr);
}

/* Which descriptions a call had before this part is not known here: a message of such a call may split any stream. */
static void sip_seen(void *self, const struct datagram *d, const struct sip_msg *m, const struct sdp *sdp)
{
    struct pack *k = self;
    const struct call *c = sdp ? track_find_call(k->pipeline->track, m->call_id) : NULL;

    (void)d;
    if (!sdp)
        return;
    if (!c || !c->seen_from_start) {
        runs_end(k);
        return;
    }
    for (const struct sdp_fact *f = c->sdps; f; f = f->next)
        runs_end_of_sdp(k, f);
}

/* Of an allocation that began before this part it is not known here whose flow it is: the packet itself tells the stream. */
static void relayed_seen(void *self, const struct flow *inner, struct span data)
{
    struct pack *k = self;
    struct rtp_msg m;

    if (inner)
        runs_end_of_flow(k, inner);
    for (size_t i = !inner && rtp_peek(data, &m) ? k->open_n : 0; i-- > 0;)
        if (k->open[i]->run.after.ssrc == m.ssrc)
            run_end(k, k->open[i]);
}

/* Segments and fragments that continue what began before the part: a message may end with them that is not seen here. */
static bool may_complete(const struct pipeline *p, bool plain, enum disposition done)
{
    return !plain && (done == DONE_FRAGMENT || (p->other_kind == NET_TCP && rd_wire_left(&p->other.payload)));
}

/* ---- frames ---- */

/* The time before a frame, as the pipeline had it, where who reads has to know it to find the same fault with this one. */
static void clock_write(struct pack *k, const struct frame *f, int64_t before_ns)
{
    if (k->clock_ns != before_ns && (f->ts_ns < before_ns || f->ts_ns - k->clock_ns > LEAP_NS)) {
        reduced_clock(k->to, before_ns);
        k->clock_ns = before_ns;
    }
    if (f->ts_ns > k->clock_ns)
        k->clock_ns = f->ts_ns;
}

static bool packet_of(const struct frame *f, const struct net_packet *n, struct run_packet *out)
{
    struct rtp_msg m;

    if (n->since != f->id || !rtp_peek(rd_rest(&n->payload), &m))
        return false;
    *out = (struct run_packet){ .at = { f->ts_ns, f->id },
                                .size = rd_wire_left(&n->payload),
                                .ssrc = m.ssrc,
                                .timestamp = m.timestamp,
                                .seq = m.seq,
                                .pt = m.pt };
    return true;
}

static bool run_takes(const struct voice *v, const struct stream *s, const struct frame *f, const struct net_packet *n)
{
    struct run_packet p;

    return v->run && frame_input(v->run->run.after.packets.last.frame) == frame_input(f->id) && packet_of(f, n, &p) &&
           run_add(&v->run->run, s, &p);
}

/* A new record of a stream: what was before is told before. */
static void runs_end_of_older(struct pack *k, const struct stream *s)
{
    uint32_t ssrc = s->ssrc;

    for (uint32_t i = s->next; (s = track_stream_at(k->pipeline->track, i)) != NULL; i = s->next)
        if (s->ssrc == ssrc && i < k->voices && k->voice[i].run)
            run_end(k, k->voice[i].run);
}

/* A packet of voice goes into its stream's run. False: it stands for itself. `odd`: it may not go into one. */
static bool voice_take(struct pack *k, const struct frame *f, const struct net_packet *n, bool odd)
{
    const struct flow *flow = track_find_flow(k->pipeline->track, &n->src, &n->dst);
    struct voice *v = flow && flow->hot != POOL_NONE ? voice_of(k, flow->hot) : NULL;
    uint32_t stream = flow ? flow->hot : POOL_NONE;

    if (!v)
        return false;
    if (!odd && run_takes(v, track_stream_at(k->pipeline->track, stream), f, n))
        return true;
    if (v->run)
        run_end(k, v->run);
    else
        runs_end_of_older(k, track_stream_at(k->pipeline->track, stream));
    if (v->due)
        v->due--;
    if (!v->due)
        run_open(k, stream);
    return false;
}

static uint64_t faults_in(const struct pipeline *p)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < FAULT_IDS; i++)
        n += p->faults.count[i];
    return n;
}

/* A frame out of the order of time: what a run tells of its flow's latest packet would come too late, or too early. */
static void runs_end_around(struct pack *k, const struct net_packet *n, enum disposition done)
{
    const struct flow *flow = done == DONE_RTP ? track_find_flow(k->pipeline->track, &n->src, &n->dst) : NULL;

    if (flow)
        runs_end_of_flow(k, flow);
    else
        runs_end(k);
}

static void frame_seen(void *self, const struct pipeline_done *d)
{
    struct pack *k = self;
    const struct frame *f = d->frame;
    const struct net_packet *n = d->plain ? d->plain : &k->pipeline->other;
    bool back = f->ts_ns < d->before_ns, odd = back || !d->plain;

    if (!d->plain) {
        uint64_t faults = faults_in(k->pipeline);

        odd = back || faults != k->faults;
        k->faults = faults;
    }
    k->edge &= f->ts_ns < k->begun_ns + EDGE_NS;
    runs_look(k, f->ts_ns);
    if (d->done == DONE_DUPLICATE) {
        clock_write(k, f, d->before_ns);
        reduced_frame(k->to, f, k->edge ? REDUCED_EDGE : REDUCED_COPY);
        return;
    }
    if (f->ts_ns < k->begun_ns + BEFORE_NS && may_complete(k->pipeline, d->plain, d->done))
        runs_end(k);
    if (back)
        runs_end_around(k, n, d->done);
    if (d->done == DONE_RTP && voice_take(k, f, n, odd || k->edge))
        return;
    clock_write(k, f, d->before_ns);
    reduced_frame(k->to, f, k->edge ? REDUCED_EDGE : REDUCED_FRAME);
}

/* ---- what others see ---- */

struct pack *pack_new(struct pipeline *pipeline, struct reduced_out *to)
{
    struct pack *k = calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->pipeline = pipeline;
    k->to = to;
    pipeline->watch = (struct pipeline_watch){ .self = k, .sip = sip_seen, .relayed = relayed_seen };
    return k;
}

void pack_free(struct pack *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->open_n; i++)
        free(k->open[i]);
    free(k->open);
    free(k->voice);
    free(k);
}

void pack_begin(struct pack *k, int64_t ns)
{
    k->edge = true;
    k->begun_ns = ns;
}

bool pack_frames(struct pack *k, const struct frame *f, size_t n)
{
    pipeline_frames_told(k->pipeline, f, n, frame_seen, k);
    return !k->failed;
}

bool pack_end(struct pack *k, struct reduced_whole *w)
{
    const struct twice_entry *e;

    runs_end(k);
    w->clock_ns = k->pipeline->clock.now_ns;
    w->copies = 0;
    w->copy = calloc(TWICE_KEPT, sizeof *w->copy);
    for (size_t i = 0; w->copy && (e = twice_entry(k->pipeline->twice, i)) != NULL; i++)
        if (e->hash && e->ns >= w->clock_ns - TWICE_NS)
            w->copy[w->copies++] = (struct reduced_copy){ e->hash, e->ns, e->input };
    return w->copy;
}
