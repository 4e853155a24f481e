/* Plain pcap files, whose records block.c reads: the same frames as libpcap's own reader gives. */
#include <pcap/pcap.h>
#include <sys/wait.h>

#include "unit/capture/made.h"

enum { RECORD_MAX = 262144, FIRST = 16 * 1024, BLOCK = 128 * 1024, HEADER = 24, RECORD_HEADER = 16 };

/* One file, read by capture/ and by libpcap alone. */
struct pair {
    struct capture *c;
    pcap_t *pcap;
    uint64_t frames;
    bool broken; /* as libpcap tells */
};

static void expect_same_time(const struct frame *f, const struct timeval *ts)
{
    if (ts->tv_usec >= 0) /* libpcap reads the fraction as signed; no writer writes one so large */
        cr_assert_eq(f->ts_ns, (int64_t)(uint32_t)ts->tv_sec * NS_PER_S + ts->tv_usec);
}

static void expect_same_frame(struct pair *p, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct frame f;

    cr_assert(capture_next(p->c, &f), "no frame %lu: %s", (unsigned long)p->frames + 1, capture_input(p->c, 0)->error);
    cr_assert_eq(f.id, ++p->frames);
    expect_same_time(&f, &h->ts);
    cr_assert_eq(f.link, pcap_datalink(p->pcap));
    cr_assert_eq(f.bytes.n, h->caplen);
    cr_assert_eq(f.wire, h->len < h->caplen ? h->caplen : h->len);
    cr_assert(h->caplen == 0 || memcmp(f.bytes.p, bytes, h->caplen) == 0, "bytes of frame %lu", (unsigned long)p->frames);
}

/* `name` is given to capture/, `path` to libpcap. Returns how many frames both read, and whether both found it broken. */
static struct pair expect_same(const char *name, const char *path)
{
    char why[PCAP_ERRBUF_SIZE];
    struct pair p = { .c = capture_open_files(&name, 1, NULL, NULL),
                      .pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why) };
    struct pcap_pkthdr *h;
    const u_char *bytes;
    int got = PCAP_ERROR;

    cr_assert_not_null(p.c);
    while (p.pcap && (got = pcap_next_ex(p.pcap, &h, &bytes)) == 1)
        expect_same_frame(&p, h, bytes);
    expect_end(p.c);
    p.broken = got == PCAP_ERROR;
    cr_assert_eq(capture_input(p.c, 0)->truncated, p.broken, "%s", capture_input(p.c, 0)->error);
    cr_assert_eq(capture_input(p.c, 0)->error[0] != 0, p.broken);
    cr_assert_eq(capture_input(p.c, 0)->packets, p.frames);
    if (p.pcap)
        pcap_close(p.pcap);
    capture_close(p.c);
    return p;
}

static struct pair expect_same_bytes(const uint8_t *v, size_t n)
{
    char path[PATH];
    struct pair p;

    save(v, n, path);
    p = expect_same(path, path);
    unlink(path);
    return p;
}

static void expect_frames(const struct made *m, uint64_t frames, bool broken)
{
    struct pair p = expect_same_bytes(m->v, m->n);

    cr_expect_eq(p.frames, frames, "%lu frames, not %lu", (unsigned long)p.frames, (unsigned long)frames);
    cr_expect_eq(p.broken, broken);
}

/* A file larger than struct made holds. */
struct large {
    char path[PATH];
    FILE *f;
    uint32_t n;
};

static void large_begin(struct large *l, uint32_t magic, uint32_t snap)
{
    struct made m = { 0 };

    pcap_header(&m, magic, ETHERNET);
    m.n = 16;
    put32(&m, snap);
    put32(&m, ETHERNET);
    save(m.v, m.n, l->path);
    l->f = fopen(l->path, "ab");
    cr_assert_not_null(l->f);
    l->n = 0;
}

/* No two places of the file hold the same run of bytes for long. */
static void large_record(struct large *l, uint32_t captured, uint32_t wire)
{
    const uint32_t header[] = { 1700000000 + l->n / 50, l->n % 50 * 20000 + 7, captured, wire };
    uint32_t state = ++l->n;

    for (unsigned i = 0; i < 16; i++)
        putc((int)(header[i / 4] >> i % 4 * 8 & 0xff), l->f);
    for (uint32_t i = 0; i < captured; i++, state = state * 1664525u + 1013904223u)
        putc((int)(state >> 24), l->f);
}

static void large_end(struct large *l, uint64_t frames, bool broken)
{
    struct pair p;

    fclose(l->f);
    p = expect_same(l->path, l->path);
    cr_expect_eq(p.frames, frames, "%lu frames, not %lu", (unsigned long)p.frames, (unsigned long)frames);
    cr_expect_eq(p.broken, broken);
    unlink(l->path);
}

