#include "dissectors/rtp.h"

#include <criterion/criterion.h>

#include "support/sweep.h"

/* PCMU, marker, sequence 0x1234, two CSRCs, an RFC 8285 extension of one word, four bytes of voice and four of padding. */
static const uint8_t full[] = {
    0xb2, 0x80, 0x12, 0x34, 0x00, 0x00, 0x00, 0xa0, 0xde, 0xad, 0xbe, 0xef, /* header */
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02,                         /* CSRCs */
    0xbe, 0xde, 0x00, 0x01, 0x10, 0x7f, 0x00, 0x00,                         /* extension */
    0xff, 0x7f, 0xff, 0x7f, 0x00, 0x00, 0x00, 0x04,                         /* voice, padding */
};
enum { CSRCS_END = 20, EXT_END = 28 };

static enum dis dissect(const uint8_t *p, size_t captured, size_t wire, struct rtp_msg *out, struct faults *why)
{
    struct rd r = rd_init((struct span){ p, captured }, wire), before = r;
    enum dis d = rtp_dissect(&r, out, why);

    cr_assert_eq(r.p == before.p, d != DIS_OK, "the reader moves on DIS_OK and on nothing else");
    cr_assert(d != DIS_OK || rd_wire_left(&r) == 0);
    return d;
}

