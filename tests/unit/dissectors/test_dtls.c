#include "support/sweep.h"
#include "unit/dissectors/dtls_sample.h"

/* ---- the flights of a handshake ---- */

Test(dtls, client_hello)
{
    struct buf ext = offered_extensions(), hello = client_hello(SPAN_NONE, span_of(&ext));
    struct buf d = handshake(DTLS_CLIENT_HELLO, 0, span_of(&hello));
    struct dtls_msg m;

    sound(&d, &m);
    cr_assert(m.has_client_hello && !m.has_server_hello && !m.has_alert && !m.has_finished_like && !m.has_certificate);
    cr_assert(m.records == 1 && m.record[0].type == DTLS_HANDSHAKE && m.record[0].version == DTLS_1_2);
    cr_assert(m.handshakes == 1 && m.handshake[0].type == DTLS_CLIENT_HELLO && m.handshake[0].seq == 0);
    cr_assert(m.handshake[0].length == hello.n && m.handshake[0].offset == 0 && m.handshake[0].fragment_length == hello.n);
    cr_assert(span_eq(m.handshake[0].body, span_of(&hello)));
    cr_assert(m.client_hello.version == DTLS_1_2 && m.client_hello.session_id_length == 4 && m.client_hello.cookie.n == 0);
    cr_assert(m.client_hello.has_use_srtp && m.client_hello.profiles == 2);
    cr_assert(m.client_hello.profile[0] == 1 && m.client_hello.profile[1] == 7);
    cr_assert(m.client_hello.versions == 2 && m.client_hello.supported[0] == DTLS_1_3 && m.client_hello.supported[1] == DTLS_1_2);
    cr_assert(span_eq(m.client_hello.sni, SPAN("example.com")));
}

Test(dtls, hello_without_extensions)
{
    struct buf hello = client_hello(SPAN_NONE, SPAN_NONE), d = handshake(DTLS_CLIENT_HELLO, 0, span_of(&hello));
    struct dtls_msg m;

    sound(&d, &m);
    cr_assert(m.has_client_hello && !m.client_hello.has_use_srtp && m.client_hello.sni.n == 0 && m.client_hello.versions == 0);
    hello = server_hello(RANDOM_32, 0xc02b, SPAN_NONE);
    d = handshake(DTLS_SERVER_HELLO, 0, span_of(&hello));
    sound(&d, &m);
    cr_assert(m.has_server_hello && m.server_hello.cipher_suite == 0xc02b && !m.server_hello.has_use_srtp);
}

/* RFC 6347 §4.2.1: DTLS 1.0 in the header, whatever is spoken; then the ClientHello again, with the cookie. */
Test(dtls, hello_verify_request)
{
    struct buf rec = { .n = 0 }, d = { .n = 0 }, hello;
    struct dtls_msg m;

    put_message(&rec, DTLS_HELLO_VERIFY_REQUEST, 0, SPAN("\xfe\xff\4cook"));
    put_record_of(&d, DTLS_1_0, DTLS_HANDSHAKE, 0, 0, span_of(&rec));
    sound(&d, &m);
    cr_assert(m.has_hello_verify_request && !m.has_client_hello && !m.has_server_hello && m.record[0].version == DTLS_1_0);
    hello = client_hello(SPAN("cook"), SPAN_NONE);
    d = handshake(DTLS_CLIENT_HELLO, 1, span_of(&hello));
    sound(&d, &m);
    cr_assert(span_eq(m.client_hello.cookie, SPAN("cook")) && m.handshake[0].seq == 1);
}