Test(block, records_of_one_size_over_several_blocks)
{
    static const uint32_t sizes[] = { 0, 1, 60, 1514, 65535, RECORD_MAX };
    static const uint32_t magics[] = { (uint32_t)US, (uint32_t)NS };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < 2; k++) {
            uint32_t records = 2 * BLOCK / (RECORD_HEADER + sizes[i]) + 5;
            struct large l;

            large_begin(&l, magics[k], RECORD_MAX);
            for (uint32_t n = 0; n < records; n++)
                large_record(&l, sizes[i], sizes[i] + n % 3);
            large_end(&l, records, false);
        }
}

Test(block, records_of_all_sizes_mixed)
{
    static const uint32_t sizes[] = { 0, 60, RECORD_MAX, 1, 1514, 65535, 214, RECORD_MAX, RECORD_MAX, 0, 0, 1 };
    struct large l;

    large_begin(&l, (uint32_t)US, RECORD_MAX);
    for (unsigned i = 0; i < 60; i++)
        large_record(&l, sizes[i % 12], sizes[i % 12]);
    large_end(&l, 60, false);
}

/* What is read at a time ends at every place of the third record and of the fourth one's header. */
static void end_at(uint32_t end)
{
    for (unsigned less = 0; less < 2 * RECORD_HEADER + 4; less++) {
        struct large l;

        large_begin(&l, (uint32_t)US, RECORD_MAX);
        large_record(&l, end / 2 - RECORD_HEADER, end / 2);
        large_record(&l, end / 2 - RECORD_HEADER - less, end / 2);
        large_record(&l, 2, 2);
        large_record(&l, 0, 60);
        large_end(&l, 4, false);
    }
}

Test(block, ends_of_the_first_block)
{
    end_at(FIRST);
    end_at(BLOCK);
}

Test(block, cut_off_in_a_later_block)
{
    static const long cuts[] = { 1, 1513, 1514, 1515, 1529 };

    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct large l;

        large_begin(&l, (uint32_t)US, RECORD_MAX);
        for (unsigned n = 0; n < 1000; n++)
            large_record(&l, 1514, 1514);
        fflush(l.f);
        cr_assert_eq(ftruncate(fileno(l.f), ftell(l.f) - cuts[i]), 0);
        large_end(&l, 999, true);
    }
}

Test(block, longer_than_the_snap_length_is_cut_to_it)
{
    static const uint32_t snaps[] = { 1, 59, 60, 61, 1000, 65535, 0 /* none told */, 0x7fffffff, 0x80000000, 0xffffffff };

    for (size_t i = 0; i < sizeof snaps / sizeof *snaps; i++) {
        struct large l;

        large_begin(&l, (uint32_t)US, snaps[i]);
        large_record(&l, 60, 60);
        large_record(&l, 1514, 9000);
        large_record(&l, RECORD_MAX, RECORD_MAX);
        large_record(&l, 1, 1);
        large_end(&l, 4, false);
    }
}

Test(block, larger_than_any_packet)
{
    static const uint32_t lengths[] = { RECORD_MAX + 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct made m = { 0 };
        struct capture *c;

        pcap_header(&m, (uint32_t)US, ETHERNET);
        pcap_record(&m, 1, 0, 7, 20, 20);
        pcap_record(&m, 2, 0, 8, 20, 20);
        put32(&m, 3);
        put32(&m, 0);
        put32(&m, lengths[i]);
        put32(&m, lengths[i]);
        put_many(&m, 9, 1000);
        expect_frames(&m, 2, true);
        c = open_made(&m);
        expect_frame(c, 1, SECONDS(1), 7);
        expect_frame(c, 2, SECONDS(2), 8);
        expect_end(c);
        cr_expect(says(c, 0, "after frame 2 (a record is larger than any packet"), "%s", capture_input(c, 0)->error);
        capture_close(c);
    }
}

Test(block, cut_off_anywhere)
{
    static const uint32_t magics[] = { (uint32_t)US, (uint32_t)NS };

    for (size_t k = 0; k < 2; k++) {
        struct made m = { 0 };

        pcap_header(&m, magics[k], ETHERNET);
        pcap_record(&m, 1, 5, 7, 20, 20);
        pcap_record(&m, 2, 6, 8, 0, 20);
        pcap_record(&m, 3, 7, 9, 33, 40);
        for (size_t n = 0; n <= m.n; n++)
            (void)expect_same_bytes(m.v, n);
        expect_frames(&m, 3, false);
        m.n--;
        expect_frames(&m, 2, true);
    }
}

Test(block, tells_where_the_file_ends)
{
    struct made m = { 0 };
    struct capture *c;

    pcap_header(&m, (uint32_t)US, ETHERNET);
    pcap_record(&m, 1, 0, 7, 20, 20);
    pcap_record(&m, 2, 0, 8, 20, 20);
    c = open_bytes(m.v, m.n - 1);
    expect_frame(c, 1, SECONDS(1), 7);
    expect_end(c);
    cr_expect(says(c, 0, "ends inside a record: 20 bytes wanted, 19 there"), "%s", capture_input(c, 0)->error);
    capture_close(c);
    c = open_bytes(m.v, m.n - 21);
    expect_frame(c, 1, SECONDS(1), 7);
    expect_end(c);
    cr_expect(says(c, 0, "ends inside a record's header: 16 bytes wanted, 15 there"), "%s", capture_input(c, 0)->error);
    capture_close(c);
}

