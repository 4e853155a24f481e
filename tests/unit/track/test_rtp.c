/* rtp.c: stream records (RFC 3550 A.1, A.3, A.8). */
#include "messages.h"

TestSuite(stream, .init = setup, .fini = teardown);

enum { SSRC = 0x0eadbeef };

static void voices(uint32_t ssrc, const uint16_t *seq, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cr_assert(voice(ssrc, seq[i]));
}
#define VOICES(ssrc, ...)                                                                                                        \
    voices(ssrc, (const uint16_t[]){ __VA_ARGS__ }, sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t))

static size_t records(void)
{
    const struct stream *s;
    size_t n = 0;

    for (uint32_t i = flow_between(CALLER_MEDIA, CALLEE_MEDIA)->streams; (s = track_stream_at(t, i)) != NULL; i = s->next)
        n++;
    return n;
}

/* What all records of the flow say together. */
static uint64_t all_expected(void)
{
    const struct stream *s;
    uint64_t n = 0;

    for (uint32_t i = flow_between(CALLER_MEDIA, CALLEE_MEDIA)->streams; (s = track_stream_at(t, i)) != NULL; i = s->next)
        n += stream_expected(s);
    return n;
}

Test(stream, one_packet)
{
    struct stream *s;

    cr_assert(voice(SSRC, 7));
    s = newest_stream();
    cr_assert_eq(s->ssrc, SSRC);
    cr_assert_eq(s->pt, 0);
    cr_assert_eq(s->clock_hz, 8000);
    cr_assert_eq(s->packets.n, 1);
    cr_assert_eq(s->bytes, 172);
    cr_assert_eq(stream_expected(s), 1);
    cr_assert_eq(s->flow, flow_between(CALLER_MEDIA, CALLEE_MEDIA)->slot);
    cr_assert(flow_between(CALLER_MEDIA, CALLEE_MEDIA)->contains & FLOW_RTP);
    cr_assert_not(s->believed);
}

Test(stream, in_sequence)
{
    VOICES(SSRC, 1, 2, 3, 4, 5);
    cr_assert_eq(records(), 1);
    cr_assert_eq(newest_stream()->packets.n, 5);
    cr_assert_eq(stream_expected(newest_stream()), 5);
    cr_assert_eq(newest_stream()->longest_gap_ns, 20 * NS_PER_MS);
}

Test(stream, loss)
{
    VOICES(SSRC, 1, 2, 5, 10);
    cr_assert_eq(stream_expected(newest_stream()), 10);
    cr_assert_eq(newest_stream()->packets.n, 4);
    cr_assert_eq(newest_stream()->reordered, 0);
}

Test(stream, sequence_numbers_wrap)
{
    VOICES(SSRC, 65534, 65535, 0, 1);
    cr_assert_eq(stream_expected(newest_stream()), 4);
    cr_assert_eq(newest_stream()->reordered, 0);
    cr_assert_eq(newest_stream()->duplicated, 0);
    cr_assert_eq(records(), 1);
}

Test(stream, sequence_numbers_wrap_twice)
{
    for (uint32_t n = 0; n < 2 * 65536 + 10; n += 2000)
        cr_assert(voice(SSRC, (uint16_t)(60000 + n)));
    cr_assert_eq(stream_expected(newest_stream()), 65 * 2000 + 1);
}

Test(stream, reordered)
{
    VOICES(SSRC, 1, 2, 4, 3, 5);
    cr_assert_eq(newest_stream()->reordered, 1);
    cr_assert_eq(newest_stream()->packets.n, 5);
    cr_assert_eq(stream_expected(newest_stream()), 5);
}

Test(stream, reordered_around_the_wrap)
{
    VOICES(SSRC, 65534, 0, 65535, 1);
    cr_assert_eq(newest_stream()->reordered, 1);
    cr_assert_eq(stream_expected(newest_stream()), 4);
}

Test(stream, duplicates)
{
    VOICES(SSRC, 1, 2, 2, 2, 3);
    cr_assert_eq(newest_stream()->duplicated, 2);
    cr_assert_eq(newest_stream()->reordered, 0);
    cr_assert_eq(stream_expected(newest_stream()), 3);
    cr_assert_eq(newest_stream()->packets.n, 5);
}

/* The sender begins anew (RFC 3550 A.1): what it sent before it was sent all the same, and nothing between was lost. */
Test(stream, a_restart_forgets_nothing)
{
    VOICES(SSRC, 1, 2, 3, 4, 5, 30001, 30002, 30003, 30004, 30005);
    cr_assert_eq(all_expected(), 10, "%lu expected of 10 sent", (unsigned long)all_expected());
}

Test(stream, a_leap_back_is_a_restart_too)
{
    VOICES(SSRC, 40000, 40001, 40002, 1, 2, 3);
    cr_assert_eq(all_expected(), 6);
}