/* ServerHello, Certificate and ServerHelloDone as messages of one record. */
Test(dtls, server_flight_in_one_record)
{
    struct buf ext = { .n = 0 }, rec = { .n = 0 }, d = { .n = 0 }, hello, cert = certificate(SPAN("a certificate"));
    struct dtls_msg m;

    put_extension(&ext, 14, USE_SRTP_ONE);
    put_extension(&ext, 0, SPAN_NONE);
    hello = server_hello(RANDOM_32, 0xc02f, span_of(&ext));
    put_message(&rec, DTLS_SERVER_HELLO, 0, span_of(&hello));
    put_message(&rec, DTLS_CERTIFICATE, 1, span_of(&cert));
    put_message(&rec, DTLS_SERVER_HELLO_DONE, 2, SPAN_NONE);
    put_record(&d, DTLS_HANDSHAKE, 0, 0, span_of(&rec));
    sound(&d, &m);
    cr_assert(m.has_server_hello && m.has_certificate && m.has_server_hello_done && !m.has_hello_retry_request);
    cr_assert(m.records == 1 && m.handshakes == 3 && m.handshake[2].type == DTLS_SERVER_HELLO_DONE && m.handshake[2].seq == 2);
    cr_assert(m.server_hello.cipher_suite == 0xc02f && m.server_hello.profiles == 1 && m.server_hello.profile[0] == 1);
    cr_assert(m.server_hello.has_use_srtp && m.server_hello.sni.n == 0);
    cr_assert(span_eq(m.certificate, SPAN("a certificate")));
}

/* ClientKeyExchange, ChangeCipherSpec and the encrypted Finished as records of one datagram. */
Test(dtls, client_flight_in_several_records)
{
    struct buf rec = { .n = 0 }, d = { .n = 0 };
    struct dtls_msg m;

    put_message(&rec, DTLS_CLIENT_KEY_EXCHANGE, 2, SPAN("key"));
    put_record(&d, DTLS_HANDSHAKE, 0, 5, span_of(&rec));
    put_record(&d, DTLS_CHANGE_CIPHER_SPEC, 0, 6, SPAN("\1"));
    put_record(&d, DTLS_HANDSHAKE, 1, 0x123456789abc, SPAN("encrypted, and no message header"));
    sound(&d, &m);
    cr_assert(m.records == 3 && m.handshakes == 1 && m.has_change_cipher_spec && m.has_finished_like);
    cr_assert(m.record[1].type == DTLS_CHANGE_CIPHER_SPEC && m.record[1].seq == 6 && m.record[1].epoch == 0);
    cr_assert(m.record[2].epoch == 1 && m.record[2].seq == 0x123456789abc);
    cr_assert(span_eq(m.record[2].fragment, SPAN("encrypted, and no message header")));
}

Test(dtls, application_data_and_others)
{
    struct buf d = { .n = 0 };
    struct dtls_msg m;

    put_record(&d, DTLS_HEARTBEAT, 1, 1, SPAN("beat"));
    put_record(&d, DTLS_ACK, 0, 1, SPAN("\0\0"));
    sound(&d, &m);
    cr_assert(m.records == 2 && !m.has_application_data && !m.has_finished_like && !m.has_change_cipher_spec);
    put_record(&d, DTLS_APPLICATION_DATA, 1, 2, SPAN("data"));
    sound(&d, &m);
    cr_assert(m.records == 3 && m.has_application_data);
}

/* ---- alerts ---- */

Test(dtls, alert)
{
    struct buf d = { .n = 0 };
    struct dtls_msg m;

    put_record(&d, DTLS_ALERT, 0, 3, SPAN("\2\x28"));
    sound(&d, &m);
    cr_assert(m.has_alert && !m.alert_encrypted && m.alert_level == DTLS_ALERT_FATAL && m.alert_description == 40);
    cr_assert_str_eq(dtls_alert_name(m.alert_description), "handshake_failure");
    put_record(&d, DTLS_ALERT, 0, 4, SPAN("\1\0"));
    put_record(&d, DTLS_ALERT, 1, 0, SPAN("encrypted"));
    sound(&d, &m);
    cr_assert(!m.alert_encrypted && m.alert_description == 40, "the first");
}

Test(dtls, encrypted_alert)
{
    struct buf d = { .n = 0 };
    struct dtls_msg m;

    put_record(&d, DTLS_ALERT, 1, 3, SPAN("\2\x28 and a tag"));
    sound(&d, &m);
    cr_assert(m.has_alert && m.alert_encrypted && m.alert_level == 0 && m.alert_description == 0);
}

