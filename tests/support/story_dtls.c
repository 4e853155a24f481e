/* DTLS handshakes for the story-teller: what the dissector would have handed over of each flight. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/story.h"

enum { USUAL_SIZE = 200, HELLO_BODY = 40, PROFILE = 1, FINGERPRINTS = 4, FLIGHT_MS = 20 };

static void message(struct dtls_msg *m, uint8_t type, uint16_t seq, struct span body)
{
    m->handshake[m->handshakes++] = (struct dtls_handshake){
        .type = type, .seq = seq, .length = (uint32_t)body.n, .fragment_length = (uint32_t)body.n, .body = body
    };
}

/* version, then the random, by which attempts differ */
static void client_hello(struct dtls_msg *m, unsigned attempt, uint8_t body[HELLO_BODY])
{
    memset(body, 0x11, HELLO_BODY);
    body[2] = (uint8_t)attempt;
    m->has_client_hello = true;
    m->client_hello.version = DTLS_1_2;
    message(m, DTLS_CLIENT_HELLO, 0, (struct span){ body, HELLO_BODY });
}

static void certificate(struct dtls_msg *m, uint16_t seq, const char *der)
{
    if (!der)
        return;
    m->has_certificate = true;
    m->certificate = span_str(der);
    message(m, DTLS_CERTIFICATE, seq, m->certificate);
}

static void server_flight(struct dtls_msg *m, const char *der)
{
    m->has_server_hello = m->has_server_hello_done = true;
    m->server_hello = (struct dtls_hello){ .version = DTLS_1_2, .has_use_srtp = true, .profiles = 1, .profile = { PROFILE } };
    message(m, DTLS_SERVER_HELLO, 0, SPAN_NONE);
    certificate(m, 1, der);
    message(m, DTLS_SERVER_HELLO_DONE, 2, SPAN_NONE);
}

static void server_hello_13(struct dtls_msg *m)
{
    m->has_server_hello = true;
    m->server_hello = (struct dtls_hello){ .version = DTLS_1_2, .versions = 1, .supported = { DTLS_1_3 } };
    message(m, DTLS_SERVER_HELLO, 0, SPAN_NONE);
}

/* RFC 9147 §6.1: epoch 2 is the handshake's, 3 the application's. */
static void ciphertext_13(struct dtls_msg *m, bool application)
{
    m->record[0] = (struct dtls_record){ .type = DTLS_CIPHERTEXT, .version = DTLS_1_3, .epoch = application ? 3 : 2 };
    m->has_finished_like = !application;
    m->has_application_data = application;
}

static void alert(struct dtls_msg *m, const struct says_dtls *d)
{
    m->has_alert = true;
    m->alert_encrypted = d->flight == FLIGHT_ALERT_ENCRYPTED;
    if (!m->alert_encrypted) {
        m->alert_level = DTLS_ALERT_FATAL;
        m->alert_description = d->alert;
    }
}

void story_dtls(struct story *s, const struct says_dtls *d)
{
    struct dtls_msg m = { .records = 1 };
    struct faults why = { 0 };
    struct datagram at;
    uint8_t body[HELLO_BODY];
    struct flow *f = story_packet(s, d->from, d->to, d->size ? d->size : USUAL_SIZE, &at);

    m.record[0] = (struct dtls_record){ .type = DTLS_HANDSHAKE, .version = DTLS_1_2, .seq = s->frame };
    switch (d->flight) {
    case FLIGHT_CLIENT_HELLO: client_hello(&m, d->attempt, body); break;
    case FLIGHT_VERIFY: m.has_hello_verify_request = true; break;
    case FLIGHT_SERVER: server_flight(&m, d->certificate); break;
    case FLIGHT_CLIENT:
        certificate(&m, 1, d->certificate);
        message(&m, DTLS_CLIENT_KEY_EXCHANGE, 2, SPAN_NONE);
        m.has_change_cipher_spec = m.has_finished_like = true;
        break;
    case FLIGHT_FINISHED: m.has_change_cipher_spec = m.has_finished_like = true; break;
    case FLIGHT_ALERT:
    case FLIGHT_ALERT_ENCRYPTED: alert(&m, d); break;
    case FLIGHT_SERVER_HELLO_13: server_hello_13(&m); break;
    case FLIGHT_ENCRYPTED_13:
    case FLIGHT_APPLICATION_13: ciphertext_13(&m, d->flight == FLIGHT_APPLICATION_13); break;
    }
    f->contains |= FLOW_DTLS;
    track_dtls(s->track, &at, &m, d->cut, &why);
    story_pass(s, FLIGHT_MS);
}

void story_handshake(struct story *s, const char *from, const char *to, const char *client_cert, const char *server_cert)
{
    DTLS(s, from, to, FLIGHT_CLIENT_HELLO);
    DTLS(s, to, from, FLIGHT_SERVER, server_cert);
    DTLS(s, from, to, FLIGHT_CLIENT, client_cert);
    DTLS(s, to, from, FLIGHT_FINISHED);
}

const char *story_fingerprint(const char *certificate)
{
    static char text[FINGERPRINTS][sizeof "sha-256 " + DTLS_FINGERPRINT_ROOM];
    static unsigned next;
    char *out = text[next++ % FINGERPRINTS], digits[DTLS_FINGERPRINT_ROOM];

    cr_assert(dtls_fingerprint(span_str(certificate), SPAN("sha-256"), digits, sizeof digits));
    snprintf(out, sizeof text[0], "sha-256 %s", digits);
    return out;
}
