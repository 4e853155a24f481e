#include "unit/capture/made.h"

#include <sys/resource.h>

Test(pcap, both_byte_orders_and_resolutions)
{
    static const struct {
        bool big;
        uint32_t magic, fraction;
    } cases[] = { { false, (uint32_t)US, 123456 },
                  { true, (uint32_t)US, 123456 },
                  { false, (uint32_t)NS, 123456000 },
                  { true, (uint32_t)NS, 123456000 } };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made m = { .big = cases[i].big };
        struct capture *c;
        struct frame f;

        pcap_header(&m, cases[i].magic, SLL);
        pcap_record(&m, 1700000000, cases[i].fraction, 7, 60, 100);
        pcap_record(&m, 1700000001, 0, 8, 60, 60);
        c = open_made(&m);
        cr_assert(capture_next(c, &f));
        cr_expect_eq(f.ts_ns, SECONDS(1700000000) + 123456000);
        cr_expect_eq(f.link, SLL);
        cr_expect_eq(f.bytes.n, 60);
        cr_expect_eq(f.wire, 100);
        expect_frame(c, 2, SECONDS(1700000001), 8);
        expect_end(c);
        cr_expect_eq(capture_input(c, 0)->packets, 2);
        cr_expect_eq(capture_input(c, 0)->bytes, 160);
        cr_expect_eq(capture_input(c, 0)->first_ns, SECONDS(1700000000) + 123456000);
        cr_expect_eq(capture_input(c, 0)->last_ns, SECONDS(1700000001));
        cr_expect_not(capture_input(c, 0)->truncated);
        cr_expect_str_empty(capture_input(c, 0)->error);
        capture_close(c);
    }
}

Test(pcap, times_after_2038)
{
    struct made m = { 0 };
    struct capture *c;

    pcap_header(&m, (uint32_t)US, ETHERNET);
    pcap_record(&m, 4000000000u, 1, 7, 20, 20);
    c = open_made(&m);
    expect_frame(c, 1, SECONDS(4000000000) + 1000, 7);
    capture_close(c);
}

Test(pcap, cut_off_anywhere)
{
    struct made m = { 0 };

    pcap_header(&m, (uint32_t)US, ETHERNET);
    pcap_record(&m, 1, 0, 7, 20, 20);
    pcap_record(&m, 2, 0, 8, 20, 20);
    for (size_t n = 0; n < m.n; n++) {
        struct capture *c = open_bytes(m.v, n);
        struct frame f;
        uint64_t whole = n < 24 + 36 ? 0 : 1, got = 0;

        while (capture_next(c, &f))
            got++;
        cr_expect_eq(got, whole, "%zu bytes", n);
        cr_expect_eq(capture_input(c, 0)->truncated, n != 24 && n != 24 + 36, "%zu bytes", n);
        cr_expect_eq(capture_input(c, 0)->truncated, capture_input(c, 0)->error[0] != 0);
        if (n > 24 + 36)
            cr_expect(says(c, 0, "after frame 1 ("));
        capture_close(c);
    }
}

Test(pcap, more_captured_than_on_the_wire)
{
    struct made m = { 0 };
    struct capture *c;
    struct frame f;

    pcap_header(&m, (uint32_t)US, ETHERNET);
    pcap_record(&m, 1, 0, 7, 60, 50);
    c = open_made(&m);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.wire, 60);
    cr_expect_eq(capture_input(c, 0)->odd_lengths, 1);
    cr_expect_eq(capture_input(c, 0)->bytes, 60);
    capture_close(c);
}

Test(pcap, times_that_go_back_stay_in_file_order)
{
    struct made m = { 0 };
    struct capture *c;

    pcap_header(&m, (uint32_t)US, ETHERNET);
    pcap_record(&m, 5, 0, 1, 20, 20);
    pcap_record(&m, 3, 0, 2, 20, 20);
    pcap_record(&m, 4, 0, 3, 20, 20);
    c = open_made(&m);
    expect_frame(c, 1, SECONDS(5), 1);
    expect_frame(c, 2, SECONDS(3), 2);
    expect_frame(c, 3, SECONDS(4), 3);
    expect_end(c);
    cr_expect_eq(capture_input(c, 0)->first_ns, SECONDS(3));
    cr_expect_eq(capture_input(c, 0)->last_ns, SECONDS(5));
    capture_close(c);
}