Test(rtp, every_field)
{
    struct faults why = { 0 };
    struct rtp_msg m;

    cr_assert_eq(dissect(full, sizeof full, sizeof full, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(m.marker && m.padding && m.extension);
    cr_assert_eq(m.pt, 0);
    cr_assert_eq(m.csrcs, 2);
    cr_assert_eq(m.seq, 0x1234);
    cr_assert_eq(m.timestamp, 160);
    cr_assert_eq(m.ssrc, 0xdeadbeef);
    cr_assert_eq(m.ext_profile, 0xbede);
    cr_assert(span_eq(m.ext, (struct span){ full + EXT_END - 4, 4 }));
    cr_assert(span_eq(m.payload, (struct span){ full + EXT_END, 8 }));
}

Test(rtp, header_alone_has_an_empty_payload)
{
    static const uint8_t bare[RTP_HEADER] = { 0x80, 0x60, 0, 1 };
    struct faults why = { 0 };
    struct rtp_msg m;

    cr_assert_eq(dissect(bare, sizeof bare, sizeof bare, &m, &why), DIS_OK);
    cr_assert_eq(m.pt, 96);
    cr_assert_eq(m.payload.n, 0);
    cr_assert_eq(why.n, 0);
}

Test(rtp, others_are_left_alone)
{
    static const uint8_t rtcp[] = { 0x80, 0xc8, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
    static const uint8_t stun[20] = { 0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
    struct faults why = { 0 };
    struct rtp_msg m;

    cr_assert_eq(dissect(rtcp, sizeof rtcp, sizeof rtcp, &m, &why), DIS_NOT_MINE);
    cr_assert_eq(dissect(stun, sizeof stun, sizeof stun, &m, &why), DIS_NOT_MINE);
    cr_assert_eq(dissect(stun, 1, 1, &m, &why), DIS_NOT_MINE);
    cr_assert_eq(why.n, 0);
}

Test(rtp, short_and_cut_are_told_apart)
{
    struct faults why = { 0 };
    struct rtp_msg m;

    cr_assert_eq(dissect(full, RTP_HEADER - 1, RTP_HEADER - 1, &m, &why), DIS_SHORT);
    cr_assert_eq(dissect(full, RTP_HEADER - 1, sizeof full, &m, &why), DIS_CUT);
    cr_assert_eq(dissect(full, RTP_HEADER, sizeof full, &m, &why), DIS_CUT);
    cr_assert_eq(m.ssrc, 0xdeadbeef, "what came before the cut is kept");
    cr_assert_eq(dissect(full, EXT_END - 1, sizeof full, &m, &why), DIS_CUT);
    cr_assert_eq(m.ext.n, 3);
    cr_assert_eq(why.n, 0);
}

Test(rtp, a_cut_payload_is_no_loss)
{
    struct faults why = { 0 };
    struct rtp_msg m;

    cr_assert_eq(dissect(full, EXT_END + 1, sizeof full, &m, &why), DIS_OK);
    cr_assert_eq(m.payload.n, 1);
    cr_assert_eq(why.n, 0, "padding that was not captured cannot be wrong");
}

Test(rtp, csrcs_past_the_end)
{
    struct faults why = { 0 };
    struct rtp_msg m;

    cr_assert_eq(dissect(full, CSRCS_END - 1, CSRCS_END - 1, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert_eq(why.v[0].id, FAULT_RTP_HEADER);
    cr_assert_eq(m.ssrc, 0xdeadbeef);
    cr_assert_eq(m.payload.n, 0);
}

Test(rtp, extension_past_the_end)
{
    uint8_t b[sizeof full];
    struct faults why = { 0 };
    struct rtp_msg m;

    memcpy(b, full, sizeof b);
    b[CSRCS_END + 3] = 4; /* words; three are there */
    cr_assert_eq(dissect(b, sizeof b, sizeof b, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert_eq(why.v[0].id, FAULT_RTP_HEADER);
    cr_assert_eq(m.payload.n, 0);
    cr_assert_eq(m.ext.n, 0);
}

Test(rtp, padding_counts_itself_and_fits)
{
    static const struct {
        uint8_t last;
        size_t faults;
    } cases[] = { { 0, 1 }, { 1, 0 }, { 8, 0 }, { 9, 1 }, { 255, 1 } };
    uint8_t b[sizeof full];
    struct rtp_msg m;

    memcpy(b, full, sizeof b);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct faults why = { 0 };

        b[sizeof b - 1] = cases[i].last;
        cr_assert_eq(dissect(b, sizeof b, sizeof b, &m, &why), DIS_OK);
        cr_assert_eq(why.n, cases[i].faults, "last octet %u", cases[i].last);
        cr_assert_eq(m.payload.n, 8);
    }
}

Test(rtp, static_payload_types)
{
    static const struct {
        uint8_t pt;
        uint32_t hz;
        const char *name;
    } some[] = {
        { 0, 8000, "PCMU" },   { 3, 8000, "GSM" },    { 4, 8000, "G723" },   { 6, 16000, "DVI4" },
        { 8, 8000, "PCMA" },   { 9, 8000, "G722" },   { 10, 44100, "L16" },  { 13, 8000, "CN" },
        { 14, 90000, "MPA" },  { 15, 8000, "G728" },  { 17, 22050, "DVI4" }, { 18, 8000, "G729" },
        { 26, 90000, "JPEG" }, { 31, 90000, "H261" }, { 33, 90000, "MP2T" }, { 34, 90000, "H263" },
    };
    static const uint8_t none[] = { 1, 2, 19, 20, 24, 27, 29, 30, 35, 71, 72, 76, 77, 95, 96, 101, 127, 128, 255 };
    uint32_t hz;

    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const char *name = rtp_static_encoding(some[i].pt, &hz);

        cr_assert_not_null(name);
        cr_assert_str_eq(name, some[i].name);
        cr_assert_eq(hz, some[i].hz);
    }
    for (size_t i = 0; i < sizeof none; i++) {
        hz = 1;
        cr_assert_null(rtp_static_encoding(none[i], &hz), "%u", none[i]);
        cr_assert_eq(hz, 0);
    }
}

static void check(struct rd r, bool unharmed, void *self)
{
    struct span all = rd_rest(&r);
    struct faults why = { 0 };
    struct rtp_msg m;
    enum dis d = rtp_dissect(&r, &m, &why);

    (void)self;
    cr_assert_neq(d, DIS_BAD);
    cr_assert(!unharmed || (d == DIS_OK && !why.n));
    cr_assert(d == DIS_OK || !why.n, "only a packet that is RTP can have faults");
    if (d == DIS_OK && m.payload.n)
        cr_assert(m.payload.p >= all.p + RTP_HEADER && m.payload.p + m.payload.n == all.p + all.n);
    if ((d == DIS_OK || d == DIS_CUT) && m.ext.n)
        cr_assert(m.ext.p >= all.p + RTP_HEADER && m.ext.p + m.ext.n <= all.p + all.n);
}

Test(rtp, sweep)
{
    sweep((struct span){ full, sizeof full }, check, NULL);
}
