/* DTLS handshakes as facts, from real messages through the dissector: see rtpwatch/track/dtls.c. */
#include "unit/dissectors/dtls_sample.h"
#include "unit/track/messages.h"

#define CLIENT CALLER_MEDIA
#define SERVER CALLEE_MEDIA
#define DER    SPAN("a certificate")

/* What `src` sends; its records are as they stand in *b. */
static void carried_cut(const char *src, const char *dst, const struct buf *b, size_t captured)
{
    static struct dtls_msg m;
    struct rd r = rd_init(span_part(span_of(b), 0, captured), b->n);
    struct faults why = { 0 };
    struct datagram d;
    enum dis got = dtls_dissect(&r, &m, &why);

    cr_assert(got == DIS_OK || got == DIS_CUT);
    wait_ms(5);
    d = next_frame(src, dst);
    d.size = b->n;
    track_dtls(t, &d, &m, got == DIS_CUT, &why);
}

static void carried(const char *src, const char *dst, const struct buf *b)
{
    carried_cut(src, dst, b, b->n);
}

static struct buf message(uint8_t type, uint16_t message_seq, uint64_t record_seq, struct span body)
{
    struct buf rec = { .n = 0 }, d = { .n = 0 };

    put_message(&rec, type, message_seq, body);
    put_record(&d, DTLS_HANDSHAKE, 0, record_seq, span_of(&rec));
    return d;
}

/* A ClientHello whose random is `random` 32 times. */
static void hello(const char *src, const char *dst, uint16_t message_seq, uint64_t record_seq, uint8_t random)
{
    struct buf ext = offered_extensions(), body = client_hello(SPAN_NONE, span_of(&ext)), d;

    memset(body.b + 2, random, 32);
    d = message(DTLS_CLIENT_HELLO, message_seq, record_seq, span_of(&body));
    carried(src, dst, &d);
}

static struct buf server_flight(void)
{
    struct buf ext = { .n = 0 }, rec = { .n = 0 }, d = { .n = 0 }, h, cert = certificate(DER);

    put_extension(&ext, 14, USE_SRTP_ONE);
    h = server_hello(RANDOM_32, 0xc02f, span_of(&ext));
    put_message(&rec, DTLS_SERVER_HELLO, 0, span_of(&h));
    put_message(&rec, DTLS_CERTIFICATE, 1, span_of(&cert));
    put_message(&rec, DTLS_SERVER_HELLO_DONE, 2, SPAN_NONE);
    put_record(&d, DTLS_HANDSHAKE, 0, 0, span_of(&rec));
    return d;
}

static struct buf finished(uint64_t record_seq)
{
    struct buf d = { .n = 0 };

    put_record(&d, DTLS_CHANGE_CIPHER_SPEC, 0, record_seq, SPAN("\1"));
    put_record(&d, DTLS_HANDSHAKE, 1, 0, SPAN("encrypted"));
    return d;
}

static struct buf client_flight(uint64_t record_seq)
{
    struct buf d = message(DTLS_CLIENT_KEY_EXCHANGE, 1, record_seq, SPAN("key")), rest = finished(record_seq + 1);

    put(&d, span_of(&rest));
    return d;
}

static struct dtls_assoc *found(void)
{
    struct addr a = addr_of(CLIENT), b = addr_of(SERVER);
    struct dtls_assoc *x = track_find_dtls(t, &a, &b);

    cr_assert_eq(x, track_find_dtls(t, &b, &a), "the same from both sides");
    return x;
}

Test(track_dtls, a_whole_handshake, .init = setup, .fini = teardown)
{
    struct buf server = server_flight(), client = client_flight(1), last = finished(1);
    const struct dtls_assoc *a;
    char text[DTLS_FINGERPRINT_ROOM], expected[DTLS_FINGERPRINT_ROOM];

    cr_assert_null(found());
    hello(CLIENT, SERVER, 0, 0, 1);
    carried(SERVER, CLIENT, &server);
    carried(CLIENT, SERVER, &client);
    carried(SERVER, CLIENT, &last);
    a = found();
    cr_assert(a && a->from_start && a->older == POOL_NONE && t->dtls.live == 1);
    cr_assert(a->version == DTLS_1_2 && a->profile_known && a->profile == 1);
    cr_assert(addr_is(&a->end[0].addr, CLIENT) && addr_is(&a->end[1].addr, SERVER));
    cr_assert(a->end[0].client_hello.n == 1 && a->end[0].client_hello.first.frame == 1 && a->end[1].client_hello.n == 0);
    cr_assert(a->end[1].server_hello.n == 1 && a->end[1].server_hello_done.n == 1 && a->end[1].largest == server.n);
    cr_assert(a->end[0].key_exchange.n == 1 && a->end[0].change_cipher_spec.n == 1 && a->end[0].finished.last.frame == 3);
    cr_assert(a->end[1].finished.n == 1 && a->end[1].finished.last.frame == 4);
    cr_assert(a->end[0].again.n == 0 && a->end[1].again.n == 0 && !a->end[0].cut && !a->end[1].cut);
    cr_assert(a->end[0].certificate == POOL_NONE && a->end[1].certificate_at.frame == 2);
    cr_assert(track_fingerprint(t, &a->end[1], "SHA-256", text, sizeof text));
    cr_assert(dtls_fingerprint(DER, SPAN("sha-256"), expected, sizeof expected));
    cr_assert_str_eq(text, expected);
    cr_assert(!track_fingerprint(t, &a->end[0], "sha-256", text, sizeof text));
    cr_assert(!track_fingerprint(t, &a->end[1], "md5", text, sizeof text));
}

