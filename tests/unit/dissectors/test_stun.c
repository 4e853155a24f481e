#include "dissectors/stun.h"

#include <criterion/criterion.h>

#include "support/sweep.h"
#include "unit/dissectors/stun_sample.h"

Test(stun, rfc5769_request)
{
    struct faults why = { 0 };
    struct stun_msg m;

    cr_assert_eq(dissect(BYTES(request), &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(m.cls == STUN_REQUEST && m.method == STUN_BINDING && !m.classic);
    cr_assert_eq(memcmp(m.tid, request + 4, STUN_TID), 0);
    cr_assert(span_eq(m.whole, BYTES(request)));
    cr_assert_eq(m.attrs, 6);
    cr_assert_str_eq(m.attr[3].def->name, "USERNAME");
    cr_assert(span_eq(m.software, SPAN("STUN test client")));
    cr_assert(span_eq(m.username, SPAN("evtj:h6vY")));
    cr_assert(m.has_priority && m.priority == 0x6e0001ff);
    cr_assert(m.controlled && !m.controlling && m.tie_breaker == 0x932ff9b151263b36);
    cr_assert(m.has_integrity && m.integrity_at == 76 && m.has_fingerprint && m.fingerprint_at == 100);
}

Test(stun, rfc5769_responses)
{
    static const char *const mapped[] = { "192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853" };
    const struct span sample[] = { BYTES(response4), BYTES(response6) };

    for (size_t i = 0; i < 2; i++) {
        struct faults why = { 0 };
        struct stun_msg m;

        cr_assert_eq(dissect(sample[i], &m, &why), DIS_OK);
        cr_assert_eq(why.n, 0);
        cr_assert(m.cls == STUN_SUCCESS && m.method == STUN_BINDING);
        cr_assert(span_eq(m.software, SPAN("test vector")));
        cr_assert(m.has_xor_mapped && !m.has_mapped);
        expect_addr(&m.xor_mapped, mapped[i]);
    }
}

/* As Asterisk asks: no cookie, no attribute; and as RFC 3489 servers answer. */
Test(stun, classic_request_and_response)
{
    struct msg ask = msg_new(0x0001, classic_tid), answer = msg_new(0x0101, classic_tid);
    struct stun_msg out;

    sound(&ask, &out);
    cr_assert(out.classic && out.cls == STUN_REQUEST && out.method == STUN_BINDING && out.attrs == 0);
    cr_assert_eq(memcmp(out.tid, classic_tid, STUN_TID), 0);

    put_attr(&answer, 0x0001, "\0\1\x27\x1a\xcb\0\x71\x0a", 8);
    put_attr(&answer, 0x0004, "\0\1\x0d\x96\xc6\x33\x64\x01", 8);
    put_attr(&answer, 0x0005, "\0\1\x0d\x97\xc6\x33\x64\x02", 8);
    put_attr(&answer, 0x8020, "\0\1\x4c\x91\xa0\x8b\x34\x6d", 8); /* XORed with the id's first four bytes */
    put_attr(&answer, 0x8022, "Vovida.org 0.96\0", 16);
    sound(&answer, &out);
    cr_assert(out.classic && out.cls == STUN_SUCCESS && out.has_mapped && out.has_xor_mapped);
    expect_addr(&out.mapped, "203.0.113.10:10010");
    expect_addr(&out.xor_mapped, "203.0.113.10:10010");
    expect_addr(&out.origin, "198.51.100.1:3478");
    expect_addr(&out.other, "198.51.100.2:3479");
    cr_assert(out.has_origin && out.has_other);
}

Test(stun, classic_types)
{
    static const uint16_t with_attrs[] = { 0x0001, 0x0101, 0x0111, 0x0002, 0x0102, 0x0112 };
    static const uint16_t never[] = { 0x0000, 0x0003, 0x0011, 0x0103, 0x0113, 0x0201, 0x4001 };
    struct stun_msg out;

    for (size_t i = 0; i < sizeof with_attrs / sizeof *with_attrs; i++) {
        struct msg m = msg_new(with_attrs[i], classic_tid);

        if (with_attrs[i] != 0x0001)
            not_mine(&m); /* empty */
        put_attr(&m, 0x0006, "user", 4);
        sound(&m, &out);
    }
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        struct msg m = msg_new(never[i], classic_tid);

        put_attr(&m, 0x0006, "user", 4);
        not_mine(&m);
    }
}

/* Weakly typed: whatever does not fit exactly is another protocol, and tells no faults. */
Test(stun, classic_must_fit_exactly)
{
    static const uint16_t foreign[] = { 0x0000, 0x000c, 0x0020, 0x0024, 0x7fff };
    struct stun_msg out;
    struct faults why = { 0 };
    struct msg m = msg_new(0x0001, classic_tid);

    put_attr(&m, 0x0006, "user", 4);
    m.n++;
    not_mine(&m);
    m.n -= 2;
    not_mine(&m);
    m.n++;
    m.b[STUN_HEADER + 3] = 5; /* runs past the end */
    not_mine(&m);
    m.b[STUN_HEADER + 3] = 4;
    cr_assert_eq(dissect_as(bytes_of(m.b, m.n), m.n, true, &out, &why), DIS_NOT_MINE); /* in a stream */
    m.b[STUN_HEADER + 3] = 2; /* not padded (RFC 3489 §11.2: a multiple of four) */
    m.n -= 2;
    set_length(&m, m.n - STUN_HEADER);
    not_mine(&m);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        m = msg_new(0x0001, classic_tid);
        put_attr(&m, foreign[i], "user", 4);
        not_mine(&m);
    }
}

