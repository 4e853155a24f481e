/* What a stream and an SDP keep for telling m-lines apart and for rating media. */
#include <criterion/criterion.h>

#include "track/track.h"

#define SDP "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define BUNDLE                                                                                                                   \
    SDP "a=group:BUNDLE a v\r\nm=audio 4000 RTP/AVP 111\r\na=mid:a\r\na=rtpmap:111 opus/48000/2\r\n"                             \
        "m=video 0 RTP/AVP 96 97\r\na=mid:v\r\na=bundle-only\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n"              \
        "a=fmtp:97 apt=96\r\na=ssrc-group:FID 7 8\r\na=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"                         \
        "m=audio 4010 RTP/AVP 96\r\na=mid:alone\r\na=rtpmap:96 L16/44100\r\n"

static struct fault_log faults;
static struct track *track;
static struct addr here, there, other;
static int64_t now_ns;
static uint64_t frame;

static struct addr address(const char *text)
{
    struct addr a;

    cr_assert(addr_parse(span_str(text), &a));
    return a;
}

static void setup(void)
{
    track = track_new(&faults);
    cr_assert_not_null(track);
    here = address("192.0.2.1:4000");
    there = address("192.0.2.2:5000");
    other = address("192.0.2.1:4010");
    now_ns = SECONDS(100);
}

static void teardown(void)
{
    track_free(track);
}

TestSuite(media, .init = setup, .fini = teardown);

static const struct sdp_fact *say(const char *text)
{
    static struct sdp sdp;
    struct sip_msg m = { .request = true, .method = SIP_INVITE, .call_id = SPAN("c1"), .cseq = 1 };
    struct datagram d = { .at = { now_ns, ++frame }, .src = address("192.0.2.1:5060"), .dst = address("192.0.2.2:5060") };
    struct faults why = { 0 };
    struct rd r = rd_init(span_str(text), strlen(text));
    const struct sdp_fact *kept;

    m.from.tag = SPAN("1");
    cr_assert_eq(sdp_dissect(&r, &sdp, &why), DIS_OK);
    track_sip(track, &d, &m, &sdp, span_str(text));
    cr_assert_eq(track->calls.used, 1);
    for (kept = track_call_at(track, 0)->sdps; kept->next; kept = kept->next)
        ;
    return kept;
}

static struct stream *packet(const struct addr *to, uint8_t pt, uint16_t seq, uint32_t timestamp)
{
    struct datagram d = { .at = { now_ns, ++frame }, .src = there, .dst = *to, .size = 172 };
    struct rtp_msg m = { .pt = pt, .seq = seq, .timestamp = timestamp, .ssrc = 42 };
    struct flow *f = track_flow(track, &d);

    cr_assert(track_rtp(track, f, &d, &m));
    return track_stream_at(track, f->hot);
}

Test(media, a_description_keeps_what_tells_streams_apart)
{
    const struct sdp_fact *f = say(BUNDLE);

    cr_assert_eq(f->medias, 3);
    cr_expect(f->media[0].bundled && f->media[1].bundled && !f->media[2].bundled);
    cr_expect(f->media[1].tagged == 0 && f->media[2].tagged == 2);
    cr_expect(f->media[1].bundle_only && !f->media[1].rejected);
    cr_expect_eq(f->media[1].mid_ext, 9);
    cr_assert_eq(f->media[1].formats_n, 2);
    cr_expect_eq(f->media[1].formats[1].role, SDP_ROLE_RTX);
    cr_expect_eq(f->media[1].formats[1].apt, 96);
    cr_assert_eq(f->media[1].ssrcs_n, 2);
    cr_expect(!f->media[1].ssrcs[0].repair && f->media[1].ssrcs[1].repair);
}

Test(media, a_payload_type_is_looked_up_in_the_whole_bundle)
{
    const struct sdp_fact *f = say(BUNDLE);

    cr_expect_str_eq(sdp_format_of(f, 0, 96)->encoding, "VP8");
    cr_expect_str_eq(sdp_format_of(f, 2, 96)->encoding, "L16");
    cr_expect_null(sdp_format_of(f, 2, 111));
}

Test(media, the_clock_of_a_dynamic_payload_type_is_told_by_sdp)
{
    say(BUNDLE);
    cr_expect_eq(packet(&here, 111, 1, 0)->clock_hz, 48000);
    cr_expect_eq(packet(&other, 96, 1, 0)->clock_hz, 44100, "another m-line gives the number another meaning");
    cr_expect_eq(packet(&other, 111, 1, 0)->clock_hz, 44100, "a record keeps its clock");
}

Test(media, without_sdp_a_dynamic_payload_type_has_no_clock)
{
    cr_expect_eq(packet(&here, 111, 1, 0)->clock_hz, 0);
    cr_expect_eq(packet(&other, 8, 1, 0)->clock_hz, 8000);
}

static const struct stream *paused(uint16_t lost, uint32_t samples)
{
    packet(&here, 0, 1, 0);
    now_ns += 20 * NS_PER_MS;
    packet(&here, 0, 2, 160);
    now_ns += 500 * NS_PER_MS;
    return packet(&here, 0, (uint16_t)(3 + lost), 160 + samples);
}

Test(media, a_run_of_lost_packets_is_a_gap)
{
    const struct stream *s = paused(24, 4000);

    cr_expect_eq(s->gaps, 1);
    cr_expect_eq(s->longest_gap_ms, 500);
}

