/* DTLS on pairs that ICE connected, and without ICE: handshakes that fail, and all that only looks like it (SPEC §4). */
#include <criterion/criterion.h>

#include "support/story.h"
#include "verdict/unsignalled.h"

#define TO_W   "wfrag:dfrag"
#define TO_D   "dfrag:wfrag"
#define D_CERT "the dialer's certificate"
#define W_CERT "the webphone's certificate"
#define W_ELSE W_OUT ":41000"

enum { RETRIES = 5, RETRY_MS = 900 };

/* W calls and D answers, so D is the DTLS client (RFC 8842 §5.3). A test changes what it needs before the call. */
static struct says w_says(void)
{
    return (struct says){ .rtp = W_RTP,
                          .ufrag = "wfrag",
                          .cand = { { SDP_CAND_SRFLX, W_RTP, NULL } },
                          .fingerprint = story_fingerprint(W_CERT),
                          .setup = "actpass" };
}

static struct says d_says(void)
{
    return (struct says){ .rtp = D_RTP,
                          .ufrag = "dfrag",
                          .cand = { { SDP_CAND_HOST, D_RTP, NULL } },
                          .fingerprint = story_fingerprint(D_CERT),
                          .setup = "active" };
}

static void webphone_calls(struct story *s, const struct says *w, const struct says *d)
{
    story_call(s, "call-1@webphone", PROXY ":5060", D_HOST ":5060");
    story_up(s, w, d);
}

/* ICE connects at once, and its checks go on. */
static void connect(struct story *s)
{
    story_checks(s, D_RTP, W_RTP, TO_W, D_RTP_OUT);
    story_checks(s, W_RTP, D_RTP, TO_D, W_RTP)->nominates = true;
    story_pass(s, 600);
}

static struct story *connected_as(const struct says *w, const struct says *d)
{
    struct story *s = story_new(D_HOST);

    webphone_calls(s, w, d);
    connect(s);
    return s;
}

static struct story *connected(void)
{
    struct says w = w_says(), d = d_says();

    return connected_as(&w, &d);
}

static struct story *without_ice(void)
{
    struct story *s = story_new(D_HOST);

    webphone_calls(s, SAYS(W_RTP, .fingerprint = story_fingerprint(W_CERT)),
                   SAYS(D_RTP, .fingerprint = story_fingerprint(D_CERT)));
    return s;
}

static void again(struct story *s, const char *from, const char *to, enum flight flight)
{
    for (unsigned i = 0; i < RETRIES; i++) {
        DTLS(s, from, to, flight);
        story_pass(s, RETRY_MS);
    }
}

/* Each sends its flight, and neither gets further. */
static void both_again(struct story *s, struct says_dtls d, struct says_dtls w)
{
    for (unsigned i = 0; i < RETRIES; i++) {
        story_dtls(s, &d);
        story_dtls(s, &w);
        story_pass(s, RETRY_MS);
    }
}
#define D_SENDS(...) ((struct says_dtls){ .from = D_RTP, W_RTP, __VA_ARGS__ })
#define W_SENDS(...) ((struct says_dtls){ .from = W_RTP, D_RTP, __VA_ARGS__ })

static void hang_up(struct story *s)
{
    story_pass(s, 5000);
    story_bye(s, CALLER);
}

static void talk(struct story *s)
{
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 5000);
}

static bool is_told(const struct story *s, const char *kind, const char *part)
{
    for (size_t i = 0; i < s->found->evidence_n; i++)
        if (strcmp(s->found->evidence[i].kind, kind) == 0 && strstr(s->found->evidence[i].text, part))
            return true;
    return false;
}

static void ends_as_failed(struct story *s, enum confidence how)
{
    hang_up(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_DTLS_FAILED, .least = how, .most = how);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_SENT);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_SENT);
}

/* Whatever else is said of it. */
static void is_no_dtls_failure(struct story *s)
{
    story_judge(s, 0);
    cr_expect_neq(s->found->cause, CAUSE_DTLS_FAILED);
    cr_expect_neq(s->found->verdict, VERDICT_SETUP_FAILED);
    story_free(s);
}

