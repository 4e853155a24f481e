#include "dissectors/rtcp.h"

#include <criterion/criterion.h>

#include "support/sweep.h"

/* A datagram under construction. */
struct dgram {
    uint8_t b[2048];
    size_t n;
};

static void put(struct dgram *d, const void *p, size_t n)
{
    cr_assert(d->n + n <= sizeof d->b);
    memcpy(d->b + d->n, p, n);
    d->n += n;
}

static void put_u32(struct dgram *d, uint32_t v)
{
    uint8_t b[] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

    put(d, b, sizeof b);
}

static void put_header(struct dgram *d, uint8_t count, uint8_t type, uint16_t words)
{
    put_u32(d, 0x80000000u | (uint32_t)count << 24 | (uint32_t)type << 16 | words);
}

static void put_report(struct dgram *d, uint32_t about, uint32_t fraction_and_lost)
{
    put_u32(d, about);
    put_u32(d, fraction_and_lost);
    put_u32(d, 0x00010100);
    put_u32(d, 17);
    put_u32(d, 0xaabbccdd);
    put_u32(d, 65536);
}

static void put_sr(struct dgram *d, uint8_t reports)
{
    put_header(d, reports, RTCP_SR, (uint16_t)(6 + 6 * reports));
    put_u32(d, 0x11111111);
    put_u32(d, 0xe0000000);
    put_u32(d, 0x80000000);
    put_u32(d, 160);
    put_u32(d, 100);
    put_u32(d, 16000);
    for (uint8_t i = 0; i < reports; i++)
        put_report(d, 0x22222222u + i, 0x40ffffff);
}

static void put_rr(struct dgram *d, uint32_t from, uint8_t reports)
{
    put_header(d, reports, RTCP_RR, (uint16_t)(1 + 6 * reports));
    put_u32(d, from);
    for (uint8_t i = 0; i < reports; i++)
        put_report(d, 0x22222222u + i, 3);
}

static void put_sdes(struct dgram *d)
{
    put_header(d, 1, RTCP_SDES, 4);
    put_u32(d, 0x11111111);
    put(d, "\2\3foo\1\3a@b\0", 12); /* NAME before CNAME; the last zero ends the chunk, another fills it up */
}

static void put_bye(struct dgram *d)
{
    put_header(d, 2, RTCP_BYE, 2);
    put_u32(d, 0x11111111);
    put_u32(d, 0x33333333);
}

/* What SRTCP makes of it: all behind eight bytes scrambled, then E flag, index and tag. */
static void encrypt(struct dgram *d, size_t tag)
{
    for (size_t i = 8; i < d->n; i++)
        d->b[i] ^= (uint8_t)(0x5b + 7 * i);
    put_u32(d, 0x80000001);
    for (size_t i = 0; i < tag; i++)
        put(d, &(uint8_t){ (uint8_t)(0x3c + 29 * i) }, 1);
}

static enum dis dissect_cut(const struct dgram *d, size_t captured, struct rtcp_msg *m, struct faults *why)
{
    struct rd r = rd_init((struct span){ d->b, captured }, d->n), before = r;
    enum dis dis = rtcp_dissect(&r, m, why);

    cr_assert_eq(r.p == before.p, dis != DIS_OK, "the reader moves on DIS_OK and on nothing else");
    return dis;
}

static enum dis dissect(const struct dgram *d, struct rtcp_msg *m, struct faults *why)
{
    return dissect_cut(d, d->n, m, why);
}

static void expect_header_only(const struct rtcp_msg *m, uint8_t type, uint8_t count, uint32_t ssrc)
{
    cr_assert_eq(m->packets, 1);
    cr_assert_eq(m->packet[0].type, type);
    cr_assert_eq(m->packet[0].count, count);
    cr_assert_eq(m->packet[0].ssrc, ssrc);
    cr_assert(!m->has_sr && !m->reports && !m->byes && !m->cname.n, "nothing behind the first eight bytes is believed");
}

