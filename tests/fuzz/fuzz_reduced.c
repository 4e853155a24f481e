/*
 * A reduced capture into a pipeline and a report: whatever its frames and runs say, it is refused, or what track keeps true of its
 * records stays true. Another part may have been read before: the same bytes once more stand for it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/part.h"
#include "out/out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct track *t)
{
    for (uint32_t i = 0; i < t->streams.used; i++) {
        const struct stream *s = track_stream_at(t, i);

        if (s->flow >= t->flows.used || (s->next != POOL_NONE && s->next >= t->streams.used) ||
            (s->ids != POOL_NONE && s->ids >= t->stream_ids.used) || s->pt > 127 || frame_input(s->packets.last.frame) > 1023)
            abort();
    }
}

static void report(const struct pipeline *p)
{
    struct vantage_input in = { .name = "here", .track = p->track, .now_ns = p->clock.now_ns };
    struct report r;
    FILE *null = fopen("/dev/null", "w");

    if (null && report_make(&r, &in, 1)) {
        struct out_report out = { .report = &r, .faults = &p->faults, .version = "fuzz" };

        out_json(&out, null);
        report_done(&r);
    }
    if (null)
        fclose(null);
}

static bool part(const uint8_t *data, size_t size, unsigned base, struct pipeline *p)
{
    char error[CAPTURE_ERROR];
    FILE *f = fmemopen((void *)(uintptr_t)data, size, "rb");
    struct reduced *r = f ? reduced_of(f, error) : NULL;
    bool fine = r && part_read(r, base, p, error);

    reduced_free(r);
    check(p->track);
    return fine;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pipeline *p = size ? pipeline_new() : NULL;

    if (!p || !pipeline_inputs(p, 2)) {
        pipeline_free(p);
        return 0;
    }
    if (part(data, size, 0, p) && part(data, size, 512, p)) {
        pipeline_finish(p);
        report(p);
    }
    pipeline_free(p);
    return 0;
}