Test(stun, cookie_takes_any_method_and_class)
{
    static const struct {
        uint16_t type, method;
        enum stun_class cls;
        const char *name;
    } cases[] = {
        { 0x0001, 0x001, STUN_REQUEST, "Binding" },
        { 0x0011, 0x001, STUN_INDICATION, "Binding" },
        { 0x0101, 0x001, STUN_SUCCESS, "Binding" },
        { 0x0113, 0x003, STUN_ERROR, "Allocate" },
        { 0x0016, 0x006, STUN_INDICATION, "Send" },
        { 0x0017, 0x007, STUN_INDICATION, "Data" },
        { 0x0008, 0x008, STUN_REQUEST, "CreatePermission" },
        { 0x0109, 0x009, STUN_SUCCESS, "ChannelBind" },
        { 0x001c, 0x00c, STUN_INDICATION, "ConnectionAttempt" },
        { 0x3fff, 0xfff, STUN_ERROR, "unknown" },
        { 0x0200, 0x080, STUN_REQUEST, "GOOG-PING" },
        { 0x3eef, 0xfff, STUN_REQUEST, "unknown" },
    };
    struct stun_msg out;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct msg m = msg_new(cases[i].type, cookie_tid);

        sound(&m, &out);
        cr_assert_eq(out.method, cases[i].method, "type 0x%04x", cases[i].type);
        cr_assert_eq(out.cls, cases[i].cls, "type 0x%04x", cases[i].type);
        cr_assert_str_eq(stun_method_name(out.method), cases[i].name);
    }
}