Test(rtcp, compound_of_sr_sdes_bye)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_sr(&d, 1);
    put_sdes(&d);
    put_bye(&d);
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.packets, 3);
    cr_assert(m.packet[0].type == RTCP_SR && m.packet[0].count == 1 && m.packet[0].ssrc == 0x11111111);
    cr_assert(m.packet[1].type == RTCP_SDES && m.packet[2].type == RTCP_BYE);
    cr_assert(m.has_sr);
    cr_assert_eq(m.sr_ssrc, 0x11111111);
    cr_assert_eq(m.sr_ntp, 0xe000000080000000);
    cr_assert(m.sr_rtp_time == 160 && m.sr_packets == 100 && m.sr_octets == 16000);
    cr_assert_eq(m.reports, 1);
    cr_assert(m.report[0].from == 0x11111111 && m.report[0].about == 0x22222222);
    cr_assert(m.report[0].fraction_lost == 0x40 && m.report[0].lost == -1);
    cr_assert(m.report[0].highest_seq == 0x10100 && m.report[0].jitter == 17);
    cr_assert(m.report[0].last_sr == 0xaabbccdd && m.report[0].delay_last_sr == 65536);
    cr_assert(span_eq(m.cname, SPAN("a@b")));
    cr_assert(m.byes == 2 && m.bye[0] == 0x11111111 && m.bye[1] == 0x33333333);
    cr_assert(!m.has_feedback && !m.has_xr);
}

Test(rtcp, lone_rr_without_reports)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_rr(&d, 7, 0);
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    expect_header_only(&m, RTCP_RR, 0, 7);
    cr_assert_eq(why.n, 0);
}

Test(rtcp, reduced_size_feedback_and_xr)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_header(&d, 1, RTCP_PSFB, 2); /* picture loss indication */
    put_u32(&d, 5);
    put_u32(&d, 6);
    put_header(&d, 0, RTCP_XR, 1);
    put_u32(&d, 5);
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(m.has_feedback && m.has_xr);
    cr_assert(m.packets == 2 && m.packet[0].count == 1 && m.packet[0].ssrc == 5);
}

Test(rtcp, packets_without_sources_have_no_ssrc)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_rr(&d, 7, 0);
    put_header(&d, 0, RTCP_SDES, 0);
    put_header(&d, 0, RTCP_BYE, 0);
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(m.packets == 3 && m.packet[1].ssrc == 0 && m.packet[2].ssrc == 0);
}

/* 10-byte tag (RFC 3711), 4-byte tag, and AES-GCM's 16 bytes (RFC 7714), which keep the datagram a multiple of four. */
static const size_t tags[] = { 10, 4, 16 };

Test(rtcp, srtcp_keeps_its_first_header_only)
{
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        for (int kind = 0; kind < 3; kind++) {
            struct dgram d = { .n = 0 };
            struct faults why = { 0 };
            struct rtcp_msg m;

            if (kind < 2)
                put_sr(&d, 1);
            else
                put_rr(&d, 0x11111111, 1);
            if (kind == 1)
                put_sdes(&d);
            encrypt(&d, tags[i]);
            cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
            expect_header_only(&m, kind < 2 ? RTCP_SR : RTCP_RR, 1, 0x11111111);
            cr_assert_eq(why.n, 0, "encryption is no fault");
        }
}

/* SRTCP may leave the packets in the clear and only sign them; the trailer is there all the same. */
Test(rtcp, unencrypted_srtcp_is_not_believed_either)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_sr(&d, 1);
    put_sdes(&d);
    put(&d, "\0\0\0\1tagtagtagt", 14);
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    expect_header_only(&m, RTCP_SR, 1, 0x11111111);
}

Test(rtcp, encrypted_feedback_is_known_as_such)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_header(&d, 15, RTCP_RTPFB, 4); /* transport-wide congestion control */
    for (uint32_t i = 0; i < 4; i++)
        put_u32(&d, 9 + i);
    encrypt(&d, 10);
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    expect_header_only(&m, RTCP_RTPFB, 15, 9);
    cr_assert(m.has_feedback);
}

Test(rtcp, cut_chain_keeps_whole_packets)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_sr(&d, 1);
    put_sdes(&d);
    put_bye(&d);
    cr_assert_eq(dissect_cut(&d, 52 + 20 + 7, &m, &why), DIS_CUT); /* inside the BYE's first SSRC */
    cr_assert_eq(m.packets, 2);
    cr_assert(m.has_sr && m.reports == 1 && m.cname.n == 3 && m.byes == 0);
    cr_assert_eq(dissect_cut(&d, 52 + 8, &m, &why), DIS_CUT); /* the SDES' header is seen, its text is not */
    cr_assert_eq(m.packets, 2);
    cr_assert(m.has_sr && m.reports == 1 && m.cname.n == 0);
    cr_assert_eq(why.n, 0);
}

/* Behind a whole first packet and no visible second header may be a trailer: the packet may be encrypted. */
Test(rtcp, cut_before_the_second_header_proves_nothing)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_sr(&d, 1);
    put_sdes(&d);
    for (size_t captured = 8; captured < 52 + 4; captured++) {
        cr_assert_eq(dissect_cut(&d, captured, &m, &why), DIS_CUT);
        expect_header_only(&m, RTCP_SR, 1, 0x11111111);
    }
    cr_assert_eq(dissect_cut(&d, 7, &m, &why), DIS_CUT);
    cr_assert_eq(m.packets, 0);
    cr_assert_eq(why.n, 0);
}

