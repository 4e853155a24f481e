/* DTLS: the certificate against the SDP, and all that only looks like a handshake that failed (SPEC §4). */
#include "unit/verdict/dtls_calls.h"
#include "verdict/unsignalled.h"

/* ---- certificate and fingerprint ---- */

Test(dtls, the_certificate_is_another)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_SERVER, "an old certificate");
    ends_as_failed(s, CONFIDENCE_PROVEN);
    cr_expect(is_told(s, "sdp", "names a certificate") && is_told(s, "dtls", "shows another certificate"));
    story_free(s);
}

/* It is refused after the handshake, as it seems: no media follows. */
Test(dtls, the_certificate_is_another_and_it_finishes)
{
    struct story *s = connected();

    story_handshake(s, D_RTP, W_RTP, D_CERT, "an old certificate");
    ends_as_failed(s, CONFIDENCE_LIKELY);
    story_free(s);
}

Test(dtls, the_certificate_is_another_and_media_flows)
{
    struct story *s = connected();

    story_handshake(s, D_RTP, W_RTP, D_CERT, "an old certificate");
    talk(s);
    hang_up(s);
    EXPECT(s, .verdict = VERDICT_OK);
    story_free(s);
}

/* One of those that were not kept may be it (RFC 8122 §5). */
Test(dtls, the_certificate_is_one_of_several)
{
    struct says w = w_says(), d = d_says();
    struct story *s;

    w.more_fingerprints = true;
    s = connected_as(&w, &d);
    story_handshake(s, D_RTP, W_RTP, D_CERT, "an old certificate");
    ends_otherwise(s);
}

/* A re-INVITE brought another certificate; the one that was shown is that of the description before. */
Test(dtls, the_certificate_is_that_of_the_description_before)
{
    struct says w = w_says(), d = d_says();
    struct story *s = connected();

    story_handshake(s, D_RTP, W_RTP, D_CERT, W_CERT);
    w.fingerprint = story_fingerprint("a new certificate");
    story_reinvite(s, CALLER, &w, &d);
    ends_otherwise(s);
}

static void fingerprint_tells_nothing(const char *fingerprint)
{
    struct says w = w_says(), d = d_says();
    struct story *s;

    w.fingerprint = fingerprint;
    s = connected_as(&w, &d);
    story_handshake(s, D_RTP, W_RTP, D_CERT, W_CERT);
    ends_otherwise(s);
}

Test(dtls, the_fingerprint_is_cut_short)
{
    fingerprint_tells_nothing("sha-256 00:11:22");
}

Test(dtls, the_hash_is_not_known)
{
    fingerprint_tells_nothing("md2 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF");
}

/* ---- ended at once ---- */

Test(dtls, ended_as_soon_as_it_finished)
{
    struct story *s = connected();

    story_handshake(s, D_RTP, W_RTP, D_CERT, W_CERT);
    DTLS(s, W_RTP, D_RTP, FLIGHT_ALERT_ENCRYPTED);
    ends_as_failed(s, CONFIDENCE_SUSPECTED);
    story_free(s);
}

/* Whatever it is about, it is no longer about the handshake. */
Test(dtls, ended_later)
{
    struct story *s = connected();

    story_handshake(s, D_RTP, W_RTP, D_CERT, W_CERT);
    story_pass(s, 4000);
    DTLS(s, W_RTP, D_RTP, FLIGHT_ALERT_ENCRYPTED);
    ends_otherwise(s);
}

Test(dtls, ended_with_the_call)
{
    struct story *s = connected();

    story_handshake(s, D_RTP, W_RTP, D_CERT, W_CERT);
    story_pass(s, 6000);
    DTLS(s, W_RTP, D_RTP, FLIGHT_ALERT_ENCRYPTED);
    story_bye(s, CALLER);
    is_no_dtls_failure(s);
}

/* ---- what holds it back ---- */

Test(dtls, held_back_by_drops)
{
    struct story *s = connected();

    s->options.dropped = true;
    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    ends_otherwise(s);
}

Test(dtls, held_back_by_the_snap_length)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_SERVER, .cut = true);
    ends_otherwise(s);
}

Test(dtls, began_before_the_capture)
{
    struct story *s = connected();

    again(s, W_RTP, D_RTP, FLIGHT_SERVER);
    ends_otherwise(s);
}

/* Whatever was before: it may have finished, and this be the beginning of something else. */
Test(dtls, began_before_the_capture_and_begins_anew)
{
    struct story *s = connected();

    DTLS(s, W_RTP, D_RTP, FLIGHT_FINISHED);
    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    ends_otherwise(s);
}

