#include "app/offline.h"

#include <stdlib.h>
#include <unistd.h>

#include "app/alerts.h"
#include "app/complain.h"
#include "app/drops.h"
#include "app/events.h"
#include "app/keep.h"
#include "app/keys.h"
#include "app/output.h"
#include "app/parts.h"
#include "app/progress.h"
#include "app/result.h"
#include "app/vantages.h"
#include "base/clock.h"
#include "out/facts.h"

enum {
    QUIET_SECONDS = 60, /* of a longer gap only so many are judged one by one: all that was waiting has been told by then */
    DRAIN_MS = 5000     /* for log servers, at the end: with files that is when most of it is sent */
};
#define FORGET_EVERY_NS SECONDS(60)  /* of packet time */
#define FORGET_LEAP_NS  SECONDS(120) /* so long nothing was captured, or one clock is wrong: what lasts is seen only behind it */

struct run {
    const struct cli *cli;
    FILE *to;
    struct capture *capture;
    struct parts *parts; /* what is read is reduced; NULL: captures */
    struct vantages vantages;
    struct pipeline *pipeline[VANTAGES_KEPT];
    struct keylog *keys;
    const struct capture_input *inputs[CAPTURE_INPUTS];
    size_t inputs_n;
    struct vantage_input in[VANTAGES_KEPT];
    struct facts_sink facts;
    struct result result;
    struct events events;
    struct alerts *alerts; /* NULL: no rules are asked for */
    struct keep *keep;     /* NULL: no packets are written */
    struct window window;
    bool window_empty; /* once its times of day have got their day */
    struct progress progress;
    uint64_t packets;
    int64_t due_ns[VANTAGES_KEPT]; /* the next second at which events are looked for; 0: no packet yet */
    int64_t forgot_ns;             /* with --forget: when the notebook was last made smaller; 0: not yet */
};

/* Every input that broke is told on standard error, with what could be done; what could be read of it is in the report. */
static bool inputs_sound(const struct run *r)
{
    bool sound = true;

    for (size_t i = 0; i < r->inputs_n; i++) {
        if (!r->inputs[i]->truncated)
            continue;
        sound = false;
        fprintf(stderr, "rtpwatch: %s: %s\n", r->inputs[i]->path, r->inputs[i]->error);
    }
    return sound;
}

static bool vantage_lost_too_many(const struct run *r, size_t vantage)
{
    uint64_t packets = 0, dropped = 0;

    for (size_t i = 0; i < r->inputs_n; i++) {
        if (r->vantages.of_input[i] != vantage)
            continue;
        packets += r->inputs[i]->packets;
        dropped += r->inputs[i]->dropped;
    }
    return lost_too_many(packets, dropped);
}

/* ---- opening ---- */

static bool keep_begin(struct run *r, char error[CAPTURE_ERROR])
{
    struct keep_options o = { .path = r->cli->write,
                              .session = r->cli->session,
                              .mib = r->cli->write_mib,
                              .files = r->cli->write_files,
                              .audio = r->cli->write_audio,
                              .inputs = r->cli->files,
                              .filter = r->cli->filter,
                              .inputs_n = r->cli->files_n,
                              .vantage = r->vantages.name,
                              .vantages = r->vantages.n,
                              .vantage_of = r->vantages.of_input };

    if (o.path)
        r->keep = keep_open(&o, error);
    return !o.path || r->keep;
}

/* Connections of TLS are followed from when there is some key. */
static bool keys_use(struct run *r)
{
    bool fine = true;

    for (size_t i = 0; i < r->vantages.n; i++)
        fine &= pipeline_keys(r->pipeline[i], r->keys);
    return fine;
}

/* Those that the captures carry. */
static bool keys_take(struct run *r)
{
    struct span lines = capture_secrets(r->capture);

    if (!lines.n)
        return true;
    keylog_text(r->keys, lines);
    return keys_use(r);
}

