/* Wires the stages together; the only place that ends the program. */
#include <stdlib.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/keep.h"
#include "app/pipeline.h"
#include "app/vantages.h"
#include "out/facts.h"
#include "out/out.h"

enum { HINTS_SHOWN = 64 };

struct run {
    struct cli cli;
    struct capture *capture;
    struct vantages vantages;
    struct pipeline *pipeline[VANTAGES_KEPT];
    struct fault_log faults; /* of all pipelines */
    struct report report;
    const struct capture_input *inputs[CAPTURE_INPUTS];
    struct out_count packets[DISPOSITIONS_N], hints[HINTS_SHOWN];
    char hint_name[HINTS_SHOWN][HINTS_NAME];
    size_t hints_n;
    struct facts_sink facts;
    struct keep *keep; /* NULL: nothing is written */
};

static int complain(const char *what)
{
    fprintf(stderr, "rtpwatch: %s\n", what);
    return EXIT_UNUSABLE;
}

static void hint_add(void *self, const char *protocol, uint64_t flows)
{
    struct run *r = self;
    size_t i = 0;

    while (i < r->hints_n && strcmp(r->hint_name[i], protocol) != 0)
        i++;
    if (i == HINTS_SHOWN)
        return;
    if (i == r->hints_n) {
        snprintf(r->hint_name[i], HINTS_NAME, "%s", protocol);
        r->hints[r->hints_n++] = (struct out_count){ r->hint_name[i], 0 };
    }
    r->hints[i].n += flows;
}

static bool wants_colour(const struct cli *c)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    if (c->colour != COLOUR_AUTO)
        return c->colour == COLOUR_ALWAYS;
    return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

/* Sums over all vantages: what was done with packets, what was malformed, what nDPI made of the rest. */
static void sum_up(struct run *r)
{
    for (unsigned i = 0; i < DISPOSITIONS_N; i++)
        r->packets[i] = (struct out_count){ disposition_name((enum disposition)i), 0 };
    for (size_t v = 0; v < r->vantages.n; v++) {
        const struct pipeline *p = r->pipeline[v];

        for (unsigned i = 0; i < DISPOSITIONS_N; i++)
            r->packets[i].n += p->done[i];
        for (unsigned i = 0; i < FAULT_IDS; i++) {
            if (!r->faults.count[i])
                r->faults.first_frame[i] = p->faults.first_frame[i];
            r->faults.count[i] += p->faults.count[i];
        }
        hints_each(p->hints, hint_add, r);
    }
    r->faults.count[FAULT_FACTOR_LIMIT] += r->report.factors.refused;
}

static bool write_report(struct run *r)
{
    struct out_report out = { .report = &r->report,
                              .faults = &r->faults,
                              .inputs = r->inputs,
                              .vantage_of = r->vantages.of_input,
                              .packets = r->packets,
                              .packets_n = DISPOSITIONS_N,
                              .hints = r->hints,
                              .version = RW_VERSION };
    struct text_style style = { .colour = wants_colour(&r->cli) };

    sum_up(r);
    out.hints_n = r->hints_n;
    out.inputs_n = capture_inputs(r->capture);
    for (size_t i = 0; i < out.inputs_n && i < CAPTURE_INPUTS; i++)
        r->inputs[i] = capture_input(r->capture, i);
    return r->cli.format == FORMAT_JSON ? out_json(&out, stdout) : out_text(&out, &style, stdout);
}

/* Every input that broke is told on standard error, with what could be done; what could be read of it is in the report. */
static bool inputs_sound(struct run *r)
{
    bool sound = true;

    for (size_t i = 0; i < capture_inputs(r->capture); i++) {
        const struct capture_input *in = capture_input(r->capture, i);

        r->faults.count[FAULT_CAPTURE_LENGTH] += in->odd_lengths;
        if (!in->truncated)
            continue;
        sound = false;
        r->faults.count[FAULT_CAPTURE_FILE]++;
        fprintf(stderr, "rtpwatch: %s: %s\n", in->path, in->error);
    }
    return sound;
}

/* So many packets lost that what was not seen may have been there all the same: one in 200. */
static bool lost_too_many(struct run *r, size_t vantage)
{
    uint64_t packets = 0, dropped = 0;

    for (size_t i = 0; i < capture_inputs(r->capture) && i < CAPTURE_INPUTS; i++) {
        if (r->vantages.of_input[i] != vantage)
            continue;
        packets += capture_input(r->capture, i)->packets;
        dropped += capture_input(r->capture, i)->dropped;
    }
    return dropped * 200 > packets;
}

static bool open_keep(struct run *r, char error[CAPTURE_ERROR])
{
    struct keep_options o = { .path = r->cli.write,
                              .session = r->cli.session,
                              .mib = r->cli.write_mib,
                              .files = r->cli.write_files,
                              .audio = r->cli.write_audio,
                              .inputs = r->cli.files,
                              .filter = r->cli.filter,
                              .inputs_n = r->cli.files_n,
                              .vantage = r->vantages.name,
                              .vantages = r->vantages.n,
                              .vantage_of = r->vantages.of_input };

    if (o.path)
        r->keep = keep_open(&o, error);
    return !o.path || r->keep;
}

