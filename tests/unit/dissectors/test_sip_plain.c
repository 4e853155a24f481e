/*
 * What is plain is read in straight ways, all else by the whole grammar, and both must find the same. A scheme, a protocol name, the name
 * of a header field in other case mean the same and are not plain, so each message is read twice, and only the case of letters differs.
 */
#include "dissectors/lane.h"
#include "sip_support.h"

#define PARTY(value)                                                                                                             \
    START VIA "From: <sip:a@example.org>;tag=1\r\nTo: " value "\r\nCall-ID: c1\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\n" END
#define HOP(value) START "Via: " value "\r\n" TAIL END

static char text[1000];

static void same(struct span a, struct span b)
{
    cr_assert(a.p == b.p && a.n == b.n, "'%.*s' and '%.*s' in %s", (int)a.n, a.n ? (const char *)a.p : "", (int)b.n,
              b.n ? (const char *)b.p : "", text);
}

static void same_party(const struct sip_party *a, const struct sip_party *b)
{
    same(a->display, b->display);
    same(a->uri, b->uri);
    same(a->user, b->user);
    same(a->host, b->host);
    same(a->tag, b->tag);
}

static void same_via(const struct sip_via *a, const struct sip_via *b)
{
    same(a->transport, b->transport);
    same(a->host, b->host);
    same(a->branch, b->branch);
    same(a->received, b->received);
    cr_assert_eq(a->port, b->port);
    cr_assert_eq(a->rport, b->rport);
}

static void same_message(const struct sip_msg *a, const struct sip_msg *b)
{
    cr_assert(a->request == b->request && a->method == b->method && a->status == b->status && a->cseq == b->cseq, "%s", text);
    cr_assert(a->has_content_length == b->has_content_length && a->content_length == b->content_length, "%s", text);
    same(a->method_name, b->method_name);
    same(a->uri, b->uri);
    same(a->reason, b->reason);
    same(a->call_id, b->call_id);
    same(a->user_agent, b->user_agent);
    same(a->content_type, b->content_type);
    same(a->body, b->body);
    same_party(&a->from, &b->from);
    same_party(&a->to, &b->to);
    same_party(&a->contact, &b->contact);
    cr_assert_eq(a->vias, b->vias, "%s", text);
    for (size_t i = 0; i < a->vias; i++)
        same_via(&a->via[i], &b->via[i]);
    cr_assert_eq(a->headers, b->headers, "%s", text);
    for (size_t i = 0; i < a->headers; i++) {
        same(a->header[i].name, b->header[i].name);
        same(a->header[i].value, b->header[i].value);
    }
}

/* The letters at `name` in the one case and in the other. */
static void read_cases(size_t length, char *name, size_t letters)
{
    static struct sip_msg first;
    struct faults faults;
    enum dis got = feed((struct span){ (const uint8_t *)text, length }, length, false);

    first = m;
    faults = why;
    for (size_t i = 0; i < letters; i++)
        name[i] ^= 32;
    cr_assert_eq(feed((struct span){ (const uint8_t *)text, length }, length, false), got, "%s", text);
    if (got == DIS_OK)
        same_message(&first, &m);
    cr_assert_eq(faults.n, why.n, "%s", text);
    for (size_t i = 0; i < why.n && i < FAULTS_KEPT; i++)
        cr_assert(faults.v[i].id == why.v[i].id && faults.v[i].at == why.v[i].at);
}

static void read_both(size_t length, char *name)
{
    read_cases(length, name, 3);
}

/* `whole` read with each byte in each place from behind the three letters at `name` up to `end`. */
static void every_byte(const char *whole, const char *name, const char *end)
{
    size_t length = strlen(whole), from = (size_t)(strstr(whole, name) - whole);

    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t i = from + 3; i < (size_t)(strstr(whole, end) - whole); i++) {
            memcpy(text, whole, length + 1);
            text[i] = (char)byte;
            read_both(length, text + from);
        }
    memcpy(text, whole, length + 1);
    read_both(length, text + from);
}

static bool is_low(uint8_t byte)
{
    return byte <= '"' || byte > 127;
}

static bool is_mark(uint8_t byte)
{
    return is_low(byte) || strchr(",:;<=>?@", byte);
}

