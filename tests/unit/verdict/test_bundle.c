/* Audio and video on one pair of addresses (RFC 9143): each m-line is judged by its own streams. */
#include <criterion/criterion.h>

#include "support/story.h"

enum { PT_VOICE = 0, PT_VIDEO = 96, PT_RTX = 97, MID_EXT = 4 };
enum { D_VOICE = 1, W_VOICE = 2, D_VIDEO = 3, W_VIDEO = 4, W_RTX = 5 };
enum { AUDIO, VIDEO };

/* ---- what they say ---- */

static void video_add(struct sdp *sdp)
{
    struct sdp_media *m = &sdp->media[VIDEO];

    sdp->medias = 2;
    sdp->media[AUDIO].mid = SPAN("0");
    sdp->media[AUDIO].rtcp_mux = true;
    *m = (struct sdp_media){ .kind = SDP_VIDEO, .mid = SPAN("1"), .rtcp_mux = true, .mid_ext = MID_EXT, .formats = 2 };
    m->ufrag = sdp->media[AUDIO].ufrag;
    m->pwd = sdp->media[AUDIO].pwd;
    m->format[0] = (struct sdp_format){ .pt = PT_VIDEO, .encoding = SPAN("VP8"), .clock_hz = 90000, .apt = PT_VIDEO };
    m->format[1] =
        (struct sdp_format){ .pt = PT_RTX, .encoding = SPAN("rtx"), .clock_hz = 90000, .apt = PT_VIDEO, .role = SDP_ROLE_RTX };
    m->addr = addr_with_port(ADDR_NONE, 0);
}

/* Offered for the bundle alone: port 0 (RFC 9143 §6). */
static void offers_video(struct sdp *sdp)
{
    video_add(sdp);
    sdp->bundle = SPAN("0 1");
    sdp->media[VIDEO].bundle_only = true;
}

/* As browsers answer: another m-line's address, port 9. */
static void answers_video(struct sdp *sdp)
{
    video_add(sdp);
    sdp->bundle = SPAN("0 1");
    cr_assert(addr_parse(SPAN("0.0.0.0:9"), &sdp->media[VIDEO].addr));
    sdp->media[VIDEO].port = 9;
}

static void answers_without_bundle(struct sdp *sdp)
{
    answers_video(sdp);
    sdp->bundle = SPAN_NONE;
}

static void rejects_video(struct sdp *sdp)
{
    answers_video(sdp);
    sdp->media[VIDEO].port = 0;
    sdp->media[VIDEO].addr.port = 0;
}

/* Video has the audio's payload type: SSRC and mid must tell. */
static void same_payload_type(struct sdp *sdp)
{
    answers_video(sdp);
    sdp->media[VIDEO].kind = SDP_AUDIO;
    sdp->media[VIDEO].format[0].pt = PT_VOICE;
}

static void same_payload_type_and_ssrc(struct sdp *sdp)
{
    same_payload_type(sdp);
    sdp->media[VIDEO].ssrc[sdp->media[VIDEO].ssrcs++] = (struct sdp_ssrc){ W_VIDEO, false };
}

/* ---- a call ---- */

static struct story *a_call(void (*offer)(struct sdp *), void (*answer)(struct sdp *))
{
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    story_up(s, SAYS(D_RTP_OUT, .more = offer), SAYS(W_RTP, .more = answer));
    return s;
}

static struct act *video(struct story *s, const char *from, const char *to, uint32_t ssrc)
{
    struct act *a = story_play(s, from, to, ssrc);

    a->pt = PT_VIDEO;
    return a;
}

static void voices(struct story *s)
{
    story_play(s, D_RTP, W_RTP, D_VOICE);
    story_play(s, W_RTP, D_RTP, W_VOICE);
}

static void hang_up_after(struct story *s, unsigned seconds)
{
    story_pass(s, seconds * 1000);
    story_bye(s, CALLER);
}