Test(stun, turn_and_ice_fields)
{
    struct msg m = msg_new(0x0103, cookie_tid);
    struct stun_msg out;

    put_attr(&m, 0x0016, "\0\1\xa1\x47\xe1\x12\xa6\x43", 8); /* RFC 5769's 192.0.2.1:32853 */
    put_attr(&m, 0x0012, "\0\1\x21\x13\xe1\x12\xa6\x42", 8);
    put_attr(&m, 0x0012, "\0\1\x21\x10\xe1\x12\xa6\x40", 8);
    put_attr(&m, 0x000d, "\0\0\2\x58", 4);
    put_attr(&m, 0x000c, "\x40\1\0\0", 4);
    put_attr(&m, 0x0019, "\x11\0\0\0", 4);
    put_attr(&m, 0x0013, "hello", 5);
    put_attr(&m, 0x0025, NULL, 0);
    put_attr(&m, 0x802a, "\0\0\0\0\0\0\1\0", 8);
    put_attr(&m, 0x8023, "\0\1\x0d\x96\xc6\x33\x64\x01", 8);
    put_attr(&m, 0x802b, "\0\1\x0d\x96\xc6\x33\x64\x02", 8);
    put_attr(&m, 0x802c, "\0\1\x0d\x96\xc6\x33\x64\x03", 8);
    put_attr(&m, 0x7ffe, "?", 1);
    sound(&m, &out);
    cr_assert(out.has_relayed && out.has_peer && out.has_alternate && out.has_origin && out.has_other);
    expect_addr(&out.relayed, "192.0.2.1:32853");
    expect_addr(&out.peer, "192.0.2.0:1");
    expect_addr(&out.alternate, "198.51.100.1:3478");
    expect_addr(&out.origin, "198.51.100.2:3478");
    expect_addr(&out.other, "198.51.100.3:3478");
    cr_assert(out.has_lifetime && out.lifetime_s == 600 && out.has_channel && out.channel == 0x4001);
    cr_assert_eq(out.requested_transport, 17);
    cr_assert(span_eq(out.data, SPAN("hello")));
    cr_assert(out.use_candidate && out.controlling && !out.controlled && out.tie_breaker == 256);
    cr_assert_null(out.attr[12].def);
    cr_assert_eq(out.attr[12].code, 0x7ffe);
}

Test(stun, repeated_peer_addresses_can_be_read)
{
    struct msg m = msg_new(0x0008, cookie_tid);
    struct stun_msg out;
    struct addr a;

    put_attr(&m, 0x0012, "\0\1\x21\x13\xe1\x12\xa6\x42", 8);
    put_attr(&m, 0x0012, "\0\1\x21\x10\xe1\x12\xa6\x40", 8);
    put_attr(&m, 0x8022, "\0\1softly", 8);
    sound(&m, &out);
    cr_assert(stun_attr_addr(&out, &out.attr[1], &a));
    expect_addr(&a, "192.0.2.2:2");
    cr_assert(!stun_attr_addr(&out, &out.attr[2], &a), "SOFTWARE is no address");
}

/* RFC 8489 §9.2.3: who hides the name of the user sends its hash. */
Test(stun, userhash_stands_for_the_user_name)
{
    struct msg m = msg_new(0x0003, cookie_tid);
    struct stun_msg out;

    put_attr(&m, 0x001e, "0123456789abcdef0123456789abcdef", 32);
    sound(&m, &out);
    cr_assert(out.has_userhash && !out.username.n);
}

Test(stun, change_request)
{
    static const uint8_t flags[] = { 0, 1, 2, 4, 6 };
    struct stun_msg out;

    for (size_t i = 0; i < sizeof flags; i++) {
        struct msg m = msg_new(0x0001, classic_tid);

        put_attr(&m, 0x0003, (uint8_t[]){ 0, 0, 0, flags[i] }, 4);
        sound(&m, &out);
        cr_assert_eq(out.change_request, flags[i] > 1);
    }
}

Test(stun, error_code)
{
    static const struct {
        uint8_t hundreds, number;
        uint16_t error;
    } cases[] = { { 4, 1, 401 }, { 6, 99, 699 }, { 3, 0, 300 }, { 0xfc, 38, 438 }, { 2, 74, 0 }, { 7, 0, 0 }, { 4, 100, 0 } };
    struct stun_msg out;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct msg m = msg_new(0x0111, cookie_tid);

        put_attr(&m, 0x0009, (uint8_t[]){ 0, 0, cases[i].hundreds, cases[i].number, 'N', 'o' }, 6);
        sound(&m, &out);
        cr_assert_eq(out.error, cases[i].error);
        cr_assert(span_eq(out.reason, SPAN("No")));
    }
}