Test(dtls, alert_of_another_size)
{
    struct buf d = { .n = 0 };
    struct dtls_msg m;

    put_record(&d, DTLS_ALERT, 0, 3, SPAN("\2\x28\0"));
    faulty(&d, FAULT_DTLS_ALERT, DTLS_RECORD_HEADER, &m);
    cr_assert(m.has_alert && m.alert_level == 0 && m.alert_description == 0);
}

Test(dtls, alert_names)
{
    cr_assert_str_eq(dtls_alert_name(0), "close_notify");
    cr_assert_str_eq(dtls_alert_name(42), "bad_certificate");
    cr_assert_str_eq(dtls_alert_name(70), "protocol_version");
    cr_assert_str_eq(dtls_alert_name(120), "no_application_protocol");
    cr_assert_str_eq(dtls_alert_name(1), "unknown");
    cr_assert_str_eq(dtls_alert_name(255), "unknown");
}

/* ---- DTLS 1.3 ---- */

/* The header that BoringSSL and NSS write: a 16-bit sequence number and a length, no connection id. */
static void put_ciphertext(struct buf *d, unsigned epoch, size_t n)
{
    put_uint(d, 0x2c | epoch, 1);
    put_uint(d, 0x7a5b, 2);
    put_uint(d, n, 2);
    put_zeros(d, n);
}

Test(dtls_1_3, server_hello)
{
    struct buf ext = { .n = 0 }, hello, d;
    struct dtls_msg m;

    put_extension(&ext, 43, SPAN("\xfe\xfc"));
    hello = server_hello(RANDOM_32, 0x1301, span_of(&ext));
    d = handshake(DTLS_SERVER_HELLO, 0, span_of(&hello));
    put_ciphertext(&d, 2, 40);
    sound(&d, &m);
    cr_assert(m.has_server_hello && m.server_hello.version == DTLS_1_2 && m.server_hello.cipher_suite == 0x1301);
    cr_assert(m.server_hello.versions == 1 && m.server_hello.supported[0] == DTLS_1_3);
    cr_assert(m.records == 2 && m.record[1].type == DTLS_CIPHERTEXT && m.record[1].version == DTLS_1_3);
    cr_assert(m.record[1].epoch == 2 && m.record[1].seq == 0 && m.record[1].fragment.n == 40);
    cr_assert(m.has_finished_like && !m.has_application_data);
}

