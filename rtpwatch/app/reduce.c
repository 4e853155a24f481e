#include "app/reduce.h"

#include <stdlib.h>
#include <unistd.h>

#include "app/complain.h"
#include "app/pipeline.h"
#include "app/progress.h"
#include "app/twice.h"
#include "app/vantages.h"
#include "capture/reduced.h"
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

struct reduce {
    const struct cli *cli;
    struct capture *capture;
    struct pipeline *pipeline;
    struct reduced_out *to;
    struct window window;
    struct progress progress;
    struct voice *voice; /* by the stream's slot */
    size_t voices;
    struct open_run **open;
    size_t open_n, open_room;
    uint64_t frames, outside;
    int64_t begun_ns, look_ns;
    int64_t clock_ns; /* as who reads the file will have it */
    bool edge;        /* at the beginning still */
    bool failed;      /* no memory */
};

/* ---- runs ---- */

static void run_end(struct reduce *r, struct open_run *o)
{
    const struct track *t = r->pipeline->track;
    uint8_t bytes[RUN_BYTES];

    if (o->run.n) {
        size_t n = run_pack(&o->run, track_flow_at(t, track_stream_at(t, o->stream)->flow), bytes);

        reduced_run(r->to, (struct span){ bytes, n });
        if (o->run.after.packets.last.ns > r->clock_ns)
            r->clock_ns = o->run.after.packets.last.ns;
    }
    r->voice[o->stream].run = NULL;
    r->open[o->place] = r->open[--r->open_n];
    r->open[o->place]->place = o->place;
    free(o);
}

static void runs_end(struct reduce *r)
{
    while (r->open_n)
        run_end(r, r->open[r->open_n - 1]);
}

static void runs_end_of_flow(struct reduce *r, const struct flow *f)
{
    const struct stream *s;

    for (uint32_t i = f->streams; (s = track_stream_at(r->pipeline->track, i)) != NULL; i = s->next)
        if (i < r->voices && r->voice[i].run)
            run_end(r, r->voice[i].run);
}

/* Streams that pause have most likely ended. */
static void runs_look(struct reduce *r, int64_t now_ns)
{
    if (now_ns < r->look_ns)
        return;
    r->look_ns = now_ns + LOOK_NS;
    for (size_t i = r->open_n; i-- > 0;)
        if (now_ns - r->open[i]->run.after.packets.last.ns > STREAM_GAP_NS)
            run_end(r, r->open[i]);
}

static bool open_room(struct reduce *r)
{
    size_t room = r->open_room ? 2 * r->open_room : 64;
    struct open_run **more = r->open_n < r->open_room ? r->open : realloc(r->open, room * sizeof(struct open_run *));

    if (more && r->open_n == r->open_room)
        r->open_room = room;
    r->open = more ? more : r->open;
    return more;
}

static void run_open(struct reduce *r, uint32_t stream)
{
    struct open_run *o = open_room(r) ? malloc(sizeof *o) : NULL;

    if (!o) {
        r->failed = true;
        return;
    }
    run_begin(&o->run, track_stream_at(r->pipeline->track, stream));
    o->stream = stream;
    o->place = r->open_n;
    r->open[r->open_n++] = o;
    r->voice[stream].run = o;
}

/* NULL without memory. A stream that is new begins with packets that nDPI may see, should its flow turn out to be none. */
static struct voice *voice_of(struct reduce *r, uint32_t stream)
{
    size_t room = r->voices ? r->voices : 256;
    struct voice *more;

    while (room <= stream)
        room *= 2;
    if (room > r->voices) {
        more = realloc(r->voice, room * sizeof *more);
        if (!more) {
            r->failed = true;
            return NULL;
        }
        for (size_t i = r->voices; i < room; i++)
            more[i] = (struct voice){ .due = HINTS_PACKETS };
        r->voice = more;
        r->voices = room;
    }
    return &r->voice[stream];
}

/* ---- what may split streams: the runs end before it ---- */

