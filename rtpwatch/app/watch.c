#include "app/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "app/alerts.h"
#include "app/complain.h"
#include "app/drops.h"
#include "app/events.h"
#include "app/keep_live.h"
#include "app/keys.h"
#include "app/leap.h"
#include "app/notify.h"
#include "app/outlet.h"
#include "app/output.h"
#include "app/privileges.h"
#include "app/result.h"
#include "app/signals.h"
#include "base/clock.h"

enum {
    READ_MOST = 4096, /* packets of one interface before anything else is looked at */
    WAIT_MS = 200,
    DRAIN_MS = 300,   /* at the end: longer than the kernel holds packets back (live.c) */
    STATUS_EVERY = 5, /* seconds */
    LOG_MS = 2000,    /* at the end, for what waits for a log server */
    SAY_MS = 1000,    /* and for a reader of standard error that stands still */
};
#define COMPACT_EVERY_NS SECONDS(60)                /* of packet time */
#define IDLE_LAG_NS      (300 * (int64_t)NS_PER_MS) /* packets older than that have been read, when none waits */

struct watch {
    const struct cli *cli; /* as it was started; what is open belongs to it */
    struct cli renewed;    /* as HUP read it anew */
    const struct cli *now; /* one of the two */
    int argc;
    char **argv;
    int signals;
    bool stop;
    FILE *to;
    struct outlet *outlet; /* before `to`, until the last report */
    struct outlet *said;   /* before standard error */
    bool unheard;          /* lines were given up, and none was taken since */
    struct live *live;
    struct pipeline *pipeline;
    struct keylog *keys;
    struct events events;
    struct keep_live *keep; /* NULL: no packets are written */
    struct alerts *alerts;  /* NULL: no rules are asked for */
    size_t inputs_n;
    const struct capture_input *inputs[LIVE_INTERFACES];
    struct drops drops[LIVE_INTERFACES];
    struct leap leap;
    struct local_net own[LIVE_ADDRESSES]; /* the interfaces' addresses */
    size_t own_n;
    int64_t now_ns;       /* packet time, moved on by the wall clock while there are no packets */
    int64_t judged_ns;    /* the latest look for events */
    int64_t compacted_ns; /* when the notebook was last made smaller; 0: not yet */
    unsigned seconds;     /* how often the interfaces were tended */
};

static int say(const struct watch *w, const char *text)
{
    return complain_to(outlet_stream(w->said), text);
}

/* ---- time: the only place that looks at the system's ---- */

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* What lasts is seen only behind a leap: nothing is given up as long silent before it had time to be heard again. */
static void leap_tell(struct watch *w, enum leapt leap)
{
    if (leap == LEAP_NONE)
        return;
    w->compacted_ns = w->now_ns;
    say(w, leap == LEAP_BACK ? "the clock was set back: until it is where it has been before, silence proves nothing"
                             : "the clock was set ahead, or the host slept: for a minute, silence proves nothing");
}

/* While packets wait, only they tell the time: who is behind must not take what it has not read for silence. */
static void time_feed(struct watch *w, bool drained)
{
    int64_t idle = drained ? clock_ns(CLOCK_REALTIME) - IDLE_LAG_NS : 0;

    if (w->pipeline->clock.now_ns > w->now_ns)
        w->now_ns = w->pipeline->clock.now_ns;
    if (idle > w->now_ns)
        w->now_ns = idle;
    leap_tell(w, leap_look(&w->leap, w->now_ns, clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_REALTIME)));
}

/* ---- what is judged ---- */

/* An interface that loses its addresses for a while, as one that is down may, does not make others local. */
static void addresses_learn(struct watch *w)
{
    struct addr found[LIVE_ADDRESSES];
    size_t n = live_addresses(w->live, found);

    for (size_t i = 0; i < n; i++)
        w->own[i] = (struct local_net){ found[i], 128 };
    if (n)
        w->own_n = n;
}

static bool silence_is_doubtful(const struct watch *w)
{
    uint64_t packets = 0, dropped = 0;
    bool doubt = leap_doubts(&w->leap, w->now_ns);

    for (size_t i = 0; i < w->inputs_n; i++) {
        packets += w->inputs[i]->packets;
        dropped += w->inputs[i]->dropped;
        doubt |= w->now_ns < w->drops[i].doubt_until_ns;
    }
    return doubt || lost_too_many(packets, dropped);
}