static bool pipelines_open(struct run *r)
{
    for (size_t i = 0; i < r->vantages.n; i++) {
        r->pipeline[i] = pipeline_new();
        if (!r->pipeline[i] || !pipeline_inputs(r->pipeline[i], vantages_files(&r->vantages, r->cli->files_n, i)))
            return false;
        for (size_t k = 0; k < r->cli->link_headers; k++)
            track_link_header(r->pipeline[i]->track, r->cli->link_header[k]);
        track_labels(r->pipeline[i]->track, r->cli->label, r->cli->labels);
        if (r->cli->dump_facts)
            r->pipeline[i]->watch = (struct pipeline_watch){
                .self = &r->facts, .sip = facts_sip, .stun = facts_stun, .icmp = facts_icmp, .dns = facts_dns
            };
        if (r->keep)
            r->pipeline[i]->watch = (struct pipeline_watch){ .self = keep_messages(r->keep, i), .sip = messages_note };
    }
    return true;
}

/* As they happen: always in JSON lines; for people, who have the report, only of what it will not hold. */
static bool events_are_written(const struct cli *c)
{
    return !c->explain_rule && (c->format == FORMAT_NDJSON || (c->forget && c->format == FORMAT_TEXT));
}

/* Events are made where they are written, where rules listen, and where all that is left of a session is what was told of it. */
static bool events_open(struct run *r, char error[CAPTURE_ERROR])
{
    bool written = events_are_written(r->cli);
    struct events_options o = { .ndjson = r->cli->format == FORMAT_NDJSON || !written,
                                .grace_ns = SECONDS(r->cli->grace_s),
                                .vantage = r->vantages.name };
    struct alerts_options ao = { .cli = r->cli, .events = &r->events, .wrong = stderr };

    if (!alerts_open(&r->alerts, &ao, error) || !alerts_load(r->alerts, error))
        return false;
    o.heard = r->alerts ? alerts_hear : NULL;
    o.self = r->alerts;
    o.vantages = written || r->alerts || r->cli->forget ? r->vantages.n : 0;
    for (size_t i = 0; i < o.vantages; i++)
        track_note_wakes(r->pipeline[i]->track);
    return events_init(&r->events, &o, written ? r->to : NULL);
}

/* What the captures are: on the command line, or in the reduced ones that stand there. */
static bool places_find(struct run *r, char error[CAPTURE_ERROR])
{
    r->parts = parts_open(r->cli, error);
    if (r->parts)
        r->cli = parts_cli(r->parts);
    return !*error && (r->parts ? parts_vantages(r->parts, &r->vantages, error) : vantages_find(&r->vantages, r->cli));
}

static bool inputs_open(struct run *r, char error[CAPTURE_ERROR])
{
    if (!r->parts)
        r->capture = capture_open_files(r->cli->files, r->cli->files_n, r->cli->filter, error);
    if (!r->parts && !r->capture)
        return false;
    r->inputs_n = r->cli->files_n < CAPTURE_INPUTS ? r->cli->files_n : CAPTURE_INPUTS;
    for (size_t i = 0; i < r->inputs_n; i++)
        r->inputs[i] = r->parts ? parts_input(r->parts, i) : capture_input(r->capture, i);
    return true;
}

static bool open_all(struct run *r, char error[CAPTURE_ERROR])
{
    if (!places_find(r, error)) {
        if (*error)
            return false;
        snprintf(error, CAPTURE_ERROR,
                 "the files were captured at more than %d places; read fewer at once, or name places with --vantage NAME=FILE",
                 VANTAGES_KEPT);
        return false;
    }
    if (r->cli->forget && r->vantages.n > 1) {
        snprintf(error, CAPTURE_ERROR, "--forget is for captures of one place: what several saw is joined at the end");
        return false;
    }
    if (!keep_begin(r, error))
        return false;
    if (!inputs_open(r, error) || !pipelines_open(r))
        return false;
    r->keys = keys_open(r->cli, false, error);
    if (!r->keys || (r->cli->tls_keylogs && !keys_use(r)))
        return false;
    r->to = output_open(r->cli->output, events_are_written(r->cli), error);
    if (!r->to)
        return false;
    r->facts.to = r->to;
    return events_open(r, error);
}

