/* DTLS handshake messages that come in fragments, and those that are broken. */
#include "unit/dissectors/dtls_sample.h"

/* A datagram of one record with that part of the message. */
static struct buf part(uint8_t type, uint16_t seq, struct span body, size_t offset, size_t n)
{
    struct buf rec = { .n = 0 }, d = { .n = 0 };

    put_fragment(&rec, type, seq, body, offset, n);
    put_record(&d, DTLS_HANDSHAKE, 0, 0, span_of(&rec));
    return d;
}

static void take(struct dtls_join *j, const struct buf *d, struct dtls_msg *m)
{
    struct faults why = { .n = 0 };

    sound(d, m);
    dtls_join(j, m, &why);
    cr_assert_eq(why.n, 0);
}

static void take_part(struct dtls_join *j, struct span cert, size_t offset, size_t n, struct dtls_msg *m)
{
    struct buf d = part(DTLS_CERTIFICATE, 1, cert, offset, n);

    take(j, &d, m);
}

/* ---- fragments ---- */

/* The first fragment is decoded as far as it goes, wherever it ends; a later one tells of its message, no more. */
Test(dtls_fragment, client_hello)
{
    struct buf ext = offered_extensions(), hello = client_hello(SPAN("cook"), span_of(&ext));
    struct dtls_msg m;

    for (size_t n = 0; n < hello.n; n++) {
        struct buf first = part(DTLS_CLIENT_HELLO, 0, span_of(&hello), 0, n);
        struct buf rest = part(DTLS_CLIENT_HELLO, 0, span_of(&hello), n, hello.n - n);

        sound(&first, &m);
        cr_assert(m.has_client_hello && m.client_hello.version == (n < 2 ? 0 : DTLS_1_2));
        cr_assert_lt(m.client_hello.versions, 2, "they stand last");
        cr_assert(m.handshake[0].offset == 0 && m.handshake[0].length == hello.n && m.handshake[0].body.n == n);
        if (n == 0)
            continue;
        sound(&rest, &m);
        cr_assert(m.has_client_hello && m.client_hello.version == 0 && m.handshake[0].offset == n);
    }
}

Test(dtls_join, joined_wherever_it_is_split)
{
    struct buf ext = offered_extensions(), hello = client_hello(SPAN("cook"), span_of(&ext));

    for (size_t n = 1; n < hello.n; n++) {
        struct dtls_join j = { .length = 0 };
        struct buf first = part(DTLS_CLIENT_HELLO, 0, span_of(&hello), 0, n);
        struct buf rest = part(DTLS_CLIENT_HELLO, 0, span_of(&hello), n, hello.n - n);
        struct dtls_msg m;

        take(&j, &first, &m);
        take(&j, &rest, &m);
        cr_assert(m.client_hello.version == DTLS_1_2 && m.client_hello.profiles == 2 && m.client_hello.versions == 2);
        cr_assert(span_eq(m.client_hello.cookie, SPAN("cook")));
        cr_assert(span_eq(m.client_hello.sni, SPAN("example.com")));
    }
}

/* OpenSSL fragments to its MTU and packs several fragments into one datagram all the same. */
Test(dtls_join, in_one_datagram)
{
    struct buf d = { .n = 0 }, rec = { .n = 0 }, cert = certificate(SPAN("a certificate"));
    struct dtls_join j = { .length = 0 };
    struct dtls_msg m;

    put_fragment(&rec, DTLS_CERTIFICATE, 1, span_of(&cert), 0, 10);
    put_fragment(&rec, DTLS_CERTIFICATE, 1, span_of(&cert), 10, cert.n - 10);
    put_record(&d, DTLS_HANDSHAKE, 0, 0, span_of(&rec));
    rec.n = 0;
    put_fragment(&rec, DTLS_CERTIFICATE_VERIFY, 2, SPAN("a signature of some length"), 0, 12);
    put_fragment(&rec, DTLS_CERTIFICATE_VERIFY, 2, SPAN("a signature of some length"), 12, 14);
    put_record(&d, DTLS_HANDSHAKE, 0, 1, span_of(&rec));
    sound(&d, &m);
    cr_assert(m.has_certificate && m.certificate.n == 0 && m.handshakes == 4);
    take(&j, &d, &m);
    cr_assert(span_eq(m.certificate, SPAN("a certificate")), "other fragmented messages leave it alone");
}