/* RFC 8489 §14: of a repeated attribute only the first. */
Test(stun, the_first_of_equals_counts)
{
    struct msg m = msg_new(0x0101, cookie_tid);
    struct stun_msg out;

    put_attr(&m, 0x0001, "\0\1\0\1\xc0\0\2\1", 8);
    put_attr(&m, 0x0001, "\0\1\0\2\xc0\0\2\2", 8);
    put_attr(&m, 0x8022, "one", 3);
    put_attr(&m, 0x8022, "two", 3);
    put_attr(&m, 0x0020, "\0\1\x21\x13\xe1\x12\xa6\x42", 8);
    put_attr(&m, 0x8020, "\0\1\x21\x10\xe1\x12\xa6\x40", 8);
    sound(&m, &out);
    expect_addr(&out.mapped, "192.0.2.1:1");
    expect_addr(&out.xor_mapped, "192.0.2.0:1");
    cr_assert(span_eq(out.software, SPAN("one")));
    cr_assert_eq(out.attrs, 6);
}

/* RFC 8489 §14.5: an attacker may append what the HMAC does not cover. */
Test(stun, nothing_counts_behind_the_integrity)
{
    struct msg m = msg_new(0x0101, cookie_tid);
    struct stun_mac mac = { 0 };
    struct stun_msg out;
    size_t fingerprint_at;

    put_attr(&m, 0x0008, "01234567890123456789", 20);
    put_attr(&m, 0x0020, "\0\1\x21\x13\xe1\x12\xa6\x42", 8);
    put_attr(&m, 0x001c, "01234567890123456789012345678901", 32);
    put_attr(&m, 0x0024, "\0\0\0\1", 4);
    fingerprint_at = m.n;
    put_attr(&m, 0x8028, "\0\0\0\0", 4);
    put_attr(&m, 0x8022, "late", 4);
    sound(&m, &out);
    cr_assert_eq(out.attrs, 6);
    cr_assert(out.has_integrity && out.integrity_at == STUN_HEADER);
    cr_assert(out.has_fingerprint && out.fingerprint_at == fingerprint_at);
    cr_assert(!out.has_xor_mapped && !out.has_priority && !out.software.n);
    cr_assert_eq(stun_check_integrity(&mac, &out, PASSWORD), STUN_WRONG);
    stun_mac_done(&mac);
    cr_assert_eq(stun_check_fingerprint(&out), STUN_WRONG);
}

Test(stun, nothing_counts_behind_the_other_seals)
{
    static const struct {
        uint16_t code;
        size_t n;
    } seals[] = { { 0x001c, 32 }, { 0x8028, 4 } };
    struct stun_msg out;

    for (size_t i = 0; i < sizeof seals / sizeof *seals; i++) {
        struct msg m = msg_new(0x0101, cookie_tid);

        put_attr(&m, 0x8022, "early", 5);
        put_attr(&m, seals[i].code, "01234567890123456789012345678901", seals[i].n);
        put_attr(&m, 0x0020, "\0\1\x21\x13\xe1\x12\xa6\x42", 8);
        sound(&m, &out);
        cr_assert(span_eq(out.software, SPAN("early")));
        cr_assert(!out.has_xor_mapped);
    }
}

Test(stun, values_outside_their_bounds)
{
    struct stun_msg out;

    for (size_t n = 0; n <= 24; n++) {
        struct msg m = msg_new(0x0101, cookie_tid);
        uint8_t val[24] = { 0, 1 };

        put_attr(&m, 0x0020, val, n);
        if (n == 8)
            sound(&m, &out);
        else
            faulty(&m, FAULT_STUN_ATTR_LENGTH, STUN_HEADER, &out);
        cr_assert_eq(out.has_xor_mapped, n == 8, "IPv4 in %zu bytes", n);
        cr_assert_eq(out.attrs, 1);
    }
    for (size_t n = 0; n <= 8; n++) {
        struct msg m = msg_new(0x0001, cookie_tid);

        if (n == 4)
            continue;
        put_attr(&m, 0x0024, "12345678", n);
        faulty(&m, FAULT_STUN_ATTR_LENGTH, STUN_HEADER, &out);
        cr_assert(!out.has_priority);
    }
}