/* ---- events ---- */

static struct view_options view_options_of(const struct run *r, size_t vantage)
{
    return (struct view_options){ .locals = r->cli->local,
                                  .locals_n = r->cli->locals,
                                  .public_ips = r->cli->public_ip,
                                  .public_ips_n = r->cli->public_ips,
                                  .dropped = vantage_lost_too_many(r, vantage),
                                  .several = r->vantages.n > 1 };
}

static void judge_at(struct run *r, size_t vantage, int64_t now_ns, bool last)
{
    struct view_options o = view_options_of(r, vantage);
    struct moment m = { r->pipeline[vantage]->track, &o, now_ns, r->inputs, r->inputs_n, &r->pipeline[vantage]->faults };

    events_tick(&r->events, vantage, &m, last);
    alerts_tick(r->alerts, now_ns);
    alerts_run(r->alerts, false);
}

/* Every second of packet time up to `now_ns` is judged before what comes then. */
static void judge_until(struct run *r, size_t vantage, int64_t now_ns)
{
    int64_t *due = &r->due_ns[vantage];

    if (!*due)
        *due = now_ns + NS_PER_S;
    for (unsigned n = 0; *due <= now_ns && n < QUIET_SECONDS; n++, *due += NS_PER_S)
        judge_at(r, vantage, *due, false);
    if (*due <= now_ns)
        *due = now_ns + NS_PER_S;
}

/* So that memory stays what the calls of the last minutes need. False without memory. */
static bool forget(struct run *r, int64_t now_ns)
{
    if (!r->cli->forget)
        return true;
    if (!r->forgot_ns || now_ns - r->forgot_ns > FORGET_LEAP_NS)
        r->forgot_ns = now_ns;
    if (now_ns - r->forgot_ns < FORGET_EVERY_NS)
        return true;
    r->forgot_ns = now_ns;
    events_renumbered(&r->events);
    return pipeline_compact(r->pipeline[0], now_ns);
}

/* ---- reading ---- */

/* The first frame, and those behind it that come before the next look for events. */
static size_t frames_before(const struct frame *f, size_t n, int64_t due_ns)
{
    size_t k = 1;

    while (k < n && f[k].ts_ns < due_ns)
        k++;
    return k;
}

/* The frames between --since and --until, moved together; the others are counted. */
static size_t within(struct run *r, size_t vantage, struct frame *f, size_t n)
{
    size_t kept;

    if (!window_given(&r->window))
        return n;
    if (!r->packets)
        r->window_empty = !window_settle(&r->window, f->ts_ns);
    kept = window_keep(&r->window, f, n);
    pipeline_outside(r->pipeline[vantage], n - kept);
    return kept;
}

/* Frames of one input. False without memory. */
static bool take(struct run *r, struct frame *f, size_t n)
{
    size_t vantage = r->vantages.of_input[frame_input(f->id)];

    n = within(r, vantage, f, n);
    if (!r->events.options.vantages) {
        pipeline_frames(r->pipeline[vantage], f, n);
        return true;
    }
    for (size_t k; n; f += k, n -= k) {
        judge_until(r, vantage, f->ts_ns);
        if (!forget(r, f->ts_ns))
            return false;
        k = frames_before(f, n, r->due_ns[vantage]);
        pipeline_frames(r->pipeline[vantage], f, k);
    }
    return true;
}