Test(block, lengths_and_times_at_their_limits)
{
    struct made m = { 0 };

    pcap_header(&m, (uint32_t)US, ETHERNET);
    pcap_record(&m, 0, 0, 7, 0, 0);
    pcap_record(&m, UINT32_MAX, 999999, 7, 60, 60);
    pcap_record(&m, 0x80000000, 0x7fffffff, 7, 60, 59); /* more captured than on the wire, and more than a second */
    pcap_record(&m, 0x7fffffff, 0, 7, 60, UINT32_MAX);
    expect_frames(&m, 4, false);
    m.n = 0;
    pcap_header(&m, (uint32_t)NS, ETHERNET);
    pcap_record(&m, UINT32_MAX, 999999999, 7, 60, 60);
    pcap_record(&m, 0x80000000, 0x7fffffff, 7, 60, 0);
    expect_frames(&m, 2, false);
}

Test(block, big_endian)
{
    static const uint32_t magics[] = { (uint32_t)US, (uint32_t)NS };

    for (size_t k = 0; k < 2; k++) {
        struct made m = { .big = true };

        pcap_header(&m, magics[k], SLL);
        pcap_record(&m, 4000000000u, 123456, 7, 60, 100);
        pcap_record(&m, 1, 0, 8, 60, 50);
        expect_frames(&m, 2, false);
        m.n -= 1;
        expect_frames(&m, 1, true);
    }
}

/* Before 2.3 the length on the wire came first; 2.3 was written both ways. */
Test(block, other_versions)
{
    static const struct {
        unsigned major, minor;
    } versions[] = { { 2, 0 }, { 2, 2 }, { 2, 3 }, { 2, 4 }, { 2, 5 }, { 3, 0 }, { 1, 4 }, { 543, 0 }, { 0x0402, 0 } };

    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct made m = { 0 };
        struct pair p;

        pcap_header(&m, (uint32_t)US, ETHERNET);
        m.v[4] = (uint8_t)versions[i].major;
        m.v[5] = (uint8_t)(versions[i].major >> 8);
        m.v[6] = (uint8_t)versions[i].minor;
        pcap_record(&m, 1, 0, 7, 60, 60);
        pcap_record(&m, 2, 0, 8, 60, 60);
        memcpy(m.v + HEADER + 8, "\x64\0\0\0\x3c\0\0\0", 8); /* 100 on the wire, then 60 captured */
        p = expect_same_bytes(m.v, m.n);
        if (versions[i].major == 2 && versions[i].minor < 4)
            cr_expect_eq(p.frames, 2, "version 2.%u", versions[i].minor);
    }
}

/* Each byte of the headers and records changed: libpcap and this one agree on what is left of the file. */
Test(block, any_byte_changed)
{
    static const uint8_t flips[] = { 1, 2, 4, 8, 16, 32, 64, 128, 255 };
    struct made m = { 0 };

    pcap_header(&m, (uint32_t)US, ETHERNET);
    pcap_record(&m, 1, 5, 7, 20, 20);
    pcap_record(&m, 2, 6, 8, 0, 20);
    pcap_record(&m, 3, 7, 9, 33, 40);
    for (size_t at = 0; at < m.n; at++)
        for (size_t i = 0; i < sizeof flips; i++) {
            m.v[at] ^= flips[i];
            (void)expect_same_bytes(m.v, m.n);
            m.v[at] ^= flips[i];
        }
}

/* Magic numbers that begin with the same byte as those of plain files. */
Test(block, near_magic_numbers)
{
    static const uint32_t magics[] = { 0xa12b3c4d, 0xa1b2cd34, 0xa1b234cd, 0xa1b2c34d, 0xa1b23cd4, 0xd4c3b2a2 };

    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        struct made m = { 0 };

        pcap_header(&m, magics[i], ETHERNET);
        pcap_record(&m, 1, 5, 7, 20, 20);
        pcap_record(&m, 2, 6, 8, 20, 20);
        put_many(&m, 0, 16);
        (void)expect_same_bytes(m.v, m.n);
    }
}

static int pour(const char *path, int to)
{
    char bytes[4096];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        return 1;
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        if (write(to, bytes, n) != (ssize_t)n)
            break;
    return fclose(f) != 0 || n != 0;
}

/* A child, as a file of several blocks does not fit the pipe's buffer. */
static pid_t feed_stdin(const char *path)
{
    int ends[2];
    pid_t child;

    cr_assert_eq(pipe(ends), 0);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        close(ends[0]);
        _exit(pour(path, ends[1]));
    }
    close(ends[1]);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    return child;
}

Test(block, from_a_pipe)
{
    struct large l;
    pid_t child;
    int status;

    large_begin(&l, (uint32_t)US, RECORD_MAX);
    for (unsigned n = 0; n < 1000; n++)
        large_record(&l, 1514, 1514);
    fclose(l.f);
    child = feed_stdin(l.path);
    cr_expect_eq(expect_same("-", l.path).frames, 1000);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    unlink(l.path);
}