/* Of each byte, in each place, as far from the end as it may be. */
Test(sip_plain, marks_are_where_the_bytes_are)
{
    uint8_t bytes[3 * LANES];
    const uint8_t *end = bytes + sizeof bytes;

    for (unsigned byte = 1; byte < 256; byte++)
        for (const uint8_t *from = end - LANES - LANE; from < end; from++) {
            size_t seen = (size_t)(end - from) < LANES ? (size_t)(end - from) : LANES;
            uint64_t marks = 0, low = 0;

            memset(bytes, 'a', sizeof bytes);
            for (size_t i = byte % 3; i < seen; i += 3) {
                bytes[from - bytes + (ptrdiff_t)i] = (uint8_t)byte;
                marks |= (uint64_t)is_mark((uint8_t)byte) << i;
                low |= (uint64_t)is_low((uint8_t)byte) << i;
            }
            cr_assert_eq(lanes_of(from, end - LANES, lane_marks), marks, "byte %u, %zu of them", byte, seen);
            cr_assert_eq(lanes_of(from, end - LANES, lane_low), low, "byte %u, %zu of them", byte, seen);
        }
}

Test(sip_plain, address_with_any_byte)
{
    static const char whole[] = PARTY("<sip:bob@example.org:5060;lr>;tag=9;x=y");

    every_byte(whole, "sip:bob", "\r\nCall-ID");
    cr_assert(is(m.to.tag, "9"));
    every_byte(PARTY("<sip:example.org:5060;lr>;tag=9"), "sip:example", "\r\nCall-ID");
    cr_assert(is(m.to.host, "example.org") && m.to.user.n == 0);
    every_byte(PARTY("\"Bob\" <sip:bob@example.org>;tag=9"), "sip:bob", "\r\nCall-ID");
    cr_assert(is(m.to.display, "Bob") && is(m.to.tag, "9"));
}

/* What stands before the URI, and that a '@' anywhere in it ends the user. */
Test(sip_plain, addresses_of_many_kinds)
{
    static const char *const parties[] = {
        "\"Bob\" <sip:b@example.org>;tag=9",
        "\"Bob\"<sip:b@example.org>;tag=9",
        "\"Bob\"\t <sip:b@example.org>",
        "Bob <sip:b@example.org>;tag=9",
        "\"Bob\" sip:b@example.org",
        "\"Bob\" x <sip:b@example.org>",
        "<sip:example.org>",
        "<sip:example.org;a=b@example.net>",
        "<sip:example.org?a=b>;tag=9",
        "<sip:example.org;a=b@>",
        "<sip:u:p@example.org>",
        "<sip:@example.org>",
        "<sip:u@@example.org>",
        "<sip:example=org>",
        "<sip:example<org>",
        "<sip:;lr>",
        "<sip:u@;lr>",
        "<sip:[2001:db8::1]:5060>",
        "<sip:example.org,net>",
        "<sip:example.org >",
    };

    for (size_t i = 0; i < sizeof parties / sizeof *parties; i++) {
        int n = snprintf(text, sizeof text, PARTY("%s"), parties[i]);

        read_both((size_t)n, strstr(strstr(text, "To: "), "sip:"));
    }
}

Test(sip_plain, via_with_any_byte)
{
    static const char whole[] = HOP("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport=31000;received=192.0.2.9");

    every_byte(whole, "SIP/2.0/UDP", "\r\nFrom");
    cr_assert(is(m.via[0].received, "192.0.2.9"));
}