/* What came whole has been decoded where it stands. */
Test(dtls_join, whole_messages)
{
    struct buf cert = certificate(SPAN("a certificate"));
    struct dtls_join j = { .length = 0 };
    struct dtls_msg m;

    take_part(&j, span_of(&cert), 0, cert.n, &m);
    cr_assert(span_eq(m.certificate, SPAN("a certificate")) && j.have == 0);
}

/* Parts that repeat, overlap, or come from the middle of an older try. */
Test(dtls_join, retransmissions)
{
    struct buf cert = certificate(SPAN("a certificate"));
    struct dtls_join j = { .length = 0 };
    struct span c = span_of(&cert);
    struct dtls_msg m;

    take_part(&j, c, 5, c.n - 5, &m); /* its beginning was not seen */
    cr_assert_eq(m.certificate.n, 0);
    take_part(&j, c, 0, 6, &m);
    take_part(&j, c, 0, 6, &m);
    take_part(&j, c, 9, c.n - 9, &m); /* a hole in front */
    cr_assert_eq(m.certificate.n, 0);
    take_part(&j, c, 4, 8, &m);
    cr_assert_eq(m.certificate.n, 0);
    take_part(&j, c, 9, c.n - 9, &m);
    cr_assert(span_eq(m.certificate, SPAN("a certificate")));
    take_part(&j, c, 9, c.n - 9, &m);
    cr_assert_eq(m.certificate.n, 0, "told once");
}

/* Parts of two messages never make one. */
Test(dtls_join, of_another_message)
{
    struct buf cert = certificate(SPAN("a certificate")), other = certificate(SPAN("another certificate"));
    struct buf first = part(DTLS_CERTIFICATE, 1, span_of(&cert), 0, 10);
    const struct buf rest[] = {
        part(DTLS_CERTIFICATE, 2, span_of(&cert), 10, cert.n - 10),
        part(DTLS_CERTIFICATE, 1, span_of(&other), 10, other.n - 10),
        part(DTLS_SERVER_HELLO, 1, span_of(&cert), 10, cert.n - 10),
    };

    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        struct dtls_join j = { .length = 0 };
        struct dtls_msg m;

        take(&j, &first, &m);
        take(&j, &rest[i], &m);
        cr_assert_eq(m.certificate.n, 0);
    }
}

Test(dtls_join, too_large)
{
    static uint8_t zeros[DTLS_JOIN_ROOM + 1];
    struct buf d = part(DTLS_CERTIFICATE, 1, (struct span){ zeros, sizeof zeros }, 0, 100);
    struct dtls_join j = { .length = 0 };
    struct dtls_msg m;

    take(&j, &d, &m);
    cr_assert_eq(j.have, 0);
    d = part(DTLS_CERTIFICATE, 1, (struct span){ zeros, DTLS_JOIN_ROOM }, 0, 100);
    take(&j, &d, &m);
    cr_assert_eq(j.have, 100);
}

/* A capture that cuts packets short: a fragment that is not all there is none. */
Test(dtls_join, cut)
{
    struct buf cert = certificate(SPAN("a certificate")), d = part(DTLS_CERTIFICATE, 1, span_of(&cert), 0, 10);
    struct dtls_join j = { .length = 0 };
    struct faults why;
    struct dtls_msg m;

    cr_assert_eq(dissect_as((struct span){ d.b, d.n - 1 }, d.n, &m, &why), DIS_CUT);
    cr_assert(m.has_certificate && m.handshake[0].body.n == 9);
    dtls_join(&j, &m, &why);
    cr_assert_eq(j.have, 0);
}

/* ---- certificates ---- */

