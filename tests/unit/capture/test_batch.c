/* Frames that are given together are those that are given one by one: see capture_batch() in rtpwatch/capture/capture.h. */
#include "unit/capture/made.h"

enum { MOST = 4000, BATCH = 64, FILES = 3 };

/* What reading one by one gives. */
struct expected {
    size_t n;
    struct frame frame[MOST];
    uint8_t first[MOST]; /* of the frame's bytes, which are all the same */
};

static struct expected one_by_one;

static void read_singly(const char *const *paths, size_t n, const char *filter)
{
    struct capture *c = capture_open_files(paths, n, filter, (char[CAPTURE_ERROR]){ 0 });
    struct expected *e = &one_by_one;

    cr_assert_not_null(c);
    for (e->n = 0; capture_next(c, &e->frame[e->n]); e->n++) {
        cr_assert_lt(e->n + 1, MOST);
        e->first[e->n] = e->frame[e->n].bytes.n ? e->frame[e->n].bytes.p[0] : 0;
    }
    capture_close(c);
}

static void expect_like(const struct frame *f, size_t i)
{
    const struct frame *e = &one_by_one.frame[i];

    cr_assert_lt(i, one_by_one.n);
    cr_assert_eq(f->id, e->id, "frame %zu is %lu, not %lu", i, (unsigned long)f->id, (unsigned long)e->id);
    cr_assert_eq(f->ts_ns, e->ts_ns);
    cr_assert_eq(f->link, e->link);
    cr_assert_eq(f->wire, e->wire);
    cr_assert_eq(f->bytes.n, e->bytes.n);
    for (size_t k = 0; k < f->bytes.n; k++)
        cr_assert_eq(f->bytes.p[k], one_by_one.first[i], "byte %zu of frame %zu, while the batch is in hand", k, i);
}

/* The largest batch that was given. */
static size_t read_together(const char *const *paths, size_t n, const char *filter, size_t batch)
{
    struct capture *c = capture_open_files(paths, n, filter, (char[CAPTURE_ERROR]){ 0 });
    struct frame f[BATCH];
    size_t got, at = 0, most = 0;

    cr_assert_not_null(c);
    for (; (got = capture_batch(c, f, batch)) > 0; at += got) {
        cr_assert_leq(got, batch);
        most = got > most ? got : most;
        for (size_t i = 0; i < got; i++) {
            expect_like(&f[i], at + i);
            cr_assert_eq(frame_input(f[i].id), frame_input(f[0].id), "one input at a time");
        }
    }
    cr_assert_eq(at, one_by_one.n);
    capture_close(c);
    return most;
}

static void expect_same(const char *const *paths, size_t n, const char *filter)
{
    static const size_t batches[] = { 1, 2, 3, 31, BATCH };

    read_singly(paths, n, filter);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        (void)read_together(paths, n, filter, batches[i]);
}

/* A file of `records`, each `step` seconds after the one before; sizes that let blocks end anywhere. */
static void file(char path[PATH], uint32_t begin, uint32_t step, uint32_t records, uint32_t size)
{
    struct made m = { 0 };
    FILE *f;

    pcap_header(&m, (uint32_t)US, ETHERNET);
    save(m.v, m.n, path);
    f = fopen(path, "ab");
    cr_assert_not_null(f);
    for (uint32_t i = 0; i < records; i++) {
        m.n = 0;
        pcap_record(&m, begin + i * step, i, i & 0xff, size + i % 7, size + i % 7 + i % 2);
        cr_assert_eq(fwrite(m.v, 1, m.n, f), m.n);
    }
    fclose(f);
}

Test(batch, one_file_over_several_blocks)
{
    static const uint32_t sizes[] = { 0, 60, 214, 1514, 4000 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char path[PATH];
        const char *paths[] = { path };

        file(path, 1000, 1, sizes[i] < 1000 ? 3000 : 400, sizes[i]);
        expect_same(paths, 1, NULL);
        cr_expect_geq(read_together(paths, 1, NULL, BATCH), sizes[i] < 2000 ? BATCH : BATCH / 2 - 1,
                      "as many as are read at a time");
        unlink(path);
    }
}