Test(track_dtls, a_retransmission_is_a_new_record, .init = setup, .fini = teardown)
{
    struct buf client = client_flight(2), same = client_flight(5);
    const struct dtls_assoc *a;

    hello(CLIENT, SERVER, 0, 0, 1);
    hello(CLIENT, SERVER, 0, 1, 1);
    a = found();
    cr_assert(a->end[0].client_hello.n == 2 && a->end[0].again.n == 1);
    hello(CLIENT, SERVER, 0, 1, 1);
    cr_assert(a->end[0].client_hello.n == 3 && a->end[0].again.n == 1, "one packet, captured twice");
    carried(CLIENT, SERVER, &client);
    cr_assert_eq(a->end[0].again.n, 1);
    carried(CLIENT, SERVER, &same);
    cr_assert(a->end[0].again.n == 2 && a->end[0].again.last.frame == 5);
    cr_assert_eq(t->dtls.live, 1);
}

/* RFC 6347 §4.2.1: the ClientHello that brings the cookie is the next message of the same handshake. */
Test(track_dtls, a_cookie_is_asked_for, .init = setup, .fini = teardown)
{
    struct buf verify = message(DTLS_HELLO_VERIFY_REQUEST, 0, 0, SPAN("\xfe\xff\4cook"));

    hello(CLIENT, SERVER, 0, 0, 1);
    carried(SERVER, CLIENT, &verify);
    hello(CLIENT, SERVER, 1, 1, 1);
    cr_assert(found()->end[1].hello_verify.n == 1 && found()->end[0].again.n == 0 && t->dtls.live == 1);
}

Test(track_dtls, another_random_is_another_handshake, .init = setup, .fini = teardown)
{
    const struct dtls_assoc *first, *second;

    hello(CLIENT, SERVER, 0, 0, 1);
    first = found();
    hello(CLIENT, SERVER, 0, 0, 2);
    second = found();
    cr_assert(first != second && track_dtls_at(t, second->older) == first && second->nth == 1);
    cr_assert(first->end[0].client_hello.n == 1 && second->end[0].client_hello.n == 1);
}

/* Each takes itself for the client: one handshake, that of two clients; but after it is over the roles may change. */
Test(track_dtls, a_client_hello_from_the_other_end, .init = setup, .fini = teardown)
{
    struct buf broken = { .n = 0 };

    put_record(&broken, DTLS_ALERT, 0, 1, SPAN("\2\x28"));
    hello(CLIENT, SERVER, 0, 0, 1);
    hello(SERVER, CLIENT, 0, 0, 2);
    cr_assert(t->dtls.live == 1 && found()->end[1].client_hello.n == 1);
    hello(CLIENT, SERVER, 0, 0, 3);
    carried(SERVER, CLIENT, &broken);
    hello(SERVER, CLIENT, 0, 0, 4);
    cr_assert(t->dtls.live == 3 && addr_is(&found()->end[0].addr, SERVER));
}

Test(track_dtls, only_so_many_handshakes_of_two_addresses, .init = setup, .fini = teardown)
{
    for (unsigned i = 0; i < 2 * TRACK_DTLS_PER_PAIR; i++)
        hello(CLIENT, SERVER, 0, i, (uint8_t)i);
    cr_assert_eq(t->dtls.live, TRACK_DTLS_PER_PAIR);
    cr_assert_eq(found()->end[0].client_hello.n, TRACK_DTLS_PER_PAIR + 1, "what follows counts for the last");
}

