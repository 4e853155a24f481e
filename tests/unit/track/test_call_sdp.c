/* What an SDP's addresses are taken for: see rtpwatch/track/call_sdp.c. */
#include <criterion/criterion.h>

#include "track/track.h"

#define INVITE(cseq, sdp)                                                                                                        \
    "INVITE sip:fax@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@example.org>;tag=1\r\n"    \
    "To: <sip:fax@example.org>\r\nCall-ID: c1\r\nMax-Forwards: 70\r\nCSeq: " cseq " INVITE\r\n"                                  \
    "Content-Type: application/sdp\r\n\r\n" sdp
#define SDP "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static struct fault_log faults;
static struct track *track;

static void setup(void)
{
    track = track_new(&faults);
    cr_assert_not_null(track);
}

static void teardown(void)
{
    track_free(track);
}

static struct addr address(const char *ip, uint16_t port)
{
    struct addr a;

    cr_assert(addr_parse_ip(span_str(ip), port, &a));
    return a;
}

static void say(const char *message)
{
    static struct sip_msg m;
    static struct sdp sdp;
    struct datagram d = { .at = { 1, 1 }, .src = address("192.0.2.1", 5060), .dst = address("192.0.2.2", 5060) };
    struct faults why = { 0 };
    struct rd r = rd_init(span_str(message), strlen(message));
    struct span body;

    cr_assert_eq(sip_dissect(&r, false, &m, &why), DIS_OK);
    body = sip_sdp(&m, &why);
    r = rd_init(body, body.n);
    cr_assert_eq(sdp_dissect(&r, &sdp, &why), DIS_OK);
    track_sip(track, &d, &m, &sdp, body);
}

static bool advertised(const char *ip, uint16_t port)
{
    struct addr a = address(ip, port);
    struct socket *s = track_find_socket(track, &a);

    return s && s->advertised;
}

#define CAND(n) "a=candidate:" n " 1 udp 2130706431 192.0.2." n " 4000 typ srflx raddr 10.0.0." n " rport 4000\r\n"
#define ICE                                                                                                                      \
    "a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n" CAND("1") CAND("2") CAND("3") CAND("4") CAND("5") CAND("6")       \
        CAND("7") CAND("8")

/* 4 KiB for a live call with two streams, their flows and sockets among them. */
Test(call_sdp, a_call_with_eight_candidates_takes_less_than_3_kib, .init = setup, .fini = teardown)
{
    const struct call *c;

    say(INVITE("1",
               SDP "m=audio 4000 RTP/SAVPF 111 0 8 101\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n"
                   "a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:"
                   "CE:E6:0F\r\na=setup:actpass\r\n" ICE));
    c = track_call_at(track, 0);
    cr_assert_eq(c->sdps->cands, 8);
    cr_assert_lt(sizeof *c + c->arena.bytes, 3 * 1024);
}

Test(call_sdp, media_and_candidates_are_advertised, .init = setup, .fini = teardown)
{
    say(INVITE("1",
               SDP "m=audio 4000 RTP/AVP 0\r\na=candidate:1 1 UDP 1 198.51.100.7 4002 typ srflx raddr 192.0.2.1 rport 4000\r\n"));
    cr_assert(advertised("192.0.2.1", 4000));
    cr_assert(advertised("198.51.100.7", 4002));
    cr_assert(!advertised("192.0.2.1", 4002));
}

Test(call_sdp, fax_takes_over_the_port_of_the_audio, .init = setup, .fini = teardown)
{
    say(INVITE("1", SDP "m=audio 4000 RTP/AVP 0\r\n"));
    say(INVITE("2", SDP "m=image 4000 udptl t38\r\n"));
    cr_assert(!advertised("192.0.2.1", 4000), "UDPTL is no RTP: nothing there may be believed at its first packet");
    say(INVITE("3", SDP "m=audio 4000 RTP/AVP 0\r\n"));
    cr_assert(advertised("192.0.2.1", 4000));
}

Test(call_sdp, a_data_channel_shares_the_port_of_the_audio, .init = setup, .fini = teardown)
{
    say(INVITE("1", SDP "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\nm=application 4000 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    cr_assert(advertised("192.0.2.1", 4000));
}

static const struct media_desc *described(size_t m)
{
    return &track_call_at(track, 0)->sdps->media[m];
}

Test(call_sdp, fingerprint_and_setup, .init = setup, .fini = teardown)
{
    say(INVITE("1", SDP "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:SHA-256  AB:CD \r\na=setup:actpass\r\n"
                        "m=audio 4002 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:sha-1 AB\r\na=fingerprint:sha-256 CD\r\n"
                        "m=audio 4004 RTP/AVP 0\r\n"));
    cr_assert(described(0)->dtls && !described(0)->dtls->more_fingerprints);
    cr_assert_str_eq(described(0)->dtls->hash, "SHA-256");
    cr_assert_str_eq(described(0)->dtls->fingerprint, "AB:CD");
    cr_assert_str_eq(described(0)->dtls->setup, "actpass");
    cr_assert(described(1)->dtls->more_fingerprints && *described(1)->dtls->setup == '\0');
    cr_assert_null(described(2)->dtls);
}

/* What lists the same formats as the description before has them from there; what differs in anything has its own. */
Test(call_sdp, the_same_formats_again, .init = setup, .fini = teardown)
{
    const struct sdp_fact *f;

    say(INVITE("1", SDP "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 opus/48000/2\r\n"));
    say(INVITE("2", SDP "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 opus/48000/2\r\na=sendonly\r\n"));
    say(INVITE("3", SDP "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 opux/48000/2\r\n"));
    say(INVITE("4", SDP "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 opus/16000/2\r\n"));
    say(INVITE("5", SDP "m=audio 4000 RTP/AVP 0\r\n"));
    say(INVITE("6", SDP "m=audio 4000 RTP/AVP 96 0\r\na=rtpmap:96 opus/16000/2\r\n"));
    f = track_call_at(track, 0)->sdps;
    cr_assert_eq(f->next->media->formats, f->media->formats);
    cr_assert_eq(f->next->media->formats_n, 2);
    cr_assert_str_eq(f->next->media->codec, "PCMU");
    for (f = f->next; f->next; f = f->next)
        cr_assert_neq(f->next->media->formats, f->media->formats, "CSeq %u", f->next->cseq);
    cr_assert_str_eq(f->media->codec, "opus");
    cr_assert_eq(f->media->formats_n, 2);
}

/* A candidate that is a name keeps it; addresses keep none. */
Test(call_sdp, candidates_that_are_names, .init = setup, .fini = teardown)
{
    const struct sdp_fact *f;

    say(INVITE("1", SDP "m=audio 4000 RTP/AVP 0\r\na=candidate:1 1 UDP 1 192.0.2.9 4000 typ host\r\n"
                        "a=candidate:2 1 UDP 1 8e6e9ad2.local 4002 typ host\r\n"));
    say(INVITE("2", SDP "m=audio 4000 RTP/AVP 0\r\na=candidate:1 1 UDP 1 192.0.2.9 4000 typ host\r\n"));
    f = track_call_at(track, 0)->sdps;
    cr_assert_eq(f->cands, 2);
    cr_assert_str_empty(sdp_cand_host(f, 0));
    cr_assert_str_eq(sdp_cand_host(f, 1), "8e6e9ad2.local");
    cr_assert_null(f->next->cand_host);
    cr_assert_str_empty(sdp_cand_host(f->next, 0));
}
