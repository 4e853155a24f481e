#include "capture/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    BUFFER = 256 * 1024,
    PCAP_HEADER = 24,
    RECORD = 16, /* seconds 4 · nanoseconds 4 · captured length 4 · length on the wire 4, in this machine's order */
    SNAP = 262144,
};

/* The file of one link type. */
struct file {
    int link, fd; /* fd -1: it cannot be opened, or not yet */
    char name[DUMP_NAME];
    uint64_t written; /* bytes on disk, up to the end of a record */
    size_t n, frames; /* in `buffer`, and not on disk */
    uint8_t buffer[BUFFER];
};

struct dump {
    struct dump_options o;
    size_t n;
    struct file *file[DUMP_LINKS];
    struct dump_counts counts;
    char error[CAPTURE_ERROR];
    bool told; /* that error was asked for, and nothing went well since */
};

static bool fail(struct dump *d, const char *name, const char *why)
{
    if (!d->told && !d->error[0])
        snprintf(d->error, sizeof d->error, "%.200s: %.100s", name, why);
    return false;
}

const char *dump_error(struct dump *d)
{
    if (d->told || !d->error[0])
        return NULL;
    d->told = true;
    return d->error;
}

const struct dump_counts *dump_counts(const struct dump *d)
{
    return &d->counts;
}

/* ---- names ---- */

bool dump_name(const char *path, const char *part, char out[DUMP_NAME])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
    size_t stem = dot && dot != base ? (size_t)(dot - path) : strlen(path);
    int n = snprintf(out, DUMP_NAME, "%.*s.%s%s", (int)stem, path, part, path + stem);

    if (n < 0 || n >= DUMP_NAME)
        return false;
    for (size_t i = stem + 1; i < stem + 1 + strlen(part); i++)
        if (!strchr(plain, out[i]))
            out[i] = '_';
    return true;
}

/* The first link type needs no name. */
static bool name_make(const struct dump *d, int link, char out[DUMP_NAME])
{
    const char *type = pcap_datalink_val_to_name(link);
    char number[16];
    int n;

    snprintf(number, sizeof number, "%d", link);
    if (d->n)
        return dump_name(d->o.path, type ? type : number, out);
    n = snprintf(out, DUMP_NAME, "%s", d->o.path);
    return n > 0 && n < DUMP_NAME;
}

const char *dump_file(const struct dump *d, size_t i)
{
    return i < d->n ? d->file[i]->name : NULL;
}

/* FILE.3; 0: FILE itself. */
static bool name_numbered(const char *name, unsigned number, char out[DUMP_NAME])
{
    int n = number ? snprintf(out, DUMP_NAME, "%s.%u", name, number) : snprintf(out, DUMP_NAME, "%s", name);

    return n > 0 && n < DUMP_NAME;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Neither FILE nor those that rotation moves and removes may be what is being read. */
static bool is_input(const struct dump *d, const char *name)
{
    char numbered[DUMP_NAME];
    struct stat there;

    for (unsigned i = 0; i < d->o.files; i++) {
        if (!name_numbered(name, i, numbered) || stat(numbered, &there) != 0)
            continue;
        for (size_t k = 0; k < d->o.inputs_n; k++)
            if (same_file(numbered, d->o.inputs[k]))
                return true;
    }
    return false;
}

/* ---- one file ---- */

/* As libpcap writes it: the numbers of link types in files are not those of DLT_ everywhere. */
static bool header_make(int link, uint8_t out[PCAP_HEADER])
{
    pcap_t *dead = pcap_open_dead_with_tstamp_precision(link, SNAP, PCAP_TSTAMP_PRECISION_NANO);
    char room[PCAP_HEADER + 1] = { 0 };
    FILE *memory = fmemopen(room, sizeof room, "wb");
    pcap_dumper_t *dumper = dead && memory ? pcap_dump_fopen(dead, memory) : NULL;
    bool fine = dumper && pcap_dump_flush(dumper) == 0 && pcap_dump_ftell(dumper) == PCAP_HEADER;

    if (dumper)
        pcap_dump_close(dumper); /* and `memory` with it */
    else if (memory)
        fclose(memory);
    if (dead)
        pcap_close(dead);
    memcpy(out, room, PCAP_HEADER);
    return fine;
}

/* All of it, or what was written of it is taken back. */
static bool put(struct file *f, const uint8_t *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = write(f->fd, bytes + done, n - done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int why = got ? errno : ENOSPC;

            if (ftruncate(f->fd, (off_t)f->written) != 0 || lseek(f->fd, (off_t)f->written, SEEK_SET) < 0) {
                close(f->fd);
                f->fd = -1;
            }
            errno = why;
            return false;
        }
        done += (size_t)got;
    }
    f->written += n;
    return true;
}

