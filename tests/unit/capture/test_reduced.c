/* reduced_write.c and reduced_read.c: what is written is read; what is damaged, cut off, or somebody else's file is refused. */
#include "made.h"

#include <sys/stat.h>

#include "capture/reduced.h"

enum { FILE_ROOM = 4096 };

static char path[PATH], error[CAPTURE_ERROR];

static void named(void)
{
    snprintf(path, sizeof path, "/tmp/rtpwatch-test-reduced-XXXXXX");
    close(mkstemp(path));
}

static void removed(void)
{
    unlink(path);
}

TestSuite(reduced, .init = named, .fini = removed);

static const uint8_t voice[] = "what is said";

static struct frame frame_of(unsigned input, uint64_t number)
{
    return (struct frame){ .ts_ns = SECONDS(1700000000) + (int64_t)number,
                           .id = frame_id(input, number),
                           .link = SLL,
                           .bytes = { voice, sizeof voice },
                           .wire = 1500 };
}

/* One record of each kind, of two inputs. */
static void write_one(void)
{
    struct addr host = ADDR_NONE;
    struct reduced_input in[] = { { .told = { .path = "a.pcap", .packets = 4, .bytes = 6000, .first_ns = 1, .last_ns = 9 },
                                    .place = "dialer",
                                    .looked = true,
                                    .known = true,
                                    .hosts_n = 1,
                                    .host = &host },
                                  { .told = { .path = "b.pcap", .truncated = true, .odd_lengths = 2, .dropped = 3 },
                                    .place = "" } };
    struct reduced_copy copy = { 77, 8, 1 };
    struct reduced_whole w = { .input = in, .inputs = 2, .clock_ns = 9, .outside = 5, .copy = &copy, .copies = 1 };
    struct reduced_out *o = reduced_create(path, NULL, 0, error);
    struct frame f = frame_of(1, 7);

    cr_assert(addr_parse(SPAN("192.0.2.1:0"), &host));
    snprintf(in[1].told.error, sizeof in[1].told.error, "cut off");
    cr_assert(o, "%s", error);
    reduced_frame(o, &f, REDUCED_FRAME);
    reduced_frame(o, &f, REDUCED_EDGE);
    reduced_frame(o, &f, REDUCED_COPY);
    reduced_clock(o, -5);
    reduced_run(o, SPAN("packed"));
    cr_assert(reduced_close(o, &w, error), "%s", error);
}

Test(reduced, is_read_as_it_was_written)
{
    struct reduced_record got;
    const struct reduced_whole *w;
    struct reduced *r;

    write_one();
    cr_assert(reduced_is(path));
    r = reduced_open(path, error);
    cr_assert(r, "%s", error);
    for (unsigned kind = REDUCED_FRAME; kind <= REDUCED_COPY; kind++) {
        cr_assert_eq(reduced_next(r, &got), kind);
        cr_assert_eq(got.frame.id, frame_id(1, 7));
        cr_assert_eq(got.frame.ts_ns, SECONDS(1700000000) + 7);
        cr_assert_eq(got.frame.link, SLL);
        cr_assert_eq(got.frame.wire, 1500);
        cr_assert_eq(got.frame.bytes.n, kind == REDUCED_COPY ? 0 : sizeof voice);
        cr_assert(kind == REDUCED_COPY || memcmp(got.frame.bytes.p, voice, sizeof voice) == 0);
    }
    cr_assert_eq(reduced_next(r, &got), REDUCED_CLOCK);
    cr_assert_eq(got.frame.ts_ns, -5);
    cr_assert_eq(reduced_next(r, &got), REDUCED_RUN);
    cr_assert(span_eq(got.run, SPAN("packed")));
    cr_assert_eq(reduced_next(r, &got), REDUCED_WHOLE);
    w = reduced_whole(r);
    cr_assert_eq(w->inputs, 2);
    cr_assert_eq(w->clock_ns, 9);
    cr_assert_eq(w->outside, 5);
    cr_assert_eq(w->copies, 1);
    cr_assert(w->copy[0].hash == 77 && w->copy[0].ns == 8 && w->copy[0].input == 1);
    cr_assert_str_eq(w->input[0].told.path, "a.pcap");
    cr_assert_str_eq(w->input[0].place, "dialer");
    cr_assert(w->input[0].told.packets == 4 && w->input[0].told.bytes == 6000);
    cr_assert(w->input[0].told.first_ns == 1 && w->input[0].told.last_ns == 9 && !w->input[0].told.truncated);
    cr_assert(w->input[0].looked && w->input[0].known && w->input[0].hosts_n == 1);
    cr_assert_eq(w->input[0].host[0].ip[15], 1);
    cr_assert(w->input[1].told.truncated && w->input[1].told.odd_lengths == 2 && w->input[1].told.dropped == 3);
    cr_assert_str_eq(w->input[1].told.error, "cut off");
    cr_assert(!w->input[1].looked && !w->input[1].known);
    reduced_free(r);
}

