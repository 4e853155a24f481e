#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/wr.h"
#include "capture/reduced_private.h"

enum { WRITE_BUFFER = 256 * 1024 };

struct reduced_out {
    FILE *f;
    const char *path;
    char *buffer;
    uint64_t at;
    bool too_large; /* a record was */
};

static bool is_input(const struct stat *s, const char *const *inputs, size_t n)
{
    struct stat in;

    for (size_t i = 0; i < n; i++)
        if (stat(inputs[i], &in) == 0 && in.st_dev == s->st_dev && in.st_ino == s->st_ino)
            return true;
    return false;
}

/* Nothing is written to before it is known what it is. */
static int open_new(const char *path, const char *const *inputs, size_t n, const char **why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, S_IRUSR | S_IWUSR);
    struct stat s;

    *why = NULL;
    if (fd < 0)
        *why = errno == ELOOP ? "it is a symbolic link; name the file itself" : strerror(errno);
    else if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        *why = "it is no regular file; name one that can be made";
    else if (is_input(&s, inputs, n))
        *why = "it is among what is read; name another";
    else if (ftruncate(fd, 0) != 0)
        *why = strerror(errno);
    if (*why && fd >= 0)
        close(fd);
    return *why ? -1 : fd;
}

static void put(struct reduced_out *o, const void *bytes, size_t n)
{
    if (n)
        (void)fwrite(bytes, 1, n, o->f); /* reduced_close() asks whether all went well */
    o->at += n;
}

struct reduced_out *reduced_create(const char *path, const char *const *inputs, size_t n, char error[CAPTURE_ERROR])
{
    struct reduced_out *o = calloc(1, sizeof *o);
    const char *why = "not enough memory";
    int fd = o ? open_new(path, inputs, n, &why) : -1;

    if (fd >= 0) {
        o->path = path;
        o->f = fdopen(fd, "wb");
        o->buffer = malloc(WRITE_BUFFER);
        if (o->f && o->buffer)
            (void)setvbuf(o->f, o->buffer, _IOFBF, WRITE_BUFFER);
        if (!o->f)
            close(fd);
    }
    if (!o || !o->f) {
        snprintf(error, CAPTURE_ERROR, "%.200s: cannot be written: %s", path, why ? why : "not enough memory");
        free(o ? o->buffer : NULL);
        free(o);
        return NULL;
    }
    put(o, REDUCED_BEGINS, REDUCED_MAGIC);
    return o;
}

static void record(struct reduced_out *o, enum reduced_kind kind, struct span head, struct span body)
{
    uint8_t room[REDUCED_HEAD];
    struct wr w = wr_init(room, sizeof room);

    o->too_large |= head.n + body.n > REDUCED_RECORD;
    wr_uint(&w, kind, 1);
    wr_uint(&w, head.n + body.n, 4);
    put(o, room, w.n);
    put(o, head.p, head.n);
    put(o, body.p, body.n);
}

void reduced_frame(struct reduced_out *o, const struct frame *f, enum reduced_kind kind)
{
    uint8_t room[REDUCED_FRAME_HEAD];
    struct wr w = wr_init(room, sizeof room);

    wr_uint(&w, f->id, 8);
    wr_uint(&w, (uint64_t)f->ts_ns, 8);
    wr_uint(&w, (uint32_t)f->link, 4);
    wr_uint(&w, f->wire, 4);
    record(o, kind, wr_done(&w), kind == REDUCED_COPY ? SPAN_NONE : f->bytes);
}

void reduced_clock(struct reduced_out *o, int64_t ns)
{
    uint8_t room[8];
    struct wr w = wr_init(room, sizeof room);

    wr_uint(&w, (uint64_t)ns, 8);
    record(o, REDUCED_CLOCK, wr_done(&w), SPAN_NONE);
}

void reduced_run(struct reduced_out *o, struct span run)
{
    record(o, REDUCED_RUN, run, SPAN_NONE);
}

/* ---- the end ---- */

static void add_uint(struct strbuf *b, uint64_t v, size_t bytes)
{
    uint8_t room[8];
    struct wr w = wr_init(room, sizeof room);

    wr_uint(&w, v, bytes);
    strbuf_span(b, wr_done(&w));
}

static void add_text(struct strbuf *b, const char *text)
{
    struct span s = span_part(span_str(text), 0, REDUCED_TEXT);

    add_uint(b, s.n, 2);
    strbuf_span(b, s);
}

static void add_input(struct strbuf *b, const struct reduced_input *in)
{
    add_text(b, in->told.path);
    add_text(b, in->place);
    add_uint(b, in->told.packets, 8);
    add_uint(b, in->told.bytes, 8);
    add_uint(b, (uint64_t)in->told.first_ns, 8);
    add_uint(b, (uint64_t)in->told.last_ns, 8);
    add_uint(b, in->told.odd_lengths, 8);
    add_uint(b, in->told.dropped, 8);
    add_uint(b, in->told.truncated, 1);
    add_text(b, in->told.error);
    add_uint(b, in->looked, 1);
    add_uint(b, in->known, 1);
    add_uint(b, in->hosts_n, 2);
    for (size_t i = 0; i < in->hosts_n; i++)
        strbuf_span(b, (struct span){ in->host[i].ip, sizeof in->host[i].ip });
}

static void whole_write(struct reduced_out *o, const struct reduced_whole *w, struct strbuf *b)
{
    uint64_t begins = o->at;

    add_uint(b, w->inputs, 2);
    for (size_t i = 0; i < w->inputs; i++)
        add_input(b, &w->input[i]);
    add_uint(b, (uint64_t)w->clock_ns, 8);
    add_uint(b, w->outside, 8);
    add_uint(b, w->copies, 4);
    for (size_t i = 0; i < w->copies; i++) {
        add_uint(b, w->copy[i].hash, 8);
        add_uint(b, (uint64_t)w->copy[i].ns, 8);
        add_uint(b, w->copy[i].input, 2);
    }
    record(o, REDUCED_WHOLE, (struct span){ (const uint8_t *)strbuf_str(b), b->n }, SPAN_NONE);
    strbuf_clear(b);
    add_uint(b, begins, 8);
    strbuf_span(b, SPAN(REDUCED_ENDS));
    put(o, strbuf_str(b), b->n);
}

bool reduced_close(struct reduced_out *o, const struct reduced_whole *whole, char error[CAPTURE_ERROR])
{
    struct strbuf b = { 0 };
    bool fine = whole != NULL;

    if (fine)
        whole_write(o, whole, &b);
    fine = fine && !b.failed && !o->too_large && !ferror(o->f);
    errno = 0;
    if (fclose(o->f) != 0 || !fine) {
        if (whole)
            snprintf(error, CAPTURE_ERROR, "%.200s: cannot be written: %s", o->path,
                     b.failed       ? "not enough memory"
                     : o->too_large ? "a packet is larger than any"
                     : errno        ? strerror(errno)
                                    : "is the disk full?");
        (void)unlink(o->path);
        fine = false;
    }
    strbuf_done(&b);
    free(o->buffer);
    free(o);
    return fine;
}