static struct view_options view_options_of(const struct watch *w)
{
    return (struct view_options){ .locals = w->now->locals ? w->now->local : w->own,
                                  .locals_n = w->now->locals ? w->now->locals : w->own_n,
                                  .on_host = !w->now->locals && w->own_n,
                                  .public_ips = w->now->public_ip,
                                  .public_ips_n = w->now->public_ips,
                                  .dropped = silence_is_doubtful(w) };
}

static void judge(struct watch *w, bool last)
{
    struct view_options o = view_options_of(w);
    struct moment m = { w->pipeline->track, &o, w->now_ns, w->inputs, w->inputs_n, &w->pipeline->faults };

    w->judged_ns = w->now_ns;
    events_tick(&w->events, 0, &m, last);
    alerts_tick(w->alerts, w->now_ns);
}

static bool report(struct watch *w, struct result *r)
{
    static const unsigned char one_place[LIVE_INTERFACES];
    struct vantage_input in = { "live", w->pipeline->track, view_options_of(w), w->now_ns };
    struct result_of from = { .vantage = &in,
                              .pipeline = &w->pipeline,
                              .vantages = 1,
                              .inputs = w->inputs,
                              .inputs_n = w->inputs_n,
                              .vantage_of = one_place,
                              .forgotten = &w->events.monitor[0].forgotten };

    return result_make(r, &from) || say(w, "not enough memory for a report") == EXIT_FINE;
}

/* So that memory stays what the calls of now and of the last minutes need. Without memory to do it, nothing can go on. */
static bool compact(struct watch *w)
{
    if (!w->compacted_ns)
        w->compacted_ns = w->now_ns;
    if (w->now_ns - w->compacted_ns < COMPACT_EVERY_NS)
        return true;
    w->compacted_ns = w->now_ns;
    events_renumbered(&w->events);
    return pipeline_compact(w->pipeline, w->now_ns);
}

/* ---- output ---- */

/* False without memory, and the output is as it was. */
static bool output_begin(struct watch *w, FILE *to)
{
    struct outlet *fresh = outlet_new(to);

    if (!fresh)
        return false;
    outlet_free(w->outlet);
    w->outlet = fresh;
    w->to = to;
    w->events.to = w->cli->format == FORMAT_JSON ? NULL : outlet_stream(fresh); /* there one document and nothing else */
    return true;
}

static void output_push(struct watch *w)
{
    bool broken = false, deaf;
    uint64_t lost = outlet_push(w->outlet, &broken);

    w->pipeline->faults.count[FAULT_OUTPUT_FULL] += outlet_push(w->said, &deaf);
    w->pipeline->faults.count[FAULT_OUTPUT_FULL] += lost;
    w->events.failed |= broken;
    w->unheard |= lost != 0;
    if (w->unheard && !outlet_waits(w->outlet)) {
        w->unheard = false;
        fault_trouble_again(&w->events.trouble[0], FAULT_OUTPUT_FULL);
    }
}

/* From here on the reader is waited for: what is left to write is the last report, and no packets come. */
static bool output_end(struct watch *w)
{
    bool fine = outlet_drain(w->outlet, -1);

    if (w->events.to)
        w->events.to = w->to;
    return fine;
}

/* ---- signals ---- */

static void snapshot(struct watch *w)
{
    struct result *r = calloc(1, sizeof *r);
    char error[CAPTURE_ERROR] = "a snapshot could not be written to the output";
    bool fine = r && report(w, r);

    if (fine)
        fine = w->now->snapshot ? output_snapshot(&r->out, w->now->snapshot, error) : out_json(&r->out, outlet_stream(w->outlet));
    if (!fine)
        say(w, error);
    if (r)
        result_done(r);
    free(r);
}

