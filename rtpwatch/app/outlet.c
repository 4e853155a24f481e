#include "app/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct outlet {
    int fd;       /* -1: a regular file */
    FILE *stream; /* into `fresh`; of a regular file itself, which is borrowed */
    char *fresh;
    size_t fresh_n;
    char *waiting;
    size_t from, to, room; /* of what waits */
};

struct outlet *outlet_new(FILE *to)
{
    struct outlet *o = calloc(1, sizeof *o);
    struct stat s;

    if (!o)
        return NULL;
    o->fd = fstat(fileno(to), &s) == 0 && S_ISREG(s.st_mode) ? -1 : fileno(to);
    o->stream = o->fd < 0 ? to : open_memstream(&o->fresh, &o->fresh_n);
    if (o->stream)
        return o;
    outlet_free(o);
    return NULL;
}

FILE *outlet_stream(struct outlet *o)
{
    return o->stream;
}

bool outlet_waits(const struct outlet *o)
{
    return o->from < o->to;
}

static uint64_t lines(const char *text, size_t n)
{
    uint64_t found = 0;

    for (size_t i = 0; i < n; i++)
        found += text[i] == '\n';
    return found;
}

/* All of it or nothing, so that no line loses its end. */
static bool keep(struct outlet *o, const char *text, size_t n)
{
    size_t waits = o->to - o->from;

    if (waits && waits + n > OUTLET_BYTES)
        return false;
    if (o->from)
        memmove(o->waiting, o->waiting + o->from, waits);
    o->from = 0;
    o->to = waits;
    if (waits + n > o->room) {
        char *more = realloc(o->waiting, waits + n);

        if (!more)
            return false;
        o->waiting = more;
        o->room = waits + n;
    }
    memcpy(o->waiting + o->to, text, n);
    o->to += n;
    return true;
}

/* One that is ready takes so much without waiting (pipe(7); a socket is told ready with more room than that). */
static bool write_some(struct outlet *o, int wait_ms, bool *broken)
{
    struct pollfd p = { .fd = o->fd, .events = POLLOUT };
    size_t n = o->to - o->from;
    ssize_t got = poll(&p, 1, wait_ms) > 0 ? write(o->fd, o->waiting + o->from, n < PIPE_BUF ? n : PIPE_BUF) : 0;

    if (got < 0 && errno != EAGAIN && errno != EINTR)
        *broken = true;
    o->from += got > 0 ? (size_t)got : 0;
    return got > 0;
}

uint64_t outlet_push(struct outlet *o, bool *broken)
{
    uint64_t lost = 0;

    *broken = fflush(o->stream) != 0;
    if (o->fd < 0)
        return 0;
    if (o->fresh_n && !keep(o, o->fresh, o->fresh_n))
        lost = lines(o->fresh, o->fresh_n);
    if (o->fresh_n)
        rewind(o->stream);
    while (outlet_waits(o) && !*broken && write_some(o, 0, broken))
        ;
    if (*broken)
        o->from = o->to = 0;
    return lost;
}

bool outlet_drain(struct outlet *o, int wait_ms)
{
    bool broken;
    uint64_t lost = outlet_push(o, &broken);

    while (outlet_waits(o) && !broken && (write_some(o, wait_ms, &broken) || wait_ms < 0))
        ;
    return !broken && !lost && !outlet_waits(o);
}

void outlet_free(struct outlet *o)
{
    if (!o)
        return;
    if (o->stream && o->fd >= 0)
        fclose(o->stream);
    free(o->fresh);
    free(o->waiting);
    free(o);
}
