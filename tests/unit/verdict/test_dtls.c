/* DTLS on pairs that ICE connected, and without ICE: handshakes that finish, and handshakes that do not (SPEC §4). */
#include "unit/verdict/dtls_calls.h"

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

    story_checks(s, W_ELSE, D_RTP, TO_D, W_ELSE);
    story_pass(s, 500);
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

/* ... also where it asked for a cookie first (RFC 6347 §4.2.1), and the client brought it. */
Test(dtls, the_server_is_not_heard_after_its_cookie)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_VERIFY);
    both_again(s, D_SENDS(FLIGHT_CLIENT_HELLO), W_SENDS(FLIGHT_SERVER, W_CERT));
    ends_as_failed(s, CONFIDENCE_LIKELY);
    cr_expect(is_told(s, "dtls", "ClientHello 5 times") && is_told(s, "dtls", "as if it heard nothing"));
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

/* A packet that the capture missed would look the same. */
Test(dtls, the_client_never_goes_on_and_nothing_is_repeated)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_SERVER, W_CERT);
    ends_as_failed(s, CONFIDENCE_SUSPECTED);
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