Test(dtls_certificate, first_of_the_list_where_the_fragment_holds_it)
{
    struct buf cert = certificate(SPAN("a certificate"));
    struct buf all_of_it = part(DTLS_CERTIFICATE, 1, span_of(&cert), 0, 6 + 13);
    struct buf less = part(DTLS_CERTIFICATE, 1, span_of(&cert), 0, 6 + 12);
    struct dtls_msg m;

    sound(&all_of_it, &m);
    cr_assert(m.has_certificate && span_eq(m.certificate, SPAN("a certificate")));
    sound(&less, &m);
    cr_assert(m.has_certificate && m.certificate.n == 0);
}

/* A client that has none says so: RFC 5246 §7.4.6. */
Test(dtls_certificate, empty_list)
{
    struct buf d = handshake(DTLS_CERTIFICATE, 1, SPAN("\0\0\0"));
    struct dtls_msg m;

    sound(&d, &m);
    cr_assert(m.has_certificate && m.certificate.n == 0);
}

Test(dtls_certificate, broken)
{
    struct buf list = handshake(DTLS_CERTIFICATE, 1, SPAN("\0\0\5\0\0\1c"));
    struct buf entry = handshake(DTLS_CERTIFICATE, 1, SPAN("\0\0\4\0\0\2c"));
    struct buf none = handshake(DTLS_CERTIFICATE, 1, SPAN_NONE);
    struct dtls_msg m;

    faulty(&list, FAULT_DTLS_HANDSHAKE, 25, &m);
    faulty(&entry, FAULT_DTLS_HANDSHAKE, 25, &m);
    faulty(&none, FAULT_DTLS_HANDSHAKE, 25, &m);
    cr_assert(m.has_certificate && m.certificate.n == 0);
}

/* ---- broken hellos ---- */

static void broken_hello(struct span body, struct dtls_msg *m)
{
    struct buf d = handshake(DTLS_CLIENT_HELLO, 0, body);

    faulty(&d, FAULT_DTLS_HELLO, 25, m);
    cr_assert(m->has_client_hello);
}

/* Cut anywhere by its sender, but for where the extensions begin: that is a whole hello without them. */
Test(dtls_hello, ends_early)
{
    struct buf ext = offered_extensions(), hello = client_hello(SPAN("cook"), span_of(&ext));
    size_t without = hello.n - ext.n - 2;
    struct dtls_msg m;

    for (size_t n = 0; n < hello.n; n++)
        if (n != without)
            broken_hello(span_part(span_of(&hello), 0, n), &m);
}

static void broken_extension(uint16_t type, struct span body)
{
    struct buf ext = { .n = 0 }, hello;
    struct dtls_msg m;

    put_extension(&ext, type, body);
    put_extension(&ext, 14, USE_SRTP_ONE);
    hello = client_hello(SPAN_NONE, span_of(&ext));
    broken_hello(span_of(&hello), &m);
}

Test(dtls_hello, broken_extensions)
{
    broken_extension(0, SPAN("\0\16\0\0\14example.com")); /* the name runs past its list */
    broken_extension(0, SPAN("\0\17\0\0\13example.com")); /* the list past the extension */
    broken_extension(0, SPAN("\0"));
    broken_extension(14, SPAN("\0\4\0\1\0"));   /* the profiles run past the extension */
    broken_extension(14, SPAN("\0\3\0\1\0\0")); /* half a profile */
    broken_extension(14, SPAN("\0\2\0\1\1"));   /* the MKI is missing */
    broken_extension(14, SPAN_NONE);
    broken_extension(43, SPAN("\3\xfe\xfd\xfe"));
    broken_extension(43, SPAN("\4\xfe\xfd"));
    broken_extension(43, SPAN_NONE);
}

/* Behind a broken extension nothing is believed. */
Test(dtls_hello, what_comes_before_a_broken_extension_is_kept)
{
    struct buf ext = { .n = 0 }, hello;
    struct dtls_msg m;

    put_extension(&ext, 0, SNI_EXAMPLE);
    put_extension(&ext, 43, SPAN("\4\xfe\xfd"));
    put_extension(&ext, 14, USE_SRTP_ONE);
    hello = client_hello(SPAN_NONE, span_of(&ext));
    broken_hello(span_of(&hello), &m);
    cr_assert(span_eq(m.client_hello.sni, SPAN("example.com")));
    cr_assert(!m.client_hello.has_use_srtp);
}