static void ends_otherwise(struct story *s)
{
    hang_up(s);
    is_no_dtls_failure(s);
}

/* ---- it goes well ---- */

Test(dtls, finishes)
{
    struct story *s = connected();

    story_handshake(s, D_RTP, W_RTP, D_CERT, W_CERT);
    talk(s);
    hang_up(s);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect(s->found->dtls.seen && s->found->dtls.completed && s->found->dtls.client == CALLEE);
    cr_expect(s->found->dtls.version == DTLS_1_2 && s->found->dtls.profile == 1 && s->found->dtls.retransmissions == 0);
    story_free(s);
}

Test(dtls, finishes_after_retransmissions)
{
    struct story *s = connected();

    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    story_handshake(s, D_RTP, W_RTP, D_CERT, W_CERT);
    talk(s);
    hang_up(s);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_eq(s->found->dtls.retransmissions, RETRIES);
    story_free(s);
}

/* The microphone is missing: DTLS did its part. */
Test(dtls, finishes_and_nobody_sends)
{
    struct story *s = connected();

    story_handshake(s, D_RTP, W_RTP, D_CERT, W_CERT);
    ends_otherwise(s);
}

/* ICE changes the pair in the midst of it: seen apart, neither pair's handshake ever finishes. */
Test(dtls, finishes_on_another_pair)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_ELSE, FLIGHT_CLIENT_HELLO);
    story_pass(s, 500);
    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_SERVER, W_CERT);
    DTLS(s, D_RTP, W_ELSE, FLIGHT_CLIENT, D_CERT);
    DTLS(s, W_RTP, D_RTP, FLIGHT_FINISHED);
    ends_otherwise(s);
}

Test(dtls, finishes_at_the_second_attempt)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_ALERT, .alert = 40);
    story_pass(s, 500);
    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO, .attempt = 1);
    DTLS(s, W_RTP, D_RTP, FLIGHT_SERVER, W_CERT);
    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT, D_CERT);
    DTLS(s, W_RTP, D_RTP, FLIGHT_FINISHED);
    ends_otherwise(s);
}

/* ---- it gets stuck ---- */

Test(dtls, the_client_hello_is_never_answered)
{
    struct story *s = connected();

    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    ends_as_failed(s, CONFIDENCE_LIKELY);
    cr_expect(is_told(s, "dtls", "ClientHello 5 times") && is_told(s, "dtls", "never answers"));
    cr_expect(is_told(s, "check", "so the path works"));
    story_free(s);
}

/* Without ICE nothing says that the path works: that nobody answers may be the path's failure as well. */
Test(dtls, the_client_hello_is_never_answered_and_there_is_no_ice)
{
    struct story *s = without_ice();

    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    ends_otherwise(s);
}

/* ICE connected, and then nothing more came: no more than suspected. */
Test(dtls, the_client_hello_is_never_answered_and_the_checks_end)
{
    struct story *s = connected();

    story_hush(s);
    again(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    ends_as_failed(s, CONFIDENCE_SUSPECTED);
    story_free(s);
}

Test(dtls, the_server_is_not_heard)
{
    struct story *s = connected();

    both_again(s, D_SENDS(FLIGHT_CLIENT_HELLO), W_SENDS(FLIGHT_SERVER, W_CERT, .size = 1300));
    ends_as_failed(s, CONFIDENCE_LIKELY);
    cr_expect(is_told(s, "dtls", "as if it heard nothing"));
    cr_expect(!is_told(s, "dtls", "MTU"), "it does arrive at the host");
    story_free(s);
}

Test(dtls, the_last_flight_is_never_confirmed)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    both_again(s, W_SENDS(FLIGHT_SERVER, W_CERT), D_SENDS(FLIGHT_CLIENT, D_CERT, .size = 1400));
    ends_as_failed(s, CONFIDENCE_LIKELY);
    cr_expect(is_told(s, "dtls", "never confirms it and repeats its own"));
    cr_expect(is_told(s, "dtls", "MTU"));
    story_free(s);
}