Test(media, packets_that_are_held_up_are_a_gap)
{
    cr_expect_eq(paused(0, 160)->gaps, 1);
}

Test(media, a_sender_that_pauses_makes_no_gap)
{
    const struct stream *s = paused(0, 4000);

    cr_expect_eq(s->gaps, 0);
    cr_expect_eq(s->longest_gap_ns, 500 * NS_PER_MS, "it is a pause all the same");
}

/* ---- header extensions ---- */

static void extension(struct stream *s, uint8_t id, struct span text)
{
    uint8_t bytes[64] = { (uint8_t)((size_t)id << 4 | (text.n - 1)) };
    struct rtp_msg m = { .ext_profile = 0xbede, .ext = { bytes, text.n + 1 } };

    memcpy(bytes + 1, text.p, text.n);
    track_rtp_ids(track, track_flow_at(track, s->flow), &m);
}

Test(media, short_texts_of_the_first_packets_are_kept)
{
    struct stream *s = packet(&here, 0, 1, 0);

    cr_expect_eq(s->ids, POOL_NONE);
    extension(s, 3, SPAN("\x01\x02"));
    cr_expect_eq(s->ids, POOL_NONE, "bytes that are no text take no room");
    extension(s, 4, SPAN("video"));
    extension(s, 4, SPAN("audio"));
    extension(s, 5, SPAN("rid"));
    cr_assert_neq(s->ids, POOL_NONE);
    cr_assert_eq(track_ids_at(track, s->ids)->n, 2);
    cr_expect_eq(track_ids_at(track, s->ids)->v[0].id, 4);
    cr_expect(strncmp(track_ids_at(track, s->ids)->v[0].text, "video", 5) == 0, "the first counts");
}

Test(media, no_more_texts_than_are_kept)
{
    struct stream *s = packet(&here, 0, 1, 0);

    for (uint8_t id = 1; id < 15; id++)
        extension(s, id, SPAN("x"));
    cr_expect_eq(track_ids_at(track, s->ids)->n, STREAM_IDS_KEPT);
}

/* It is sent only until the receiver is known to have it. */
Test(media, the_texts_outlast_a_pause)
{
    struct stream *s = packet(&here, 0, 1, 0), *later;

    extension(s, 4, SPAN("video"));
    now_ns += TRACK_SILENCE_NS + 1;
    later = packet(&here, 0, 2, 160);
    cr_assert_neq(later, s);
    cr_expect_eq(later->ids, s->ids);
}

Test(media, the_first_packet_of_a_record_is_told)
{
    struct datagram d = { .at = { now_ns, 1 }, .src = there, .dst = here, .size = 172 };
    struct rtp_msg m = { .ssrc = 42 };
    struct flow *f = track_flow(track, &d);

    cr_expect_eq(track_rtp(track, f, &d, &m), RTP_FIRST);
    m.seq++;
    cr_expect_eq(track_rtp(track, f, &d, &m), RTP_KNOWN);
    m.ssrc++;
    cr_expect_eq(track_rtp(track, f, &d, &m), RTP_FIRST);
    m.ssrc--;
    cr_expect_eq(track_rtp(track, f, &d, &m), RTP_KNOWN);
}

/* ---- round trips ---- */

static void rtcp(const struct addr *from, const struct addr *to, const struct rtcp_msg *m)
{
    struct datagram d = { .at = { now_ns, ++frame }, .src = *from, .dst = *to, .size = 64 };

    track_rtcp(track, track_flow(track, &d), &d, m);
}

static const struct rtcp_about *round_trip(uint32_t last_sr, uint32_t held_65536ths)
{
    struct rtcp_msg sr = { .packets = 1, .has_sr = true, .sr_ssrc = 1, .sr_ntp = 0x0001aaaabbbb0000u };
    struct rtcp_msg rr = { .packets = 1, .reports = 1 };
    struct datagram d = { .src = there, .dst = here };

    sr.packet[0] = (struct rtcp_packet){ RTCP_SR, 0, 1 };
    rr.packet[0] = (struct rtcp_packet){ RTCP_RR, 1, 2 };
    rr.report[0] = (struct rtcp_report){ .from = 2, .about = 1, .last_sr = last_sr, .delay_last_sr = held_65536ths };
    rtcp(&here, &there, &sr);
    now_ns += 600 * NS_PER_MS;
    rtcp(&there, &here, &rr);
    return track_about_at(track, track_rtcp_at(track, track_find_flow(track, &d.src, &d.dst)->rtcps)->reports);
}

Test(media, a_round_trip_is_what_the_receiver_did_not_hold)
{
    const struct rtcp_about *a = round_trip(0xaaaabbbb, 32768);

    cr_assert_eq(a->round_trips, 1);
    cr_expect_eq(a->round_trip_us, 100000);
}

Test(media, a_block_that_answers_another_report_tells_no_round_trip)
{
    cr_expect_eq(round_trip(0xaaaabbbc, 32768)->round_trips, 0);
}

Test(media, a_block_that_answers_no_report_tells_no_round_trip)
{
    cr_expect_eq(round_trip(0, 0)->round_trips, 0);
}

Test(media, a_receiver_cannot_have_held_it_longer_than_it_took)
{
    cr_expect_eq(round_trip(0xaaaabbbb, 65536)->round_trips, 0);
}