Test(dtls_hello, more_profiles_and_versions_than_are_kept)
{
    struct buf ext = { .n = 0 }, list = { .n = 0 }, hello, d;
    struct dtls_msg m;

    put_uint(&list, 20, 2);
    for (unsigned i = 1; i <= 10; i++)
        put_uint(&list, i, 2);
    put_uint(&list, 0, 1);
    put_extension(&ext, 14, span_of(&list));
    list.b[1] = 20; /* as supported_versions: a length of one byte, and no MKI */
    put_extension(&ext, 43, (struct span){ list.b + 1, 21 });
    hello = client_hello(SPAN_NONE, span_of(&ext));
    d = handshake(DTLS_CLIENT_HELLO, 0, span_of(&hello));
    sound(&d, &m);
    cr_assert(m.client_hello.profiles == DTLS_PROFILES_KEPT && m.client_hello.profile[7] == 8);
    cr_assert(m.client_hello.versions == DTLS_VERSIONS_KEPT && m.client_hello.supported[7] == 8);
}

/* RFC 6066 §3: other name types are passed over. */
Test(dtls_hello, server_name_of_another_type)
{
    struct buf ext = { .n = 0 }, hello, d;
    struct dtls_msg m;

    put_extension(&ext, 0, SPAN("\0\14\1\0\2xy\0\0\4host"));
    hello = client_hello(SPAN_NONE, span_of(&ext));
    d = handshake(DTLS_CLIENT_HELLO, 0, span_of(&hello));
    sound(&d, &m);
    cr_assert(span_eq(m.client_hello.sni, SPAN("host")));
}

/* ---- broken messages ---- */

static struct buf with_header(uint32_t length, uint32_t offset, uint32_t fragment_length, struct span body)
{
    struct buf rec = { .n = 0 }, d = { .n = 0 };

    put_uint(&rec, DTLS_CLIENT_KEY_EXCHANGE, 1);
    put_uint(&rec, length, 3);
    put_uint(&rec, 3, 2);
    put_uint(&rec, offset, 3);
    put_uint(&rec, fragment_length, 3);
    put(&rec, body);
    put_record(&d, DTLS_HANDSHAKE, 0, 0, span_of(&rec));
    return d;
}

Test(dtls_handshake, lengths_that_do_not_fit)
{
    const struct buf broken[] = {
        with_header(5, 0, 5, SPAN("four")), /* past its record */
        with_header(3, 0, 4, SPAN("four")), /* past its message */
        with_header(5, 2, 4, SPAN("four")), /* past it from there */
        with_header(5, 6, 0, SPAN_NONE),    /* begins behind it */
        with_header(0xffffff, 0xffffff, 1, SPAN("x")),
    };
    struct dtls_msg m;

    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        faulty(&broken[i], FAULT_DTLS_HANDSHAKE, DTLS_RECORD_HEADER, &m);
        cr_assert(m.records == 1 && m.handshakes == 0);
    }
}

/* RFC 5246 §6.2.1: no handshake record is empty; and one that ends inside a message header. */
Test(dtls_handshake, record_too_short)
{
    struct buf empty = { .n = 0 }, half = { .n = 0 };
    struct dtls_msg m;

    put_record(&empty, DTLS_HANDSHAKE, 0, 0, SPAN_NONE);
    faulty(&empty, FAULT_DTLS_HANDSHAKE, DTLS_RECORD_HEADER, &m);
    put_record(&half, DTLS_HANDSHAKE, 0, 0, SPAN("\x10\0\0\1\0\0"));
    faulty(&half, FAULT_DTLS_HANDSHAKE, DTLS_RECORD_HEADER, &m);
}

Test(dtls_handshake, more_than_are_kept)
{
    struct buf rec = { .n = 0 }, d = { .n = 0 };
    struct dtls_msg m;

    for (uint16_t i = 0; i < DTLS_HANDSHAKES_KEPT; i++)
        put_message(&rec, DTLS_HELLO_REQUEST, i, SPAN_NONE);
    put_message(&rec, DTLS_SERVER_HELLO_DONE, DTLS_HANDSHAKES_KEPT, SPAN_NONE);
    put_record(&d, DTLS_HANDSHAKE, 0, 0, span_of(&rec));
    faulty(&d, FAULT_DTLS_COUNT, DTLS_RECORD_HEADER + DTLS_HANDSHAKES_KEPT * 12, &m);
    cr_assert(m.handshakes == DTLS_HANDSHAKES_KEPT && m.handshake[DTLS_HANDSHAKES_KEPT - 1].type == DTLS_HELLO_REQUEST);
    cr_assert(m.has_server_hello_done, "told of those not kept too");
}