static bool open_all(struct run *r, char bad_filter[CAPTURE_ERROR])
{
    if (!vantages_find(&r->vantages, &r->cli)) {
        snprintf(bad_filter, CAPTURE_ERROR,
                 "the files were captured at more than %d places; read fewer at once, or name places with --vantage NAME=FILE",
                 VANTAGES_KEPT);
        return false;
    }
    if (!open_keep(r, bad_filter))
        return false;
    r->capture = capture_open_files(r->cli.files, r->cli.files_n, r->cli.filter, bad_filter);
    r->facts.to = stdout;
    for (size_t i = 0; i < r->vantages.n; i++) {
        r->pipeline[i] = pipeline_new();
        if (!r->pipeline[i] || !pipeline_inputs(r->pipeline[i], vantages_files(&r->vantages, r->cli.files_n, i)))
            return false;
        for (size_t k = 0; k < r->cli.link_headers; k++)
            track_link_header(r->pipeline[i]->track, r->cli.link_header[k]);
        track_labels(r->pipeline[i]->track, r->cli.label, r->cli.labels);
        if (r->cli.dump_facts)
            r->pipeline[i]->watch = (struct pipeline_watch){ &r->facts, facts_sip, facts_stun, facts_icmp, facts_dns };
        if (r->keep)
            r->pipeline[i]->watch = (struct pipeline_watch){ .self = keep_messages(r->keep, i), .sip = messages_note };
    }
    return r->capture != NULL;
}

static bool make_report(struct run *r)
{
    struct vantage_input in[VANTAGES_KEPT];

    for (size_t i = 0; i < r->vantages.n; i++)
        in[i] = (struct vantage_input){ .name = r->vantages.name[i],
                                        .track = r->pipeline[i]->track,
                                        .options = { .locals = r->cli.local,
                                                     .locals_n = r->cli.locals,
                                                     .dropped = lost_too_many(r, i),
                                                     .several = r->vantages.n > 1 },
                                        .now_ns = r->pipeline[i]->clock.now_ns };
    if (!report_make(&r->report, in, r->vantages.n))
        return false;
    for (size_t i = 0; i < r->vantages.n; i++)
        r->pipeline[i]->faults.count[FAULT_SESSION_TABLE_FULL] += r->report.vantage[i].unsignalled.refused;
    return true;
}

static bool write_packets(struct run *r)
{
    char error[CAPTURE_ERROR] = "";

    if (!keep_write(r->keep, &r->report, error)) {
        complain(error);
        return false;
    }
    keep_tell(r->keep, &r->report, stderr);
    return true;
}

static int dump_facts(struct run *r)
{
    bool fine = true;

    for (size_t i = 0; i < r->vantages.n; i++)
        fine &= facts_streams(r->pipeline[i]->track, stdout);
    return inputs_sound(r) && fine ? EXIT_FINE : EXIT_UNUSABLE;
}

static int analyse(struct run *r)
{
    char bad_filter[CAPTURE_ERROR] = "";
    struct frame frame;
    bool sound, failed = false;

    if (!open_all(r, bad_filter))
        return complain(*bad_filter ? bad_filter : "not enough memory");
    while (capture_next(r->capture, &frame))
        pipeline_frame(r->pipeline[r->vantages.of_input[frame_input(frame.id)]], &frame);
    for (size_t i = 0; i < r->vantages.n; i++)
        pipeline_finish(r->pipeline[i]);
    if (r->cli.dump_facts)
        return dump_facts(r);
    sound = inputs_sound(r);
    if (!make_report(r))
        return complain("not enough memory for the report");
    if (!write_report(r))
        return complain("the report could not be written to standard output");
    sound &= !r->keep || write_packets(r);
    for (unsigned v = 0; v < VERDICTS_N; v++)
        failed |= verdict_is_failure((enum verdict)v) && r->report.by_verdict[v];
    return !sound ? EXIT_UNUSABLE : failed ? EXIT_SESSION_FAILED : EXIT_FINE;
}

int main(int argc, char **argv)
{
    struct run *r = calloc(1, sizeof *r);
    char error[CLI_ERROR];
    int status;

    if (!r)
        return complain("not enough memory");
    if (!cli_parse(&r->cli, argc, argv, error)) {
        status = complain(error);
    } else if (r->cli.action == ACTION_HELP) {
        cli_help(stdout);
        status = EXIT_FINE;
    } else if (r->cli.action == ACTION_VERSION) {
        puts("rtpwatch " RW_VERSION);
        status = EXIT_FINE;
    } else {
        status = analyse(r);
    }
    keep_close(r->keep);
    report_done(&r->report);
    capture_close(r->capture);
    for (size_t i = 0; i < r->vantages.n; i++)
        pipeline_free(r->pipeline[i]);
    cli_done(&r->cli);
    free(r);
    return status;
}