Test(reduced, without_its_end_is_refused)
{
    struct stat s;

    write_one();
    cr_assert_eq(stat(path, &s), 0);
    for (off_t n = s.st_size - 1; n >= 0; n--) {
        struct reduced *r;

        cr_assert_eq(truncate(path, n), 0);
        r = reduced_open(path, error);
        cr_assert_null(r, "%ld bytes", (long)n);
        cr_assert(strstr(error, "--reduce"));
    }
}

/* Whatever byte is changed: it is refused, or read to its end, and every frame is of an input that there is. */
Test(reduced, damaged)
{
    uint8_t whole[FILE_ROOM], copy[FILE_ROOM];
    FILE *f;
    size_t n;

    write_one();
    f = fopen(path, "rb");
    n = fread(whole, 1, sizeof whole, f);
    fclose(f);
    cr_assert_lt(n, FILE_ROOM);
    for (size_t i = 0; i < 8 * n; i++) {
        struct reduced_record got;
        struct reduced *r;

        memcpy(copy, whole, n);
        copy[i / 8] ^= (uint8_t)(1u << i % 8);
        r = reduced_of(fmemopen(copy, n, "rb"), error);
        for (unsigned k = 0; r && reduced_next(r, &got) < REDUCED_WHOLE; k++) {
            cr_assert_lt(k, 100);
            cr_assert(got.kind > REDUCED_COPY || frame_input(got.frame.id) < reduced_whole(r)->inputs);
        }
        reduced_free(r);
    }
}

Test(reduced, is_not_written_over_what_is_read)
{
    const char *inputs[] = { path };

    cr_assert_null(reduced_create(path, inputs, 1, error));
    cr_assert(strstr(error, "among what is read"), "%s", error);
}

Test(reduced, is_a_file_of_its_own)
{
    char link[PATH + 8];
    struct stat s;

    snprintf(link, sizeof link, "%s.link", path);
    cr_assert_eq(symlink(path, link), 0);
    cr_assert_null(reduced_create(link, NULL, 0, error));
    cr_assert(strstr(error, "symbolic link"), "%s", error);
    unlink(link);
    cr_assert_null(reduced_create("/dev/null", NULL, 0, error));
    cr_assert(strstr(error, "no regular file"), "%s", error);
    unlink(path);
    write_one();
    cr_assert_eq(stat(path, &s), 0);
    cr_assert_eq(s.st_mode & 0777, 0600);
}

Test(reduced, that_is_given_up_is_gone)
{
    struct reduced_out *o = reduced_create(path, NULL, 0, error);

    cr_assert(o);
    cr_assert_not(reduced_close(o, NULL, error));
    cr_assert_neq(access(path, F_OK), 0);
}

Test(reduced, is_not_looked_for_in_other_files)
{
    cr_assert_not(reduced_is(path));
    cr_assert_not(reduced_is("-"));
    cr_assert_not(reduced_is("/dev/null"));
    cr_assert_not(reduced_is("/nowhere"));
}
