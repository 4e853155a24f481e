/* dump.c: what is written can be read again, stays within its bounds, and is whole whatever happens. */
#include "capture/dump.h"

#include <criterion/criterion.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { HEADER = 24, RECORD = 16, FRAME = 100, BUFFERED = 256 * 1024 };

static char folder[] = "/tmp/test-dump-XXXXXX", path[64], text[DUMP_NAME], error[CAPTURE_ERROR];

static void setup(void)
{
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out.pcap", folder);
}

static const char *in(const char *name)
{
    snprintf(text, sizeof text, "%s/%s", folder, name);
    return text;
}

static void teardown(void)
{
    static const char *const names[] = { "out.pcap",           "out.pcap.1", "out.pcap.2", "out.pcap.3",
                                         "out.LINUX_SLL.pcap", "link",       "fifo" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in(names[i]));
    rmdir(folder);
}

TestSuite(dump, .init = setup, .fini = teardown);

static struct frame numbered(uint64_t number, int link)
{
    static uint8_t bytes[FRAME];

    memset(bytes, (int)number, sizeof bytes);
    return (
        struct frame){ .ts_ns = SECONDS(4000000000) + (int64_t)number, .link = link, .bytes = { bytes, FRAME }, .wire = 1000 };
}

static bool add(struct dump *d, uint64_t number, int link, size_t keep)
{
    struct frame f = numbered(number, link);

    return dump_frame(d, &f, (struct kept){ .n = keep });
}

/* How many frames a file has; each is whole. */
static uint64_t frames_of(const char *name, uint64_t *first)
{
    const char *paths[] = { name };
    struct capture *c = capture_open_files(paths, 1, NULL, error);
    struct frame f;
    uint64_t n = 0;

    while (capture_next(c, &f)) {
        if (!n++ && first)
            *first = f.bytes.p[0];
        cr_assert_eq(f.wire, 1000);
    }
    cr_expect_not(capture_input(c, 0)->truncated, "%s", capture_input(c, 0)->error);
    capture_close(c);
    return n;
}

static off_t size_of(const char *name)
{
    struct stat s;

    return stat(name, &s) == 0 ? s.st_size : -1;
}

Test(dump, as_it_was_to_the_nanosecond)
{
    struct dump *d = dump_open(&(struct dump_options){ .path = path }, error);
    const char *paths[] = { path };
    struct capture *c;
    struct frame f;
    struct stat s;

    cr_assert(d && add(d, 7, DLT_LINUX_SLL, SIZE_MAX) && add(d, 8, DLT_LINUX_SLL, 40) && dump_close(d));
    c = capture_open_files(paths, 1, NULL, error);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.ts_ns, SECONDS(4000000000) + 7);
    cr_expect_eq(f.link, DLT_LINUX_SLL);
    cr_expect(f.bytes.n == FRAME && f.wire == 1000 && f.bytes.p[99] == 7);
    cr_assert(capture_next(c, &f));
    cr_expect(f.bytes.n == 40 && f.wire == 1000);
    cr_expect_not(capture_next(c, &f));
    capture_close(c);
    cr_expect(stat(path, &s) == 0 && (s.st_mode & 0777) == 0600, "numbers and names are nobody else's affair");
}

/* From where to where zeros are in a frame of sevens; it is `n` bytes long. */
static void expect_blank(struct kept keep, size_t n, size_t from, size_t to)
{
    struct dump *d = dump_open(&(struct dump_options){ .path = path }, error);
    struct frame f = numbered(7, DLT_EN10MB);
    const char *paths[] = { path };
    struct capture *c;

    cr_assert(d && dump_frame(d, &f, keep) && dump_close(d));
    c = capture_open_files(paths, 1, NULL, error);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.bytes.n, n);
    for (size_t i = 0; i < f.bytes.n; i++)
        cr_expect_eq(f.bytes.p[i], i >= from && i < to ? 0 : 7, "byte %zu", i);
    capture_close(c);
}