Test(files, what_is_no_capture_says_so)
{
    expect_refused("", 0, "empty");
    expect_refused("hello, this is no capture file at all", 37, "no frame can be read");
    expect_refused("\x1f\x8b\x08\0\0\0\0\0", 8, "gzip-compressed: run gunzip -c /tmp/rtpwatch-test-");
    expect_refused("\xfd"
                   "7zXZ\0\0\0",
                   8, "xz-compressed: run unxz -c /tmp/");
    expect_refused("\x28\xb5\x2f\xfd\0\0\0", 7, "zstd-compressed: run unzstd -c /tmp/");
    expect_refused("BZh91AY", 7, "bzip2-compressed: run bunzip2 -c /tmp/");
    expect_refused("\x1f\x8c\x08\0\0\0\0\0", 8, "no frame can be read");
    expect_refused("\x1f", 1, "no frame can be read");
}

Test(files, a_hint_never_holds_what_a_shell_would_run)
{
    static const char path[] = "/tmp/rtpwatch-test;id>$HOME `x` '.gz";
    const char *paths[] = { path };
    FILE *f = fopen(path, "wb");
    struct capture *c;

    cr_assert_not_null(f);
    fputs("\x1f\x8b", f);
    fclose(f);
    c = capture_open_files(paths, 1, NULL, NULL);
    unlink(path);
    cr_expect_str_eq(capture_input(c, 0)->error, "gzip-compressed: run gunzip -c FILE | rtpwatch -");
    capture_close(c);
}

Test(files, one_that_cannot_be_opened_leaves_the_others)
{
    char path[PATH];
    const char *paths[] = { "/nowhere/at/all.pcap", path, "/tmp" };
    struct made m = { 0 };
    struct capture *c;

    pcap_header(&m, (uint32_t)US, ETHERNET);
    pcap_record(&m, 5, 0, 1, 20, 20);
    save(m.v, m.n, path);
    c = capture_open_files(paths, 3, NULL, NULL);
    unlink(path);
    cr_assert_eq(capture_inputs(c), 3);
    expect_frame(c, frame_id(1, 1), SECONDS(5), 1);
    expect_end(c);
    cr_expect(capture_input(c, 0)->truncated && says(c, 0, "No such file"));
    cr_expect_not(capture_input(c, 1)->truncated);
    cr_expect(capture_input(c, 2)->truncated && says(c, 2, "directory"));
    cr_expect_str_eq(capture_input(c, 1)->path, path);
    capture_close(c);
}

Test(files, none_at_all)
{
    struct capture *c = capture_open_files(NULL, 0, NULL, NULL);

    cr_assert_not_null(c);
    cr_expect_eq(capture_inputs(c), 0);
    expect_end(c);
    capture_close(c);
    capture_close(NULL);
}

Test(files, merged_by_time_lower_input_first)
{
    enum { INPUTS = 9, EACH = 200 };
    static char path[INPUTS][PATH];
    const char *paths[INPUTS];
    uint32_t state = 5;
    uint64_t seen[INPUTS] = { 0 }, total = 0;
    struct frame f;
    int64_t last = 0;
    unsigned last_input = 0;
    struct capture *c;

    for (unsigned i = 0; i < INPUTS; i++) {
        struct made m = { 0 };
        uint32_t at = 0;

        pcap_header(&m, (uint32_t)US, ETHERNET);
        for (unsigned k = 0; k < EACH; k++, state = state * 1664525u + 1013904223u)
            pcap_record(&m, at += state >> 30, 0, i, 20, 20);
        save(m.v, m.n, path[i]);
        paths[i] = path[i];
    }
    c = capture_open_files(paths, INPUTS, NULL, NULL);
    for (; capture_next(c, &f); total++) {
        unsigned input = frame_input(f.id);

        cr_assert(f.ts_ns > last || (f.ts_ns == last && input >= last_input));
        cr_assert_eq(frame_number(f.id), ++seen[input]);
        cr_assert_eq(f.bytes.p[0], input);
        last = f.ts_ns;
        last_input = input;
    }
    cr_expect_eq(total, INPUTS * EACH);
    capture_close(c);
    for (unsigned i = 0; i < INPUTS; i++)
        unlink(path[i]);
}

Test(files, as_many_as_are_allowed)
{
    static const char *paths[CAPTURE_INPUTS + 1];
    struct rlimit limit;
    char path[PATH];
    struct made m = { 0 };
    struct capture *c;
    struct frame f;
    size_t n = 0;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < CAPTURE_INPUTS + 100)
        cr_skip("the hard limit of open files is too low here");
    limit.rlim_cur = 256;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    pcap_header(&m, (uint32_t)US, ETHERNET);
    pcap_record(&m, 5, 0, 1, 20, 20);
    save(m.v, m.n, path);
    for (size_t i = 0; i <= CAPTURE_INPUTS; i++)
        paths[i] = path;
    c = capture_open_files(paths, CAPTURE_INPUTS + 1, NULL, NULL);
    unlink(path);
    while (capture_next(c, &f))
        cr_assert_eq(frame_input(f.id), n++);
    cr_expect_eq(n, CAPTURE_INPUTS);
    cr_expect(says(c, CAPTURE_INPUTS, "too many inputs"));
    capture_close(c);
}

