#include "sip_support.h"

/* ---- whole messages ---- */

Test(sip, request_is_decoded)
{
    cr_assert_eq(datagram(REQUEST), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(m.request);
    cr_assert_eq(m.method, SIP_INVITE);
    cr_assert(is(m.method_name, "INVITE"));
    cr_assert(is(m.uri, "sip:18005550100@pbx.example.com;transport=udp"));
    cr_assert_eq(m.status, 0);
    cr_assert(is(m.call_id, "5f3c@10.0.0.5"));
    cr_assert_eq(m.cseq, 102);
    cr_assert(is(m.user_agent, "Softphone 1.2"));
    cr_assert(is(m.content_type, "application/sdp"));
    cr_assert(m.has_content_length);
    cr_assert_eq(m.content_length, sizeof SDP - 1);
    cr_assert(is(m.body, SDP));
    cr_assert_eq(m.headers, 11);
    cr_assert(is(m.header[2].name, "Max-Forwards"));
    cr_assert(is(m.header[2].value, "70"));
    cr_assert(is(sip_sdp(&m, &why), SDP));
}

Test(sip, request_parties_are_decoded)
{
    cr_assert_eq(datagram(REQUEST), DIS_OK);
    cr_assert(is(m.from.display, "Agent \\\"One\\\""));
    cr_assert(is(m.from.uri, "sip:agent1:secret@pbx.example.com"));
    cr_assert(is(m.from.user, "agent1"), "a password is no part of the user");
    cr_assert(is(m.from.host, "pbx.example.com"));
    cr_assert(is(m.from.tag, "as5a3e"));
    cr_assert(is(m.to.display, "Customer Line"));
    cr_assert(is(m.to.user, "18005550100"));
    cr_assert_eq(m.to.tag.n, 0);
    cr_assert(is(m.contact.uri, "sip:agent1@10.0.0.5:5062"), "the first of the list");
    cr_assert(is(m.contact.host, "10.0.0.5"));
}

Test(sip, request_vias_are_decoded_topmost_first)
{
    cr_assert_eq(datagram(REQUEST), DIS_OK);
    cr_assert_eq(m.vias, 2);
    cr_assert(is(m.via[0].transport, "UDP"));
    cr_assert(is(m.via[0].host, "10.0.0.5"));
    cr_assert_eq(m.via[0].port, 5062);
    cr_assert(is(m.via[0].branch, "z9hG4bKnext"));
    cr_assert_eq(m.via[0].rport, 0);
    cr_assert_eq(m.via[0].received.n, 0);
    cr_assert(is(m.via[1].transport, "TCP"));
    cr_assert(is(m.via[1].host, "[2001:db8::9]"));
    cr_assert_eq(m.via[1].port, 5070);
    cr_assert(is(m.via[1].received, "192.0.2.99"));
    cr_assert_eq(m.via[1].rport, 31000);
}

Test(sip, response_in_compact_form_is_decoded)
{
    cr_assert_eq(datagram(RESPONSE), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(!m.request);
    cr_assert_eq(m.status, 180);
    cr_assert(is(m.reason, "Ringing now"));
    cr_assert_eq(m.uri.n, 0);
    cr_assert_eq(m.method, SIP_INVITE);
    cr_assert(is(m.method_name, "INVITE"));
    cr_assert(is(m.from.uri, "sip:agent1@pbx.example.com"));
    cr_assert(is(m.from.tag, "as5a3e"), "without brackets the parameters are the header's");
    cr_assert(is(m.to.tag, "77c"));
    cr_assert(is(m.via[0].transport, "WSS"));
    cr_assert(is(m.via[0].received, "198.51.100.7"));
    cr_assert_eq(m.via[0].rport, 40512);
    cr_assert(is(m.user_agent, "PBX 18"));
    cr_assert_eq(m.body.n, 0);
}

Test(sip, user_agent_goes_before_server_in_either_order)
{
    cr_assert_eq(datagram(START VIA TAIL "Server: s\r\nUser-Agent: u\r\n" END), DIS_OK);
    cr_assert(is(m.user_agent, "u"));
    cr_assert_eq(datagram(START VIA TAIL "User-Agent: u\r\nServer: s\r\n" END), DIS_OK);
    cr_assert(is(m.user_agent, "u"));
}

/* ---- start lines ---- */

Test(sip, every_method_has_its_name)
{
    char text[600];

    for (enum sip_method i = SIP_INVITE; i <= SIP_PUBLISH; i++) {
        const char *name = sip_method_name(i);

        snprintf(text, sizeof text,
                 "%s sip:b@example.org SIP/2.0\r\n" VIA "Max-Forwards: 1\r\nFrom: <sip:a@b>;tag=1\r\n"
                 "To: <sip:b@c>\r\nCall-ID: c\r\nCSeq: 1 %s\r\n\r\n",
                 name, name);
        cr_assert_eq(datagram(text), DIS_OK);
        cr_assert_eq(m.method, i, "%s", name);
        cr_assert_eq(why.n, 0, "%s", name);
        cr_assert(sip_looks_like(span_str(text)));
    }
    cr_assert_str_eq(sip_method_name(SIP_OTHER), "other");
    cr_assert_str_eq(sip_method_name((enum sip_method)1000), "other");
}

Test(sip, methods_are_case_sensitive)
{
    cr_assert_eq(datagram("invite sip:b@c SIP/2.0\r\n" END), DIS_OK);
    cr_assert_eq(m.method, SIP_OTHER);
    cr_assert(is(m.method_name, "invite"));
}

Test(sip, version_is_of_any_case)
{
    cr_assert_eq(datagram("INVITE sip:b@example.org sip/2.0\r\n" VIA TAIL END), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(datagram("sIp/2.0 200 OK\r\n" VIA TAIL END), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.status, 200);
}

Test(sip, others_are_not_mine)
{
    static const char *const others[] = {
        "",
        "\r\n\r\n",
        "\r\n",
        "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
        "GET http://example.com/ HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "OPTIONS rtsp://example.com RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        "RTSP/1.0 200 OK\r\n\r\n",
        "NOTIFY * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\n\r\n",
        "INVITE\r\n\r\n",
        "INVITE sip:b@example.org\r\n\r\n",
        "INVITE sip:b@example.orgSIP/2.0\r\n\r\n",
        "SIP/2.0\x01 200 OK\r\n\r\n",
        "SIP/2 200 OK\r\n\r\n",
        " INVITE sip:b@example.org SIP/2.0\r\n\r\n",
        "IN\x80VITE sip:b@example.org SIP/2.0\r\n\r\n",
        "jaK",
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n",
    };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        cr_assert_eq(datagram(others[i]), DIS_NOT_MINE, "%s", others[i]);
        cr_assert_eq(why.n, 0);
    }
}

Test(sip, looks_like_takes_any_method_and_no_http)
{
    cr_assert(sip_looks_like(SPAN("INVITE sip:b")));
    cr_assert(sip_looks_like(SPAN("\r\n\r\nINVITE sips:b@c")));
    cr_assert(sip_looks_like(SPAN("NEWMETHOD tel:+1800")));
    cr_assert(sip_looks_like(SPAN("!odd-Method_*+`.%'~ soap.beep://192.0.2.103")));
    cr_assert(sip_looks_like(SPAN("INVITE <sip:b@c>")));
    cr_assert(sip_looks_like(SPAN("SIP/2.0 100")));
    cr_assert(sip_looks_like(SPAN("sip/2.0 ")));
    cr_assert_not(sip_looks_like(SPAN_NONE));
    cr_assert_not(sip_looks_like(SPAN("\r\n\r\n")));
    cr_assert_not(sip_looks_like(SPAN("\0\0\0\0")));
    cr_assert_not(sip_looks_like(SPAN("GET / HTTP/1.1\r\n")));
    cr_assert_not(sip_looks_like(SPAN("HTTP/1.1 200 OK\r\n")));
    cr_assert_not(sip_looks_like(SPAN("INVITE")));
    cr_assert_not(sip_looks_like(SPAN("INVITE ")));
    cr_assert_not(sip_looks_like(SPAN("INVITE sip")));
    cr_assert_not(sip_looks_like(SPAN("INVITE :b")));
    cr_assert_not(sip_looks_like(SPAN("SIP/2.0")));
    cr_assert_not(sip_looks_like(SPAN("SIP/2.0x")));
    cr_assert_not(sip_looks_like(SPAN("\x80\x00\x12\x34 sip:")));
}

Test(sip, looks_like_reads_no_further_than_a_method_is_long)
{
    uint8_t text[200];

    memset(text, 'A', sizeof text);
    memcpy(text + 65, " sip:b@c ", 9);
    cr_assert_not(sip_looks_like((struct span){ text, sizeof text }));
    memcpy(text + 64, " sip:b@c ", 9);
    cr_assert(sip_looks_like((struct span){ text, sizeof text }));
}

Test(sip, start_line_without_a_scheme_is_a_fault)
{
    cr_assert_eq(datagram("REGISTER example.com SIP/2.0\r\n" VIA TAIL END), DIS_OK);
    cr_assert(faulty(FAULT_SIP_START_LINE));
    cr_assert(is(m.uri, "example.com"));
}

Test(sip, start_line_without_a_uri_is_a_fault)
{
    cr_assert_eq(datagram("INVITE SIP/2.0\r\n" VIA TAIL END), DIS_OK);
    cr_assert(faulty(FAULT_SIP_START_LINE));
    cr_assert_eq(m.uri.n, 0);
}

Test(sip, tabs_are_no_blanks_of_a_start_line)
{
    cr_assert_eq(datagram("INVITE\tsip:b@example.org\tSIP/2.0\r\n" VIA TAIL END), DIS_OK);
    cr_assert(faulty(FAULT_SIP_START_LINE));
    cr_assert(is(m.uri, "sip:b@example.org"));
}

Test(sip, status_outside_100_to_699_is_a_fault)
{
    static const char *const bad[] = { "99", "0200", "099", "700", "2x0", "-200", "" };
    char text[700];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "SIP/2.0 %s OK\r\n" VIA TAIL END, bad[i]);
        cr_assert_eq(datagram(text), DIS_OK);
        cr_assert(faulty(FAULT_SIP_START_LINE), "%s", bad[i]);
        cr_assert_eq(m.status, 0, "%s", bad[i]);
        cr_assert_not(m.request);
    }
    cr_assert_eq(datagram("SIP/2.0 699 x\r\n" VIA TAIL END), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.status, 699);
}