/* ---- broken records ---- */

Test(dtls_record, runs_past_the_datagram)
{
    struct buf hello = client_hello(SPAN_NONE, SPAN_NONE), d = handshake(DTLS_CLIENT_HELLO, 0, span_of(&hello));
    size_t first = d.n;
    struct faults why;
    struct dtls_msg m;

    cr_assert_eq(dissect_as((struct span){ d.b, d.n - 1 }, d.n - 1, &m, &why), DIS_SHORT);
    cr_assert(why.n == 1 && why.v[0].id == FAULT_DTLS_RECORD && why.v[0].at == 0);
    put_record(&d, DTLS_ALERT, 0, 0, SPAN("\2\x28"));
    d.n--;
    faulty(&d, FAULT_DTLS_RECORD, first, &m);
    cr_assert(m.has_client_hello && m.records == 1 && !m.has_alert);
}

Test(dtls_record, followed_by_other_bytes)
{
    struct buf d = { .n = 0 };
    struct dtls_msg m;

    put_record(&d, DTLS_ALERT, 0, 0, SPAN("\2\x28"));
    put(&d, SPAN("what is this, it is long enough"));
    faulty(&d, FAULT_DTLS_RECORD, 15, &m);
    cr_assert(m.records == 1 && m.alert_description == 40);
    d.n = 15;
    put_uint(&d, 0, 1);
    faulty(&d, FAULT_DTLS_RECORD, 15, &m);
}

Test(dtls_record, change_cipher_spec_is_one_byte_of_one)
{
    static const struct span wrong[] = { { (const uint8_t *)"\1\1", 2 }, { (const uint8_t *)"\2", 1 }, { NULL, 0 } };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct buf d = { .n = 0 };
        struct dtls_msg m;

        put_record(&d, DTLS_CHANGE_CIPHER_SPEC, 0, 0, wrong[i]);
        faulty(&d, FAULT_DTLS_RECORD, DTLS_RECORD_HEADER, &m);
        cr_assert(m.has_change_cipher_spec);
    }
}

Test(dtls_record, more_than_are_kept)
{
    struct buf d = { .n = 0 };
    struct dtls_msg m;

    for (unsigned i = 0; i < DTLS_RECORDS_KEPT; i++)
        put_record(&d, DTLS_CHANGE_CIPHER_SPEC, 0, i, SPAN("\1"));
    put_record(&d, DTLS_ALERT, 0, DTLS_RECORDS_KEPT, SPAN("\2\x28"));
    faulty(&d, FAULT_DTLS_COUNT, DTLS_RECORDS_KEPT * 14, &m);
    cr_assert(m.records == DTLS_RECORDS_KEPT && m.record[DTLS_RECORDS_KEPT - 1].type == DTLS_CHANGE_CIPHER_SPEC);
    cr_assert(m.has_alert && m.alert_description == 40, "told of those not kept too");
}

/* A snap length of 96 leaves some 54 bytes of the datagram: enough to know a ClientHello. */
Test(dtls_record, cut)
{
    struct buf ext = offered_extensions(), hello = client_hello(SPAN("cook"), span_of(&ext));
    struct buf d = handshake(DTLS_CLIENT_HELLO, 0, span_of(&hello));
    struct faults why;
    struct dtls_msg m;

    cr_assert_eq(dissect_as((struct span){ d.b, 54 }, d.n, &m, &why), DIS_CUT);
    cr_assert_eq(why.n, 0);
    cr_assert(m.has_client_hello && m.records == 1 && m.handshakes == 1);
    cr_assert(m.client_hello.version == DTLS_1_2 && m.record[0].fragment.n == 54 - DTLS_RECORD_HEADER);
}
