#include "app/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"

#define FIRST_NS   NS_PER_S       /* what takes less needs no telling */
#define BETWEEN_NS (NS_PER_S / 5) /* five times a second at most */

static int64_t system_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return SECONDS(t.tv_sec) + t.tv_nsec;
}

void progress_begin(struct progress *p, bool on)
{
    *p = (struct progress){ .next = on ? PROGRESS_PACKETS : UINT64_MAX };
    if (on)
        p->begun_ns = system_ns();
}

void progress_look(struct progress *p, const struct capture *c, uint64_t packets)
{
    struct capture_extent e = { 0 };
    char text[PROGRESS_TEXT];
    int64_t now = system_ns();

    p->next = packets + PROGRESS_PACKETS;
    if (now - p->begun_ns < FIRST_NS || now - p->told_ns < BETWEEN_NS)
        return;
    e = capture_extent(c);
    progress_text(e.read, e.size, packets, now - p->begun_ns, text);
    fprintf(stderr, "\rrtpwatch: %s\033[K", text);
    fflush(stderr);
    p->told_ns = now;
    p->shown = true;
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
    p->next = UINT64_MAX;
}

/* "12.4 GB" */
static void bytes_text(uint64_t n, char *out, size_t room)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB" };
    size_t unit = 0;
    uint64_t size = 1000;

    for (; unit < 3 && n >= size * 1000; unit++)
        size *= 1000;
    snprintf(out, room, "%" PRIu64 ".%" PRIu64 " %s", n / size, n % size * 10 / size, units[unit]);
}

/* With commas between thousands. */
static void count_text(uint64_t n, char *out, size_t room)
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n), at = 0;

    for (size_t i = 0; i < len && at + 2 < room; i++) {
        if (i && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
}

/* A double beyond what an integer holds has no value as one. */
static uint64_t whole(double v)
{
    return v < 1e15 ? (uint64_t)v : (uint64_t)1000000000000000;
}

static void left_text(uint64_t s, char *out, size_t room)
{
    if (s < 60)
        snprintf(out, room, "%" PRIu64 " s left", s);
    else
        snprintf(out, room, "%" PRIu64 " min left", (s + 30) / 60);
}

void progress_text(uint64_t read, uint64_t size, uint64_t packets, int64_t ns, char out[PROGRESS_TEXT])
{
    char of[24], n[40], rate[24], left[32] = "";
    double per_s = ns > 0 ? (double)read / (double)ns * NS_PER_S : 0;

    bytes_text(size ? size : read, of, sizeof of);
    count_text(packets, n, sizeof n);
    bytes_text(whole(per_s), rate, sizeof rate);
    if (!size) {
        snprintf(out, PROGRESS_TEXT, "%s, %s packets, %s/s", of, n, rate);
        return;
    }
    if (per_s > 0)
        left_text(read < size ? whole((double)(size - read) / per_s) : 0, left, sizeof left);
    snprintf(out, PROGRESS_TEXT, "%u %% of %s, %s packets, %s/s%s%s",
             (unsigned)(read < size ? (double)read * 100 / (double)size : 100), of, n, rate, *left ? ", " : "", left);
}