/* A configuration that is wrong leaves the old one in force. */
static void configuration_renew(struct watch *w)
{
    struct cli fresh;
    char error[CLI_ERROR];

    if (!cli_parse_again(&fresh, w->argc, w->argv, outlet_stream(w->said), error)) {
        say(w, error);
        say(w, "the configuration stays as it was");
        cli_done(&fresh);
        return;
    }
    if (cli_needs_restart(w->cli, &fresh))
        say(w, "some of what was changed needs a restart: only addresses, outputs and rules are renewed while running");
    cli_done(&w->renewed);
    w->renewed = fresh;
    w->now = &w->renewed;
}

/* The old one stays where the new one cannot be opened. */
static void output_renew(struct watch *w)
{
    char error[CAPTURE_ERROR] = "there is not enough memory for another output";
    FILE *to = output_open(w->now->output, true, error), *old = w->to;

    if (!to || to == old) {
        if (!to)
            say(w, error);
        return;
    }
    output_push(w);
    if (output_begin(w, to)) {
        output_close(old);
        return;
    }
    say(w, error);
    output_close(to);
}

/* The place for all that is renewed on HUP: configuration, output, addresses, rules, log servers. */
static void reload(struct watch *w)
{
    notify_reloading();
    configuration_renew(w);
    output_renew(w);
    addresses_learn(w);
    alerts_reload(w->alerts, w->now);
    notify_ready();
}

static void signals_take(struct watch *w)
{
    struct signalfd_siginfo s;

    while (read(w->signals, &s, sizeof s) == (ssize_t)sizeof s)
        switch (s.ssi_signo) {
        case SIGHUP: reload(w); break;
        case SIGUSR1: snapshot(w); break;
        default: w->stop = true;
        }
}

/* ---- the packets of what fails ---- */

static void keep_found(void *self, const struct view *v, const struct event *e)
{
    struct watch *w = self;

    if (e->kind == EVENT_SESSION_MEDIA_MISSING)
        keep_live_session(w->keep, v, e->session, true);
    else if (e->kind == EVENT_SESSION_ENDED)
        keep_live_session(w->keep, v, e->session, verdict_is_failure(e->session->verdict));
}

static void keep_ticked(void *self, const struct view *v)
{
    struct watch *w = self;
    const char *why;

    if (!keep_live_tick(w->keep, v) && (why = keep_live_error(w->keep)) != NULL)
        say(w, why);
}

static bool keep_begin(struct watch *w, char error[CAPTURE_ERROR])
{
    const struct cli *c = w->cli;
    struct keep_live_options o = {
        .to = { .path = c->write, .max_bytes = (uint64_t)c->write_mib << 20, .files = c->write_files, .keep_old = true },
        .audio = c->write_audio,
    };

    if (!c->write)
        return true;
    w->keep = keep_live_open(&o, error);
    if (w->keep)
        w->pipeline->watch = (struct pipeline_watch){ .self = keep_live_messages(w->keep), .sip = messages_note };
    return w->keep != NULL;
}

/* ---- once a second ---- */

static void interface_changed(void *self, size_t interface, enum live_change change, const char *text)
{
    struct watch *w = self;

    events_capture(&w->events, &(struct capture_event){ .what = change == LIVE_WENT ? "capture.down" : "capture.up",
                                                        .interface = w->inputs[interface]->path,
                                                        .at_ns = w->now_ns,
                                                        .text = text });
    say(w, text);
    if (change == LIVE_CAME_BACK)
        addresses_learn(w);
}

static void drops_tell(struct watch *w)
{
    for (size_t i = 0; i < w->inputs_n; i++) {
        const struct capture_input *in = w->inputs[i];
        struct capture_event e = { .what = "capture.drops", .interface = in->path, .at_ns = w->now_ns };

        if (drops_look(&w->drops[i], in, w->now_ns, &e.packets, &e.dropped))
            events_capture(&w->events, &e);
    }
}

