#include "unit/capture/made.h"

Test(pcapng, sections_of_both_byte_orders)
{
    struct made m = { 0 };
    struct capture *c;

    for (unsigned i = 0; i < 2; i++) {
        m.big = i;
        section(&m);
        interface(&m, ETHERNET, 0, 0);
        packet(&m, 0, 1700000000000000 + i, 1 + i, 61, 100);
    }
    c = open_made(&m);
    expect_frame(c, 1, SECONDS(1700000000), 1);
    expect_frame(c, 2, SECONDS(1700000000) + 1000, 2);
    expect_end(c);
    cr_expect_not(capture_input(c, 0)->truncated, "%s", capture_input(c, 0)->error);
    cr_expect_eq(capture_input(c, 0)->bytes, 200);
    capture_close(c);
}

Test(pcapng, time_resolutions_and_offsets)
{
    static const struct {
        unsigned resolution;
        int64_t offset;
        uint64_t time;
        int64_t ns;
    } cases[] = {
        { 0, 0, 1500000, 1500000000 },
        { 3, 0, 1500, 1500000000 },
        { 9, 0, 1500000001, 1500000001 },
        { 12, 0, 1500000001999, 1500000001 },
        { 9, 1700000000, 7, SECONDS(1700000000) + 7 },
        { 9, -2, 3000000007, SECONDS(1) + 7 },
        { 0x80, 0, 12, SECONDS(12) },
        { 0x80 | 1, 0, 3, 1500000000 },
        { 0x80 | 32, 0, (uint64_t)5 << 32 | 0x40000000, SECONDS(5) + 250000000 },
        { 0x80 | 63, 0, (uint64_t)3 << 62, 1500000000 },
        { 0x80 | 64, 0, (uint64_t)1 << 63, 500000000 },
        { 0xff, 0, UINT64_MAX, 0 },
        { 19, 0, 15000000000000000000u, 1500000000 },
        { 0x7f, 0, UINT64_MAX, 0 },
    };
    struct made m = { 0 };
    struct capture *c;

    section(&m);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        interface(&m, ETHERNET, cases[i].resolution, cases[i].offset);
        packet(&m, i, cases[i].time, 1, 20, 20);
    }
    c = open_made(&m);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_frame(c, i + 1, cases[i].ns, 1);
    expect_end(c);
    capture_close(c);
}

Test(pcapng, times_outside_all_reason_are_held)
{
    struct made m = { 0 };
    struct capture *c;

    section(&m);
    interface(&m, ETHERNET, 0x80, INT64_MAX);
    interface(&m, ETHERNET, 9, INT64_MIN);
    packet(&m, 0, UINT64_MAX, 1, 20, 20);
    packet(&m, 1, 0, 2, 20, 20);
    c = open_made(&m);
    expect_frame(c, 1, SECONDS(4500000000), 1);
    expect_frame(c, 2, SECONDS(-4500000000), 2);
    capture_close(c);
}

Test(pcapng, link_types_differ_in_one_file)
{
    struct made m = { 0 };
    struct capture *c;
    struct frame f;

    section(&m);
    interface(&m, ETHERNET, 0, 0);
    interface(&m, SLL, 0, 0);
    interface(&m, RAW_IN_FILES, 0, 0);
    packet(&m, 1, 1, 1, 20, 20);
    packet(&m, 0, 2, 2, 20, 20);
    packet(&m, 2, 3, 3, 20, 20);
    c = open_made(&m);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.link, SLL);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.link, ETHERNET);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.link, RAW);
    capture_close(c);
}

Test(pcapng, other_packet_blocks)
{
    struct made m = { 0 };
    struct capture *c;
    struct frame f;
    size_t at;

    section(&m);
    interface(&m, ETHERNET, 0, 0);
    m.v[m.n - 4 - 4 - 4] = 30; /* its snap length */
    at = block(&m, 2);         /* obsolete packet block */
    put16(&m, 0);
    put16(&m, 3);
    put32(&m, 0);
    put32(&m, 7000000);
    put32(&m, 20);
    put32(&m, 40);
    put_many(&m, 9, 20);
    block_end(&m, at);
    at = block(&m, 3); /* simple packet block */
    put32(&m, 100);
    put_many(&m, 8, 30);
    block_end(&m, at);
    at = block(&m, 0x0bad); /* custom, or whatever comes */
    put_many(&m, 0xee, 5000);
    block_end(&m, at);
    packet(&m, 0, 8000000, 7, 20, 20);
    section(&m);
    interface(&m, ETHERNET, 0, 0);
    at = block(&m, 3); /* less there than on the wire, and no snap length to say so */
    put32(&m, 100);
    put_many(&m, 6, 32);
    block_end(&m, at);
    c = open_made(&m);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.ts_ns, SECONDS(7));
    cr_expect_eq(f.bytes.n, 20);
    cr_expect_eq(f.wire, 40);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.ts_ns, SECONDS(7));
    cr_expect_eq(f.bytes.n, 30);
    cr_expect_eq(f.wire, 100);
    expect_frame(c, 3, SECONDS(8), 7);
    cr_assert(capture_next(c, &f));
    cr_expect_eq(f.bytes.n, 32);
    cr_expect_eq(f.wire, 100);
    expect_end(c);
    cr_expect_str_empty(capture_input(c, 0)->error);
    capture_close(c);
}

static void statistics(struct made *m, unsigned id, uint64_t dropped)
{
    size_t at = block(m, 5);

    put32(m, id);
    put_int(m, 0, 8);
    option(m, 4, 1000, 8);
    option(m, 5, dropped, 8);
    option(m, 0, 0, 0);
    block_end(m, at);
}

