/*
 * Capture files, merged by time. A heap holds the inputs by the time of their next frame; with one input it costs one
 * comparison a frame. block.c and pcapng.c read the usual kinds, libpcap the others.
 */
#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/block.h"
#include "capture/capture.h"
#include "capture/pcapng.h"

enum {
    READ_BUFFER = 16 * 1024, /* for what libpcap reads; the rest has its feed */
    FILTER_LINKS = 16,       /* link types that one filter is compiled for */
    FILTER_SNAP = 262144,    /* what a matching packet's program returns: anything but 0 */
    SPARE_FILES = 64,        /* descriptors for the rest of the program */
};

struct input {
    struct capture_input told;
    FILE *f;
    char *buffer;
    pcap_t *pcap;            /* either this */
    struct block *block;     /* and then, for a plain file, its records by this */
    struct pcapng *pcapng;   /* or this */
    struct feed feed;        /* of the latter two */
    struct secrets *secrets; /* of all inputs */
    int link;                /* of pcap */
    uint64_t number;         /* frames read, matching or not */
    uint64_t ids;            /* frame_id() of number 0 */
    struct frame next;
};

struct filter {
    const char *text; /* NULL: everything */
    size_t n;
    struct {
        int link;
        struct bpf_program program;
    } v[FILTER_LINKS];
    char error[CAPTURE_ERROR];
};

struct capture {
    struct input *inputs;
    size_t n;
    unsigned *heap; /* indexes of inputs that have a frame, the earliest first */
    size_t n_heap;
    bool given; /* the frame on top was handed out: its input moves on first */
    struct filter filter;
    struct secrets secrets;
};

static void fail(struct input *in, const char *why)
{
    in->told.truncated = true;
    if (in->number)
        snprintf(in->told.error, sizeof in->told.error,
                 "unreadable after frame %" PRIu64
                 " (%.160s); what stands before is used, for the rest copy or capture the file again",
                 in->number, why);
    else
        snprintf(in->told.error, sizeof in->told.error, "no frame can be read (%.160s); is it a whole pcap or pcapng file?", why);
}

static const struct bpf_program *filter_compile(struct filter *f, int link)
{
    pcap_t *dead = pcap_open_dead(link, FILTER_SNAP);
    const struct bpf_program *program = NULL;
    const char *why = "out of memory";

    if (f->n == FILTER_LINKS)
        why = "more link types than a filter is compiled for";
    else if (dead && pcap_compile(dead, &f->v[f->n].program, f->text, 1, PCAP_NETMASK_UNKNOWN) == 0)
        program = &f->v[f->n].program;
    else if (dead)
        why = pcap_geterr(dead);
    if (program)
        f->v[f->n++].link = link;
    else
        snprintf(f->error, sizeof f->error, "%.*s", (int)sizeof f->error - 1, why);
    if (dead)
        pcap_close(dead);
    return program;
}

static const struct bpf_program *filter_for(struct filter *f, int link)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->v[i].link == link)
            return &f->v[i].program;
    return filter_compile(f, link);
}

static bool read_pcap(struct input *in, struct frame *out)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int got = pcap_next_ex(in->pcap, &header, &bytes);

    if (got != 1) {
        if (got != PCAP_ERROR_BREAK)
            fail(in, pcap_geterr(in->pcap));
        return false;
    }
    /* Opened for nanoseconds. libpcap reads the file's seconds as signed; unsigned, they last beyond 2038. */
    out->ts_ns = (int64_t)(uint32_t)header->ts.tv_sec * NS_PER_S + header->ts.tv_usec;
    out->link = in->link;
    out->bytes = (struct span){ bytes, header->caplen };
    out->wire = header->len;
    return true;
}

static bool read_block(struct input *in, struct frame *out)
{
    enum block_got got = block_next(in->block, out);

    if (got == BLOCK_BROKEN)
        fail(in, block_error(in->block));
    out->link = in->link;
    return got == BLOCK_FRAME;
}

static bool read_pcapng(struct input *in, struct frame *out)
{
    enum pcapng_got got = pcapng_next(in->pcapng, out);

    in->told.dropped = pcapng_dropped(in->pcapng);
    if (got == PCAPNG_BROKEN)
        fail(in, pcapng_error(in->pcapng));
    return got == PCAPNG_FRAME;
}