/* Each part ends at each place of the blocks that marks are made of. */
Test(sip_plain, parts_of_any_length)
{
    static const char digits[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
    int n;

    for (int a = 0; a <= 70; a++)
        for (int b = 0; b <= 70; b += b < 3 || b > 60 ? 1 : 9) {
            n = snprintf(text, sizeof text, PARTY("<sip:%.*s@%.*s>;tag=%.*s"), a, digits, b, digits, a, digits);
            read_both((size_t)n, strstr(text, "To: <sip:") + 5);
            cr_assert(!a || !b || m.to.tag.n == (size_t)a);
            n = snprintf(text, sizeof text, PARTY("<sip:%.*s@example.org>;tag=%.*s\""), b, digits, a, digits);
            read_both((size_t)n, strstr(text, "To: <sip:") + 5);
            cr_assert(faulty(FAULT_SIP_ADDRESS), "an unclosed quote");
            n = snprintf(text, sizeof text, HOP("SIP/2.0/TCP %.*s;branch=%.*s;received=%.*s"), a, digits, b, digits, a, digits);
            read_both((size_t)n, strstr(text, "Via: SIP") + 5);
            cr_assert(!a || !b || m.via[0].branch.n == (size_t)b);
        }
}

Test(sip_plain, values_of_many_kinds)
{
    static const char *const vias[] = {
        "SIP/2.0/UDP example.org",
        "SIP/2.0/UDP example.org:5061",
        "SIP/2.0/UDP example.org:65536;branch=b",
        "SIP/2.0/UDP example.org:;branch=b",
        "SIP/2.0/UDP  example.org;branch=b",
        "SIP/2.0/ example.org;branch=b",
        "SIP/2.0/U/P example.org;branch=b",
        "SIP/2.0/TLS-SCTP example.org;branch=b",
        "SIP/2.0/UDP [2001:db8::1]:5060;branch=b",
        "SIP/2.0/UDP 2001:db8::1;branch=b",
        "SIP/2.0/UDP h;branch=b;branch=c",
        "SIP/2.0/UDP h;rport;alias;keep=30",
        "SIP/2.0/UDP h;rport=1;rport;branch=b",
        "SIP/2.0/UDP h;branch=;received=",
        "SIP/2.0/UDP h;branch=b=c:d?e@f<g>;x",
        "SIP/2.0/UDP h;=b;branch=c",
        "SIP/2.0/UDP h;;branch=b",
        "SIP/2.0/UDP h;a/b=c;branch=d",
        "SIP/2.0/UDP h;branch=b,SIP/2.0/TCP i;branch=c",
        "SIP/2.0/UDP h;branch=b;",
        "SIP/2.0/UDP =h;branch=bcdef",
        "SIP/2.0/UDP ;branch=bcdefgh",
    };

    for (size_t i = 0; i < sizeof vias / sizeof *vias; i++) {
        int n = snprintf(text, sizeof text, HOP("%s"), vias[i]);

        read_both((size_t)n, strstr(text, "Via: SIP") + 5);
    }
}

Test(sip_plain, values_without_their_blanks)
{
    static const char *const lines[] = {
        "Subject: hello\r\n", "Subject:hello\r\n", "Subject:  hello\r\n",  "Subject: hello \r\n",    "Subject:\thello\t\r\n",
        "Subject: hello\n",   "Subject:hello\n",   "Subject: hello\r\r\n", "Subject:\r\n hello\r\n", "Subject : hello\r\n",
    };
    char whole[400];

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        snprintf(whole, sizeof whole, START VIA TAIL "%s" END, lines[i]);
        cr_assert_eq(datagram(whole), DIS_OK);
        cr_assert_eq(why.n, 0);
        cr_assert(is(sip_header(&m, SPAN("Subject")), "hello"), "%s", lines[i]);
        snprintf(whole, sizeof whole, START VIA TAIL "%s", lines[i]);
        cr_assert_eq(datagram(whole), DIS_OK);
        cr_assert(is(sip_header(&m, SPAN("Subject")), "hello"), "the last of a datagram");
    }
    cr_assert_eq(datagram(START VIA TAIL "Subject:\r\nOrganization: \r\n" END), DIS_OK);
    cr_assert_eq(sip_header(&m, SPAN("Subject")).n, 0);
    cr_assert_eq(m.headers, 9);
    cr_assert_eq(datagram(START VIA TAIL "Subject:"), DIS_OK);
    cr_assert_eq(m.headers, 7);
    cr_assert_eq(datagram(START VIA TAIL " \t\r\n"), DIS_OK);
    cr_assert_eq(why.n, 1, "blanks at the end are no header field");
}

/* ---- start lines ---- */

Test(sip_plain, request_line_with_any_byte)
{
    every_byte("INVITE sip:bob@example.org;lr SIP/2.0\r\n" VIA TAIL END, "sip:bob", "Via");
    cr_assert(m.request && m.method == SIP_INVITE);
}

Test(sip_plain, status_line_with_any_byte)
{
    every_byte("SIP/2.0 407 Proxy Authentication Required\r\n" VIA TAIL END, "SIP", "Via");
    cr_assert_eq(m.status, 407);
}

Test(sip_plain, start_lines_of_any_length)
{
    char letters[150];

    memset(letters, 'a', sizeof letters);
    for (int i = 0; i <= 150; i++) {
        int n = snprintf(text, sizeof text, "ACK sip:%.*s SIP/2.0\r\n" VIA TAIL END, i, letters);

        read_both((size_t)n, strstr(text, "sip:"));
        cr_assert_eq(m.uri.n, (size_t)i + 4);
        n = snprintf(text, sizeof text, "SIP/2.0 200 %.*s\r\n" VIA TAIL END, i, letters);
        read_both((size_t)n, text);
        cr_assert_eq(m.reason.n, (size_t)i);
    }
}

