/* Wires the stages together; the only place that ends the program. */
#include <stdlib.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/pipeline.h"
#include "out/facts.h"
#include "out/out.h"

enum { HINTS_SHOWN = 64 };

struct run {
    struct cli cli;
    struct capture *capture;
    struct pipeline *pipeline;
    struct report report;
    const struct capture_input *inputs[CAPTURE_INPUTS];
    struct out_count packets[DISPOSITIONS_N], hints[HINTS_SHOWN];
    char hint_name[HINTS_SHOWN][HINTS_NAME];
    size_t hints_n;
    struct facts_sink facts;
};

static int complain(const char *what)
{
    fprintf(stderr, "rtpwatch: %s\n", what);
    return EXIT_UNUSABLE;
}

static void hint_add(void *self, const char *protocol, uint64_t flows)
{
    struct run *r = self;

    if (r->hints_n == HINTS_SHOWN)
        return;
    snprintf(r->hint_name[r->hints_n], HINTS_NAME, "%s", protocol);
    r->hints[r->hints_n] = (struct out_count){ r->hint_name[r->hints_n], flows };
    r->hints_n++;
}

static bool wants_colour(const struct cli *c)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    if (c->colour != COLOUR_AUTO)
        return c->colour == COLOUR_ALWAYS;
    return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

static bool write_report(struct run *r)
{
    struct out_report out = { .report = &r->report, .faults = &r->pipeline->faults, .inputs = r->inputs, .packets = r->packets,
                              .packets_n = DISPOSITIONS_N, .hints = r->hints, .version = RW_VERSION };
    struct text_style style = { .colour = wants_colour(&r->cli) };

    out.inputs_n = capture_inputs(r->capture);
    for (size_t i = 0; i < out.inputs_n && i < CAPTURE_INPUTS; i++)
        r->inputs[i] = capture_input(r->capture, i);
    for (unsigned i = 0; i < DISPOSITIONS_N; i++)
        r->packets[i] = (struct out_count){ disposition_name((enum disposition)i), r->pipeline->done[i] };
    hints_each(r->pipeline->hints, hint_add, r);
    out.hints_n = r->hints_n;
    return r->cli.format == FORMAT_JSON ? out_json(&out, stdout) : out_text(&out, &style, stdout);
}

static bool inputs_sound(struct run *r)
{
    bool sound = true;

    for (size_t i = 0; i < capture_inputs(r->capture); i++) {
        const struct capture_input *in = capture_input(r->capture, i);

        if (in->odd_lengths)
            r->pipeline->faults.count[FAULT_CAPTURE_LENGTH] += in->odd_lengths;
        if (!in->truncated)
            continue;
        sound = false;
        fprintf(stderr, "rtpwatch: %s: %s\n", in->path, in->error);
    }
    return sound;
}

/* So many packets lost that what was not seen may have been there all the same: one in 200. */
static bool lost_too_many(struct run *r)
{
    uint64_t packets = 0, dropped = 0;

    for (size_t i = 0; i < capture_inputs(r->capture); i++) {
        packets += capture_input(r->capture, i)->packets;
        dropped += capture_input(r->capture, i)->dropped;
    }
    return dropped * 200 > packets;
}

static int analyse(struct run *r)
{
    char bad_filter[CAPTURE_ERROR] = "";
    struct view_options options = { .locals = r->cli.local, .locals_n = r->cli.locals };
    struct frame frame;
    bool sound, failed = false;

    r->capture = capture_open_files(r->cli.files, r->cli.files_n, r->cli.filter, bad_filter);
    r->pipeline = pipeline_new();
    r->facts.to = stdout;
    if (!r->capture || !r->pipeline)
        return complain(*bad_filter ? bad_filter : "not enough memory");
    if (r->cli.dump_facts)
        r->pipeline->watch = (struct pipeline_watch){ &r->facts, facts_sip, facts_stun, facts_icmp, facts_dns };
    while (capture_next(r->capture, &frame))
        pipeline_frame(r->pipeline, &frame);
    pipeline_finish(r->pipeline);
    sound = inputs_sound(r);
    options.dropped = lost_too_many(r);
    if (r->cli.dump_facts)
        return facts_streams(r->pipeline->track, stdout) && sound ? EXIT_FINE : EXIT_UNUSABLE;
    if (!report_make(&r->report, r->pipeline->track, &options, r->pipeline->clock.now_ns))
        return complain("not enough memory for the report");
    if (!write_report(r))
        return complain("the report could not be written to standard output");
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
    report_done(&r->report);
    capture_close(r->capture);
    pipeline_free(r->pipeline);
    cli_done(&r->cli);
    free(r);
    return status;
}