static bool file_flush(struct dump *d, struct file *f)
{
    size_t n = f->n, frames = f->frames;

    f->n = f->frames = 0;
    if (!n)
        return true;
    if (f->fd < 0 || !put(f, f->buffer, n)) {
        d->counts.lost += frames;
        return fail(d, f->name, f->fd < 0 ? "it is not open" : strerror(errno));
    }
    d->counts.frames += frames;
    d->counts.bytes += n;
    d->told = false;
    d->error[0] = '\0';
    return true;
}

/* A symbolic link, a device, a pipe: somebody else's, or nothing that can be rotated. */
static int open_regular(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, S_IRUSR | S_IWUSR);
    struct stat s;

    if (fd >= 0 && (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))) {
        close(fd);
        errno = ENOTSUP;
        return -1;
    }
    return fd;
}

static const char *why_not_opened(int error)
{
    switch (error) {
    case ELOOP: return "it is a symbolic link; name the file itself";
    case ENXIO:
    case ENOTSUP: return "it is no regular file; name one that can be made";
    default: return strerror(error);
    }
}

static bool file_open(struct dump *d, struct file *f)
{
    uint8_t header[PCAP_HEADER];

    if (is_input(d, f->name))
        return fail(d, f->name, "it, or one that its rotation removes, is among what is read; name another");
    if (!header_make(f->link, header))
        return fail(d, f->name, "libpcap cannot write this link type");
    f->fd = open_regular(f->name);
    if (f->fd < 0)
        return fail(d, f->name, why_not_opened(errno));
    f->written = 0;
    if (ftruncate(f->fd, 0) != 0 || !put(f, header, sizeof header)) {
        fail(d, f->name, strerror(errno));
        if (f->fd >= 0)
            close(f->fd);
        f->fd = -1;
        (void)unlink(f->name); /* nothing is in it */
    }
    return f->fd >= 0;
}

/* ---- rotation ---- */

/* FILE becomes FILE.1, and so on; the oldest goes. */
static bool shift(struct dump *d, const char *name)
{
    char from[DUMP_NAME], to[DUMP_NAME];

    for (unsigned i = d->o.files; i-- > 0;) {
        struct stat s;

        if (!name_numbered(name, i, from) || !name_numbered(name, i + 1, to))
            return fail(d, name, "its name is too long");
        if (lstat(from, &s) != 0 || !S_ISREG(s.st_mode))
            continue;
        if (i + 1 == d->o.files ? unlink(from) != 0 : rename(from, to) != 0)
            return fail(d, from, strerror(errno));
        d->counts.removed += i + 1 == d->o.files;
    }
    return true;
}

static bool rotate(struct dump *d, struct file *f)
{
    bool fine = file_flush(d, f);

    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    return shift(d, f->name) && file_open(d, f) && fine;
}

/* After a failure: what is there may end badly, and is kept. */
static bool reopen(struct dump *d, struct file *f)
{
    struct stat s;

    return (stat(f->name, &s) != 0 || s.st_size <= PCAP_HEADER || shift(d, f->name)) && file_open(d, f);
}

/* ---- several link types ---- */

static struct file *file_new(struct dump *d, int link)
{
    struct file *f = d->n < DUMP_LINKS ? calloc(1, sizeof *f) : NULL;