static void runs_end_at(struct reduce *r, const struct addr *a)
{
    const struct track *t = r->pipeline->track;
    const struct socket *s = track_find_socket(t, a);
    const struct flow *f;

    for (uint32_t i = s ? s->flows_out : POOL_NONE; (f = track_flow_at(t, i)) != NULL; i = f->next_out)
        runs_end_of_flow(r, f);
    for (uint32_t i = s ? s->flows_in : POOL_NONE; (f = track_flow_at(t, i)) != NULL; i = f->next_in)
        runs_end_of_flow(r, f);
}

/* The addresses of a description, as track/offer.c takes them. */
static void runs_end_of_sdp(struct reduce *r, const struct sdp_fact *sdp)
{
    for (size_t i = 0; i < sdp->medias; i++) {
        struct addr beside = addr_with_port(sdp->from, sdp->media[i].addr.port);

        runs_end_at(r, &sdp->media[i].addr);
        runs_end_at(r, &beside);
    }
    for (size_t i = 0; i < sdp->cands; i++)
        runs_end_at(r, &sdp->cand[i].addr);
}

/* Which descriptions a call had before this part is not known here: a message of such a call may split any stream. */
static void sip_seen(void *self, const struct datagram *d, const struct sip_msg *m, const struct sdp *sdp)
{
    struct reduce *r = self;
    const struct call *c = sdp ? track_find_call(r->pipeline->track, m->call_id) : NULL;

    (void)d;
    if (!sdp)
        return;
    if (!c || !c->seen_from_start) {
        runs_end(r);
        return;
    }
    for (const struct sdp_fact *f = c->sdps; f; f = f->next)
        runs_end_of_sdp(r, f);
}

static void relayed_seen(void *self, const struct flow *inner)
{
    runs_end_of_flow(self, inner);
}

/* Segments and fragments that continue what began before the part: a message may end with them that is not seen here. */
static bool may_complete(const struct pipeline *p, bool plain, enum disposition done)
{
    return !plain && (done == DONE_FRAGMENT || (p->other_kind == NET_TCP && rd_wire_left(&p->other.payload)));
}

/* ---- frames ---- */

/* The time before a frame, as the pipeline had it, where who reads has to know it to find the same fault with this one. */
static void clock_write(struct reduce *r, const struct frame *f, int64_t before_ns)
{
    if (r->clock_ns != before_ns && (f->ts_ns < before_ns || f->ts_ns - r->clock_ns > LEAP_NS)) {
        reduced_clock(r->to, before_ns);
        r->clock_ns = before_ns;
    }
    if (f->ts_ns > r->clock_ns)
        r->clock_ns = f->ts_ns;
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
static void runs_end_of_older(struct reduce *r, const struct stream *s)
{
    uint32_t ssrc = s->ssrc;

    for (uint32_t i = s->next; (s = track_stream_at(r->pipeline->track, i)) != NULL; i = s->next)
        if (s->ssrc == ssrc && i < r->voices && r->voice[i].run)
            run_end(r, r->voice[i].run);
}

/* A packet of voice goes into its stream's run. False: it stands for itself. `odd`: it may not go into one. */
static bool voice_take(struct reduce *r, const struct frame *f, const struct net_packet *n, bool odd)
{
    const struct flow *flow = track_find_flow(r->pipeline->track, &n->src, &n->dst);
    struct voice *v = flow && flow->hot != POOL_NONE ? voice_of(r, flow->hot) : NULL;
    uint32_t stream = flow ? flow->hot : POOL_NONE;

    if (!v)
        return false;
    if (!odd && run_takes(v, track_stream_at(r->pipeline->track, stream), f, n))
        return true;
    if (v->run)
        run_end(r, v->run);
    else
        runs_end_of_older(r, track_stream_at(r->pipeline->track, stream));
    if (v->due)
        v->due--;
    if (!v->due)
        run_open(r, stream);
    return false;
}

static uint64_t faults_in(const struct pipeline *p)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < FAULT_IDS; i++)
        n += p->faults.count[i];
    return n;
}