Test(sip, status_line_blanks_are_counted)
{
    cr_assert_eq(datagram("SIP/2.0 200\r\n" VIA TAIL END), DIS_OK);
    cr_assert(faulty(FAULT_SIP_START_LINE), "the blank behind the code is missing");
    cr_assert_eq(m.status, 200);
    cr_assert_eq(datagram("SIP/2.0  200 OK\r\n" VIA TAIL END), DIS_OK);
    cr_assert(faulty(FAULT_SIP_START_LINE));
    cr_assert_eq(m.status, 200);
    cr_assert(is(m.reason, "OK"));
}

Test(sip, empty_lines_before_the_start_line_are_passed_over)
{
    cr_assert_eq(datagram("\r\n\r\n" START VIA TAIL END), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is(m.call_id, "c1"));
}

/* ---- header fields ---- */

Test(sip, headers_are_found_by_full_name_in_either_form)
{
    cr_assert_eq(datagram(START VIA TAIL "s: Hello\r\nX-Account: 17\r\nX-Account: 18\r\nk: 100rel\r\nq: odd\r\n" END), DIS_OK);
    cr_assert(is(sip_header(&m, SPAN("Subject")), "Hello"));
    cr_assert(is(sip_header(&m, SPAN("sUBJECT")), "Hello"));
    cr_assert(is(sip_header(&m, SPAN("x-account")), "17"));
    cr_assert(is(sip_header(&m, SPAN("Supported")), "100rel"));
    cr_assert(is(sip_header(&m, SPAN("Call-ID")), "c1"));
    cr_assert_null(sip_header(&m, SPAN("Contact")).p);
    cr_assert_null(sip_header(&m, SPAN("Sub")).p);
    cr_assert_null(sip_header(&m, SPAN("")).p);
}

