/*
 * A classic pcap file through the whole pipeline and into a report: link layers, reassembly, dissectors, facts, verdicts, JSON. The file
 * is read by hand, so that libpcap's checks do not stand before ours.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/pipeline.h"
#include "out/out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t le32(struct rd *r)
{
    return __builtin_bswap32(rd_u32(r));
}

static void frames(struct pipeline *p, struct rd *r, int link)
{
    for (uint64_t n = 1; rd_left(r); n++) {
        uint32_t s = le32(r), us = le32(r), incl = le32(r), orig = le32(r);
        struct frame f = { .id = frame_id(0, n), .link = link, .ts_ns = (int64_t)s * NS_PER_S + (int64_t)us * NS_PER_US };

        if (incl > 1 << 18)
            return;
        f.bytes = rd_take(r, incl);
        f.wire = orig < incl ? incl : orig;
        if (!r->err)
            pipeline_frame(p, &f);
    }
}

static void report(struct pipeline *p)
{
    struct vantage_input in = { .name = "here", .track = p->track, .now_ns = p->clock.now_ns };
    struct report r;
    FILE *null = fopen("/dev/null", "w");

    if (report_make(&r, &in, 1)) {
        struct out_report out = { .report = &r, .faults = &p->faults, .version = "fuzz" };
        struct text_style style = { 0 };

        if (null) {
            out_json(&out, null);
            out_text(&out, &style, null);
        }
        report_done(&r);
    }
    if (null)
        fclose(null);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_init((struct span){ data, size }, size);
    struct pipeline *p = pipeline_new();
    int link;

    if (!p)
        return 0;
    rd_take(&r, 20);
    link = (int)(le32(&r) & 0xffff);
    frames(p, &r, link);
    pipeline_finish(p);
    report(p);
    pipeline_free(p);
    return 0;
}