static void runs_end_before(struct reduce *r, const struct net_packet *n)
{
    const struct flow *flow = track_find_flow(r->pipeline->track, &n->src, &n->dst);

    if (flow)
        runs_end_of_flow(r, flow);
}

static void take_frame(struct reduce *r, const struct frame *f, const struct net_packet *plain)
{
    struct pipeline *p = r->pipeline;
    int64_t before_ns = p->clock.now_ns;
    uint64_t faults = plain ? 0 : faults_in(p);
    bool back = f->ts_ns < before_ns;
    enum disposition done = pipeline_frame(p, f);
    const struct net_packet *n = plain ? plain : &p->other;
    bool datagram = plain || p->other_kind == NET_UDP;

    r->edge &= f->ts_ns < r->begun_ns + EDGE_NS;
    runs_look(r, f->ts_ns);
    if (done == DONE_DUPLICATE) {
        clock_write(r, f, before_ns);
        reduced_frame(r->to, f, r->edge ? REDUCED_EDGE : REDUCED_COPY);
        return;
    }
    if (f->ts_ns < r->begun_ns + BEFORE_NS && may_complete(p, plain, done))
        runs_end(r);
    if (back && datagram)
        runs_end_before(r, n);
    if (done == DONE_RTP && voice_take(r, f, n, back || r->edge || (!plain && faults_in(p) != faults)))
        return;
    clock_write(r, f, before_ns);
    reduced_frame(r->to, f, r->edge ? REDUCED_EDGE : REDUCED_FRAME);
}

/* ---- reading ---- */

/* As in pipeline_frames(), so that a batch's flows and streams are in the cache. */
static void look_ahead(struct reduce *r, const struct frame *f, size_t n, struct net_packet *packet, bool *plain)
{
    struct flow_ahead ahead[PIPELINE_FRAMES];
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        plain[i] = net_plain(r->pipeline->net, &f[i], &packet[i]);
        if (plain[i])
            ahead[k++] = (struct flow_ahead){ .src = &packet[i].src, .dst = &packet[i].dst };
    }
    track_ahead(r->pipeline->track, ahead, k);
}

static void take_frames(struct reduce *r, struct frame *f, size_t n)
{
    struct net_packet packet[PIPELINE_FRAMES];
    bool plain[PIPELINE_FRAMES];

    if (!r->frames) {
        r->begun_ns = f->ts_ns;
        r->edge = true;
    }
    r->frames += n;
    if (window_given(&r->window)) {
        size_t kept = window_keep(&r->window, f, n);

        r->outside += n - kept;
        n = kept;
    }
    look_ahead(r, f, n, packet, plain);
    for (size_t i = 0; i < n && !r->failed; i++)
        take_frame(r, &f[i], plain[i] ? &packet[i] : NULL);
}

static bool read_all(struct reduce *r)
{
    struct frame frame[PIPELINE_FRAMES];
    size_t n;

    while (!r->failed && (n = capture_batch(r->capture, frame, PIPELINE_FRAMES)) > 0) {
        take_frames(r, frame, n);
        progress_feed(&r->progress, r->capture, r->frames);
    }
    progress_end(&r->progress);
    runs_end(r);
    return !r->failed;
}

/* ---- the end ---- */

static bool copies_make(struct reduce *r, struct reduced_whole *w)
{
    const struct twice_entry *e;

    w->copy = calloc(TWICE_KEPT, sizeof *w->copy);
    for (size_t i = 0; w->copy && (e = twice_entry(r->pipeline->twice, i)) != NULL; i++)
        if (e->hash && e->ns >= w->clock_ns - TWICE_NS)
            w->copy[w->copies++] = (struct reduced_copy){ e->hash, e->ns, e->input };
    return w->copy;
}