static bool read_frame(struct input *in, struct frame *out)
{
    if (in->told.truncated)
        return false;
    if (in->block)
        return read_block(in, out);
    return in->pcap ? read_pcap(in, out) : in->pcapng && read_pcapng(in, out);
}

/* What a frame is called, and lengths that contradict each other. */
static void number(struct input *in, struct frame *f)
{
    in->told.odd_lengths += f->bytes.n > f->wire;
    if (f->wire < f->bytes.n)
        f->wire = f->bytes.n;
    f->id = in->ids | ++in->number;
}

enum passes { NO, YES, BROKEN };

static enum passes filter_passes(struct capture *c, struct input *in, const struct frame *f)
{
    const struct bpf_program *program;

    if (!c->filter.text)
        return YES;
    program = filter_for(&c->filter, f->link);
    if (!program) {
        fail(in, c->filter.error);
        return BROKEN;
    }
    return bpf_filter(program->bf_insns, f->bytes.p, (u_int)f->wire, (u_int)f->bytes.n) ? YES : NO;
}

/* Reads the next frame that passes the filter. Frame numbers count the others too. */
static bool advance(struct capture *c, struct input *in, struct frame *f)
{
    enum passes passes = NO;

    while (passes == NO && read_frame(in, f)) {
        number(in, f);
        passes = filter_passes(c, in, f);
    }
    return passes == YES;
}

static bool earlier(const struct capture *c, unsigned a, unsigned b)
{
    int64_t ta = c->inputs[a].next.ts_ns, tb = c->inputs[b].next.ts_ns;

    return ta < tb || (ta == tb && a < b);
}

static void sift_down(struct capture *c, size_t at)
{
    for (;;) {
        size_t best = at, left = 2 * at + 1;
        unsigned moved = c->heap[at];

        if (left < c->n_heap && earlier(c, c->heap[left], c->heap[best]))
            best = left;
        if (left + 1 < c->n_heap && earlier(c, c->heap[left + 1], c->heap[best]))
            best = left + 1;
        if (best == at)
            return;
        c->heap[at] = c->heap[best];
        c->heap[best] = moved;
        at = best;
    }
}

static void input_count(struct capture_input *told, const struct frame *f, size_t n)
{
    int64_t first = told->packets ? told->first_ns : f->ts_ns, last = told->packets ? told->last_ns : f->ts_ns;
    uint64_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += f[i].wire;
        first = f[i].ts_ns < first ? f[i].ts_ns : first;
        last = f[i].ts_ns > last ? f[i].ts_ns : last;
    }
    told->packets += n;
    told->bytes += bytes;
    told->first_ns = first;
    told->last_ns = last;
}

/* The input whose frames were handed out moves on, or leaves the heap at its end. */
static void move_on(struct capture *c)
{
    struct input *in = &c->inputs[c->heap[0]];

    if (!advance(c, in, &in->next)) {
        c->heap[0] = c->heap[--c->n_heap];
        feed_done(&in->feed);
    }
    if (c->n_heap > 1)
        sift_down(c, 0);
    c->given = false;
}

/* When the next frame of any input but the first of the heap is due. */
static int64_t others_due(const struct capture *c)
{
    int64_t due = INT64_MAX;

    for (size_t i = 1; i < c->n_heap && i <= 2; i++)
        if (c->inputs[c->heap[i]].next.ts_ns < due)
            due = c->inputs[c->heap[i]].next.ts_ns;
    return due;
}

/* What is in memory behind the frame that advance() gave, and comes before all other inputs. */
static size_t read_more(struct input *in, struct frame *out, size_t n, int64_t due_ns)
{
    size_t got;

    if (in->pcapng)
        return pcapng_more(in->pcapng, out, n, due_ns);
    got = in->block ? block_more(in->block, out, n, due_ns) : 0;
    for (size_t i = 0; i < got; i++)
        out[i].link = in->link;
    return got;
}