static void status_tell(const struct watch *w)
{
    const struct monitor *m = &w->events.monitor[0];
    uint64_t packets = 0, dropped = 0, ended = 0, failed = 0;
    char text[160];

    for (size_t i = 0; i < w->inputs_n; i++) {
        packets += w->inputs[i]->packets;
        dropped += w->inputs[i]->dropped;
    }
    for (unsigned v = 0; v < VERDICTS_N; v++) {
        ended += m->by_verdict[v];
        failed += verdict_is_failure((enum verdict)v) ? m->by_verdict[v] : 0;
    }
    snprintf(text, sizeof text, "%llu packets, %llu lost; %llu sessions ended, %llu of them failed", (unsigned long long)packets,
             (unsigned long long)dropped, (unsigned long long)ended, (unsigned long long)failed);
    notify_status(text);
}

static void tend(struct watch *w)
{
    live_tend(w->live, interface_changed, w);
    drops_tell(w);
    keylog_tell(w->keys, outlet_stream(w->said));
    notify_alive();
    if (w->seconds++ % STATUS_EVERY == 0)
        status_tell(w);
    if (w->events.failed) {
        w->events.failed = false;
        say(w, "an event could not be written to the output");
        w->stop |= w->to == stdout; /* nobody reads it any more */
    }
}

/* ---- the loop ---- */

_Static_assert((int)LIVE_FRAMES <= (int)PIPELINE_FRAMES, "the pipeline takes what comes together");