Test(stun, integrity_of_a_wrong_length_still_ends_what_counts)
{
    struct msg m = msg_new(0x0101, cookie_tid);
    struct stun_msg out;

    put_attr(&m, 0x0008, "0123456789012345", 16);
    put_attr(&m, 0x0020, "\0\1\x21\x13\xe1\x12\xa6\x42", 8);
    faulty(&m, FAULT_STUN_ATTR_LENGTH, STUN_HEADER, &out);
    cr_assert(!out.has_integrity && !out.has_xor_mapped);
}

Test(stun, unknown_address_family)
{
    struct msg m = msg_new(0x0101, cookie_tid);
    struct stun_msg out;

    put_attr(&m, 0x0001, "\0\3\0\1\xc0\0\2\1", 8);
    faulty(&m, FAULT_STUN_ATTR_FAMILY, STUN_HEADER, &out);
    cr_assert(!out.has_mapped);
}

Test(stun, attribute_past_the_message)
{
    struct msg m = msg_new(0x0001, cookie_tid);
    struct stun_msg out;
    struct faults why = { 0 };

    put_attr(&m, 0x0024, "\0\0\0\1", 4);
    put_attr(&m, 0x0006, "user", 4);
    m.b[m.n - 5] = 5;
    cr_assert_eq(dissect(bytes_of(m.b, m.n), &out, &why), DIS_BAD);
    cr_assert_eq(why.n, 1);
    cr_assert_eq(why.v[0].id, FAULT_STUN_ATTR_OVERRUN);
    cr_assert_eq(why.v[0].at, STUN_HEADER + 8);
}

Test(stun, more_attributes_than_are_kept)
{
    struct msg m = msg_new(0x0001, cookie_tid);
    struct stun_msg out;

    for (int i = 0; i < STUN_ATTRS_KEPT; i++)
        put_attr(&m, 0x7001, NULL, 0);
    put_attr(&m, 0x0024, "\0\0\0\1", 4);
    faulty(&m, FAULT_STUN_ATTR_COUNT, STUN_HEADER + 4 * STUN_ATTRS_KEPT, &out);
    cr_assert_eq(out.attrs, STUN_ATTRS_KEPT);
    cr_assert(!out.has_priority);
}

Test(stun, a_datagram_that_goes_on)
{
    struct msg m = msg_new(0x0101, cookie_tid);
    struct stun_msg out;

    put_attr(&m, 0x0001, "\0\1\0\1\xc0\0\2\1", 8);
    m.n += 5;
    faulty(&m, FAULT_STUN_LENGTH, 2, &out);
    cr_assert(out.has_mapped);
    cr_assert_eq(out.whole.n, m.n - 5);
}

Test(stun, a_length_that_leaves_out_the_last_padding)
{
    struct msg m = msg_new(0x0001, cookie_tid);
    struct stun_msg out;

    put_attr(&m, 0x0006, "me:you", 6);
    m.n -= 2;
    set_length(&m, m.n - STUN_HEADER);
    faulty(&m, FAULT_STUN_LENGTH, 2, &out);
    cr_assert(span_eq(out.username, SPAN("me:you")));
}

/* [MS-TURN] leaves the padding out, as Teams and Skype do to this day. */
Test(stun, ms_turn_pads_nothing)
{
    struct msg m = msg_new(0x0103, cookie_tid);
    struct stun_msg out;

    put_attr(&m, 0x000f, "\x72\xc6\x4b\xc6", 4);
    put_attr(&m, 0x8022, "2.0.1.211", 9);
    m.n -= 3;
    put_attr(&m, 0x8020, "\0\1\x21\x13\xe1\x12\xa6\x42", 8);
    sound(&m, &out);
    cr_assert(span_eq(out.software, SPAN("2.0.1.211")));
    cr_assert(out.has_xor_mapped);
    expect_addr(&out.xor_mapped, "192.0.2.0:1");
}