Test(stream, another_ssrc_is_another_record)
{
    VOICES(SSRC, 1, 2, 3);
    VOICES(99, 501, 502);
    cr_assert_eq(records(), 2);
    cr_assert_eq(newest_stream()->ssrc, 99);
    cr_assert_eq(newest_stream()->packets.n, 2);
    VOICES(SSRC, 4);
    cr_assert_eq(records(), 2, "the older one goes on");
    cr_assert_eq(newest_stream()->packets.n, 2);
    cr_assert_eq(track_stream_at(t, newest_stream()->next)->packets.n, 4);
    cr_assert_eq(stream_expected(track_stream_at(t, newest_stream()->next)), 4);
}

Test(stream, one_ssrc_on_two_flows)
{
    VOICES(SSRC, 1, 2);
    cr_assert(rtp_of(CALLER_MEDIA, "198.51.100.20:30000", SSRC, 3, 0));
    cr_assert_eq(newest_stream()->packets.n, 2);
    cr_assert_eq(track_stream_at(t, flow_between(CALLER_MEDIA, "198.51.100.20:30000")->streams)->packets.n, 1);
}

Test(stream, silence_begins_a_new_record)
{
    VOICES(SSRC, 1, 2, 3, 4);
    wait_ms(1980); /* and voice()'s 20: the pause is as long as is allowed */
    VOICES(SSRC, 5);
    cr_assert_eq(records(), 1);
    cr_assert_eq(newest_stream()->longest_gap_ns, TRACK_SILENCE_NS);
    wait_ms(1981);
    VOICES(SSRC, 200, 201);
    cr_assert_eq(records(), 2);
    cr_assert_eq(newest_stream()->packets.n, 2);
    cr_assert_eq(stream_expected(newest_stream()), 2, "what was not sent in the silence is not lost");
    cr_assert(newest_stream()->believed, "as its older record was");
    cr_assert_eq(track_stream_at(t, newest_stream()->next)->packets.n, 5);
}

Test(stream, a_new_agreement_begins_a_new_record)
{
    answered_call();
    VOICES(SSRC, 1, 2, 3);
    caller_says(sip_request(SIP_INVITE, 2, "a", "b"), audio("192.0.2.10:11000"));
    VOICES(SSRC, 4);
    cr_assert_eq(records(), 1, "an offer alone changes nothing");
    callee_says(sip_reply(200, SIP_INVITE, 2, "a", "b"), audio(CALLEE_MEDIA));
    VOICES(SSRC, 5, 6);
    cr_assert_eq(records(), 2);
    cr_assert_eq(newest_stream()->packets.n, 2);
    cr_assert(track_stream_at(t, newest_stream()->next)->closed);
    cr_assert_eq(track_stream_at(t, newest_stream()->next)->packets.n, 4);
}

Test(stream, the_first_agreement_splits_nothing)
{
    invite(1, CALLER_MEDIA);
    VOICES(SSRC, 1, 2);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    VOICES(SSRC, 3, 4);
    cr_assert_eq(records(), 1);
}

/* SPEC: each span of time is judged against the SDP in force then, also where a later call uses the same ports. */
Test(stream, a_later_call_on_the_same_ports_begins_a_new_record)
{
    struct sip_msg again = sip_request(SIP_INVITE, 1, "x", ""), ok = sip_reply(200, SIP_INVITE, 1, "x", "y");

    answered_call();
    VOICES(SSRC, 1, 2);
    caller_says(sip_request(SIP_BYE, 2, "a", "b"), NULL);
    again.call_id = ok.call_id = SPAN("another@192.0.2.10");
    caller_says(again, audio(CALLER_MEDIA));
    callee_says(ok, audio(CALLEE_MEDIA));
    VOICES(SSRC, 3, 4);
    cr_assert_eq(records(), 2);
    cr_assert_eq(newest_stream()->packets.n, 2);
}

/* ---- is it RTP at all? ---- */

Test(stream, unexpected_it_is_believed_when_in_sequence)
{
    for (uint16_t seq = 1; seq < TRACK_IN_SEQUENCE; seq++)
        cr_assert(voice(SSRC, seq));
    cr_assert_not(newest_stream()->believed);
    cr_assert(voice(SSRC, TRACK_IN_SEQUENCE));
    cr_assert(newest_stream()->believed, "%d packets in sequence", TRACK_IN_SEQUENCE);
}

Test(stream, out_of_sequence_it_is_not_believed)
{
    VOICES(SSRC, 1000, 5, 40000, 12, 12, 60000, 3, 30000, 10);
    cr_assert_not(newest_stream()->believed);
}

Test(stream, expected_at_either_end_it_is_believed_at_once)
{
    invite(1, CALLER_MEDIA);
    VOICES(SSRC, 1);
    cr_assert(newest_stream()->believed);
    cr_assert(rtp_of("203.0.113.5:7", CALLER_MEDIA, 5, 1, 0));
    cr_assert(track_stream_at(t, flow_between("203.0.113.5:7", CALLER_MEDIA)->streams)->believed);
}

Test(stream, expected_by_a_candidate)
{
    caller_says(sip_request(SIP_INVITE, 1, "a", ""), audio_ice("192.0.2.99:9", "abcd", "a password of 22 chars", CALLER_MEDIA));
    VOICES(SSRC, 1);
    cr_assert(newest_stream()->believed);
}

