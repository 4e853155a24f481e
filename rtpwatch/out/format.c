#include <time.h>

#include "base/clock.h"
#include "out/out.h"

const char *out_time(int64_t ns, char buf[OUT_TIME])
{
    time_t s = (time_t)(ns / NS_PER_S);
    struct tm tm;

    if (!gmtime_r(&s, &tm))
        tm = (struct tm){ .tm_year = 70, .tm_mday = 1 };
    snprintf(buf, OUT_TIME, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ns % NS_PER_S / NS_PER_US));
    return buf;
}

static struct span base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return span_str(slash ? slash + 1 : path);
}

void out_frame(const struct out_report *r, uint64_t frame, struct strbuf *out)
{
    if (r->inputs_n > 1 && frame_input(frame) < r->inputs_n) {
        strbuf_safe(out, base_name(r->inputs[frame_input(frame)]->path), 200);
        strbuf_add(out, ":");
    }
    strbuf_fmt(out, "%llu", (unsigned long long)frame_number(frame));
}
