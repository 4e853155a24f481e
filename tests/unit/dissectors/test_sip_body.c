#include "sip_support.h"

static const char request[] = REQUEST;

/* ---- bodies and framing ---- */

Test(sip_body, datagram_body_is_what_content_length_counts)
{
    cr_assert_eq(datagram(START VIA TAIL "Content-Length: 3\r\n\r\nabcdef"), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is(m.body, "abc"));
}

Test(sip_body, datagram_without_content_length_is_body_to_its_end)
{
    cr_assert_eq(datagram(START VIA TAIL "\r\nabcdef"), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_not(m.has_content_length);
    cr_assert(is(m.body, "abcdef"));
}

Test(sip_body, content_length_beyond_the_datagram_is_a_fault)
{
    cr_assert_eq(datagram(START VIA TAIL "Content-Length: 7\r\n\r\nabcdef"), DIS_OK);
    cr_assert(faulty(FAULT_SIP_CONTENT_LENGTH));
    cr_assert(is(m.body, "abcdef"));
    cr_assert_eq(m.content_length, 7);
}

Test(sip_body, content_length_that_is_no_number_counts_as_absent)
{
    static const char *const bad[] = { "-1", "x", "1 1", "1,1", "4294967296", "99999999999999999999999", "" };
    char text[400];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, START VIA TAIL "Content-Length: %s\r\n\r\nabc", bad[i]);
        cr_assert_eq(datagram(text), DIS_OK);
        cr_assert(faulty(FAULT_SIP_CONTENT_LENGTH), "%s", bad[i]);
        cr_assert_not(m.has_content_length);
        cr_assert(is(m.body, "abc"));
    }
}

Test(sip_body, headers_without_their_end_are_decoded)
{
    cr_assert_eq(
        datagram("BYE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nMax-Forwards: 1\r\n"
                 "CSeq: 1 BYE\r\nCall-ID: last"),
        DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert(faulty(FAULT_SIP_HEADERS_END));
    cr_assert(is(m.call_id, "last"));
    cr_assert_eq(m.body.n, 0);
}

Test(sip_body, snap_length_inside_a_header_gives_what_came_before)
{
    struct span whole = SPAN(request);
    struct span kept = span_part(whole, 0, (size_t)(strstr(request, "agent1:secret") - request));

    cr_assert_eq(feed(kept, whole.n, false), DIS_CUT);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.method, SIP_INVITE);
    cr_assert_eq(m.vias, 2);
    cr_assert_eq(m.headers, 3);
    cr_assert_eq(m.from.uri.n, 0, "half a header is no header");
}

Test(sip_body, snap_length_behind_a_header_line_may_hide_its_continuation)
{
    struct span whole = SPAN(request);
    size_t n = (size_t)(strstr(request, "Max-Forwards") - request);

    cr_assert_eq(feed(span_part(whole, 0, n), whole.n, false), DIS_CUT);
    cr_assert_eq(m.vias, 1);
    cr_assert_eq(feed(span_part(whole, 0, n + 1), whole.n, false), DIS_CUT);
    cr_assert_eq(m.vias, 2);
}

Test(sip_body, snap_length_inside_the_body_gives_its_beginning)
{
    struct span whole = SPAN(request);

    cr_assert_eq(feed(span_part(whole, 0, whole.n - 10), whole.n, false), DIS_CUT);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.body.n, sizeof SDP - 1 - 10);
    cr_assert_eq(sip_sdp(&m, &why).n, m.body.n);
    cr_assert_eq(why.n, 0);
}

Test(sip_body, snap_length_behind_the_body_takes_nothing)
{
    cr_assert_eq(feed(SPAN(START VIA TAIL "Content-Length: 3\r\n\r\nabcd"), 2000, false), DIS_OK);
    cr_assert(is(m.body, "abc"));
}

Test(sip_body, snap_length_and_a_body_longer_than_the_wire)
{
    cr_assert_eq(feed(SPAN(START VIA TAIL "Content-Length: 3000\r\n\r\nabcd"), 2000, false), DIS_CUT);
    cr_assert(faulty(FAULT_SIP_CONTENT_LENGTH));
    cr_assert(is(m.body, "abcd"));
}

