/* rtp.c: what RTCP tells (RFC 3550 §6.4). */
#include "messages.h"

TestSuite(rtcp_fact, .init = setup, .fini = teardown);

enum { ME = 0x1111, YOU = 0x2222 };

static struct rtcp_sender *sender(uint32_t ssrc)
{
    struct rtcp_sender *r;

    for (uint32_t i = flow_between(CALLER_MEDIA, CALLEE_MEDIA)->rtcps; (r = track_rtcp_at(t, i)) != NULL; i = r->next)
        if (r->ssrc == ssrc)
            return r;
    return NULL;
}

static void rtcp_after(int64_t ms, const struct rtcp_msg *m)
{
    struct datagram d;
    struct flow *f;

    wait_ms(ms);
    d = next_frame(CALLER_MEDIA, CALLEE_MEDIA);
    f = track_flow(t, &d);
    cr_assert_not_null(f);
    track_rtcp(t, f, &d, m);
}

static void rtcp(const struct rtcp_msg *m)
{
    rtcp_after(1000, m);
}

static void receiver_report(uint8_t count, uint32_t highest)
{
    struct rtcp_msg m = { .packets = 1, .packet[0] = { RTCP_RR, count, ME }, .reports = count };

    m.report[0] =
        (struct rtcp_report){ .from = ME, .about = YOU, .highest_seq = highest, .fraction_lost = 3, .lost = -2, .jitter = 9 };
    rtcp(&m);
}

static void sender_report(uint8_t count, uint32_t packets)
{
    struct rtcp_msg m = { .packets = 2, .packet = { { RTCP_SR, count, ME }, { RTCP_SDES, 1, ME } } };

    m.has_sr = true;
    m.sr_ssrc = ME;
    m.sr_packets = packets;
    rtcp(&m);
}

Test(rtcp_fact, a_sender_that_hears_somebody)
{
    struct rtcp_sender *r;
    struct rtcp_about *a;

    receiver_report(1, 100);
    r = sender(ME);
    cr_assert_not_null(r);
    cr_assert_eq(r->with_reports, 1);
    cr_assert_eq(r->without_reports, 0);
    cr_assert_eq(r->compounds_with_reports, 1);
    cr_assert_not(r->has_sr);
    cr_assert_eq(r->packets.n, 1);
    a = track_about_at(t, r->reports);
    cr_assert(a && a->ssrc == YOU && a->blocks.n == 1);
    cr_assert_eq(a->first_highest, 100);
    cr_assert_eq(a->last_highest, 100);
    cr_assert_eq(a->advanced.frame, 0, "one report is no advance");
    cr_assert_eq(a->fraction_lost, 3);
    cr_assert_eq(a->lost, -2);
    cr_assert_eq(a->jitter, 9);
    cr_assert(flow_between(CALLER_MEDIA, CALLEE_MEDIA)->contains & FLOW_RTCP);
}

Test(rtcp_fact, the_highest_number_advances_or_does_not)
{
    struct rtcp_about *a;

    receiver_report(1, 100);
    receiver_report(1, 150);
    receiver_report(1, 150);
    receiver_report(1, 150);
    a = track_about_at(t, sender(ME)->reports);
    cr_assert_eq(a->blocks.n, 4);
    cr_assert_eq(a->first_highest, 100);
    cr_assert_eq(a->last_highest, 150);
    cr_assert_eq(a->advanced.frame, 2);
    cr_assert_eq(a->next, POOL_NONE);
}

Test(rtcp_fact, a_sender_that_hears_nobody)
{
    sender_report(0, 50);
    sender_report(0, 100);
    cr_assert_eq(sender(ME)->without_reports, 2);
    cr_assert_eq(sender(ME)->with_reports, 0);
    cr_assert_eq(sender(ME)->compounds_with_reports, 0);
    cr_assert_eq(sender(ME)->reports, POOL_NONE);
}

Test(rtcp_fact, the_senders_own_count)
{
    sender_report(0, 50);
    sender_report(0, 100);
    sender_report(0, 150);
    cr_assert(sender(ME)->has_sr);
    cr_assert_eq(sender(ME)->sr_packets_first, 50);
    cr_assert_eq(sender(ME)->sr_packets_last, 150);
    cr_assert_eq(sender(ME)->sr_last.frame, 3);
    cr_assert_eq(sender(ME)->packets.n, 3);
}