Test(track_dtls, a_fatal_alert_counts_more_than_another, .init = setup, .fini = teardown)
{
    struct buf closing = { .n = 0 }, fatal = { .n = 0 }, later = { .n = 0 };
    const struct dtls_alert *a;

    hello(CLIENT, SERVER, 0, 0, 1);
    put_record(&closing, DTLS_ALERT, 1, 1, SPAN("encrypted"));
    put_record(&fatal, DTLS_ALERT, 0, 2, SPAN("\2\x2a"));
    put_record(&later, DTLS_ALERT, 0, 3, SPAN("\2\x50"));
    carried(CLIENT, SERVER, &closing);
    a = &found()->end[0].alert;
    cr_assert(a->encrypted && a->at.frame == 2);
    carried(CLIENT, SERVER, &fatal);
    carried(CLIENT, SERVER, &later);
    cr_assert(!a->encrypted && a->at.frame == 3 && a->level == DTLS_ALERT_FATAL && a->description == 42);
    cr_assert_eq(found()->end[1].alert.at.frame, 0);
}

/* OpenSSL sends the certificate in fragments; a room for them is taken, and given back. */
Test(track_dtls, a_certificate_in_fragments, .init = setup, .fini = teardown)
{
    struct buf cert = certificate(DER), last = finished(3);
    char text[DTLS_FINGERPRINT_ROOM];

    hello(CLIENT, SERVER, 0, 0, 1);
    cr_assert_eq(t->dtls_joins.live, 0);
    for (size_t at = 0, part = cert.n / 2 + 1; at < cert.n; at += part) {
        struct buf rec = { .n = 0 }, d = { .n = 0 };

        put_fragment(&rec, DTLS_CERTIFICATE, 1, span_of(&cert), at, at + part > cert.n ? cert.n - at : part);
        put_record(&d, DTLS_HANDSHAKE, 0, at, span_of(&rec));
        carried(SERVER, CLIENT, &d);
    }
    cr_assert(found()->end[1].certificate_at.frame == 3 && t->dtls_joins.live == 1);
    cr_assert(track_fingerprint(t, &found()->end[1], "sha-1", text, sizeof text));
    carried(SERVER, CLIENT, &last);
    cr_assert_eq(t->dtls_joins.live, 0);
}

/* With a post-quantum key share it takes two datagrams, as Chromium sends it: one ClientHello for all that. */
Test(track_dtls, a_client_hello_in_two_datagrams, .init = setup, .fini = teardown)
{
    struct buf ext = offered_extensions(), body = client_hello(SPAN_NONE, span_of(&ext));

    for (unsigned half = 0; half < 2; half++) {
        struct buf rec = { .n = 0 }, d = { .n = 0 };
        size_t at = half ? body.n / 2 : 0;

        put_fragment(&rec, DTLS_CLIENT_HELLO, 0, span_of(&body), at, half ? body.n - at : body.n / 2);
        put_record(&d, DTLS_HANDSHAKE, 0, half, span_of(&rec));
        carried(CLIENT, SERVER, &d);
    }
    cr_assert(found()->from_start && found()->end[0].client_hello.n == 1 && found()->end[0].datagrams.n == 2);
    cr_assert_eq(found()->end[0].again.n, 0);
}

/* Another call, the same certificate: kept once. */
Test(track_dtls, a_certificate_is_kept_once, .init = setup, .fini = teardown)
{
    struct buf server = server_flight();

    carried(SERVER, CLIENT, &server);
    carried(SERVER, CLIENT, &server);
    carried(SERVER, "203.0.113.9:4000", &server);
    cr_assert(t->dtls.live == 2 && t->certificates.live == 1 && !found()->from_start);
}

Test(track_dtls, what_the_snap_length_removed, .init = setup, .fini = teardown)
{
    struct buf server = server_flight();

    hello(CLIENT, SERVER, 0, 0, 1);
    carried_cut(SERVER, CLIENT, &server, 60);
    cr_assert(found()->end[1].cut && !found()->end[0].cut && found()->end[1].certificate == POOL_NONE);
}

/* DTLS 1.3: the certificate and the SRTP profile are encrypted; the application's keys come into use when it is over. */
Test(track_dtls, version_1_3, .init = setup, .fini = teardown)
{
    struct buf ext = { .n = 0 }, h, d, cipher = { .n = 0 };

    put_extension(&ext, 43, SPAN("\xfe\xfc"));
    h = server_hello(RANDOM_32, 0x1301, span_of(&ext));
    d = message(DTLS_SERVER_HELLO, 0, 0, span_of(&h));
    hello(CLIENT, SERVER, 0, 0, 1);
    carried(SERVER, CLIENT, &d);
    cr_assert(found()->version == DTLS_1_3 && !found()->profile_known);
    put(&cipher, SPAN("\x2e\0\1\0\x14"
                      "20 bytes, or so it is"));
    cipher.n = 5 + 20;
    carried(CLIENT, SERVER, &cipher);
    cr_assert(found()->end[0].finished.n == 1 && found()->end[0].application.n == 0);
    cipher.b[0] = 0x2f;
    carried(SERVER, CLIENT, &cipher);
    cr_assert_eq(found()->end[1].application.n, 1);
}