/* A method is one only when all of its name stands there, and nothing else. */
Test(sip_plain, methods_by_their_whole_name)
{
    for (enum sip_method method = SIP_INVITE; method <= SIP_PUBLISH; method++) {
        const char *name = sip_method_name(method);
        size_t length = strlen(name);

        for (size_t i = 0; i <= length; i++) {
            int n = snprintf(text, sizeof text, "%.*s sip:b@example.org SIP/2.0\r\n" VIA TAIL END, (int)i, name);
            struct span s = { (const uint8_t *)text, (size_t)n };

            cr_assert_eq(sip_looks_like(s), i > 0);
            cr_assert_eq(feed(s, s.n, false), i ? DIS_OK : DIS_NOT_MINE);
            cr_assert_eq(i && m.method == method, i == length, "%s", text);
        }
        for (size_t i = 0; i < length; i++) {
            int n = snprintf(text, sizeof text, "%s sip:b@example.org SIP/2.0\r\n" VIA TAIL END, name);

            text[i] ^= 32;
            cr_assert_eq(feed((struct span){ (const uint8_t *)text, (size_t)n }, (size_t)n, false), DIS_OK);
            cr_assert_eq(m.method, SIP_OTHER, "methods are case-sensitive");
        }
    }
}

/* Where no method stands none is found, whatever letter follows. */
Test(sip_plain, no_method)
{
    for (char letter = 'A'; letter <= 'Z'; letter++) {
        int n = snprintf(text, sizeof text,
                         "SIP/2.0 200 OK\r\n" VIA "CSeq: 1 \"%cVITE\r\nFrom: <sip:a@example.org>;tag=1\r\n" END, letter);

        cr_assert_eq(feed((struct span){ (const uint8_t *)text, (size_t)n }, (size_t)n, false), DIS_OK);
        cr_assert_eq(m.method, SIP_OTHER);
        cr_assert(faulty(FAULT_SIP_CSEQ));
    }
}

/* ---- lines ---- */

Test(sip_plain, line_with_any_byte)
{
    every_byte(START VIA TAIL "Subject: hello\r\nUser-Agent: x\r\n" END, "Subject", "User");
    cr_assert(is(m.user_agent, "x"));
}

Test(sip_plain, each_listed_name)
{
    static const char *const names[] = {
#define X(id, name, second, compact, times) name,
#include "dissectors/sip_hdr.def"
#undef X
    };
    static const char *const values[] = { "5", "<sip:c@example.org>;tag=2", "", "a b" };
    static const char line[] = START VIA TAIL;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            int n = snprintf(text, sizeof text, "%s%s: %s\r\n%s: %s\r\n" END, line, names[i], values[v], names[i], values[v]);

            read_cases((size_t)n, text + strlen(line), 2);
            cr_assert_eq(m.headers, 9);
            n = snprintf(text, sizeof text, START "%s: %s\r\n" END, names[i], values[v]);
            read_cases((size_t)n, text + strlen(START), 2);
        }
}

/* Lines end at each place of a block, and the message at each place behind the last of them. */
Test(sip_plain, lines_of_any_length)
{
    char filler[200];

    memset(filler, 'f', sizeof filler);
    for (int a = 1; a <= 150; a++)
        for (int body = 0; body <= 66; body += a % 16 ? 33 : 1) {
            int n = snprintf(text, sizeof text, START VIA TAIL "Subject: %.*s\r\nUser-Agent: x\r\nContent-Length: %d\r\n\r\n%.*s",
                             a, filler, body, body, filler);

            read_both((size_t)n, strstr(text, "Subject"));
            cr_assert(m.headers == 9 && why.n == 0 && m.body.n == (size_t)body);
            cr_assert(m.header[6].value.n == (size_t)a && is(m.user_agent, "x"));
        }
}

Test(sip_plain, lines_that_go_on)
{
    static const char *const lines[] = {
        "Subject: a\r\n b\r\n",      "Subject: a\r\n\tb\r\n",      "Subject: a\n b\r\n", "Subject: \r\n b\r\n",
        "Subject: a\r\n \r\n b\r\n", "Subject: a\r\n b\r\n c\r\n", "Subject: a\r\n\r\n", "Subject: a\r\n",
    };

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        int n = snprintf(text, sizeof text, START VIA TAIL "%sUser-Agent: x\r\n" END, lines[i]);

        read_both((size_t)n, strstr(text, "Subject"));
        n = snprintf(text, sizeof text, START VIA TAIL "%s", lines[i]);
        read_both((size_t)n, strstr(text, "Subject"));
    }
}