size_t capture_batch(struct capture *c, struct frame *out, size_t n)
{
    struct input *in;
    size_t got, kept = 1;

    if (c->given)
        move_on(c);
    if (c->n_heap == 0)
        return 0;
    in = &c->inputs[c->heap[0]];
    out[0] = in->next;
    c->given = true;
    got = 1 + read_more(in, out + 1, n - 1, others_due(c));
    for (size_t i = 1; i < got && !in->told.truncated; i++) {
        number(in, &out[i]);
        if (filter_passes(c, in, &out[i]) != YES)
            continue;
        if (kept != i)
            out[kept] = out[i];
        kept++;
    }
    input_count(&in->told, out, kept);
    return kept;
}

/* Only a name that a shell takes as it stands is put into a command line to copy. */
static bool plain_name(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+,:@%-";

    return path[0] != '-' && strspn(path, plain) == strlen(path) && strlen(path) < CAPTURE_ERROR / 2;
}

static bool compressed(struct input *in, int first)
{
    static const struct {
        struct span magic;
        const char *name, *tool;
    } kinds[] = {
        { { (const uint8_t *)"\x1f\x8b", 2 }, "gzip", "gunzip" },
        { { (const uint8_t *)"\xfd"
                             "7zXZ",
            5 },
          "xz",
          "unxz" },
        { { (const uint8_t *)"\x28\xb5\x2f\xfd", 4 }, "zstd", "unzstd" },
        { { (const uint8_t *)"BZh", 3 }, "bzip2", "bunzip2" },
    };
    uint8_t head[5] = { (uint8_t)first };
    const char *path = in->told.path;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].magic.p[0] != first)
            continue;
        if (!span_starts((struct span){ head, 1 + fread(head + 1, 1, sizeof head - 1, in->f) }, kinds[i].magic))
            return false;
        in->told.truncated = true;
        if (strcmp(path, "-") == 0)
            path = "FILE";
        snprintf(in->told.error, sizeof in->told.error, "%s-compressed: run %s -c %s | rtpwatch -", kinds[i].name, kinds[i].tool,
                 plain_name(path) ? path : "FILE");
        return true;
    }
    return false;
}

/* A pipe's stream gets no buffer: what libpcap has not asked for is left to the feed. */
static void input_buffer(struct input *in)
{
    struct stat s;

    if (fstat(fileno(in->f), &s) == 0 && !S_ISREG(s.st_mode))
        (void)setvbuf(in->f, NULL, _IONBF, 0);
    else if ((in->buffer = malloc(READ_BUFFER)) != NULL)
        (void)setvbuf(in->f, in->buffer, _IOFBF, READ_BUFFER);
}

static void start_pcapng(struct input *in, int first)
{
    if (feed_begin(&in->feed, in->f, first))
        in->pcapng = pcapng_new(&in->feed, in->secrets);
    if (!in->pcapng)
        fail(in, "out of memory");
}

/* One byte tells the formats apart, and one byte can be put back into any stream, pipes too. */
static void input_start(struct input *in)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    int first;

    input_buffer(in);
    errno = 0;
    first = getc(in->f);
    if (first == EOF) {
        fail(in, ferror(in->f) ? strerror(errno) : "the file is empty");
        return;
    }
    if (compressed(in, first))
        return;
    if (first == PCAPNG_FIRST_BYTE) {
        start_pcapng(in, first);
        return;
    }
    (void)ungetc(first, in->f);
    in->pcap = pcap_fopen_offline_with_tstamp_precision(in->f, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!in->pcap) {
        fail(in, why);
        return;
    }
    in->f = NULL; /* pcap_close() closes it */
    in->link = pcap_datalink(in->pcap);
    in->block = block_new(in->pcap, first, &in->feed);
}

/* A copy, so that it is closed like every other input. */
static FILE *stdin_copy(void)
{
    int fd = dup(STDIN_FILENO);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");

    if (fd >= 0 && !f)
        close(fd);
    return f;
}

static void input_refuse(struct input *in, const char *why)
{
    in->told.truncated = true;
    snprintf(in->told.error, sizeof in->told.error, "cannot be opened (%s)", why);
}