/* RFC 8446 §4.1.3: SHA-256 of "HelloRetryRequest". */
Test(dtls_1_3, hello_retry_request)
{
    static const char random[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
                                 "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";
    struct buf hello = server_hello(SPAN(random), 0x1301, SPAN_NONE), d = handshake(DTLS_SERVER_HELLO, 0, span_of(&hello));
    struct dtls_msg m;

    sound(&d, &m);
    cr_assert(m.has_hello_retry_request && !m.has_server_hello && m.server_hello.cipher_suite == 0x1301);
    d.b[DTLS_RECORD_HEADER + 8] = 1; /* a later part of a longer message, which may hold any bytes */
    d.b[DTLS_RECORD_HEADER + 3]++;
    sound(&d, &m);
    cr_assert(m.has_server_hello && !m.has_hello_retry_request && m.server_hello.version == 0);
}

Test(dtls_1_3, ciphertext_alone)
{
    struct buf d = { .n = 0 };
    struct dtls_msg m;

    put_ciphertext(&d, 3, 16);
    put_ciphertext(&d, 3, 300);
    sound(&d, &m);
    cr_assert(m.records == 2 && m.has_application_data && !m.has_finished_like);
    d.n--;
    not_mine(span_of(&d)); /* nothing but its lengths names it */
    d.n += 2;
    not_mine(span_of(&d));
}

/* RFC 9147 §4.2.3: 16 bytes at least, or its sequence number cannot be decrypted. */
Test(dtls_1_3, ciphertext_too_short)
{
    struct buf d = { .n = 0 };

    put_ciphertext(&d, 3, 15);
    not_mine(span_of(&d));
}

/* Two bytes, the type and the tag: as browsers end a handshake that they do not like, and an association. */
Test(dtls_1_3, an_alert_is_told_by_its_length)
{
    for (unsigned epoch = 0; epoch < 4; epoch++)
        for (size_t n = 18; n <= 20; n++) {
            struct buf d = { .n = 0 };
            struct dtls_msg m;
            bool alert = n == 19 && epoch;

            put_ciphertext(&d, epoch, n);
            sound(&d, &m);
            cr_assert(m.has_alert == alert && m.alert_encrypted == alert && !m.alert_level);
            cr_assert(m.has_finished_like == (epoch == 2 && !alert) && m.has_application_data == (epoch == 3 && !alert));
        }
}

/* In front of a datagram only what has a length and no connection id is believed; behind a sound record it is. */
Test(dtls_1_3, other_headers)
{
    static const uint8_t first[] = { 0x20, 0x28, 0x30, 0x34, 0x38, 0x3c, 0x3f };
    struct dtls_msg m;

    for (size_t i = 0; i < sizeof first; i++) {
        struct buf tail = { .n = 0 }, d = { .n = 0 };

        put_uint(&tail, first[i], 1);
        put_uint(&tail, 0, 2);
        put_uint(&tail, 0x20, 2);
        put_zeros(&tail, 0x20);
        not_mine(span_of(&tail));
        put_ciphertext(&d, 2, 20);
        put(&d, span_of(&tail));
        sound(&d, &m);
        cr_assert(m.records == 2 && m.record[1].type == DTLS_CIPHERTEXT && m.record[1].epoch == (first[i] & 3));
    }
}

/* 8-bit sequence number and a length. */
Test(dtls_1_3, short_sequence_number)
{
    struct buf d = { .n = 0 };
    struct dtls_msg m;

    put_uint(&d, 0x26, 1);
    put_uint(&d, 9, 1);
    put_uint(&d, 17, 2);
    put_zeros(&d, 17);
    sound(&d, &m);
    cr_assert(m.record[0].epoch == 2 && m.record[0].fragment.n == 17);
}

/* RFC 9146 §4: the connection id stands in front of the length. */
Test(dtls, connection_id_takes_the_rest)
{
    struct buf d = { .n = 0 };
    struct dtls_msg m;

    put_uint(&d, DTLS_CID, 1);
    put_uint(&d, DTLS_1_2, 2);
    put_uint(&d, 1, 2);
    put_uint(&d, 77, 6);
    put(&d, SPAN("connection\0\4data"));
    sound(&d, &m);
    cr_assert(m.records == 1 && m.record[0].type == DTLS_CID && m.record[0].seq == 77 && m.record[0].fragment.n == 16);
}

/* ---- what is not DTLS ---- */

Test(dtls, other_protocols)
{
    struct buf d = { .n = 0 };

    not_mine(SPAN_NONE);
    not_mine(SPAN("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0"));       /* a byte short of a header */
    not_mine(SPAN("\x16\3\3\0\0\0\0\0\0\0\0\0\0\0\0"));     /* TLS */
    not_mine(SPAN("\x16\xfe\xfe\0\0\0\0\0\0\0\0\0\0\0\0")); /* no such version */
    not_mine(SPAN("\x16\xff\xfd\0\0\0\0\0\0\0\0\0\0\0\0"));
    not_mine(SPAN("\x13\xfe\xfd\0\0\0\0\0\0\0\0\0\0\0\0")); /* types of RFC 7983's range that DTLS has not */
    not_mine(SPAN("\x1b\xfe\xfd\0\0\0\0\0\0\0\0\0\0\0\0"));
    not_mine(SPAN("\0\1\0\0\x21\x12\xa4\x42xxxxyyyyzzzz")); /* STUN */
    not_mine(SPAN("\x80\0\0\1\0\0\0\xa0\0\0\0\1payload"));  /* RTP */
    not_mine(SPAN("INVITE sip:bob@example.com SIP/2.0\r\n"));
    not_mine(SPAN("    blanks, which are ciphertext by their first byte"));
    put_record(&d, DTLS_ALERT, 0, 3, SPAN("\2\x28"));
    cr_assert(dtls_looks_like(span_of(&d)));
}

/* ---- sweeps ---- */

static void inside(struct span s, const struct rd *r)
{
    if (s.n)
        cr_assert(s.p >= r->p && s.p + s.n <= r->end, "a span outside the input");
}

static void msg_inside(const struct dtls_msg *m, const struct rd *r)
{
    cr_assert(m->records <= DTLS_RECORDS_KEPT && m->handshakes <= DTLS_HANDSHAKES_KEPT);
    for (size_t i = 0; i < m->records; i++)
        inside(m->record[i].fragment, r);
    for (size_t i = 0; i < m->handshakes; i++) {
        inside(m->handshake[i].body, r);
        cr_assert_leq(m->handshake[i].body.n, m->handshake[i].fragment_length);
    }
    inside(m->client_hello.cookie, r);
    inside(m->client_hello.sni, r);
    inside(m->server_hello.sni, r);
    inside(m->certificate, r);
    cr_assert(m->client_hello.profiles <= DTLS_PROFILES_KEPT && m->client_hello.versions <= DTLS_VERSIONS_KEPT);
}

static void sweep_one(struct rd r, bool full, void *self)
{
    struct rd in = r;
    struct faults why = { .n = 0 };
    struct dtls_join join = { .length = 0 };
    struct dtls_msg m;
    enum dis d = dtls_dissect(&in, &m, &why);

    (void)self;
    cr_assert(d == DIS_OK ? in.p == r.end && in.p > r.p : in.p == r.p);
    cr_assert(d != DIS_SHORT || why.n);
    if (!r.uncap)
        cr_assert_eq(dtls_looks_like(rd_rest(&r)), d != DIS_NOT_MINE);
    if (r.uncap && !(r.end > r.p && r.p[0] >> 5 == 1))
        cr_assert_eq(d, DIS_CUT);
    if (full)
        cr_assert_eq(d, DIS_OK);
    if (full || r.uncap)
        cr_assert_eq(why.n, 0, "a capture that ends early is no fault of the sender's");
    if (d != DIS_OK && d != DIS_CUT)
        return;
    msg_inside(&m, &r);
    dtls_join(&join, &m, &why);
}

Test(dtls_sweep, client_hello)
{
    struct buf ext = offered_extensions(), hello = client_hello(SPAN("cook"), span_of(&ext));
    struct buf d = handshake(DTLS_CLIENT_HELLO, 0, span_of(&hello));

    sweep(span_of(&d), sweep_one, NULL);
}

Test(dtls_sweep, server_flight)
{
    struct buf ext = { .n = 0 }, d = { .n = 0 }, rec = { .n = 0 }, hello, cert = certificate(SPAN("a certificate"));

    put_extension(&ext, 14, USE_SRTP_ONE);
    put_extension(&ext, 43, SPAN("\xfe\xfc"));
    hello = server_hello(RANDOM_32, 0xc02f, span_of(&ext));
    put_message(&rec, DTLS_SERVER_HELLO, 0, span_of(&hello));
    put_fragment(&rec, DTLS_CERTIFICATE, 1, span_of(&cert), 0, 10);
    put_record(&d, DTLS_HANDSHAKE, 0, 0, span_of(&rec));
    rec.n = 0;
    put_fragment(&rec, DTLS_CERTIFICATE, 1, span_of(&cert), 10, cert.n - 10);
    put_record(&d, DTLS_HANDSHAKE, 0, 1, span_of(&rec));
    put_record(&d, DTLS_ALERT, 0, 2, SPAN("\2\x28"));
    put_record(&d, DTLS_CHANGE_CIPHER_SPEC, 0, 3, SPAN("\1"));
    put_ciphertext(&d, 2, 20);
    sweep(span_of(&d), sweep_one, NULL);
}

Test(dtls_sweep, ciphertext)
{
    struct buf d = { .n = 0 };

    put_ciphertext(&d, 2, 20);
    put_ciphertext(&d, 3, 33);
    sweep(span_of(&d), sweep_one, NULL);
}