static const struct direction_finding *direction(const struct story *s, uint8_t media, enum party from)
{
    for (size_t i = 0; i < s->found->directions_n; i++)
        if (s->found->direction[i].media == media && s->found->direction[i].from == from)
            return &s->found->direction[i];
    cr_assert(false, "there is no such direction");
    return NULL;
}

static void expect(const struct story *s, uint8_t media, enum party from, enum dir_verdict want)
{
    const struct direction_finding *d = direction(s, media, from);

    cr_expect_eq(d->verdict, want, "m-line %u from %s is %s (%s)", media, from == CALLER ? "caller" : "callee",
                 dir_verdict_word(d->verdict), d->why);
}

/* So many packets arrived; one more may come between the BYE and its answer. */
static void arrived(const struct story *s, uint8_t media, uint64_t n)
{
    uint64_t got = direction(s, media, CALLEE)->received;

    cr_expect(got == n || got == n + 1, "m-line %u: %llu packets, expected %llu", media, (unsigned long long)got,
              (unsigned long long)n);
}

/* ---- stories ---- */

Test(bundle, both_kinds_flow)
{
    struct story *s = a_call(offers_video, answers_video);

    voices(s);
    video(s, D_RTP, W_RTP, D_VIDEO);
    video(s, W_RTP, D_RTP, W_VIDEO)->every_ms = 40;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    for (uint8_t m = AUDIO; m <= VIDEO; m++)
        for (enum party p = CALLER; p < PARTIES; p++)
            expect(s, m, p, DIR_RECEIVED);
    arrived(s, AUDIO, 1000);
    arrived(s, VIDEO, 500);
    cr_expect_str_eq(direction(s, VIDEO, CALLEE)->codec, "VP8");
    story_free(s);
}

/* Its camera is off: the audio shows that the path works. */
Test(bundle, the_webphone_sends_no_video)
{
    struct story *s = a_call(offers_video, answers_video);

    voices(s);
    video(s, D_RTP, W_RTP, D_VIDEO);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    expect(s, AUDIO, CALLEE, DIR_RECEIVED);
    expect(s, VIDEO, CALLEE, DIR_NOT_SENT);
    cr_expect_eq(direction(s, VIDEO, CALLEE)->cause, CAUSE_MUTED);
    story_free(s);
}

/* Nothing of either kind comes. */
Test(bundle, a_firewall_keeps_the_webphones_media_out)
{
    struct story *s = a_call(offers_video, answers_video);

    story_play(s, D_RTP, W_RTP, D_VOICE);
    video(s, D_RTP, W_RTP, D_VIDEO);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED);
    expect(s, AUDIO, CALLEE, DIR_NOT_RECEIVED);
    expect(s, VIDEO, CALLEE, DIR_UNKNOWN);
    story_free(s);
}

/* The sender report of the video must not be taken for the audio's. */
Test(bundle, the_webphone_mutes_its_audio_and_sends_video)
{
    struct story *s = a_call(offers_video, answers_video);

    story_play(s, D_RTP, W_RTP, D_VOICE);
    video(s, W_RTP, D_RTP, W_VIDEO);
    story_report(s, W_RTP, D_RTP, W_VIDEO, D_VOICE);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    expect(s, AUDIO, CALLEE, DIR_NOT_SENT);
    expect(s, VIDEO, CALLEE, DIR_RECEIVED);
    story_free(s);
}

Test(bundle, the_video_stops_and_the_audio_goes_on)
{
    struct story *s = a_call(offers_video, answers_video);
    struct act *camera;

    voices(s);
    camera = video(s, W_RTP, D_RTP, W_VIDEO);
    story_pass(s, 10 * 1000);
    camera->over = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    expect(s, VIDEO, CALLEE, DIR_RECEIVED);
    story_free(s);
}