/* What the webphone sends takes another way: the client goes on as if it had been answered. */
Test(dtls, one_direction_is_not_captured)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    again(s, D_RTP, W_RTP, FLIGHT_CLIENT);
    ends_otherwise(s);
}

Test(dtls, the_call_ends_before_it_could_finish)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    story_pass(s, 1500);
    story_bye(s, CALLER);
    is_no_dtls_failure(s);
}

Test(dtls, media_flows_one_way_although_it_never_finished)
{
    struct story *s = connected();

    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    story_play(s, W_RTP, D_RTP, 2);
    ends_otherwise(s);
}

Test(dtls, reports_flow_although_it_was_not_seen_to_finish)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    story_report(s, W_RTP, D_RTP, 2, 0)->srtcp = true;
    ends_otherwise(s);
}

Test(dtls, nothing_is_expected)
{
    struct says w = w_says(), d = d_says();
    struct story *s;

    w.dir = d.dir = SDP_INACTIVE;
    s = connected_as(&w, &d);
    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    hang_up(s);
    EXPECT(s, .verdict = VERDICT_NOT_EXPECTED);
    story_free(s);
}

/* The server of D's candidate lied and ICE went another way: that DTLS fails is not its doing. */
Test(dtls, a_lying_server_is_not_to_blame)
{
    struct says w = w_says(), d = d_says();
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = STRANGER ":10000" });
    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    d.cand[1].type = SDP_CAND_SRFLX;
    d.cand[1].addr = STRANGER ":10000";
    d.cand[1].base = D_RTP;
    webphone_calls(s, &w, &d);
    connect(s);
    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    hang_up(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_DTLS_FAILED, .least = CONFIDENCE_LIKELY, .warned = LIAR);
    story_free(s);
}

/* D's socket serves other calls too, and one of those is refused: it has its own checks. */
Test(dtls, another_session_of_the_same_socket_is_refused)
{
    struct story *s = connected();

    story_handshake(s, D_RTP, W_RTP, D_CERT, W_CERT);
    story_checks(s, W_ELSE, D_RTP, "dfrag:another", W_ELSE);
    story_pass(s, 500);
    DTLS(s, D_RTP, W_ELSE, FLIGHT_CLIENT_HELLO, .attempt = 3);
    DTLS(s, W_ELSE, D_RTP, FLIGHT_ALERT, .alert = 40);
    ends_otherwise(s);
}

/* ... and does not speak for this one either. */
Test(dtls, another_session_of_the_same_socket_finishes)
{
    struct story *s = connected();

    story_checks(s, W_ELSE, D_RTP, "dfrag:another", W_ELSE);
    story_pass(s, 500);
    story_handshake(s, D_RTP, W_ELSE, D_CERT, W_CERT);
    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    ends_as_failed(s, CONFIDENCE_LIKELY);
    story_free(s);
}

/* Nobody's checks run there: it may be this call's, and so nothing is said. */
Test(dtls, dtls_on_a_pair_without_checks)
{
    struct story *s = connected();

    story_handshake(s, D_RTP, W_ELSE, D_CERT, W_CERT);
    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    ends_otherwise(s);
}

/* ---- without signalling ---- */

static struct story *without_signalling(void)
{
    struct story *s = story_new(D_HOST);

    connect(s);
    return s;
}

/* The one ICE session that no SDP tells of: is it a DTLS failure? */
static bool unsignalled_fails(struct story *s)
{
    struct unsignalled u;
    bool fails;

    story_pass(s, 5000);
    view_make(&s->view, s->track, &s->options, s->now_ns);
    unsignalled_make(&u, &s->view);
    cr_assert_eq(u.calls.used, 1);
    judge_call(&s->view, pool_at(&u.calls, 0), s->found);
    fails = s->found->verdict == VERDICT_SETUP_FAILED && s->found->cause == CAUSE_DTLS_FAILED;
    cr_expect(fails || !verdict_is_failure(s->found->verdict));
    unsignalled_done(&u);
    return fails;
}

Test(dtls, never_answered_without_signalling)
{
    struct story *s = without_signalling();

    again(s, W_RTP, D_RTP, FLIGHT_CLIENT_HELLO);
    cr_expect(unsignalled_fails(s));
    story_free(s);
}

/* A data channel, say: nothing tells that media is expected. */
Test(dtls, finishes_without_signalling)
{
    struct story *s = without_signalling();

    story_handshake(s, W_RTP, D_RTP, NULL, D_CERT);
    cr_expect(!unsignalled_fails(s));
    story_free(s);
}

Test(dtls, never_begun_without_signalling)
{
    struct story *s = without_signalling();

    cr_expect(!unsignalled_fails(s));
    story_free(s);
}
