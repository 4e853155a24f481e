#include "app/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A FIFO that nobody reads is refused: opening it would wait for a reader, and capture with it. What is open waits as ever. */
static FILE *open_to_add(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666);
    FILE *to = fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) == 0 ? fdopen(fd, "a") : NULL;

    if (!to && fd >= 0)
        close(fd);
    return to;
}

FILE *output_open(const char *path, bool add, char *error)
{
    FILE *to = !path ? stdout : add ? open_to_add(path) : fopen(path, "we");

    if (!to)
        snprintf(error, CAPTURE_ERROR, "%.200s: cannot be written: %s", path,
                 errno == ENXIO ? "nobody reads it" : strerror(errno));
    return to;
}

bool output_close(FILE *to)
{
    if (!to)
        return true;
    return to == stdout ? fflush(to) == 0 : fclose(to) == 0;
}

static bool wants_colour(const struct cli *c, FILE *to)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    if (c->colour != COLOUR_AUTO)
        return c->colour == COLOUR_ALWAYS;
    return isatty(fileno(to)) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

bool output_report(const struct out_report *r, const struct cli *c, FILE *to)
{
    struct text_style style = { .colour = wants_colour(c, to) };

    return c->format == FORMAT_JSON ? out_json(r, to) : out_text(r, &style, to);
}

bool output_snapshot(const struct out_report *r, const char *path, char *error)
{
    struct strbuf beside = { 0 };
    FILE *to;
    bool fine;

    strbuf_fmt(&beside, "%s.new", path);
    to = output_open(strbuf_str(&beside), false, error);
    fine = to && out_json(r, to);
    fine = (!to || fclose(to) == 0) && fine;
    if (to && (!fine || rename(strbuf_str(&beside), path) != 0)) {
        snprintf(error, CAPTURE_ERROR, "%.200s: cannot be written: %s", path, strerror(errno));
        (void)unlink(strbuf_str(&beside));
        fine = false;
    }
    strbuf_done(&beside);
    return fine;
}