Test(bundle, both_stop)
{
    struct story *s = a_call(offers_video, answers_video);

    story_play(s, D_RTP, W_RTP, D_VOICE);
    story_play(s, W_RTP, D_RTP, W_VOICE);
    video(s, W_RTP, D_RTP, W_VIDEO);
    story_pass(s, 10 * 1000);
    s->act[1].over = s->act[2].over = true;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PEER_GONE, .least = CONFIDENCE_LIKELY);
    expect(s, AUDIO, CALLEE, DIR_NOT_RECEIVED);
    story_free(s);
}

Test(bundle, the_receiver_reports_both)
{
    struct story *s = a_call(offers_video, answers_video);

    voices(s);
    video(s, D_RTP, W_RTP, D_VIDEO);
    story_report(s, W_RTP, D_RTP, W_VOICE, D_VOICE);
    story_report(s, W_RTP, D_RTP, W_VIDEO, D_VIDEO);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    expect(s, VIDEO, CALLER, DIR_RECEIVED);
    story_free(s);
}

/* It hears the audio on the same path: no address and no firewall is at fault. */
Test(bundle, the_receiver_never_reports_the_video)
{
    struct story *s = a_call(offers_video, answers_video);

    voices(s);
    video(s, D_RTP, W_RTP, D_VIDEO);
    story_report(s, W_RTP, D_RTP, W_VOICE, D_VOICE);
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_UNKNOWN);
    expect(s, AUDIO, CALLER, DIR_RECEIVED);
    expect(s, VIDEO, CALLER, DIR_NOT_RECEIVED);
    story_free(s);
}

Test(bundle, retransmissions_are_no_video)
{
    struct story *s = a_call(offers_video, answers_video);

    voices(s);
    video(s, W_RTP, D_RTP, W_VIDEO);
    story_play(s, W_RTP, D_RTP, W_RTX)->pt = PT_RTX;
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    arrived(s, VIDEO, 500);
    arrived(s, AUDIO, 500);
    story_free(s);
}

Test(bundle, told_apart_by_ssrc)
{
    struct story *s = a_call(same_payload_type, same_payload_type_and_ssrc);

    voices(s);
    story_play(s, W_RTP, D_RTP, W_VIDEO)->every_ms = 40;
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    arrived(s, AUDIO, 1000);
    arrived(s, VIDEO, 500);
    story_free(s);
}

Test(bundle, told_apart_by_mid)
{
    struct story *s = a_call(same_payload_type, same_payload_type);
    struct act *a;

    voices(s);
    a = story_play(s, W_RTP, D_RTP, W_VIDEO);
    a->every_ms = 40;
    a->mid_ext = MID_EXT;
    a->mid = "1";
    hang_up_after(s, 20);
    EXPECT(s, .verdict = VERDICT_OK);
    arrived(s, AUDIO, 1000);
    arrived(s, VIDEO, 500);
    story_free(s);
}

Test(bundle, the_video_is_rejected)
{
    struct story *s = a_call(offers_video, rejects_video);

    voices(s);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    expect(s, VIDEO, CALLER, DIR_NOT_EXPECTED);
    expect(s, VIDEO, CALLEE, DIR_NOT_EXPECTED);
    story_free(s);
}

/* A bundle-only m-line has no address of its own. */
Test(bundle, the_answer_knows_no_bundle)
{
    struct story *s = a_call(offers_video, answers_without_bundle);

    voices(s);
    hang_up_after(s, 10);
    EXPECT(s, .verdict = VERDICT_OK);
    expect(s, VIDEO, CALLER, DIR_NOT_EXPECTED);
    expect(s, VIDEO, CALLEE, DIR_NOT_EXPECTED);
    story_free(s);
}

/* What a bundled m-line says of its own address is in no list of candidates. */
Test(bundle, its_own_address_is_no_candidate)
{
    struct story *s = a_call(offers_video, answers_video);

    voices(s);
    hang_up_after(s, 10);
    story_judge(s, 0);
    for (size_t i = 0; i < s->found->candidates_n; i++)
        cr_expect_eq(s->found->candidate[i].media, AUDIO);
    story_free(s);
}
