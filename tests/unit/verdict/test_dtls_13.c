/* DTLS 1.3 (RFC 9147), of browsers: less of it can be read, and its server has the application's keys before the client goes on. */
#include "unit/verdict/dtls_calls.h"

/* D, the client, has sent its ClientHello; W answers with all that a server has to say. */
static void server_speaks(struct story *s)
{
    DTLS(s, W_RTP, D_RTP, FLIGHT_SERVER_HELLO_13);
    DTLS(s, W_RTP, D_RTP, FLIGHT_ENCRYPTED_13);
    DTLS(s, W_RTP, D_RTP, FLIGHT_APPLICATION_13);
}

static void hello_answered_again_and_again(struct story *s)
{
    for (unsigned i = 0; i < RETRIES; i++) {
        DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
        server_speaks(s);
        story_pass(s, RETRY_MS);
    }
}

Test(dtls_13, finishes)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_SERVER_HELLO_13);
    DTLS(s, W_RTP, D_RTP, FLIGHT_ENCRYPTED_13);
    DTLS(s, D_RTP, W_RTP, FLIGHT_ENCRYPTED_13);
    DTLS(s, W_RTP, D_RTP, FLIGHT_APPLICATION_13);
    talk(s);
    hang_up(s);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect(s->found->dtls.completed && s->found->dtls.version == DTLS_1_3);
    story_free(s);
}

/* The server acknowledged the ClientHello under the application's keys, and that is not the end of the handshake. */
Test(dtls_13, the_server_is_not_heard)
{
    struct story *s = connected();

    hello_answered_again_and_again(s);
    ends_as_failed(s, CONFIDENCE_LIKELY);
    cr_expect(!s->found->dtls.completed);
    cr_expect(is_told(s, "dtls", "as if it heard nothing"));
    story_free(s);
}

/* Of the server's flight the ServerHello gets through: the client acknowledges it, and asks for the rest with its ClientHello. */
Test(dtls_13, the_server_is_heard_in_part)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_SERVER_HELLO_13);
    DTLS(s, D_RTP, W_RTP, FLIGHT_ENCRYPTED_13);
    hello_answered_again_and_again(s);
    ends_as_failed(s, CONFIDENCE_LIKELY);
    cr_expect(is_told(s, "dtls", "as if it heard nothing") && !is_told(s, "dtls", "the rest of its part"));
    story_free(s);
}

/* The client went on at last. Whether that was heard is encrypted. */
Test(dtls_13, the_client_goes_on_in_the_end)
{
    struct story *s = connected();

    hello_answered_again_and_again(s);
    DTLS(s, D_RTP, W_RTP, FLIGHT_ENCRYPTED_13);
    ends_otherwise(s);
}

Test(dtls_13, finishes_and_nobody_sends)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    server_speaks(s);
    DTLS(s, D_RTP, W_RTP, FLIGHT_ENCRYPTED_13);
    DTLS(s, D_RTP, W_RTP, FLIGHT_APPLICATION_13);
    ends_otherwise(s);
}

/* The client does not like the server's certificate, which nobody else can read: in place of its own flight comes an alert. */
Test(dtls_13, the_client_refuses)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_SERVER_HELLO_13);
    DTLS(s, W_RTP, D_RTP, FLIGHT_ENCRYPTED_13);
    DTLS(s, D_RTP, W_RTP, FLIGHT_ALERT_ENCRYPTED);
    ends_as_failed(s, CONFIDENCE_SUSPECTED);
    cr_expect(is_told(s, "dtls", "ends the handshake with an alert"));
    story_free(s);
}

/* The server does not like the client's. */
Test(dtls_13, the_server_refuses)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    DTLS(s, W_RTP, D_RTP, FLIGHT_SERVER_HELLO_13);
    DTLS(s, W_RTP, D_RTP, FLIGHT_ENCRYPTED_13);
    DTLS(s, D_RTP, W_RTP, FLIGHT_ENCRYPTED_13);
    DTLS(s, W_RTP, D_RTP, FLIGHT_ALERT_ENCRYPTED);
    ends_as_failed(s, CONFIDENCE_SUSPECTED);
    cr_expect(is_told(s, "dtls", "ended it with an alert"));
    story_free(s);
}

/* It goes with the call. */
Test(dtls_13, ended_with_the_call)
{
    struct story *s = connected();

    DTLS(s, D_RTP, W_RTP, FLIGHT_CLIENT_HELLO);
    server_speaks(s);
    DTLS(s, D_RTP, W_RTP, FLIGHT_ENCRYPTED_13);
    story_pass(s, 10 * 1000);
    DTLS(s, D_RTP, W_RTP, FLIGHT_ALERT_ENCRYPTED);
    ends_otherwise(s);
}