Test(stream, a_rejected_line_expects_nothing)
{
    caller_says(sip_request(SIP_INVITE, 1, "a", ""), audio("192.0.2.10:0"));
    cr_assert_null(socket_at("192.0.2.10:0"));
}

/* ---- payload ---- */

Test(stream, comfort_noise_is_counted_and_is_no_other_codec)
{
    VOICES(SSRC, 1, 2);
    cr_assert(rtp_of(CALLER_MEDIA, CALLEE_MEDIA, SSRC, 3, 13));
    VOICES(SSRC, 4);
    cr_assert_eq(newest_stream()->noise, 1);
    cr_assert_eq(newest_stream()->pt, 0);
    cr_assert_eq(newest_stream()->packets.n, 4);
}

Test(stream, the_latest_payload_type)
{
    VOICES(SSRC, 1);
    cr_assert(rtp_of(CALLER_MEDIA, CALLEE_MEDIA, SSRC, 2, 8));
    cr_assert_eq(newest_stream()->pt, 8);
    cr_assert_eq(records(), 1);
}

static void arrives_after(int64_t ms, uint16_t seq)
{
    wait_ms(ms);
    cr_assert(rtp_of(CALLER_MEDIA, CALLEE_MEDIA, SSRC, seq, 0));
}

/*
 * 8 kHz, a packet each 20 ms (160 units). Arrivals 0, 20, 45, 60, 75 ms are 0, 160, 360, 480, 600 units; against 0, 160, 320,
 * 480, 640 sent the transit times are 0, 0, 40, 0, -40, so |D| = 0, 40, 40, 40. A.8 in 16ths, J += |D| - (J + 8) / 16:
 * 0, 40, 40 + 40 - 3 = 77, 77 + 40 - 5 = 112.
 */
Test(stream, jitter_by_hand)
{
    arrives_after(0, 0);
    arrives_after(20, 1);
    cr_assert_eq(newest_stream()->jitter_x16, 0);
    arrives_after(25, 2);
    cr_assert_eq(newest_stream()->jitter_x16, 40);
    arrives_after(15, 3);
    cr_assert_eq(newest_stream()->jitter_x16, 77);
    arrives_after(15, 4);
    cr_assert_eq(newest_stream()->jitter_x16, 112);
}

Test(stream, no_jitter_without_a_clock)
{
    for (uint16_t seq = 0; seq < 5; seq++) {
        wait_ms(seq * 10);
        cr_assert(rtp_of(CALLER_MEDIA, CALLEE_MEDIA, SSRC, seq, 96));
    }
    cr_assert_eq(newest_stream()->clock_hz, 0);
    cr_assert_eq(newest_stream()->jitter_x16, 0);
}

/* ---- caps ---- */

Test(stream, too_many_ssrcs_are_no_rtp)
{
    for (uint32_t ssrc = 1; ssrc <= TRACK_STREAMS_PER_FLOW; ssrc++)
        cr_assert(rtp_of(CALLER_MEDIA, CALLEE_MEDIA, ssrc, 1, 0));
    cr_assert_not(rtp_of(CALLER_MEDIA, CALLEE_MEDIA, 9999, 1, 0));
    cr_assert_eq(records(), TRACK_STREAMS_PER_FLOW);
    cr_assert(rtp_of(CALLER_MEDIA, CALLEE_MEDIA, 1, 2, 0), "those that are known go on");
    wait_ms(3000);
    cr_assert(rtp_of(CALLER_MEDIA, CALLEE_MEDIA, 1, 3, 0), "behind a pause too");
    cr_assert_eq(records(), TRACK_STREAMS_PER_FLOW);
    cr_assert(rtp_of(CALLER_MEDIA, "198.51.100.20:30000", 9999, 1, 0), "the cap is the flow's");
}

/* Ports that one call after another uses, voice that pauses: a minute later it is another matter. */
Test(stream, one_after_another_they_are_rtp)
{
    for (uint32_t ssrc = 1; ssrc <= 10 * TRACK_STREAMS_PER_FLOW; ssrc++) {
        wait_ms(1000);
        cr_assert(rtp_of(CALLER_MEDIA, CALLEE_MEDIA, ssrc, 1, 0), "%u", ssrc);
    }
    cr_assert_eq(records(), 10 * TRACK_STREAMS_PER_FLOW);
    for (uint32_t ssrc = 1; ssrc < TRACK_STREAMS_PER_FLOW; ssrc++)
        (void)rtp_of(CALLER_MEDIA, CALLEE_MEDIA, 5000 + ssrc, 1, 0);
    cr_assert_not(rtp_of(CALLER_MEDIA, CALLEE_MEDIA, 9999, 1, 0));
}

Test(stream, a_full_table)
{
    t->streams.cap = 1;
    cr_assert(voice(1, 1));
    cr_assert_not(voice(2, 1));
    cr_assert_eq(faults.count[FAULT_STREAM_TABLE_FULL], 1);
    cr_assert(voice(1, 2));
    cr_assert_eq(newest_stream()->packets.n, 2);
}