static void input_open(struct input *in, bool *stdin_taken)
{
    bool is_stdin = strcmp(in->told.path, "-") == 0;

    if (is_stdin && *stdin_taken) {
        input_refuse(in, "standard input can be read only once");
        return;
    }
    errno = 0;
    in->f = is_stdin ? stdin_copy() : fopen(in->told.path, "rb");
    if (!in->f) {
        input_refuse(in, strerror(errno));
        return;
    }
    *stdin_taken |= is_stdin;
    input_start(in);
}

/* A rotated set can have more files than the usual soft limit lets one process open. */
static void allow_files(size_t n)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= n + SPARE_FILES)
        return;
    limit.rlim_cur = n + SPARE_FILES < limit.rlim_max ? n + SPARE_FILES : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* With no frame to compile the filter for, its wording is still looked at. */
static bool filter_fine(struct capture *c, char *bad_filter)
{
    if (c->filter.text && c->filter.n == 0 && !c->filter.error[0])
        (void)filter_compile(&c->filter, DLT_EN10MB);
    if (!c->filter.error[0])
        return true;
    memcpy(bad_filter, c->filter.error, CAPTURE_ERROR);
    return false;
}

struct capture *capture_open_files(const char *const *paths, size_t n, const char *filter, char *bad_filter)
{
    struct capture *c = calloc(1, sizeof *c);
    bool stdin_taken = false;

    if (!c)
        return NULL;
    c->filter.text = filter;
    c->inputs = calloc(n + 1, sizeof *c->inputs);
    c->heap = calloc(n + 1, sizeof *c->heap);
    if (!c->inputs || !c->heap) {
        capture_close(c);
        return NULL;
    }
    allow_files(n);
    for (c->n = 0; c->n < n; c->n++) {
        c->inputs[c->n].told.path = paths[c->n];
        c->inputs[c->n].secrets = &c->secrets;
        c->inputs[c->n].ids = frame_id((unsigned)c->n, 0);
        if (c->n < CAPTURE_INPUTS)
            input_open(&c->inputs[c->n], &stdin_taken);
        else
            input_refuse(&c->inputs[c->n], "too many inputs; read the rest in another run");
        if (advance(c, &c->inputs[c->n], &c->inputs[c->n].next))
            c->heap[c->n_heap++] = (unsigned)c->n;
    }
    if (!filter_fine(c, bad_filter)) {
        capture_close(c);
        return NULL;
    }
    for (size_t i = c->n_heap; i-- > 0;)
        sift_down(c, i);
    return c;
}

struct span capture_secrets(struct capture *c)
{
    return secrets_give(&c->secrets);
}

struct capture_extent capture_extent(const struct capture *c)
{
    struct capture_extent e = { 0 };
    bool known = true;

    for (size_t i = 0; i < c->n; i++) {
        const struct input *in = &c->inputs[i];
        FILE *f = in->pcap ? pcap_file(in->pcap) : in->f;
        bool fed = in->block || in->pcapng;
        off_t at = fed ? (off_t)in->feed.offset : f ? ftello(f) : 0;
        struct stat s;

        if (!f)
            continue; /* it could not be opened */
        known &= at >= 0 && fstat(fileno(f), &s) == 0 && S_ISREG(s.st_mode);
        e.read += at >= 0 ? (uint64_t)at : 0;
        e.size += known ? (uint64_t)s.st_size : 0;
    }
    if (!known)
        e.size = 0;
    return e;
}

size_t capture_inputs(const struct capture *c)
{
    return c->n;
}

const struct capture_input *capture_input(const struct capture *c, size_t i)
{
    return &c->inputs[i].told;
}

static void input_close(struct input *in)
{
    if (in->pcap)
        pcap_close(in->pcap);
    block_free(in->block);
    pcapng_free(in->pcapng);
    feed_done(&in->feed);
    if (in->f)
        fclose(in->f);
    free(in->buffer); /* the stream's, so after it */
}

void capture_close(struct capture *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        input_close(&c->inputs[i]);
    for (size_t i = 0; i < c->filter.n; i++)
        pcap_freecode(&c->filter.v[i].program);
    secrets_done(&c->secrets);
    free(c->inputs);
    free(c->heap);
    free(c);
}