/* Taken for what the client is seen as, it would make every such server contradict itself. */
Test(stun, ms_turn_calls_the_relayed_address_mapped)
{
    struct msg m = msg_new(0x0103, cookie_tid);
    struct stun_msg out;

    put_attr(&m, 0x000f, "\x72\xc6\x4b\xc6", 4);
    put_attr(&m, 0x0001, "\0\1\x0d\x98\xc6\x33\x64\x01", 8);
    put_attr(&m, 0x8020, "\0\1\x21\x13\xe1\x12\xa6\x42", 8);
    sound(&m, &out);
    cr_assert(!out.has_mapped && out.has_relayed && out.has_xor_mapped);
    expect_addr(&out.relayed, "198.51.100.1:3480");
    expect_addr(&out.xor_mapped, "192.0.2.0:1");
}

Test(stun, a_datagram_that_ends_early)
{
    for (size_t n = 0; n < sizeof request; n++) {
        struct stun_msg out;
        struct faults why = { 0 };
        enum dis d = dissect(bytes_of(request, n), &out, &why);

        cr_assert_eq(d, n < 8 ? DIS_NOT_MINE : DIS_SHORT, "%zu bytes", n);
        cr_assert_eq(why.n, n < 8 ? 0 : 1);
        if (n >= 8)
            cr_assert_eq(why.v[0].id, FAULT_STUN_LENGTH);
    }
}

Test(stun, a_cut_datagram_keeps_whole_attributes)
{
    struct stun_msg out;

    for (size_t n = 0; n < sizeof request; n++) {
        struct faults why = { 0 };

        cr_assert_eq(dissect_as(bytes_of(request, n), sizeof request, false, &out, &why), DIS_CUT, "%zu bytes", n);
        cr_assert_eq(why.n, 0);
        cr_assert_eq(out.has_priority, n >= 48);
        cr_assert_eq(out.username.n, n >= 73 ? 9 : 0);
        cr_assert_eq(out.has_integrity, n >= 100);
        cr_assert(!out.has_fingerprint);
    }
}

/* A snap length that ends inside what a relay carries: its front is given, with the length that it had. */
Test(stun, a_cut_indication_keeps_the_front_of_its_data)
{
    struct msg m = msg_new(0x0016, cookie_tid);
    struct faults why = { 0 };
    struct stun_msg out;
    struct rd in;

    put_attr(&m, 0x0012, "\0\1\x21\x13\xe1\x12\xa6\x43", 8);
    put_attr(&m, 0x0013, "0123456789abcdef", 16);
    in = rd_init((struct span){ m.b, m.n - 10 }, m.n);
    cr_assert_eq(stun_dissect(&in, false, &out, &why), DIS_CUT);
    cr_assert(out.has_peer);
    cr_assert(span_eq(out.data, SPAN("012345")));
    cr_assert_eq(out.data_wire, 16);
}

Test(stun, a_stream_waits_and_leaves_what_follows)
{
    uint8_t two[2 * sizeof response4];
    struct stun_msg out;
    struct faults why = { 0 };
    struct rd r = rd_init(BYTES(two), sizeof two);

    memcpy(two, response4, sizeof response4);
    memcpy(two + sizeof response4, response4, sizeof response4);
    for (size_t n = 0; n < sizeof response4; n++)
        cr_assert_eq(dissect_as(bytes_of(two, n), n, true, &out, &why), DIS_SHORT, "%zu bytes", n);
    cr_assert_eq(stun_dissect(&r, true, &out, &why), DIS_OK);
    cr_assert_eq(rd_left(&r), sizeof response4);
    cr_assert_eq(stun_dissect(&r, true, &out, &why), DIS_OK);
    cr_assert_eq(rd_left(&r), 0);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(dissect_as(SPAN("GET / HTTP"), 10, true, &out, &why), DIS_NOT_MINE);
    cr_assert_eq(dissect_as(SPAN("\0\1\0\0\x21\x13"), 6, true, &out, &why), DIS_NOT_MINE);
}