Test(sip, header_is_knows_both_forms)
{
    struct sip_header compact = { SPAN("I"), SPAN("x") }, full = { SPAN("CALL-id"), SPAN("x") };

    cr_assert(sip_header_is(&compact, SPAN("Call-ID")));
    cr_assert(sip_header_is(&full, SPAN("Call-ID")));
    cr_assert_not(sip_header_is(&compact, SPAN("Contact")));
    cr_assert_not(sip_header_is(&full, SPAN("Contact")));
}

/* Same length, first letter or hash as a known one must not do. */
Test(sip, names_that_resemble_known_ones_are_not_them)
{
    cr_assert_eq(datagram(START "Vie: SIP/2.0/UDP 192.0.2.1\r\nCSeX: 1 INVITE\r\nSession-Key: 9 BYE\r\nTu: <sip:a@b>\r\n"
                                "Fram: x\r\nCall-IX: 1\r\nContent-Lengtz: 9\r\nVias: x\r\n" END),
                 DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert(faulty(FAULT_SIP_MISSING));
    cr_assert_eq(m.vias, 0);
    cr_assert_eq(m.cseq, 0);
    cr_assert_eq(m.call_id.n, 0);
    cr_assert_eq(m.to.uri.n, 0);
    cr_assert_eq(m.content_length, 0);
}

Test(sip, values_may_be_folded_and_keep_their_line_break)
{
    cr_assert_eq(datagram(START VIA TAIL "Subject: one\r\n two\r\n\tthree\r\n" END), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is(sip_header(&m, SPAN("Subject")), "one\r\n two\r\n\tthree"));
}

Test(sip, lines_may_end_in_lf_alone)
{
    cr_assert_eq(datagram("OPTIONS sip:b@c SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:a@b>;tag=1\nTo: <sip:b@c>\nCall-ID: x\n"
                          "CSeq: 1 OPTIONS\nMax-Forwards: 1\nContent-Length: 2\n\nhi"),
                 DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is(m.body, "hi"));
}

Test(sip, lines_without_a_name_or_a_colon_are_faults)
{
    cr_assert_eq(datagram(START VIA TAIL "no colon here\r\n: no name\r\nb@d: name\r\n" END), DIS_OK);
    cr_assert_eq(why.n, 3);
    cr_assert_eq(why.v[0].id, FAULT_SIP_HEADER);
    cr_assert_eq(why.v[0].at, strlen(START VIA TAIL));
    cr_assert_eq(why.v[2].id, FAULT_SIP_HEADER);
    cr_assert_eq(m.headers, 7);
}

Test(sip, continuation_right_behind_the_start_line_is_a_fault)
{
    cr_assert_eq(datagram(START " folded: what\r\n" VIA TAIL END), DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert(faulty(FAULT_SIP_HEADER));
    cr_assert_eq(m.vias, 1);
}

Test(sip, missing_headers_are_one_fault)
{
    cr_assert_eq(datagram(START END), DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert(faulty(FAULT_SIP_MISSING));
    cr_assert_eq(
        datagram(START VIA "From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID:\r\nCSeq: 1 INVITE\r\nMax-Forwards: 1\r\n\r\n"),
        DIS_OK);
    cr_assert(faulty(FAULT_SIP_MISSING), "an empty Call-ID is none");
}

Test(sip, only_requests_need_max_forwards)
{
    static const char rest[] =
        "Via: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n";
    char text[300];

    snprintf(text, sizeof text, "SIP/2.0 200 OK\r\n%s", rest);
    cr_assert_eq(datagram(text), DIS_OK);
    cr_assert_eq(why.n, 0);
    snprintf(text, sizeof text, "BYE sip:b@c SIP/2.0\r\n%s", rest);
    cr_assert_eq(datagram(text), DIS_OK);
    cr_assert(faulty(FAULT_SIP_MISSING));
}

Test(sip, cseq_must_be_a_number_and_the_method)
{
    static const char *const bad[] = { "x INVITE",        "7",       "7 BYE", "2147483648 INVITE", "-1 INVITE",
                                       "7 INVITE INVITE", "7INVITE", "" };
    char text[400];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text,
                 START VIA "Max-Forwards: 1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: x\r\nCSeq: %s\r\n\r\n", bad[i]);
        cr_assert_eq(datagram(text), DIS_OK);
        cr_assert(faulty(FAULT_SIP_CSEQ), "%s", bad[i]);
        cr_assert_eq(m.method, SIP_INVITE);
    }
    cr_assert_eq(
        datagram("SIP/2.0 200 OK\r\n" VIA "From: <sip:a@b>\r\nTo: <sip:b@c>\r\nCall-ID: x\r\nCSeq: 2147483647 BYE\r\n\r\n"),
        DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.cseq, 2147483647u);
    cr_assert_eq(m.method, SIP_BYE);
}

static size_t fill(char *text, size_t room, const char *line, int times)
{
    size_t n = (size_t)snprintf(text, room, START);

    for (int i = 0; i < times; i++)
        n += (size_t)snprintf(text + n, room - n, line, i);
    return n + (size_t)snprintf(text + n, room - n, VIA TAIL "User-Agent: last\r\nContent-Length: 2\r\n\r\nhi");
}

Test(sip, headers_beyond_the_kept_ones_are_decoded_all_the_same)
{
    static char text[60000];

    fill(text, sizeof text, "X-%d: y\r\n", 1000);
    cr_assert_eq(datagram(text), DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert(faulty(FAULT_SIP_HEADER_COUNT));
    cr_assert_eq(m.headers, SIP_HEADERS_KEPT);
    cr_assert(is(m.header[SIP_HEADERS_KEPT - 1].name, "X-95"));
    cr_assert(is(m.call_id, "c1"));
    cr_assert_eq(m.cseq, 7);
    cr_assert_eq(m.vias, 1);
    cr_assert(is(m.user_agent, "last"));
    cr_assert(is(m.body, "hi"));
}

Test(sip, vias_beyond_the_kept_ones_are_one_fault)
{
    static char text[9000];

    fill(text, sizeof text, "Via: SIP/2.0/UDP h%d\r\n", 40);
    cr_assert_eq(datagram(text), DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert(faulty(FAULT_SIP_HEADER_COUNT));
    cr_assert_eq(m.vias, SIP_VIAS_KEPT);
    cr_assert(is(m.via[SIP_VIAS_KEPT - 1].host, "h11"));
}

Test(sip, exactly_as_many_as_are_kept_is_no_fault)
{
    static char text[9000];

    fill(text, sizeof text, "X-%d: y\r\n", SIP_HEADERS_KEPT - 8);
    cr_assert_eq(datagram(text), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.headers, SIP_HEADERS_KEPT);
    fill(text, sizeof text, "Via: SIP/2.0/UDP h%d\r\n", SIP_VIAS_KEPT - 1);
    cr_assert_eq(datagram(text), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.vias, SIP_VIAS_KEPT);
}