Test(sip_body, snap_length_inside_the_start_line)
{
    cr_assert_eq(feed(SPAN("CANCEL sip:b@exa"), 600, false), DIS_CUT);
    cr_assert(m.request);
    cr_assert_eq(m.method, SIP_CANCEL);
    cr_assert_eq(m.uri.n, 0);
    cr_assert_eq(feed(SPAN("SIP/2.0 486 Bus"), 600, false), DIS_CUT);
    cr_assert_eq(m.status, 486);
    cr_assert_eq(m.reason.n, 0);
    cr_assert_eq(feed(SPAN("SIP/2.0 48"), 600, false), DIS_CUT);
    cr_assert_eq(m.status, 0);
    cr_assert_eq(feed(SPAN("SIP/2.0 486"), 600, false), DIS_CUT);
    cr_assert_eq(m.status, 0, "a fourth digit may have followed");
    cr_assert_eq(feed(SPAN("CANC"), 600, false), DIS_NOT_MINE);
    cr_assert_eq(feed(SPAN("GET /index"), 600, false), DIS_NOT_MINE);
    cr_assert_eq(feed(SPAN(""), 600, false), DIS_NOT_MINE);
}

Test(sip_body, stream_without_content_length_has_no_body)
{
    cr_assert_eq(feed(SPAN(START VIA TAIL "\r\n"), strlen(START VIA TAIL "\r\n"), true), DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert(faulty(FAULT_SIP_CONTENT_LENGTH));
    cr_assert_eq(m.body.n, 0);
}

Test(sip_body, stream_waits_for_more)
{
    static const char *const parts[] = { "",
                                         "\r\n",
                                         "INV",
                                         "SIP/2",
                                         "GET /index",
                                         START,
                                         START VIA,
                                         START VIA TAIL "\r",
                                         START VIA TAIL "Content-Length: 4\r\n\r\nabc" };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        cr_assert_eq(feed(span_str(parts[i]), strlen(parts[i]), true), DIS_SHORT, "%s", parts[i]);
        cr_assert_eq(why.n, 0);
    }
}

Test(sip_body, stream_tells_its_faults_once)
{
    static const char text[] = START VIA TAIL "no colon\r\nContent-Length: 4\r\n\r\nabcd";
    struct sip_msg out;
    struct faults all = { .n = 0 };

    for (size_t n = 0; n < sizeof text; n++) {
        struct rd r = rd_init((struct span){ (const uint8_t *)text, n }, n);

        cr_assert_eq(sip_dissect(&r, true, &out, &all), n == sizeof text - 1 ? DIS_OK : DIS_SHORT);
    }
    cr_assert_eq(all.n, 1);
}

Test(sip_body, stream_of_something_else_is_not_waited_for)
{
    cr_assert_eq(feed(SPAN("\x16\x03\x01\x02\x00\x01"), 6, true), DIS_NOT_MINE);
    cr_assert_eq(feed(SPAN("A\x03\x01\x02"), 4, true), DIS_NOT_MINE);
    cr_assert_eq(feed(SPAN("GET / HTTP/1.1\r\n"), 16, true), DIS_NOT_MINE);
}

Test(sip_body, stream_with_a_gap_in_the_body_is_cut)
{
    struct span whole = SPAN(request);

    cr_assert_eq(feed(span_part(whole, 0, whole.n - 10), whole.n, true), DIS_CUT);
    cr_assert_eq(feed(span_part(whole, 0, whole.n - 10), whole.n - 5, true), DIS_SHORT);
}

/* The connection's bytes in two pieces, cut at `split`: the messages are the same, wherever. */
static void check_split(struct span all, size_t split)
{
    static const char *const call_ids[] = { "5f3c@10.0.0.5", "second" };
    size_t got = 0, at = 0, have[] = { split, all.n };

    for (size_t piece = 0; piece < 2; piece++) {
        struct rd r = rd_init(span_part(all, at, have[piece] - at), have[piece] - at);
        const uint8_t *before = r.p;
        enum dis d = DIS_OK;

        while (d == DIS_OK) {
            d = sip_dissect(&r, true, &m, &why);
            if (d == DIS_OK) {
                cr_assert_lt(got, 2);
                cr_assert(is(m.call_id, call_ids[got]), "split at %zu", split);
                cr_assert_eq(m.body.n, got ? 4 : sizeof SDP - 1);
                got++;
            }
        }
        cr_assert_eq(d, DIS_SHORT, "split at %zu", split);
        at += (size_t)(r.p - before);
    }
    cr_assert_eq(got, 2, "split at %zu", split);
    cr_assert_eq(at, all.n, "split at %zu", split);
    cr_assert_eq(why.n, 0);
}

