/* sdp_rtp.c: how the RTP of an m-line is told apart (RFC 4588, RFC 5576, RFC 8285, RFC 9143). */
#include <criterion/criterion.h>
#include <stdio.h>

#include "dissectors/sdp.h"
#include "support/sweep.h"

#define SESSION "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define MID_URI "urn:ietf:params:rtp-hdrext:sdes:mid"

static const char bundled[] =
    SESSION "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63 0 13 126\r\na=mid:0\r\na=extmap:4 " MID_URI "\r\n"
            "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n"
            "a=fmtp:63 111/111\r\na=rtpmap:126 telephone-event/8000\r\na=ssrc:1000 cname:x\r\na=ssrc:1000 msid:a b\r\n"
            "m=video 0 UDP/TLS/RTP/SAVPF 96 97 116 117 35 125\r\na=mid:1\r\na=bundle-only\r\n"
            "a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\na=extmap:12/sendrecv " MID_URI "\r\n"
            "a=rtpmap:96 VP8/90000\r\na=fmtp:97 apt=96;rtx-time=3000\r\na=rtpmap:97 rtx/90000\r\na=rtpmap:116 red/90000\r\n"
            "a=rtpmap:117 ulpfec/90000\r\na=rtpmap:35 flexfec-03/90000\r\na=rtpmap:125 rtx/90000\r\na=fmtp:125 x=y; apt=116\r\n"
            "a=ssrc-group:FID 2000 2001\r\na=ssrc-group:FEC-FR 2000 2002\r\na=ssrc-group:SIM 2000 2003\r\n"
            "a=ssrc:2000 cname:x\r\na=ssrc:2001 cname:x\r\n";

static struct sdp out;
static struct faults why;

static enum dis dissect(const char *text)
{
    struct rd r = rd_init(span_str(text), strlen(text));

    memset(&why, 0, sizeof why);
    return sdp_dissect(&r, &out, &why);
}

static const struct sdp_media *section(const char *lines)
{
    static char text[4096];
    int n = snprintf(text, sizeof text, "%s%s", SESSION, lines);

    cr_assert(n > 0 && (size_t)n < sizeof text);
    cr_assert_eq(dissect(text), DIS_OK);
    cr_assert_eq(out.medias, 1);
    return &out.media[0];
}

static const struct sdp_format *format(const struct sdp_media *m, uint8_t pt)
{
    for (size_t i = 0; i < m->formats; i++)
        if (m->format[i].pt == pt)
            return &m->format[i];
    cr_assert(false, "no format %u", pt);
    return NULL;
}

Test(sdp_rtp, formats_have_roles)
{
    cr_assert_eq(dissect(bundled), DIS_OK);
    cr_expect_eq(why.n, 0);
    cr_expect_eq(format(&out.media[0], 111)->role, SDP_ROLE_MEDIA);
    cr_expect_eq(format(&out.media[0], 0)->role, SDP_ROLE_MEDIA);
    cr_expect_eq(format(&out.media[0], 63)->role, SDP_ROLE_RED);
    cr_expect_eq(format(&out.media[0], 13)->role, SDP_ROLE_NOISE, "a static type has its role without a=rtpmap");
    cr_expect_eq(format(&out.media[0], 126)->role, SDP_ROLE_DTMF);
    cr_expect_eq(format(&out.media[1], 96)->role, SDP_ROLE_MEDIA);
    cr_expect_eq(format(&out.media[1], 97)->role, SDP_ROLE_RTX);
    cr_expect_eq(format(&out.media[1], 117)->role, SDP_ROLE_FEC);
    cr_expect_eq(format(&out.media[1], 35)->role, SDP_ROLE_FEC);
}

Test(sdp_rtp, rtx_names_what_it_repeats)
{
    cr_assert_eq(dissect(bundled), DIS_OK);
    cr_expect_eq(format(&out.media[1], 97)->apt, 96, "a=fmtp may stand before a=rtpmap");
    cr_expect_eq(format(&out.media[1], 125)->apt, 116);
    cr_expect_eq(format(&out.media[1], 96)->apt, 96);
}