/* Interleaved, one after the other, and with the same times: no frame is given before one of another file that is earlier. */
Test(batch, files_merged_by_time)
{
    static const uint32_t begins[][FILES] = { { 1000, 1000, 1000 }, { 1000, 1300, 1150 }, { 1000, 1005, 5000 }, { 3, 2, 1 } };

    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        for (uint32_t step = 0; step < 4; step++) {
            char path[FILES][PATH];
            const char *paths[] = { path[0], path[1], path[2] };

            for (unsigned k = 0; k < FILES; k++)
                file(path[k], begins[i][k], k == 1 ? 1 : step, 300, 60);
            expect_same(paths, FILES, NULL);
            for (unsigned k = 0; k < FILES; k++)
                unlink(path[k]);
        }
}

Test(batch, with_a_filter_numbers_stay_those_of_the_file)
{
    char path[PATH];
    const char *paths[] = { path };

    file(path, 1000, 1, 500, 60);
    expect_same(paths, 1, "len > 63");
    cr_expect(one_by_one.n > 0 && one_by_one.n < 500);
    unlink(path);
}

/* What was read before a broken record is given, and then it is told. */
Test(batch, a_file_that_breaks)
{
    char path[PATH];
    const char *paths[] = { path };
    struct capture *c;
    struct frame f[BATCH];
    size_t frames = 0, got;

    file(path, 1000, 1, 100, 60);
    cr_assert_eq(truncate(path, 24 + 50 * (16 + 60) + 147 + 20), 0); /* inside the 51st */
    expect_same(paths, 1, NULL);
    c = capture_open_files(paths, 1, NULL, NULL);
    while ((got = capture_batch(c, f, BATCH)) > 0)
        frames += got;
    cr_expect_eq(frames, 50);
    cr_expect_eq(capture_input(c, 0)->packets, 50);
    cr_expect(says(c, 0, "after frame 50 (the file ends inside a record"), "%s", capture_input(c, 0)->error);
    capture_close(c);
    unlink(path);
}

static size_t largest_batch(const struct made *m, const char *filter)
{
    char path[PATH];
    const char *paths[] = { path };
    size_t most;

    save(m->v, m->n, path);
    expect_same(paths, 1, filter);
    most = read_together(paths, 1, filter, BATCH);
    unlink(path);
    return most;
}

static void unknown_block(struct made *m)
{
    size_t at = block(m, 0x0bad);

    put_many(m, 0xee, 40);
    block_end(m, at);
}

/* Sections of both byte orders, interfaces of several links and times, blocks of other kinds between. */
Test(batch, pcapng_with_all_that_it_may_hold)
{
    static struct made m;

    for (unsigned s = 0; s < 4; s++) {
        m.big = s % 2;
        section(&m);
        interface(&m, ETHERNET, 9, 0);
        interface(&m, RAW_IN_FILES, 0, 0);
        for (unsigned i = 0; i < 300; i++) {
            packet(&m, i % 2, (i % 2 ? 1 : 1000) * (uint64_t)(s * 300 + i), i & 0xff, 20 + i % 7, 30 + i % 7);
            if (i % 100 == 99)
                unknown_block(&m);
            if (i == 150)
                interface(&m, SLL, 0x80 | 20, 0);
        }
    }
    cr_expect_eq(largest_batch(&m, NULL), BATCH);
    cr_expect_eq(one_by_one.n, 1200);
    cr_expect_eq(one_by_one.frame[1].link, RAW);
    cr_expect_gt(largest_batch(&m, "len > 33"), 1);
    cr_expect(one_by_one.n > 0 && one_by_one.n < 1200);
}