static void feed_stdin(const struct made *m)
{
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], m->v, m->n), (ssize_t)m->n); /* fits a pipe's buffer */
    close(ends[1]);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
}

Test(files, standard_input_once)
{
    const char *paths[] = { "-", "-" };
    struct made m = { 0 };

    for (unsigned ng = 0; ng < 2; ng++) {
        struct capture *c;

        m.n = 0;
        if (ng) {
            section(&m);
            interface(&m, ETHERNET, 0, 0);
            packet(&m, 0, 5000000, 1, 20, 20);
        } else {
            pcap_header(&m, (uint32_t)US, ETHERNET);
            pcap_record(&m, 5, 0, 1, 20, 20);
        }
        feed_stdin(&m);
        c = capture_open_files(paths, 2, NULL, NULL);
        expect_frame(c, 1, SECONDS(5), 1);
        expect_end(c);
        cr_expect(capture_input(c, 1)->truncated && says(c, 1, "only once"));
        capture_close(c);
    }
}

static void put_udp(struct made *m, unsigned port)
{
    static const uint8_t head[] = { 2,  0, 0, 0, 0, 2,  2,  0, 0, 0,  0, 1, 8, 0,  0x45, 0, 0,
                                    28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0,    0, 2 };

    for (size_t i = 0; i < sizeof head; i++)
        put8(m, head[i]);
    put8(m, port >> 8);
    put8(m, port & 0xff);
    put8(m, port >> 8);
    put8(m, port & 0xff);
    put_many(m, 0, 4);
}

Test(filter, numbers_stay_those_of_the_file)
{
    static const unsigned ports[] = { 53, 5060, 53, 5060, 53 };
    char path[PATH], why[CAPTURE_ERROR] = "";
    const char *paths[] = { path };
    struct made m = { 0 };
    struct capture *c;
    struct frame f;

    pcap_header(&m, (uint32_t)US, ETHERNET);
    for (uint32_t i = 0; i < 5; i++) {
        pcap_record(&m, i, 0, 0, 0, 42);
        m.n -= 8;
        put32(&m, 42);
        put32(&m, 42);
        put_udp(&m, ports[i]);
    }
    save(m.v, m.n, path);
    c = capture_open_files(paths, 1, "udp port 5060", why);
    cr_assert_not_null(c, "%s", why);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.id, 2);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.id, 4);
    expect_end(c);
    cr_expect_eq(capture_input(c, 0)->packets, 2);
    capture_close(c);
    cr_expect_null(capture_open_files(paths, 1, "udp prot 5060", why));
    cr_expect_neq(why[0], 0);
    unlink(path);
}

Test(filter, a_bad_one_is_told_without_frames_too)
{
    const char *paths[] = { "/nowhere/at/all.pcap" };
    char why[CAPTURE_ERROR] = "";

    cr_expect_null(capture_open_files(paths, 1, "((", why));
    cr_expect_neq(why[0], 0);
}

Test(filter, for_each_link_type_of_a_file)
{
    char path[PATH], why[CAPTURE_ERROR] = "";
    const char *paths[] = { path };
    struct made m = { 0 };
    struct capture *c;
    struct frame f;
    size_t at;

    section(&m);
    interface(&m, ETHERNET, 0, 0);
    interface(&m, RAW_IN_FILES, 0, 0);
    for (unsigned id = 0; id < 2; id++) {
        at = block(&m, 6);
        put32(&m, id);
        put32(&m, 0);
        put32(&m, id);
        put32(&m, 42 - 14 * id);
        put32(&m, 42 - 14 * id);
        put_udp(&m, 5060);
        if (id) {
            memmove(m.v + m.n - 42, m.v + m.n - 28, 28);
            m.n -= 14;
        }
        block_end(&m, at);
    }
    save(m.v, m.n, path);
    c = capture_open_files(paths, 1, "udp port 5060", why);
    cr_assert_not_null(c, "%s", why);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.link, ETHERNET);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.link, RAW);
    expect_end(c);
    capture_close(c);
    unlink(path);
}