static void frames(void *self, const struct frame *f, size_t n)
{
    struct watch *w = self;

    if (!w->keep) {
        pipeline_frames(w->pipeline, f, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        enum disposition done = pipeline_frame(w->pipeline, &f[i]);

        keep_live_frame(w->keep, &f[i], done == DONE_RTP || done == DONE_TURN_DATA || done == DONE_UNEXPLAINED);
    }
}

/* Waits for packets or a signal, and takes what there is. True: no packet waits any more. */
static bool take(struct watch *w, int wait_ms)
{
    struct pollfd poll_of[LIVE_INTERFACES + 1 + CLI_SYSLOGS + 1] = { { .fd = w->signals, .events = POLLIN } };
    int fds[LIVE_INTERFACES];
    size_t n = live_descriptors(w->live, fds), logs = alerts_poll(w->alerts, &poll_of[n + 1]), all = n + 1 + logs;
    bool woken = false;

    for (size_t i = 0; i < n; i++)
        poll_of[i + 1] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
    if (outlet_waits(w->outlet))
        poll_of[all++] = (struct pollfd){ .fd = fileno(w->to), .events = POLLOUT };
    (void)poll(poll_of, all, wait_ms);
    for (size_t i = n + 1; i < n + 1 + logs; i++)
        woken |= poll_of[i].revents != 0;
    alerts_run(w->alerts, woken);
    n = live_read(w->live, READ_MOST, frames, w);
    signals_take(w);
    return n < READ_MOST;
}

static bool loop(struct watch *w)
{
    int64_t due_ns = 0;

    while (!w->stop) {
        bool drained = take(w, WAIT_MS);
        int64_t steady_ns = clock_ns(CLOCK_MONOTONIC);

        time_feed(w, drained);
        if (steady_ns >= due_ns) {
            due_ns = steady_ns + NS_PER_S;
            tend(w);
        }
        if (w->now_ns - w->judged_ns >= NS_PER_S) {
            judge(w, false);
            if (!compact(w)) {
                say(w, "not enough memory");
                return false;
            }
        }
        output_push(w);
    }
    return true;
}

/* What the kernel still holds, then the last word on everything. */
static int finish(struct watch *w)
{
    int64_t until_ns = clock_ns(CLOCK_MONOTONIC) + DRAIN_MS * (int64_t)NS_PER_MS;
    struct result *r = calloc(1, sizeof *r);
    bool fine = r != NULL, failed = false;
    sigset_t ending = signals_that_end();

    notify_stopping();
    while (clock_ns(CLOCK_MONOTONIC) < until_ns)
        (void)take(w, DRAIN_MS / 3);
    sigprocmask(SIG_UNBLOCK, &ending, NULL); /* a second one ends at once, should nobody read the report */
    fine &= output_end(w);
    live_tend(w->live, interface_changed, w);
    pipeline_finish(w->pipeline);
    time_feed(w, false);
    judge(w, true);
    fine = fine && report(w, r);
    if (fine && w->cli->format == FORMAT_NDJSON)
        events_summary(&w->events, &r->out, w->now_ns);
    else if (fine)
        fine = output_report(&r->out, w->cli, w->to);
    failed = fine && result_failed(r);
    if (r)
        result_done(r);
    free(r);
    if (!fine || w->events.failed)
        return say(w, "the last report could not be written");
    return failed ? EXIT_SESSION_FAILED : EXIT_FINE;
}

/* ---- beginning and end ---- */

static bool open_capture(struct watch *w, char error[CAPTURE_ERROR])
{
    const struct cli *c = w->cli;
    struct live_options o = { .interfaces = c->interface,
                              .n = c->interfaces,
                              .filter = c->filter,
                              .buffer_bytes = (size_t)c->buffer_mib << 20,
                              .full_packets = c->full_packets,
                              .promiscuous = c->promiscuous };

    w->live = live_open(&o, error);
    if (!w->live)
        return false;
    w->inputs_n = live_inputs(w->live);
    for (size_t i = 0; i < w->inputs_n; i++)
        w->inputs[i] = live_input(w->live, i);
    addresses_learn(w);
    w->pipeline = pipeline_new();
    if (!w->pipeline || !pipeline_inputs(w->pipeline, w->inputs_n))
        return false;
    for (size_t i = 0; i < c->link_headers; i++)
        track_link_header(w->pipeline->track, c->link_header[i]);
    track_labels(w->pipeline->track, c->label, c->labels);
    track_note_wakes(w->pipeline->track);
    w->keys = keys_open(c, true, error); /* with the privileges of the start: it is read on from what is open */
    return w->keys && (!c->tls_keylogs || pipeline_keys(w->pipeline, w->keys));
}

static bool open_all(struct watch *w, char error[CAPTURE_ERROR])
{
    struct events_options o = { .ndjson = w->cli->format == FORMAT_NDJSON, .grace_ns = SECONDS(w->cli->grace_s), .vantages = 1 };
    struct alerts_options ao = { .cli = w->cli, .events = &w->events, .wrong = outlet_stream(w->said), .live = true };
    FILE *to;

    w->signals = signals_open();
    if (w->signals < 0 || !open_capture(w, error) || !alerts_open(&w->alerts, &ao, error))
        return false;
    if (w->cli->nice)
        (void)setpriority(PRIO_PROCESS, 0, (int)w->cli->nice);
    /* Only then rules and output: who may open them now may open them again on HUP. */
    if (!privileges_drop(w->cli, error) || !alerts_load(w->alerts, error) || !keep_begin(w, error))
        return false;
    if (w->keep) {
        o.found = keep_found;
        o.ticked = keep_ticked;
        o.finder = w;
    }
    o.heard = w->alerts ? alerts_hear : NULL;
    o.self = w->alerts;
    to = output_open(w->cli->output, w->cli->format != FORMAT_JSON, error);
    return to && events_init(&w->events, &o, NULL) && output_begin(w, to);
}

int watch_run(const struct cli *c, int argc, char **argv)
{
    struct watch *w = calloc(1, sizeof *w);
    char error[CAPTURE_ERROR] = "";
    int status;

    if (w)
        w->said = outlet_new(stderr);
    if (!w || !w->said) {
        free(w);
        return complain("not enough memory");
    }
    w->cli = w->now = c;
    w->argc = argc;
    w->argv = argv;
    w->signals = -1;
    if (open_all(w, error)) {
        notify_ready();
        status = loop(w) ? finish(w) : EXIT_UNUSABLE;
    } else {
        status = say(w, *error ? error : "not enough memory");
    }
    alerts_close(w->alerts, LOG_MS);
    if (w->keep && !keep_live_close(w->keep))
        say(w, "some packets of failed sessions could not be written");
    events_done(&w->events);
    live_close(w->live);
    pipeline_free(w->pipeline);
    keylog_free(w->keys);
    outlet_free(w->outlet);
    if (!output_close(w->to) && status != EXIT_UNUSABLE)
        status = say(w, "the last report could not be written");
    if (w->signals >= 0)
        close(w->signals);
    cli_done(&w->renewed);
    (void)outlet_drain(w->said, SAY_MS);
    outlet_free(w->said);
    free(w);
    return status;
}