/* False without memory. */
static bool read_all(struct run *r)
{
    struct frame frame[PIPELINE_FRAMES];
    size_t n;

    while (r->capture && (n = capture_batch(r->capture, frame, PIPELINE_FRAMES)) > 0) {
        if (!keys_take(r) || !take(r, frame, n))
            return false;
        progress_feed(&r->progress, r->capture, r->packets += n);
    }
    progress_end(&r->progress);
    keylog_tell(r->keys, stderr);
    for (size_t i = 0; i < r->vantages.n; i++)
        pipeline_finish(r->pipeline[i]);
    for (size_t i = 0; i < r->events.options.vantages; i++)
        judge_at(r, i, r->pipeline[i]->clock.now_ns, true);
    return true;
}

static int dump_facts(const struct run *r)
{
    bool fine = true;

    for (size_t i = 0; i < r->vantages.n; i++)
        fine &= facts_streams(r->pipeline[i]->track, r->to);
    return inputs_sound(r) && fine ? EXIT_FINE : EXIT_UNUSABLE;
}

/* ---- the report ---- */

static bool report(struct run *r)
{
    struct result_of from = { .vantage = r->in,
                              .pipeline = r->pipeline,
                              .vantages = r->vantages.n,
                              .inputs = r->inputs,
                              .inputs_n = r->inputs_n,
                              .vantage_of = r->vantages.of_input,
                              .forgotten = r->cli->forget ? &r->events.monitor[0].forgotten : NULL };

    for (size_t i = 0; i < r->vantages.n; i++)
        r->in[i] = (struct vantage_input){ .name = r->vantages.name[i],
                                           .track = r->pipeline[i]->track,
                                           .options = view_options_of(r, i),
                                           .now_ns = r->pipeline[i]->clock.now_ns };
    if (!result_make(&r->result, &from))
        return false;
    r->result.out.alerts = alerts_kept(r->alerts);
    return true;
}

static bool write_out(struct run *r)
{
    if (r->cli->format == FORMAT_NDJSON) {
        events_summary(&r->events, &r->result.out, r->result.report.now_ns);
        return !r->events.failed;
    }
    return output_report(&r->result.out, r->cli, r->to);
}

static bool write_packets(struct run *r)
{
    char error[CAPTURE_ERROR] = "";

    if (!keep_write(r->keep, &r->result.report, error)) {
        complain(error);
        return false;
    }
    keep_tell(r->keep, &r->result.report, stderr);
    return true;
}

static int analyse(struct run *r)
{
    char error[CAPTURE_ERROR] = "";
    bool sound;

    if (!open_all(r, error))
        return complain(*error ? error : "not enough memory");
    progress_begin(&r->progress, isatty(STDERR_FILENO));
    if (r->parts && !parts_read(r->parts, &r->vantages, r->pipeline, error))
        return complain(error);
    if (!read_all(r))
        return complain("not enough memory");
    if (r->window_empty)
        return complain("nothing lies between --since and --until: give a later --until, with its date");
    if (r->cli->dump_facts)
        return dump_facts(r);
    sound = inputs_sound(r);
    if (r->cli->explain_rule)
        return sound ? EXIT_FINE : EXIT_UNUSABLE;
    if (!report(r))
        return complain("not enough memory for the report");
    if (!write_out(r))
        return complain("the report could not be written");
    sound &= !r->keep || write_packets(r);
    return !sound ? EXIT_UNUSABLE : result_failed(&r->result) ? EXIT_SESSION_FAILED : EXIT_FINE;
}

int offline_run(const struct cli *c)
{
    struct run *r = calloc(1, sizeof *r);
    int status;

    if (!r)
        return complain("not enough memory");
    r->cli = c;
    r->window = c->window;
    status = analyse(r);
    alerts_close(r->alerts, DRAIN_MS);
    keep_close(r->keep);
    events_done(&r->events);
    result_done(&r->result);
    capture_close(r->capture);
    for (size_t i = 0; i < r->vantages.n; i++)
        pipeline_free(r->pipeline[i]);
    keylog_free(r->keys);
    parts_close(r->parts);
    if (!output_close(r->to) && status != EXIT_UNUSABLE)
        status = complain("the report could not be written");
    free(r);
    return status;
}