Test(dump, what_is_blank)
{
    expect_blank((struct kept){ 80, 20, 30 }, 80, 20, 30);
    expect_blank((struct kept){ 80, 20, 20 }, 80, 0, 0);
    expect_blank((struct kept){ 80, 30, 20 }, 80, 0, 0);
    expect_blank((struct kept){ 25, 20, 30 }, 25, 20, 25);
    expect_blank((struct kept){ 15, 20, 30 }, 15, 0, 0);
    expect_blank((struct kept){ SIZE_MAX, 90, SIZE_MAX }, FRAME, 90, FRAME);
    expect_blank((struct kept){ SIZE_MAX, FRAME + 5, SIZE_MAX }, FRAME, 0, 0);
}

Test(dump, nothing_is_an_empty_capture)
{
    struct dump *d = dump_open(&(struct dump_options){ .path = path }, error);

    cr_assert(d && dump_close(d));
    cr_expect_eq(size_of(path), HEADER);
    cr_expect_eq(frames_of(path, NULL), 0);
}

Test(dump, bounded_in_size_and_number)
{
    uint64_t most = HEADER + 10 * (RECORD + FRAME), first = 0;
    struct dump *d = dump_open(&(struct dump_options){ .path = path, .max_bytes = most, .files = 3 }, error);

    cr_assert(d);
    for (uint64_t i = 1; i <= 45; i++)
        cr_assert(add(d, i, DLT_EN10MB, FRAME));
    cr_assert(dump_flush(d));
    cr_expect_eq(frames_of(path, &first), 5);
    cr_expect_eq(first, 41);
    cr_expect_eq(frames_of(in("out.pcap.1"), &first), 10);
    cr_expect_eq(first, 31);
    cr_expect_eq(frames_of(in("out.pcap.2"), &first), 10);
    cr_expect_eq(first, 21);
    cr_expect_eq(size_of(in("out.pcap.2")), (off_t)most);
    cr_expect_eq(size_of(in("out.pcap.3")), -1);
    cr_expect_eq(dump_counts(d)->removed, 2);
    cr_expect_eq(dump_counts(d)->frames, 45);
    dump_close(d);
}

Test(dump, one_file_alone)
{
    struct dump *d = dump_open(&(struct dump_options){ .path = path, .max_bytes = 300, .files = 1 }, error);

    for (uint64_t i = 1; i <= 9; i++)
        cr_assert(add(d, i, DLT_EN10MB, FRAME));
    cr_assert(dump_close(d));
    cr_expect_leq(size_of(path), 300);
    cr_expect_eq(size_of(in("out.pcap.1")), -1);
}

Test(dump, each_link_type_has_a_file)
{
    struct dump *d = dump_open(&(struct dump_options){ .path = path }, error);

    for (uint64_t i = 1; i <= 6; i++)
        cr_assert(add(d, i, i % 3 ? DLT_EN10MB : DLT_LINUX_SLL, FRAME));
    cr_expect_str_eq(dump_file(d, 0), path);
    cr_expect_str_eq(dump_file(d, 1), in("out.LINUX_SLL.pcap"));
    cr_expect_null(dump_file(d, 2));
    cr_assert(dump_close(d));
    cr_expect_eq(frames_of(path, NULL), 4);
    cr_expect_eq(frames_of(in("out.LINUX_SLL.pcap"), NULL), 2);
}

Test(dump, a_service_that_starts_again_keeps_what_was)
{
    struct dump_options o = { .path = path, .keep_old = true };
    struct dump *d = dump_open(&o, error);

    cr_assert(add(d, 1, DLT_EN10MB, FRAME) && dump_close(d));
    d = dump_open(&o, error);
    cr_assert(dump_close(d));
    cr_expect_eq(frames_of(path, NULL), 0);
    cr_expect_eq(frames_of(in("out.pcap.1"), NULL), 1);
}