Test(dtls, small_flights_are_no_matter_of_the_mtu)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    both_again(s, W_SENDS(FLIGHT_SERVER, W_CERT), D_SENDS(FLIGHT_CLIENT, D_CERT, .size = 700));
    ends_as_failed(s, CONFIDENCE_LIKELY);
    cr_expect(!is_told(s, "dtls", "MTU"));
    story_free(s);
}

Test(dtls, the_client_never_goes_on)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    again(s, W_RTP, D_RTP, FLIGHT_SERVER);
    ends_as_failed(s, CONFIDENCE_LIKELY);
    cr_expect(is_told(s, "dtls", "never goes on"));
    story_free(s);
}

Test(dtls, stuck_without_ice)
{
    struct story *s = without_ice();

    both_again(s, D_SENDS(FLIGHT_CLIENT_HELLO), W_SENDS(FLIGHT_SERVER, W_CERT));
    ends_as_failed(s, CONFIDENCE_LIKELY);
    story_free(s);
}

Test(dtls, an_alert_breaks_it_off)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_ALERT, .alert = 40);
    ends_as_failed(s, CONFIDENCE_PROVEN);
    cr_expect(is_told(s, "dtls", "a fatal alert: handshake_failure (40)"));
    cr_expect(s->found->dtls.alert_at.frame && s->found->dtls.alert_by == CALLER && s->found->dtls.alert == 40);
    story_free(s);
}

/* ---- who begins ---- */

Test(dtls, both_are_clients)
{
    struct says w = w_says(), d = d_says();
    struct story *s;

    w.setup = "active";
    s = connected_as(&w, &d);
    both_again(s, D_SENDS(FLIGHT_CLIENT_HELLO), W_SENDS(FLIGHT_CLIENT_HELLO, .attempt = 7));
    ends_as_failed(s, CONFIDENCE_LIKELY);
    cr_expect(is_told(s, "dtls", "both take themselves for the DTLS client") && is_told(s, "sdp", "a=setup:active"));
    story_free(s);
}

Test(dtls, nobody_begins)
{
    struct story *s = connected();

    ends_as_failed(s, CONFIDENCE_SUSPECTED);
    cr_expect(is_told(s, "dtls", "no ClientHello leaves"));
    story_free(s);
}

Test(dtls, nobody_begins_since_both_wait)
{
    struct says w = w_says(), d = d_says();
    struct story *s;

    w.setup = d.setup = "passive";
    s = connected_as(&w, &d);
    ends_as_failed(s, CONFIDENCE_LIKELY);
    cr_expect(is_told(s, "sdp", "a=setup:passive"));
    story_free(s);
}

/* Only one description names a fingerprint: no DTLS was agreed on. */
Test(dtls, nobody_begins_and_one_party_did_not_ask_for_it)
{
    struct says w = w_says(), d = d_says();

    w.fingerprint = NULL;
    ends_otherwise(connected_as(&w, &d));
}

/* ICE has not chosen a pair, and DTLS waits for it. */
Test(dtls, nobody_begins_before_ice_has_chosen)
{
    struct says w = w_says(), d = d_says();
    struct story *s = story_new(D_HOST);

    webphone_calls(s, &w, &d);
    story_checks(s, D_RTP, W_RTP, TO_W, D_RTP_OUT);
    ends_otherwise(s);
}

/* The handshake was an earlier call's, between the same two addresses: of this one no DTLS is to be awaited. */
Test(dtls, nobody_begins_since_an_earlier_call_did)
{
    struct says w = w_says(), d = d_says();
    struct story *s = story_new(D_HOST);

    story_handshake(s, D_RTP, W_RTP, D_CERT, W_CERT);
    webphone_calls(s, &w, &d);
    connect(s);
    ends_otherwise(s);
}

/* ---- certificate and fingerprint ---- */

Test(dtls, the_certificate_is_another)
{
    struct story *s = connected();

    story_handshake(s, D_RTP, W_RTP, D_CERT, "an old certificate");
    ends_as_failed(s, CONFIDENCE_PROVEN);
    cr_expect(is_told(s, "sdp", "names a certificate") && is_told(s, "dtls", "shows another certificate"));
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
    cr_assert(unsignalled_make(&u, &s->view));
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