Test(sdp_rtp, ssrcs_are_kept_once)
{
    cr_assert_eq(dissect(bundled), DIS_OK);
    cr_assert_eq(out.media[0].ssrcs, 1);
    cr_expect_eq(out.media[0].ssrc[0].ssrc, 1000);
    cr_assert_eq(out.media[1].ssrcs, 4);
}

Test(sdp_rtp, groups_tell_what_repairs)
{
    const bool repair[] = { false, true, true, false };

    cr_assert_eq(dissect(bundled), DIS_OK);
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(out.media[1].ssrc[i].ssrc, 2000 + i);
        cr_expect_eq(out.media[1].ssrc[i].repair, repair[i], "%zu", i);
    }
}

Test(sdp_rtp, the_id_of_the_mid)
{
    cr_assert_eq(dissect(bundled), DIS_OK);
    cr_expect_eq(out.media[0].mid_ext, 4);
    cr_expect_eq(out.media[1].mid_ext, 12);
    cr_assert_eq(dissect(SESSION "a=extmap:7 " MID_URI "\r\nm=audio 9 RTP/AVP 0\r\n"), DIS_OK);
    cr_expect_eq(out.media[0].mid_ext, 7, "the session's");
    cr_expect_eq(section("m=audio 9 RTP/AVP 0\r\na=extmap:4096 " MID_URI "\r\n")->mid_ext, 0, "offered without a number yet");
    cr_expect_eq(why.n, 0);
}

Test(sdp_rtp, no_more_ssrcs_than_are_kept)
{
    char lines[4096] = "m=audio 9 RTP/AVP 0\r\n";
    size_t n = strlen(lines);

    for (unsigned i = 0; i < SDP_SSRCS_KEPT + 3; i++)
        n += (size_t)snprintf(lines + n, sizeof lines - n, "a=ssrc:%u cname:x\r\n", i);
    cr_expect_eq(section(lines)->ssrcs, SDP_SSRCS_KEPT);
    cr_assert_eq(why.n, 3);
    cr_expect_eq(why.v[0].id, FAULT_SDP_SSRC_COUNT);
}

Test(sdp_rtp, broken_lines_are_told)
{
    static const char *const broken[] = { "a=ssrc:4294967296 cname:x", "a=ssrc:abc",       "a=ssrc-group:FID 1 x",
                                          ("a=extmap:0 " MID_URI),     "a=extmap:x uri:y", "a=extmap:5",
                                          "a=fmtp:0 apt=128" };

    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char lines[256];

        snprintf(lines, sizeof lines, "m=audio 9 RTP/AVP 0\r\n%s\r\n", broken[i]);
        section(lines);
        cr_expect_eq(why.n, 1, "%s", broken[i]);
        cr_expect_eq(why.v[0].id, FAULT_SDP_FIELD, "%s", broken[i]);
    }
}

Test(sdp_rtp, what_names_no_listed_format_means_nothing)
{
    const struct sdp_media *m = section("m=audio 9 RTP/AVP 0\r\na=fmtp:97 apt=0\r\na=fmtp:t38 x=y\r\na=rtpmap:97 rtx/8000\r\n");

    cr_expect_eq(m->formats, 1);
    cr_expect_eq(m->format[0].role, SDP_ROLE_MEDIA);
    cr_expect_eq(why.n, 0);
}

static void swept(struct rd r, bool full, void *self)
{
    (void)full;
    (void)self;
    memset(&why, 0, sizeof why);
    sdp_dissect(&r, &out, &why);
    cr_assert(out.medias <= SDP_MEDIA_KEPT);
    for (size_t i = 0; i < out.medias; i++)
        cr_assert(out.media[i].ssrcs <= SDP_SSRCS_KEPT && out.media[i].formats <= SDP_FORMATS_KEPT);
}

Test(sdp_rtp, sweep)
{
    sweep(span_str(bundled), swept, NULL);
}