/* SRTCP: only the first packet's header is in the clear. */
Test(rtcp_fact, the_header_alone)
{
    struct rtcp_msg m = { .packets = 1, .packet[0] = { RTCP_SR, 1, ME } };

    rtcp(&m);
    cr_assert_eq(sender(ME)->with_reports, 1);
    cr_assert_eq(sender(ME)->compounds_with_reports, 1);
    cr_assert_eq(sender(ME)->sr_last.frame, 1);
    cr_assert_eq(sender(ME)->reports, POOL_NONE, "about whom is not known");
}

Test(rtcp_fact, a_compound_counts_once)
{
    struct rtcp_msg m = { .packets = 2, .packet = { { RTCP_SR, 0, ME }, { RTCP_RR, 1, YOU } } };

    rtcp(&m);
    cr_assert_eq(sender(ME)->packets.n, 1);
    cr_assert_eq(sender(ME)->without_reports, 1);
    cr_assert_eq(sender(ME)->compounds_with_reports, 1, "in the compound somebody was heard");
    cr_assert_eq(sender(YOU)->with_reports, 1);
    cr_assert_eq(sender(YOU)->packets.n, 0);
}

Test(rtcp_fact, goodbye)
{
    struct rtcp_msg m = { .packets = 1, .packet[0] = { RTCP_BYE, 2, ME }, .byes = 2, .bye = { ME, 0x3333 } };

    sender_report(0, 50);
    cr_assert_eq(sender(ME)->bye.frame, 0);
    rtcp(&m);
    cr_assert_eq(sender(ME)->bye.frame, 2);
    cr_assert_eq(sender(0x3333)->bye.frame, 2);
}

Test(rtcp_fact, a_sender_knows_its_flow)
{
    struct datagram d = next_frame("192.0.2.1:1", "192.0.2.2:2");

    (void)track_flow(t, &d);
    receiver_report(1, 1);
    cr_assert_eq(sender(ME)->flow, flow_between(CALLER_MEDIA, CALLEE_MEDIA)->slot);
}

Test(rtcp_fact, senders_and_reports_are_capped)
{
    struct rtcp_msg m = { .packets = 1, .packet[0] = { RTCP_RR, 1, ME }, .reports = 1 };

    for (uint32_t ssrc = 1; ssrc < 3 * TRACK_STREAMS_PER_FLOW; ssrc++) {
        m.report[0] = (struct rtcp_report){ .from = ME, .about = ssrc };
        rtcp_after(20, &m);
    }
    cr_assert_eq(t->abouts.live, TRACK_STREAMS_PER_FLOW);
    m.reports = 0;
    for (uint32_t ssrc = 1; ssrc < 3 * TRACK_STREAMS_PER_FLOW; ssrc++) {
        m.packet[0].ssrc = ssrc;
        rtcp_after(20, &m);
    }
    cr_assert_eq(t->rtcps.live, TRACK_STREAMS_PER_FLOW);
    cr_assert_eq(sender(ME)->packets.n, 3 * TRACK_STREAMS_PER_FLOW - 1);
}

/* One call after another on the same ports, with a receiver that keeps its SSRC. */
Test(rtcp_fact, there_may_be_more_of_them_over_time)
{
    struct rtcp_msg m = { .packets = 1, .packet[0] = { RTCP_RR, 1, ME }, .reports = 1 };

    for (uint32_t ssrc = 1; ssrc < 3 * TRACK_STREAMS_PER_FLOW; ssrc++) {
        m.report[0] = (struct rtcp_report){ .from = ME, .about = ssrc };
        rtcp(&m);
    }
    cr_assert_eq(t->abouts.live, 3 * TRACK_STREAMS_PER_FLOW - 1);
    cr_assert_eq(t->rtcps.live, 1);
    m.reports = 0;
    for (uint32_t ssrc = 1; ssrc < 3 * TRACK_STREAMS_PER_FLOW; ssrc++) {
        m.packet[0].ssrc = ssrc;
        rtcp(&m);
    }
    cr_assert_eq(t->rtcps.live, 3 * TRACK_STREAMS_PER_FLOW);
}