/* The file may not grow beyond a bound, as on a full disk: it stays whole, that is told once, and what fits later is written. */
Test(dump, full_disk)
{
    struct rlimit full = { HEADER + 2 * (RECORD + FRAME) + 50, RLIM_INFINITY }, before;
    struct dump *d = dump_open(&(struct dump_options){ .path = path }, error);

    signal(SIGXFSZ, SIG_IGN);
    cr_assert(getrlimit(RLIMIT_FSIZE, &before) == 0 && d);
    cr_assert(add(d, 1, DLT_EN10MB, FRAME) && add(d, 2, DLT_EN10MB, FRAME) && dump_flush(d));
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
    cr_expect(add(d, 3, DLT_EN10MB, FRAME), "it waits in memory");
    cr_expect_not(dump_flush(d));
    cr_expect_eq(dump_counts(d)->lost, 1);
    cr_expect_not_null(dump_error(d));
    cr_expect_null(dump_error(d));
    cr_expect(add(d, 4, DLT_EN10MB, FRAME));
    cr_expect_not(dump_flush(d));
    cr_expect_null(dump_error(d), "told once");
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    cr_expect_eq(frames_of(path, NULL), 2, "no half record");
    cr_expect(add(d, 5, DLT_EN10MB, FRAME));
    cr_expect(dump_close(d));
    cr_expect_eq(frames_of(path, NULL), 3);
}

Test(dump, a_frame_larger_than_anything)
{
    static uint8_t bytes[2 * BUFFERED];
    struct frame f = { .ts_ns = 1, .link = DLT_EN10MB, .bytes = { bytes, sizeof bytes }, .wire = sizeof bytes };
    struct dump *d = dump_open(&(struct dump_options){ .path = path }, error);

    cr_expect_not(dump_frame(d, &f, (struct kept){ .n = SIZE_MAX }));
    cr_expect_eq(dump_counts(d)->lost, 1);
    cr_expect(add(d, 1, DLT_EN10MB, FRAME));
    cr_expect(dump_close(d));
    cr_expect_eq(frames_of(path, NULL), 1);
}

static void expect_refused(const char *name, const char *why)
{
    struct dump *d = dump_open(&(struct dump_options){ .path = name }, error);

    cr_expect_null(d);
    cr_expect(strstr(error, why), "%s", error);
    dump_close(d);
}

Test(dump, paths_that_are_none)
{
    char target[64], deep[DUMP_NAME + 10];

    snprintf(target, sizeof target, "%s/target", folder);
    cr_assert(symlink(target, in("link")) == 0 && mkfifo(in("fifo"), 0600) == 0);
    expect_refused(in("link"), "symbolic link");
    cr_expect_eq(access(target, F_OK), -1, "nothing was made behind it");
    expect_refused(in("fifo"), "no regular file");
    expect_refused("/dev/null", "no regular file");
    expect_refused(folder, "directory");
    expect_refused(in("no/such/out.pcap"), "No such");
    memset(deep, 'x', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    expect_refused(deep, "too long");
}

/* Neither the file itself, nor by another name, nor one that rotation would remove. */
Test(dump, never_what_is_read)
{
    struct dump_options o = { .path = path, .files = 3, .inputs_n = 1 };
    const char *inputs[] = { path };
    struct dump *d = dump_open(&(struct dump_options){ .path = path }, error);
    char two[64];

    cr_assert(add(d, 1, DLT_EN10MB, FRAME) && dump_close(d));
    o.inputs = inputs;
    cr_expect_null(dump_open(&o, error));
    o.keep_old = true;
    cr_expect_null(dump_open(&o, error));
    cr_expect_eq(frames_of(path, NULL), 1);
    o.keep_old = false;
    snprintf(two, sizeof two, "%s/out.pcap.2", folder);
    cr_assert(rename(path, two) == 0);
    inputs[0] = two;
    cr_expect_null(dump_open(&o, error));
    cr_expect_eq(frames_of(two, NULL), 1);
}

Test(dump, names_with_a_part)
{
    char out[DUMP_NAME];

    cr_expect(dump_name("a.b/evidence.pcap", "dialer", out));
    cr_expect_str_eq(out, "a.b/evidence.dialer.pcap");
    cr_expect(dump_name("a.b/evidence", "../x y", out));
    cr_expect_str_eq(out, "a.b/evidence.___x_y");
    cr_expect(dump_name(".hidden", "x", out));
    cr_expect_str_eq(out, ".hidden.x");
}