Test(sip_body, stream_framing_holds_in_every_split)
{
    static const char second[] =
        "\r\n\r\nMESSAGE sip:b@c SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nMax-Forwards: 1\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:b@c>\r\nCall-ID:\r\n second\r\nCSeq: 1 MESSAGE\r\nl: 4\r\n\r\n\r\n\r\n";
    char all[sizeof REQUEST + sizeof second];

    snprintf(all, sizeof all, "%s%s", REQUEST, second);
    for (size_t split = 0; split <= strlen(all); split++)
        check_split(span_str(all), split);
}

/* ---- SDP in the body ---- */

static struct span sdp_in(const char *type, const char *content)
{
    static char text[2000];

    snprintf(text, sizeof text, START VIA TAIL "Content-Type: %s\r\n\r\n%s", type, content);
    cr_assert_eq(datagram(text), DIS_OK);
    return sip_sdp(&m, &why);
}

Test(sip_body, sdp_body_types)
{
    cr_assert(is(sdp_in("application/sdp", SDP), SDP));
    cr_assert(is(sdp_in("Application / SDP;charset=utf-8", SDP), SDP));
    cr_assert_null(sdp_in("text/plain", SDP).p);
    cr_assert_null(sdp_in("application/sdpx", SDP).p);
    cr_assert_null(sdp_in("application", SDP).p);
    cr_assert_null(sdp_in("application/sdp", "").p);
    cr_assert(is(sdp_in("", SDP), SDP), "no type, yet it begins like SDP");
    cr_assert_null(sdp_in("", "hello").p);
    cr_assert_eq(why.n, 0);
}

Test(sip_body, sdp_part_of_a_multipart_body)
{
    static const char *const types[] = { "multipart/mixed;boundary=b1", "multipart/mixed; boundary=\"b1\"",
                                         "Multipart/Alternative ;x=y; BOUNDARY = b1", "multipart/related;\r\n boundary=\"b1\"" };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        cr_assert(is(sdp_in(types[i], PLAIN PART "--b1--\r\n"), SDP));
        cr_assert(is(sdp_in(types[i], PART PLAIN "--b1--"), SDP));
        cr_assert(is(sdp_in(types[i], "preamble\r\n" PLAIN PART "--b1-- \r\nepilogue"), SDP));
        cr_assert_null(sdp_in(types[i], PLAIN "--b1--\r\n" PART).p, "what follows the last delimiter is no part");
        cr_assert_eq(why.n, 0);
    }
}

Test(sip_body, multipart_boundary_is_compared_whole)
{
    cr_assert(
        is(sdp_in("multipart/mixed;boundary=b1", "--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b12\r\n--b\r\n--b1--"),
           "v=0\r\n--b12\r\n--b"));
    cr_assert_eq(why.n, 0);
}

Test(sip_body, multipart_with_lf_line_ends)
{
    cr_assert(
        is(sdp_in("multipart/mixed;boundary=b1", "--b1\nContent-Type: application/sdp\n\nv=0\ns=-\n\n--b1--\n"), "v=0\ns=-\n"));
    cr_assert_eq(why.n, 0);
}

Test(sip_body, multipart_part_without_headers_is_no_sdp)
{
    cr_assert_null(sdp_in("multipart/mixed;boundary=b1", "--b1\r\n\r\n" SDP "\r\n--b1--").p);
    cr_assert_eq(why.n, 0);
}

Test(sip_body, multipart_without_its_boundary_is_a_fault)
{
    cr_assert_null(sdp_in("multipart/mixed", PLAIN PART "--b1--").p);
    cr_assert(faulty(FAULT_SIP_MULTIPART));
    cr_assert_null(sdp_in("multipart/mixed;boundary=other", PLAIN PART "--b1--").p);
    cr_assert(faulty(FAULT_SIP_MULTIPART));
    cr_assert(is(sdp_in("multipart/mixed;boundary=b1", PART), SDP "\r\n"), "the end is missing, the part is not");
    cr_assert(faulty(FAULT_SIP_MULTIPART));
}

Test(sip_body, multipart_cut_by_the_snap_length_is_no_fault)
{
    static const char text[] =
        START VIA TAIL "Content-Type: multipart/mixed;boundary=b1\r\nContent-Length: 500\r\n\r\n" PLAIN PART;

    cr_assert_eq(feed(SPAN(text), sizeof text + 600, false), DIS_CUT);
    cr_assert(is(sip_sdp(&m, &why), SDP "\r\n"));
    cr_assert_eq(why.n, 0);
}