    if (!f) {
        fail(d, d->o.path, "there is no memory, or there are too many link types");
        return NULL;
    }
    f->link = link;
    f->fd = -1;
    if (!name_make(d, link, f->name)) {
        fail(d, d->o.path, "its name is too long");
        free(f);
        return NULL;
    }
    d->file[d->n++] = f;
    if (d->o.keep_old && !is_input(d, f->name) && !shift(d, f->name))
        return f;
    (void)file_open(d, f);
    return f;
}

/* FILE is there from the beginning, and takes the link type of its first frame. */
static struct file *file_of(struct dump *d, int link)
{
    struct file *first = d->file[0];

    if (!d->counts.frames && !first->frames && !d->counts.lost && d->n == 1 && first->link != link) {
        uint8_t header[PCAP_HEADER];

        first->link = link;
        first->written = 0;
        if (first->fd < 0 || !header_make(link, header) || lseek(first->fd, 0, SEEK_SET) < 0 ||
            !put(first, header, sizeof header))
            fail(d, first->name, "its header could not be written");
        return first;
    }
    for (size_t i = 0; i < d->n; i++)
        if (d->file[i]->link == link)
            return d->file[i];
    return file_new(d, link);
}

struct dump *dump_open(const struct dump_options *o, char error[CAPTURE_ERROR])
{
    struct dump *d = calloc(1, sizeof *d);
    struct file *f;

    snprintf(error, CAPTURE_ERROR, "out of memory");
    if (!d)
        return NULL;
    d->o = *o;
    d->o.max_bytes = o->max_bytes ? o->max_bytes : (uint64_t)DUMP_MIB_DEFAULT << 20;
    d->o.files = !o->files ? DUMP_FILES_DEFAULT : o->files < DUMP_FILES_MAX ? o->files : DUMP_FILES_MAX;
    f = file_new(d, DLT_EN10MB);
    if (f && f->fd >= 0)
        return d;
    snprintf(error, CAPTURE_ERROR, "%s", d->error);
    dump_close(d);
    return NULL;
}

/* ---- frames ---- */

static void put32(uint8_t *at, uint32_t v)
{
    memcpy(at, &v, sizeof v);
}

static void record_add(struct file *f, const struct frame *frame, struct kept keep)
{
    uint8_t *at = f->buffer + f->n;
    size_t blank_end = keep.blank_end < keep.n ? keep.blank_end : keep.n;

    put32(at, (uint32_t)(frame->ts_ns / NS_PER_S));
    put32(at + 4, (uint32_t)(frame->ts_ns % NS_PER_S));
    put32(at + 8, (uint32_t)keep.n);
    put32(at + 12, (uint32_t)(frame->wire < keep.n ? keep.n : frame->wire));
    if (keep.n)
        memcpy(at + RECORD, frame->bytes.p, keep.n);
    if (keep.blank < blank_end)
        memset(at + RECORD + keep.blank, 0, blank_end - keep.blank);
    f->n += RECORD + keep.n;
    f->frames++;
}

bool dump_frame(struct dump *d, const struct frame *frame, struct kept keep)
{
    struct file *f = file_of(d, frame->link);
    bool fine = true;

    if (keep.n > frame->bytes.n)
        keep.n = frame->bytes.n;
    if (!f || RECORD + keep.n > BUFFER) {
        d->counts.lost++;
        return f ? fail(d, f->name, "a frame is too large") : false;
    }
    if (f->fd < 0)
        (void)reopen(d, f);
    if (f->n + RECORD + keep.n > BUFFER)
        fine = file_flush(d, f);
    if (f->written + f->n + RECORD + keep.n > d->o.max_bytes && f->written + f->n > PCAP_HEADER)
        fine &= rotate(d, f);
    record_add(f, frame, keep);
    return fine;
}

bool dump_flush(struct dump *d)
{
    bool fine = true;

    for (size_t i = 0; i < d->n; i++)
        fine &= file_flush(d, d->file[i]);
    return fine;
}

bool dump_close(struct dump *d)
{
    bool fine = true;

    if (!d)
        return true;
    for (size_t i = 0; i < d->n; i++) {
        struct file *f = d->file[i];

        fine &= file_flush(d, f);
        fine &= f->fd < 0 || close(f->fd) == 0;
        free(f);
    }
    free(d);
    return fine;
}