static bool input_make(const struct reduce *r, size_t i, struct reduced_input *out)
{
    struct vantage_look look = { 0 };

    out->told = *capture_input(r->capture, i);
    out->place = r->cli->vantage[i] ? r->cli->vantage[i] : "";
    vantage_look_at(r->cli->files[i], &look);
    out->looked = look.looked;
    out->known = look.known;
    out->host = calloc(look.hosts_n + 1, sizeof *out->host);
    if (!out->host)
        return false;
    out->hosts_n = look.hosts_n;
    memcpy(out->host, look.host, look.hosts_n * sizeof *out->host);
    return true;
}

static void whole_done(struct reduced_whole *w)
{
    for (size_t i = 0; w->input && i < w->inputs; i++)
        free(w->input[i].host);
    free(w->input);
    free(w->copy);
}

static bool whole_make(struct reduce *r, struct reduced_whole *w)
{
    bool fine;

    *w = (struct reduced_whole){ .inputs = capture_inputs(r->capture),
                                 .clock_ns = r->pipeline->clock.now_ns,
                                 .outside = r->outside };
    w->input = calloc(w->inputs, sizeof *w->input);
    fine = w->input && copies_make(r, w);
    for (size_t i = 0; fine && i < w->inputs; i++)
        fine = input_make(r, i, &w->input[i]);
    return fine;
}

static bool inputs_sound(const struct reduce *r)
{
    bool sound = true;

    for (size_t i = 0; i < capture_inputs(r->capture); i++) {
        const struct capture_input *in = capture_input(r->capture, i);

        if (in->truncated)
            fprintf(stderr, "rtpwatch: %s: %s\n", in->path, in->error);
        sound &= !in->truncated;
    }
    return sound;
}

/* ---- the beginning ---- */

static bool one_place(const struct cli *c, char error[CAPTURE_ERROR])
{
    struct vantages *v = malloc(sizeof *v);
    bool one = v && vantages_find(v, c) && v->n == 1;

    snprintf(error, CAPTURE_ERROR, "%s",
             v ? "the files were captured at more than one place: reduce those of each place apart" : "not enough memory");
    free(v);
    return one;
}

static bool begin(struct reduce *r, char error[CAPTURE_ERROR])
{
    const struct cli *c = r->cli;

    if (c->files_n > CAPTURE_INPUTS) {
        snprintf(error, CAPTURE_ERROR, "more than %d files: reduce fewer at once", CAPTURE_INPUTS);
        return false;
    }
    if (c->files_n > 1 && !one_place(c, error))
        return false;
    snprintf(error, CAPTURE_ERROR, "not enough memory");
    r->capture = capture_open_files(c->files, c->files_n, c->filter, error);
    r->pipeline = pipeline_new();
    if (!r->capture || !r->pipeline || !pipeline_inputs(r->pipeline, 2))
        return false;
    r->pipeline->watch = (struct pipeline_watch){ .self = r, .sip = sip_seen, .relayed = relayed_seen };
    r->to = reduced_create(c->reduce, c->files, c->files_n, error);
    return r->to;
}

static int reduce(struct reduce *r)
{
    char error[CAPTURE_ERROR] = "not enough memory";
    struct reduced_whole whole = { 0 };
    bool fine;

    if (!begin(r, error))
        return complain(error);
    progress_begin(&r->progress, isatty(STDERR_FILENO));
    fine = read_all(r) && whole_make(r, &whole);
    fine = reduced_close(r->to, fine ? &whole : NULL, error);
    whole_done(&whole);
    if (!fine)
        return complain(error);
    return inputs_sound(r) ? EXIT_FINE : EXIT_UNUSABLE;
}

int reduce_run(const struct cli *c)
{
    struct reduce *r = calloc(1, sizeof *r);
    int status;

    if (!r)
        return complain("not enough memory");
    r->cli = c;
    r->window = c->window;
    status = reduce(r);
    capture_close(r->capture);
    pipeline_free(r->pipeline);
    for (size_t i = 0; i < r->open_n; i++)
        free(r->open[i]);
    free(r->open);
    free(r->voice);
    free(r);
    return status;
}
