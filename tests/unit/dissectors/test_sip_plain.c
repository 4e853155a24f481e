/*
 * Plain values are read from mark to mark, others by the whole grammar, and both must find the same. A scheme or a protocol name in other
 * case means the same and is not plain, so each message is read twice, and only the case of three letters differs.
 */
#include "dissectors/sip_plain.h"
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

/* The three letters at `name` in the one case and in the other. */
static void read_both(size_t length, char *name)
{
    static struct sip_msg first;
    struct faults faults;

    cr_assert_eq(feed((struct span){ (const uint8_t *)text, length }, length, false), DIS_OK);
    first = m;
    faults = why;
    for (size_t i = 0; i < 3; i++)
        name[i] ^= 32;
    cr_assert_eq(feed((struct span){ (const uint8_t *)text, length }, length, false), DIS_OK);
    same_party(&first.to, &m.to);
    cr_assert_eq(first.vias, m.vias);
    for (size_t i = 0; i < m.vias; i++)
        same_via(&first.via[i], &m.via[i]);
    cr_assert_eq(faults.n, why.n, "%s", text);
    for (size_t i = 0; i < why.n && i < FAULTS_KEPT; i++)
        cr_assert(faults.v[i].id == why.v[i].id && faults.v[i].at == why.v[i].at);
}

/* `format` with a number in it, read with each byte in each place of the value. */
static void every_byte(const char *whole, const char *name, const char *value_end)
{
    size_t length = strlen(whole);

    for (unsigned byte = 0; byte < 256; byte++) {
        memcpy(text, whole, length + 1);
        for (size_t i = (size_t)(strstr(whole, name) - whole) + 3; i < (size_t)(strstr(whole, value_end) - whole); i++) {
            char was = text[i];

            text[i] = (char)byte;
            read_both(length, text + (strstr(whole, name) - whole));
            text[i] = was;
        }
    }
}

static bool is_mark(uint8_t byte)
{
    return byte <= ' ' || byte > 127 || strchr("!\",:;<=>?@", byte);
}

/* Of each byte, in each place before an end at each place of a block. */
Test(sip_plain, marks_are_where_the_bytes_are)
{
    uint8_t bytes[3 * PLAIN_BLOCK];

    for (unsigned byte = 1; byte < 256; byte++)
        for (size_t n = 0; n <= PLAIN_BLOCK + 1; n++) {
            size_t seen = n < PLAIN_BLOCK ? n : PLAIN_BLOCK;
            uint64_t want = n < PLAIN_BLOCK ? UINT64_C(1) << n : 0;

            memset(bytes, 'a', sizeof bytes);
            for (size_t i = byte % 3; i < seen; i += 3) {
                bytes[LANE + i] = (uint8_t)byte;
                want |= (uint64_t)is_mark((uint8_t)byte) << i;
            }
            cr_assert_eq(plain_more(bytes + LANE, bytes + LANE + n), want, "byte %u, %zu of them", byte, n);
        }
}

Test(sip_plain, address_with_any_byte)
{
    static const char whole[] = PARTY("<sip:bob@example.org:5060;lr>;tag=9;x=y");

    every_byte(whole, "sip:bob", "\r\nCall-ID");
    cr_assert(is(m.to.tag, "9"));
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