Test(rtcp, cut_srtcp_keeps_its_first_header_only)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_sr(&d, 1);
    put_sdes(&d);
    encrypt(&d, 10);
    for (size_t captured = 8; captured < d.n; captured++) {
        cr_assert_eq(dissect_cut(&d, captured, &m, &why), DIS_CUT);
        expect_header_only(&m, RTCP_SR, 1, 0x11111111);
    }
}

Test(rtcp, others_are_left_alone)
{
    static const struct dgram others[] = {
        { { 0 }, 0 },
        { { 0x80 }, 1 },
        { { 0x80, 0xc9, 0 }, 3 },
        { { 0x80, 0xc9, 0, 2, 0, 0, 0, 1 }, 8 }, /* longer than the datagram */
        { { 0x40, 0xc9, 0, 1, 0, 0, 0, 1 }, 8 }, /* version 1 */
        { { 0x80, 191, 0, 1, 0, 0, 0, 1 }, 8 },  /* RTP, payload type 63 with the marker */
        { { 0x80, 224, 0, 1, 0, 0, 0, 1 }, 8 },
    };
    struct faults why = { 0 };
    struct rtcp_msg m;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_eq(dissect(&others[i], &m, &why), DIS_NOT_MINE, "case %zu", i);
    cr_assert_eq(why.n, 0);
}

static void expect_fault(const struct dgram *d, enum fault_id id, size_t at, struct rtcp_msg *m)
{
    struct faults why = { 0 };

    cr_assert_eq(dissect(d, m, &why), DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert_eq(why.v[0].id, id);
    cr_assert_eq(why.v[0].at, at);
}

Test(rtcp, report_count_beyond_the_packet)
{
    struct dgram d = { .n = 0 };
    struct rtcp_msg m;

    put_rr(&d, 7, 1);
    d.b[0] = 0x80 | 2;
    expect_fault(&d, FAULT_RTCP_REPORT_COUNT, 0, &m);
    cr_assert_eq(m.reports, 1, "the block that is there is kept");
    put_sdes(&d);
    encrypt(&d, 10);
    expect_fault(&d, FAULT_RTCP_REPORT_COUNT, 0, &m); /* count and length are readable in SRTCP */
    cr_assert_eq(m.reports, 0);
}

Test(rtcp, report_count_beyond_the_senders_part)
{
    struct dgram d = { .n = 0 };
    struct rtcp_msg m;

    put_sr(&d, 0);
    d.b[0] = 0x80 | 1; /* the body is as long as a report block; the sender's part takes all of it */
    expect_fault(&d, FAULT_RTCP_REPORT_COUNT, 0, &m);
    cr_assert(m.has_sr && !m.reports);
}

Test(rtcp, cumulative_loss_is_signed)
{
    static const struct {
        uint32_t wire;
        int32_t lost;
    } cases[] = { { 0, 0 }, { 0x7fffff, 0x7fffff }, { 0x800000, -0x800000 }, { 0xffffff, -1 } };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dgram d = { .n = 0 };
        struct faults why = { 0 };
        struct rtcp_msg m;

        put_header(&d, 1, RTCP_RR, 7);
        put_u32(&d, 1);
        put_report(&d, 2, 0xff000000 | cases[i].wire);
        cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
        cr_assert_eq(m.report[0].lost, cases[i].lost);
        cr_assert_eq(m.report[0].fraction_lost, 0xff);
    }
}

Test(rtcp, the_first_sender_and_cname_are_kept)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_sr(&d, 1);
    put_sr(&d, 2);
    d.b[52 + 4] = 0x99;
    put_header(&d, 2, RTCP_SDES, 6);
    put_u32(&d, 0x11111111);
    put(&d, "\2\1x\1\1a\0\0", 8);
    put_u32(&d, 0x99111111);
    put(&d, "\1\5other\0", 8);
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(m.has_sr && m.sr_ssrc == 0x11111111);
    cr_assert(m.reports == 3 && m.report[0].from == 0x11111111 && m.report[1].from == 0x99111111);
    cr_assert(span_eq(m.cname, SPAN("a")));
    d.b[d.n - 8] = 2; /* NAME */
    d.b[d.n - 8 - 4 - 8 + 3] = 2;
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    cr_assert_eq(m.cname.n, 0);
}

Test(rtcp, sdes_chunks_begin_on_words)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_header(&d, 2, RTCP_SDES, 5);
    put_u32(&d, 1);
    put(&d, "\2\0\0\0", 4); /* an empty NAME, the end, a byte to fill up */
    put_u32(&d, 2);
    put(&d, "\1\5other\0", 8);
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(span_eq(m.cname, SPAN("other")));
}

