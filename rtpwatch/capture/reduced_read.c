#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/rd.h"
#include "capture/reduced_private.h"

enum { READ_BUFFER = 256 * 1024, LEAST_INPUT = 56 /* bytes of the shortest input in the end */, COPY = 18 };
#define LATEST_NS (4500000001 * (int64_t)NS_PER_S) /* no capture file's times lie beyond (pcapng.c) */

struct reduced {
    FILE *f;
    char *buffer;
    uint64_t at, end; /* where the next record begins, and the last one */
    uint8_t *bytes;   /* of the record in hand */
    size_t room;
    struct arena arena;
    struct reduced_whole whole;
};

bool reduced_is(const char *path)
{
    char magic[REDUCED_MAGIC];
    struct stat s;
    FILE *f = stat(path, &s) == 0 && S_ISREG(s.st_mode) ? fopen(path, "rbe") : NULL; /* a pipe's first bytes would be lost */
    bool is = f && fread(magic, 1, sizeof magic, f) == sizeof magic && memcmp(magic, REDUCED_BEGINS, sizeof magic) == 0;

    if (f)
        fclose(f);
    return is;
}

/* ---- records ---- */

static bool room_for(struct reduced *r, size_t n)
{
    uint8_t *grown = n > r->room ? realloc(r->bytes, n) : r->bytes;

    if (n <= r->room)
        return true;
    r->bytes = grown ? grown : r->bytes;
    r->room = grown ? n : r->room;
    return grown;
}

/* The record at the file's place; its bytes in *body. */
static enum reduced_kind record(struct reduced *r, struct span *body)
{
    uint8_t bytes[REDUCED_HEAD];
    struct rd head = rd_init((struct span){ bytes, sizeof bytes }, sizeof bytes);
    unsigned kind;
    size_t n;

    if (fread(bytes, 1, sizeof bytes, r->f) != sizeof bytes)
        return REDUCED_BROKEN;
    kind = rd_u8(&head);
    n = rd_u32(&head);
    if (kind < REDUCED_FRAME || kind > REDUCED_WHOLE || n > REDUCED_RECORD || !room_for(r, n) || fread(r->bytes, 1, n, r->f) != n)
        return REDUCED_BROKEN;
    r->at += REDUCED_HEAD + n;
    *body = (struct span){ r->bytes, n };
    return (enum reduced_kind)kind;
}

static bool time_sound(int64_t ns)
{
    return ns >= -LATEST_NS && ns <= LATEST_NS;
}

static bool frame_read(const struct reduced *r, struct rd *in, struct frame *f)
{
    f->id = rd_u64(in);
    f->ts_ns = (int64_t)rd_u64(in);
    f->link = (int)rd_u32(in);
    f->wire = rd_u32(in);
    f->bytes = rd_rest(in);
    return !in->err && frame_input(f->id) < r->whole.inputs && time_sound(f->ts_ns) && f->wire >= f->bytes.n;
}

enum reduced_kind reduced_next(struct reduced *r, struct reduced_record *out)
{
    struct span body = SPAN_NONE;
    struct rd in;

    *out = (struct reduced_record){ .kind = REDUCED_WHOLE };
    if (r->at == r->end)
        return REDUCED_WHOLE;
    out->kind = record(r, &body);
    in = rd_init(body, body.n);
    if (r->at > r->end)
        out->kind = REDUCED_BROKEN;
    switch (out->kind) {
    case REDUCED_FRAME:
    case REDUCED_EDGE:
    case REDUCED_COPY:
        if (!frame_read(r, &in, &out->frame))
            out->kind = REDUCED_BROKEN;
        break;
    case REDUCED_CLOCK:
        out->frame.ts_ns = (int64_t)rd_u64(&in);
        if (in.err || !time_sound(out->frame.ts_ns))
            out->kind = REDUCED_BROKEN;
        break;
    case REDUCED_RUN: out->run = body; break;
    default: out->kind = REDUCED_BROKEN; /* the end among them: it stands last */
    }
    return out->kind;
}

/* ---- the end, which is read first ---- */

static const char *text_read(struct reduced *r, struct rd *in, size_t most)
{
    struct span s = rd_take(in, rd_u16(in));

    if (s.n > most || (s.n && memchr(s.p, 0, s.n)))
        in->err = RD_SHORT;
    return arena_str(&r->arena, s);
}

static void hosts_read(struct reduced *r, struct rd *in, struct reduced_input *out)
{
    out->hosts_n = rd_u16(in);
    out->host = out->hosts_n <= REDUCED_HOSTS ? arena_take(&r->arena, (out->hosts_n + 1) * sizeof *out->host) : NULL;
    if (!out->host)
        in->err = RD_SHORT;
    for (size_t i = 0; !in->err && i < out->hosts_n; i++) {
        struct span ip = rd_take(in, sizeof out->host[i].ip);

        if (ip.p)
            out->host[i] = addr_v6(ip.p, 0);
    }
}