/* A packet whose bytes reach over what is read at a time. */
Test(batch, pcapng_over_several_blocks)
{
    char path[PATH];
    const char *paths[] = { path };
    static struct made m;
    FILE *f;

    section(&m);
    interface(&m, ETHERNET, 0, 0);
    save(m.v, m.n, path);
    f = fopen(path, "ab");
    cr_assert_not_null(f);
    for (unsigned i = 0; i < 900; i++) {
        m.n = 0;
        packet(&m, 0, i, i & 0xff, 1400 + i % 9, 1500);
        cr_assert_eq(fwrite(m.v, 1, m.n, f), m.n);
    }
    fclose(f);
    expect_same(paths, 1, NULL);
    cr_expect_eq(one_by_one.n, 900);
    cr_expect_eq(read_together(paths, 1, NULL, BATCH), BATCH);
    unlink(path);
}

/* What stands before it is given; then it is told, and nothing behind it is read. */
Test(batch, pcapng_that_breaks)
{
    static struct made m;
    char path[PATH];
    const char *paths[] = { path };
    struct capture *c;
    struct frame f[BATCH];
    size_t frames = 0, got;

    section(&m);
    interface(&m, ETHERNET, 0, 0);
    for (unsigned i = 0; i < 40; i++)
        packet(&m, i == 25, i, 7, 60, 60); /* of an interface that is not there */
    save(m.v, m.n, path);
    expect_same(paths, 1, NULL);
    c = capture_open_files(paths, 1, NULL, NULL);
    while ((got = capture_batch(c, f, BATCH)) > 0)
        frames += got;
    cr_expect_eq(frames, 25);
    cr_expect(says(c, 0, "after frame 25 (packet of an interface that is not described)"), "%s", capture_input(c, 0)->error);
    capture_close(c);
    unlink(path);
}

/* A filter that does not know a link type ends its file there, as it does when frames come one by one. */
Test(batch, a_filter_that_cannot_be_made_for_a_link)
{
    static struct made m;
    struct capture *c;
    char path[PATH];
    const char *paths[] = { path };

    section(&m);
    interface(&m, ETHERNET, 0, 0);
    interface(&m, RAW_IN_FILES, 0, 0);
    for (unsigned i = 0; i < 40; i++)
        packet(&m, i == 25, i, 7, 60, 60);
    save(m.v, m.n, path);
    expect_same(paths, 1, "not ether host 11:22:33:44:55:66");
    cr_expect_eq(one_by_one.n, 25);
    c = capture_open_files(paths, 1, "not ether host 11:22:33:44:55:66", (char[CAPTURE_ERROR]){ 0 });
    cr_assert_not_null(c);
    while (capture_batch(c, (struct frame[BATCH]){ 0 }, BATCH) > 0)
        ;
    cr_expect(capture_input(c, 0)->truncated && says(c, 0, "after frame 26"), "%s", capture_input(c, 0)->error);
    cr_expect_eq(capture_input(c, 0)->packets, 25);
    capture_close(c);
    unlink(path);
}

/* Frames are given as they come through a pipe, without waiting for others. */
static void expect_at_once(const struct made *m, size_t frames)
{
    const char *paths[] = { "-" };
    struct capture *c;
    struct frame f;
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], m->v, m->n), (ssize_t)m->n);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    alarm(10); /* a reader that waits for more waits for ever */
    c = capture_open_files(paths, 1, NULL, NULL);
    for (size_t i = 0; i < frames; i++) {
        cr_assert(capture_next(c, &f));
        cr_expect_eq(f.id, i + 1);
    }
    close(ends[1]);
    cr_expect_not(capture_next(c, &f));
    cr_expect_not(capture_input(c, 0)->truncated, "%s", capture_input(c, 0)->error);
    alarm(0);
    capture_close(c);
}

Test(batch, a_pipe_gives_what_it_has)
{
    static struct made pcap, ng;

    pcap_header(&pcap, (uint32_t)US, ETHERNET);
    section(&ng);
    interface(&ng, ETHERNET, 0, 0);
    for (unsigned i = 0; i < 3; i++) {
        pcap_record(&pcap, i, 0, 7, 60, 60);
        packet(&ng, 0, i, 7, 60, 60);
        expect_at_once(&pcap, i + 1);
        expect_at_once(&ng, i + 1);
    }
}