Test(rtcp, a_chain_of_another_version_is_none)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    put_sr(&d, 1);
    put_bye(&d);
    d.b[52] = 0x40 | 2;
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    expect_header_only(&m, RTCP_SR, 1, 0x11111111);
}

Test(rtcp, packets_shorter_than_their_type)
{
    struct dgram sr = { .n = 0 }, fb = { .n = 0 };
    struct rtcp_msg m;

    put_header(&sr, 0, RTCP_SR, 3);
    for (uint32_t i = 0; i < 3; i++)
        put_u32(&sr, i);
    expect_fault(&sr, FAULT_RTCP_LENGTH, 0, &m);
    cr_assert(!m.has_sr);
    put_header(&fb, 1, RTCP_RTPFB, 1);
    put_u32(&fb, 1);
    expect_fault(&fb, FAULT_RTCP_LENGTH, 0, &m);
}

Test(rtcp, sdes_and_bye_beyond_their_packet)
{
    struct dgram sdes = { .n = 0 }, bye = { .n = 0 };
    struct rtcp_msg m;

    put_rr(&sdes, 7, 0);
    put_sdes(&sdes);
    sdes.b[8 + 4 + 4 + 6] = 200; /* the CNAME's length */
    expect_fault(&sdes, FAULT_RTCP_LENGTH, 8, &m);
    cr_assert_eq(m.cname.n, 0);
    put_bye(&bye);
    bye.b[0] = 0x80 | 3;
    expect_fault(&bye, FAULT_RTCP_LENGTH, 0, &m);
    cr_assert_eq(m.byes, 2);
}

Test(rtcp, padding)
{
    static const struct {
        uint8_t last;
        size_t faults, byes;
    } cases[] = { { 4, 0, 2 }, { 8, 1, 1 }, { 0, 1, 2 }, { 3, 1, 2 }, { 16, 1, 2 } };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dgram d = { .n = 0 };
        struct faults why = { 0 };
        struct rtcp_msg m;

        put_bye(&d);
        put_u32(&d, cases[i].last);
        d.b[0] |= 0x20;
        d.b[3] = 3;
        cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
        cr_assert_eq(why.n, cases[i].faults, "last octet %u", cases[i].last);
        cr_assert_eq(m.byes, cases[i].byes, "last octet %u", cases[i].last);
    }
}

Test(rtcp, tables_keep_the_first)
{
    struct dgram d = { .n = 0 };
    struct faults why = { 0 };
    struct rtcp_msg m;

    for (uint32_t i = 0; i < 3; i++)
        put_rr(&d, i, 21);
    for (uint32_t i = 0; i < RTCP_BYES_KEPT; i++)
        put_bye(&d);
    cr_assert_eq(dissect(&d, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.reports, RTCP_REPORTS_KEPT);
    cr_assert_eq(m.report[RTCP_REPORTS_KEPT - 1].from, 2);
    cr_assert_eq(m.byes, RTCP_BYES_KEPT);
    cr_assert_eq(m.packets, RTCP_PACKETS_KEPT);
}

static void check(struct rd r, bool unharmed, void *self)
{
    struct span all = rd_rest(&r);
    size_t uncap = r.uncap;
    struct faults why = { 0 };
    struct rtcp_msg m;
    enum dis d = rtcp_dissect(&r, &m, &why);

    (void)self;
    cr_assert(d == DIS_OK || d == DIS_CUT || d == DIS_NOT_MINE);
    cr_assert(d != DIS_CUT || uncap);
    cr_assert(d != DIS_OK || !uncap);
    cr_assert(!unharmed || (d == DIS_OK && !why.n));
    if (d == DIS_NOT_MINE)
        return;
    cr_assert(m.packets <= RTCP_PACKETS_KEPT && m.reports <= RTCP_REPORTS_KEPT && m.byes <= RTCP_BYES_KEPT);
    cr_assert(!m.cname.n || (m.cname.p >= all.p && m.cname.p + m.cname.n <= all.p + all.n));
}

Test(rtcp, sweep)
{
    struct dgram d = { .n = 0 };

    put_sr(&d, 2);
    put_rr(&d, 8, 1);
    put_sdes(&d);
    put_header(&d, 1, RTCP_PSFB, 2);
    put_u32(&d, 5);
    put_u32(&d, 6);
    put_bye(&d);
    sweep((struct span){ d.b, d.n }, check, NULL);
    encrypt(&d, 10);
    sweep((struct span){ d.b, d.n }, check, NULL);
}
