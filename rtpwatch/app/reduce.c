#include "app/reduce.h"

#include <stdlib.h>
#include <unistd.h>

#include "app/complain.h"
#include "app/pack.h"
#include "app/pipeline.h"
#include "app/progress.h"
#include "app/vantages.h"
#include "capture/reduced.h"

enum { LOOK_FRAMES = 1024, END_BYTES = 128 << 20 };

struct reduce {
    const struct cli *cli;
    struct capture *capture;
    struct pipeline *pipeline;
    struct reduced_out *to;
    struct window window;
    struct progress progress;
    struct pack *pack;
    uint64_t frames, outside; /* outside: --since and --until */
    uint64_t look_frames;     /* at so many, it is looked how near the end is */
    bool has_secrets;         /* some input carries TLS secrets */
    struct twice *twice;      /* the pipeline's, which has it when there is something to look for */
};

/* ---- reading ---- */

/*
 * Copies are looked for among several inputs. Of a single one its last packets are remembered alone, since another part may begin with a
 * copy of these: from so far before the file's end on that no 10 ms have as many bytes (50 Gbit/s).
 */
static void look_for_copies(struct reduce *r)
{
    struct capture_extent e = { 0 };

    if (r->frames >= r->look_frames && !r->pipeline->twice) {
        r->look_frames = r->frames + LOOK_FRAMES;
        e = capture_extent(r->capture);
        if (e.read + END_BYTES > e.size)
            r->pipeline->twice = r->twice;
    }
}

static bool take(struct reduce *r, struct frame *f, size_t n)
{
    size_t kept = n;

    look_for_copies(r);
    if (!r->frames)
        pack_begin(r->pack, f->ts_ns);
    if (window_given(&r->window))
        kept = window_keep(&r->window, f, n);
    r->frames += n;
    r->outside += n - kept;
    return pack_frames(r->pack, f, kept);
}

static bool read_all(struct reduce *r)
{
    struct frame frame[PIPELINE_FRAMES];
    bool fine = true;
    size_t n;

    while (fine && (n = capture_batch(r->capture, frame, PIPELINE_FRAMES)) > 0) {
        r->has_secrets = capture_secrets(r->capture).n > 0;
        fine = !r->has_secrets && take(r, frame, n);
        progress_feed(&r->progress, r->capture, r->frames);
    }
    progress_end(&r->progress);
    return fine;
}

/* ---- the end ---- */

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

    *w = (struct reduced_whole){ .inputs = capture_inputs(r->capture), .outside = r->outside };
    w->input = calloc(w->inputs, sizeof *w->input);
    r->pipeline->twice = r->twice;
    fine = w->input && pack_end(r->pack, w);
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

static bool captures_alone(const struct cli *c, char error[CAPTURE_ERROR])
{
    if (c->files_n > CAPTURE_INPUTS) {
        snprintf(error, CAPTURE_ERROR, "more than %d files: reduce fewer at once", CAPTURE_INPUTS);
        return false;
    }
    for (size_t i = 0; i < c->files_n; i++)
        if (reduced_is(c->files[i])) {
            snprintf(error, CAPTURE_ERROR, "%.200s is reduced already", c->files[i]);
            return false;
        }
    return true;
}

static bool begin(struct reduce *r, char error[CAPTURE_ERROR])
{
    const struct cli *c = r->cli;

    if (!captures_alone(c, error))
        return false;
    if (c->files_n > 1 && !one_place(c, error))
        return false;
    snprintf(error, CAPTURE_ERROR, "not enough memory");
    r->capture = capture_open_files(c->files, c->files_n, c->filter, error);
    r->pipeline = pipeline_new();
    if (!r->capture || !r->pipeline || !pipeline_inputs(r->pipeline, 2))
        return false;
    r->twice = r->pipeline->twice;
    if (c->files_n == 1)
        r->pipeline->twice = NULL;
    r->to = reduced_create(c->reduce, c->files, c->files_n, error);
    r->pack = r->to ? pack_new(r->pipeline, r->to) : NULL;
    if (r->to && !r->pack)
        (void)reduced_close(r->to, NULL, error);
    return r->pack;
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
    if (r->has_secrets)
        return complain(
            "a capture carries TLS secrets, and what they open would be missing from the report of a reduced one: give "
            "the captures themselves, or leave the secrets out with editcap --discard-all-secrets");
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
    if (r->pipeline)
        r->pipeline->twice = r->twice; /* to be freed with it */
    pipeline_free(r->pipeline);
    pack_free(r->pack);
    free(r);
    return status;
}