Test(pcapng, statistics_tell_what_was_dropped)
{
    struct made m = { 0 };
    struct capture *c;

    section(&m);
    interface(&m, ETHERNET, 0, 0);
    interface(&m, ETHERNET, 0, 0);
    packet(&m, 0, 1, 1, 20, 20);
    statistics(&m, 0, 5);
    statistics(&m, 0, 7); /* since the start, not since the last one */
    statistics(&m, 1, 10);
    statistics(&m, 2, 1000); /* no such interface */
    c = open_made(&m);
    expect_frame(c, 1, 1000, 1);
    expect_end(c);
    cr_expect_eq(capture_input(c, 0)->dropped, 17);
    capture_close(c);
}

enum { TLS_KEY_LOG = 0x544c534b, WIREGUARD_KEY_LOG = 0x57474b4c };

/* Decryption secrets: a text; `stated`: its length as the block says it. */
static void secrets(struct made *m, uint32_t type, const char *text, uint32_t stated)
{
    size_t at = block(m, 10);

    put32(m, type);
    put32(m, stated);
    for (; *text; text++)
        put8(m, (unsigned char)*text);
    block_end(m, at);
}

static void expect_secrets(struct capture *c, const char *text)
{
    cr_expect(span_eq(capture_secrets(c), span_str(text)), "expected %s", text);
    cr_expect_eq(capture_secrets(c).n, 0, "once");
}

/* They come with the frame behind them, and not later. */
Test(pcapng, secrets_stand_before_what_they_open)
{
    for (unsigned big = 0; big < 2; big++) {
        struct made m = { .big = big };
        struct capture *c;

        section(&m);
        interface(&m, ETHERNET, 0, 0);
        secrets(&m, TLS_KEY_LOG, "first\n", 6);
        secrets(&m, TLS_KEY_LOG, "second", 6);
        secrets(&m, WIREGUARD_KEY_LOG, "of something else", 17);
        secrets(&m, TLS_KEY_LOG, "longer than its block", 4000);
        packet(&m, 0, 1, 1, 20, 20);
        packet(&m, 0, 2, 2, 20, 20);
        secrets(&m, TLS_KEY_LOG, "third", 3); /* and padding */
        packet(&m, 0, 3, 3, 20, 20);
        secrets(&m, TLS_KEY_LOG, "behind all frames", 17);
        c = open_made(&m);
        expect_secrets(c, "first\n\nsecond\n");
        expect_frame(c, 1, 1000, 1);
        expect_secrets(c, "");
        expect_frame(c, 2, 2000, 2);
        expect_frame(c, 3, 3000, 3);
        expect_secrets(c, "thi\n");
        expect_end(c);
        cr_expect_not(capture_input(c, 0)->truncated, "%s", capture_input(c, 0)->error);
        capture_close(c);
    }
}

Test(pcapng, broken_blocks)
{
    struct made m = { 0 };
    struct capture *c;
    size_t good;

    section(&m);
    interface(&m, ETHERNET, 0, 0);
    packet(&m, 0, 1, 1, 20, 20);
    good = m.n;
    packet(&m, 1, 2, 2, 20, 20);
    c = open_made(&m);
    expect_frame(c, 1, 1000, 1);
    expect_end(c);
    cr_expect(says(c, 0, "after frame 1 (packet of an interface that is not described)"));
    capture_close(c);
    m.n = good;
    packet(&m, 0, 2, 2, 20, 20);
    m.v[good + 20] = 21; /* the captured length; there are 20 bytes, no padding */
    expect_refused(m.v + good, m.n - good, "no frame can be read");
    c = open_made(&m);
    expect_frame(c, 1, 1000, 1);
    expect_end(c);
    cr_expect(says(c, 0, "packet longer than its block"));
    capture_close(c);
    m.v[good + 20] = 20;
    m.v[m.n - 4]++;
    c = open_made(&m);
    expect_frame(c, 1, 1000, 1);
    expect_end(c);
    cr_expect(says(c, 0, "two lengths differ"));
    capture_close(c);
    m.v[good + 4] = 8;
    c = open_made(&m);
    expect_frame(c, 1, 1000, 1);
    expect_end(c);
    cr_expect(says(c, 0, "impossible length"));
    capture_close(c);
}

static struct made everything(void)
{
    struct made m = { .big = true };

    section(&m);
    interface(&m, ETHERNET, 9, 5);
    packet(&m, 0, 1, 1, 21, 30);
    statistics(&m, 0, 3);
    m.big = false;
    section(&m);
    interface(&m, RAW_IN_FILES, 0x80 | 20, 0);
    packet(&m, 0, 2, 2, 20, 20);
    return m;
}

static uint64_t read_all(const uint8_t *bytes, size_t n)
{
    struct capture *c = open_bytes(bytes, n);
    struct frame f;
    uint64_t got = 0;
    unsigned sum = 0;

    for (; capture_next(c, &f); got++)
        for (size_t i = 0; i < f.bytes.n; i++)
            sum += f.bytes.p[i];
    cr_expect_eq(capture_input(c, 0)->truncated, capture_input(c, 0)->error[0] != 0);
    cr_expect_leq(sum, got * 255 * 100);
    capture_close(c);
    return got;
}

Test(pcapng, every_prefix_and_every_bit)
{
    struct made m = everything();
    uint64_t last = 0;

    cr_assert_eq(read_all(m.v, m.n), 2);
    for (size_t n = 0; n < m.n; n++) {
        uint64_t got = read_all(m.v, n);

        cr_assert_geq(got, last);
        last = got;
    }
    cr_expect_eq(last, 1);
    for (size_t bit = 0; bit < m.n * 8; bit++) {
        m.v[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_leq(read_all(m.v, m.n), 2);
        m.v[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