static void input_read(struct reduced *r, struct rd *in, struct reduced_input *out)
{
    struct capture_input *told = &out->told;

    told->path = text_read(r, in, REDUCED_TEXT);
    out->place = text_read(r, in, REDUCED_TEXT);
    told->packets = rd_u64(in);
    told->bytes = rd_u64(in);
    told->first_ns = (int64_t)rd_u64(in);
    told->last_ns = (int64_t)rd_u64(in);
    told->odd_lengths = rd_u64(in);
    told->dropped = rd_u64(in);
    told->truncated = rd_u8(in);
    snprintf(told->error, sizeof told->error, "%s", text_read(r, in, sizeof told->error - 1));
    out->looked = rd_u8(in);
    out->known = rd_u8(in);
    hosts_read(r, in, out);
    if (!time_sound(told->first_ns) || !time_sound(told->last_ns))
        in->err = RD_SHORT;
}

static void copies_read(struct reduced *r, struct rd *in, struct reduced_whole *w)
{
    w->copies = rd_u32(in);
    w->copy = w->copies <= rd_left(in) / COPY ? arena_take(&r->arena, (w->copies + 1) * sizeof *w->copy) : NULL;
    if (!w->copy)
        in->err = RD_SHORT;
    for (size_t i = 0; !in->err && i < w->copies; i++) {
        w->copy[i].hash = rd_u64(in);
        w->copy[i].ns = (int64_t)rd_u64(in);
        w->copy[i].input = rd_u16(in);
        if (w->copy[i].input >= w->inputs || !time_sound(w->copy[i].ns))
            in->err = RD_SHORT;
    }
}

static bool whole_read(struct reduced *r, struct rd *in)
{
    struct reduced_whole *w = &r->whole;

    w->inputs = rd_u16(in);
    w->input = w->inputs && w->inputs <= rd_left(in) / LEAST_INPUT ? arena_take(&r->arena, w->inputs * sizeof *w->input) : NULL;
    if (!w->input)
        return false;
    for (size_t i = 0; !in->err && i < w->inputs; i++)
        input_read(r, in, &w->input[i]);
    w->clock_ns = (int64_t)rd_u64(in);
    w->outside = rd_u64(in);
    copies_read(r, in, w);
    return !in->err && !rd_left(in) && time_sound(w->clock_ns);
}

/* Where the last record begins; 0: the file has no end. */
static uint64_t end_find(struct reduced *r)
{
    uint8_t bytes[REDUCED_TAIL];
    struct rd in = rd_init((struct span){ bytes, sizeof bytes }, sizeof bytes);
    uint64_t begins;
    long tail;

    if (fseek(r->f, -(long)sizeof bytes, SEEK_END) != 0 || (tail = ftell(r->f)) < 0 ||
        fread(bytes, 1, sizeof bytes, r->f) != sizeof bytes)
        return 0;
    begins = rd_u64(&in);
    if (!span_eq(rd_rest(&in), SPAN(REDUCED_ENDS)) || begins > (uint64_t)tail || begins < REDUCED_MAGIC)
        return 0;
    return begins;
}

static bool begin(struct reduced *r)
{
    char magic[REDUCED_MAGIC];
    struct span body;
    struct rd in;

    r->end = end_find(r);
    if (!r->end || fseek(r->f, (long)r->end, SEEK_SET) != 0 || record(r, &body) != REDUCED_WHOLE)
        return false;
    in = rd_init(body, body.n);
    r->at = sizeof magic;
    return whole_read(r, &in) && fseek(r->f, 0, SEEK_SET) == 0 && fread(magic, 1, sizeof magic, r->f) == sizeof magic &&
           memcmp(magic, REDUCED_BEGINS, sizeof magic) == 0;
}

struct reduced *reduced_of(FILE *f, char error[CAPTURE_ERROR])
{
    struct reduced *r = calloc(1, sizeof *r);

    if (!r) {
        fclose(f);
        snprintf(error, CAPTURE_ERROR, "not enough memory");
        return NULL;
    }
    r->f = f;
    r->buffer = malloc(READ_BUFFER);
    if (r->buffer)
        (void)setvbuf(f, r->buffer, _IOFBF, READ_BUFFER);
    if (!begin(r)) {
        snprintf(error, CAPTURE_ERROR, "no whole reduced capture: write it again with --reduce, by this version of rtpwatch");
        reduced_free(r);
        return NULL;
    }
    return r;
}

struct reduced *reduced_open(const char *path, char error[CAPTURE_ERROR])
{
    FILE *f = fopen(path, "rbe");

    if (!f)
        snprintf(error, CAPTURE_ERROR, "cannot be opened (%s)", strerror(errno));
    return f ? reduced_of(f, error) : NULL;
}

const struct reduced_whole *reduced_whole(const struct reduced *r)
{
    return &r->whole;
}

void reduced_free(struct reduced *r)
{
    if (!r)
        return;
    fclose(r->f);
    free(r->buffer);
    free(r->bytes);
    arena_done(&r->arena);
    free(r);
}