Test(stun, neighbours_on_the_same_port)
{
    static const uint8_t rtp[20] = { 0x80 }, dtls[20] = { 22, 0xfe, 0xfd }, channel_data[20] = { 0x40, 0, 0, 16 };
    static const uint8_t dns[32] = { 0x00, 0x01, 0x01, 0x00, 0x00, 0x01 };
    const struct span others[] = { BYTES(rtp), BYTES(dtls), BYTES(channel_data), BYTES(dns), SPAN_NONE };
    struct msg cookie_in_channel = msg_new(0x4001, cookie_tid);
    struct stun_msg out;
    struct faults why = { 0 };

    not_mine(&cookie_in_channel);

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_eq(dissect(others[i], &out, &why), DIS_NOT_MINE, "case %zu", i);
}

Test(stun, definitions_are_in_order)
{
    static const uint16_t codes[] = {
#define X(code, id, name, form, lo, hi) code,
#include "dissectors/stun_attr.def"
#undef X
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        const struct stun_def *def = stun_def(codes[i]);

        cr_assert(i == 0 || codes[i - 1] < codes[i], "0x%04x", codes[i]);
        cr_assert(def && def->code == codes[i] && def->lo <= def->hi);
        cr_assert((def->form != STUN_ADDR && def->form != STUN_XADDR) || def->lo >= 8, "the family must be there to be read");
    }
    cr_assert_null(stun_def(0x0000));
    cr_assert_null(stun_def(0x0023));
    cr_assert_null(stun_def(0xffff));
    cr_assert_str_eq(stun_def(0xc057)->name, "GOOG-NETWORK-INFO");
}

static bool inside(struct span part, struct span whole)
{
    return !part.n || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void check(struct rd r, bool unharmed, void *self)
{
    const bool *stream = self;
    struct span all = rd_rest(&r);
    struct faults why = { 0 };
    struct stun_msg m;
    struct stun_mac mac = { 0 };
    enum dis d = stun_dissect(&r, *stream, &m, &why);

    cr_assert(!unharmed || (d == DIS_OK && !why.n));
    cr_assert_eq(d == DIS_BAD, d == DIS_BAD && why.n);
    if (d != DIS_OK && d != DIS_CUT)
        return;
    cr_assert(m.attrs <= STUN_ATTRS_KEPT && inside(m.whole, all));
    for (size_t i = 0; i < m.attrs; i++)
        cr_assert(inside(m.attr[i].val, m.whole));
    cr_assert(inside(m.username, m.whole) && inside(m.data, m.whole) && inside(m.reason, m.whole));
    cr_assert(unharmed || stun_check_fingerprint(&m) != STUN_GOOD || d == DIS_CUT);
    (void)stun_check_integrity(&mac, &m, PASSWORD);
    stun_mac_done(&mac);
}

Test(stun, sweep)
{
    struct msg classic = msg_new(0x0111, classic_tid);
    const struct span samples[] = { BYTES(request), BYTES(response4), BYTES(response6), BYTES(long_term) };

    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        for (int stream = 0; stream < 2; stream++)
            sweep(samples[i], check, &(bool){ stream });
    put_attr(&classic, 0x0009, "\0\0\4\x14Unknown attr", 16);
    put_attr(&classic, 0x000a, "\0\x20\0\x24", 4);
    put_attr(&classic, 0x8020, "\0\1\x4c\x91\xa0\x8b\x34\x6d", 8);
    sweep(bytes_of(classic.b, classic.n), check, &(bool){ false });
}

Test(stun, peek_is_a_guess_of_what_is_read)
{
    static const uint8_t short_one[STUN_HEADER - 1], media[STUN_HEADER] = { 0x80 };
    bool answers = true;

    cr_assert_eq(stun_peek(BYTES(request), &answers), request + 4);
    cr_assert_not(answers);
    cr_assert_eq(stun_peek(BYTES(response4), &answers), response4 + 4);
    cr_assert(answers);
    cr_assert_null(stun_peek(BYTES(short_one), &answers));
    cr_assert_null(stun_peek(BYTES(media), &answers));
    cr_assert_not(answers);
}
