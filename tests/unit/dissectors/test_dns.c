#include "dissectors/dns.h"

#include <criterion/criterion.h>

#include "support/sweep.h"

enum { HEADER = 12, IN = 1 };

/* A message under construction. */
struct msg {
    uint8_t b[65536];
    size_t n;
};

static struct msg msg;
static struct dns_msg out;
static struct faults why;

static void put(const void *bytes, size_t n)
{
    cr_assert(n <= sizeof msg.b - msg.n);
    memcpy(msg.b + msg.n, bytes, n);
    msg.n += n;
}

static void put_u16(unsigned v)
{
    uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

    put(b, 2);
}

static void put_u32(uint32_t v)
{
    put_u16(v >> 16);
    put_u16(v & 0xffff);
}

/* "www.example.com" as labels and root; "" is the root. */
static void put_name(const char *text)
{
    struct span rest = span_str(text);

    while (rest.n) {
        struct span label = span_until(&rest, '.');
        uint8_t n = (uint8_t)label.n;

        put(&n, 1);
        put(label.p, label.n);
    }
    put("", 1);
}

static void put_pointer(size_t target)
{
    put_u16(0xc000 | (unsigned)target);
}

static void begin(unsigned flags, unsigned questions, unsigned answers, unsigned authority, unsigned additional)
{
    msg.n = 0;
    put_u16(0x1234);
    put_u16(flags);
    put_u16(questions);
    put_u16(answers);
    put_u16(authority);
    put_u16(additional);
}

static void put_question(const char *name, unsigned type)
{
    put_name(name);
    put_u16(type);
    put_u16(IN);
}

/* What stands between a record's name and its data. */
static void put_fixed(unsigned type, unsigned class, uint32_t ttl, size_t length)
{
    put_u16(type);
    put_u16(class);
    put_u32(ttl);
    put_u16((unsigned)length);
}

static void put_a(uint8_t last)
{
    uint8_t ip[4] = { 192, 0, 2, last };

    put_fixed(DNS_A, IN, 60, 4);
    put(ip, 4);
}

static enum dis dissect_cut(size_t captured)
{
    struct rd r = rd_init((struct span){ msg.b, captured }, msg.n), before = r;
    enum dis d;

    memset(&why, 0, sizeof why);
    d = dns_dissect(&r, &out, &why);
    cr_assert_eq(rd_wire_left(&r), d == DIS_OK ? 0 : rd_wire_left(&before), "the reader moves on DIS_OK and on nothing else");
    return d;
}

static enum dis dissect(void)
{
    return dissect_cut(msg.n);
}

static bool only_fault(enum fault_id id)
{
    return why.n == 1 && why.v[0].id == id;
}

static bool is_a(const struct dns_record *r, const char *name, uint8_t last)
{
    uint8_t ip[4] = { 192, 0, 2, last };
    struct addr a = addr_v4(ip, 0);

    return r->type == DNS_A && addr_eq(&r->addr, &a) && strcmp(r->name, name) == 0;
}

/* A CNAME chain to two addresses, compressed as servers do, and an EDNS OPT (RFC 6891). */
static void put_chain(void)
{
    size_t name, canonical;

    begin(0x8580, 1, 3, 0, 1);
    name = msg.n;
    put_question("STUN.L.Example.com", DNS_A);
    put_pointer(name);
    put_fixed(DNS_CNAME, IN, 300, 8);
    canonical = msg.n;
    put("\5stun1", 6);
    put_pointer(name + 5); /* l.example.com */
    put_pointer(canonical);
    put_a(1);
    put_pointer(canonical);
    put_a(2);
    put_name("");
    put_fixed(DNS_OPT, IN, 0, 0); /* OPT's class is a size, and may look like IN */
}

Test(dns, chain)
{
    put_chain();
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(out.id == 0x1234 && out.response && out.authoritative && !out.truncated && out.opcode == 0 && out.rcode == 0);
    cr_assert_eq(out.questions, 1);
    cr_assert_str_eq(out.question[0].name, "stun.l.example.com");
    cr_assert_eq(out.question[0].type, DNS_A);
    cr_assert(out.records == 3 && out.answers == 3);
    cr_assert_eq(out.record[0].type, DNS_CNAME);
    cr_assert_eq(out.record[0].ttl_s, 300);
    cr_assert_str_eq(out.record[0].name, "stun.l.example.com");
    cr_assert_str_eq(out.record[0].target, "stun1.l.example.com");
    cr_assert(is_a(&out.record[1], "stun1.l.example.com", 1));
    cr_assert(is_a(&out.record[2], "stun1.l.example.com", 2));
    cr_assert_eq(out.record[2].ttl_s, 60);
    cr_assert_null(out.record[2].target);
}

/* RFC 1035 §4.1.4's own example: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA and the root. */
Test(dns, rfc1035_compression)
{
    size_t f_isi_arpa;

    begin(0x8000, 0, 4, 0, 0);
    f_isi_arpa = msg.n;
    put_name("F.ISI.ARPA");
    put_a(1);
    put("\3FOO", 4);
    put_pointer(f_isi_arpa);
    put_a(2);
    put_pointer(f_isi_arpa + 6);
    put_a(3);
    put_name("");
    put_a(4);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is_a(&out.record[0], "f.isi.arpa", 1));
    cr_assert(is_a(&out.record[1], "foo.f.isi.arpa", 2));
    cr_assert(is_a(&out.record[2], "arpa", 3));
    cr_assert(is_a(&out.record[3], "", 4));
}

Test(dns, aaaa)
{
    static const uint8_t ip[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 };
    struct addr a = addr_v6(ip, 0);

    begin(0x8180, 1, 1, 0, 0);
    put_question("v6.example", DNS_AAAA);
    put_pointer(HEADER);
    put_fixed(DNS_AAAA, IN, 5, 16);
    put(ip, 16);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(out.record[0].type == DNS_AAAA && addr_eq(&out.record[0].addr, &a));
}

Test(dns, srv)
{
    begin(0x8180, 1, 1, 0, 1);
    put_question("_stun._udp.example.com", DNS_SRV);
    put_pointer(HEADER);
    put_fixed(DNS_SRV, IN, 120, 13);
    put_u16(10);
    put_u16(20);
    put_u16(3478);
    put("\4stun", 5);
    put_pointer(HEADER + 11);
    put_pointer(msg.n - 7);
    put_a(7);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(out.records == 2 && out.answers == 1);
    cr_assert(out.record[0].priority == 10 && out.record[0].weight == 20 && out.record[0].port == 3478);
    cr_assert_str_eq(out.record[0].target, "stun.example.com");
    cr_assert(is_a(&out.record[1], "stun.example.com", 7));
}

Test(dns, other_types_are_kept_without_their_data)
{
    begin(0x8180, 1, 2, 0, 0);
    put_question("1.2.0.192.in-addr.arpa", DNS_PTR);
    put_pointer(HEADER);
    put_fixed(DNS_PTR, IN, 9, 3);
    put("\xff\xff\xff", 3); /* never looked at */
    put_pointer(HEADER);
    put_a(1);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(out.records, 2);
    cr_assert(out.record[0].type == DNS_PTR && !out.record[0].target && out.record[0].ttl_s == 9);
    cr_assert(is_a(&out.record[1], "1.2.0.192.in-addr.arpa", 1));
}

Test(dns, query)
{
    begin(0x0120, 1, 0, 0, 1);
    put_question("stun.example", DNS_A);
    put_name("");
    put_fixed(DNS_OPT, 4096, 0, 12);
    put("\0\12\0\10cookie!!", 12);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(!out.response && out.questions == 1 && out.records == 0);
}

Test(dns, error_response_without_question)
{
    begin(0x8201, 0, 0, 0, 0);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(out.response && out.truncated && out.rcode == 1);
}

Test(dns, mdns_bits_in_class)
{
    begin(0x8400, 1, 1, 0, 0);
    put_name("host.local");
    put_u16(DNS_A);
    put_u16(0x8001);
    put_pointer(HEADER);
    put_fixed(DNS_A, 0x8001, 120, 4);
    put("\300\0\2\1", 4);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(out.questions == 1 && out.records == 1);
    cr_assert(is_a(&out.record[0], "host.local", 1));
}

Test(dns, other_classes_are_left_out)
{
    begin(0x8180, 0, 2, 0, 0);
    put_name("version.bind");
    put_fixed(DNS_A, 3, 0, 4);
    put("\300\0\2\1", 4);
    put_name("a");
    put_a(2);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(out.records == 1 && out.answers == 1 && is_a(&out.record[0], "a", 2));
}

/* RFC 4343 §2.1 */
Test(dns, escapes)
{
    begin(0x8180, 0, 1, 0, 0);
    put("\12a.B\\ \x1b\xffz\"\0\3com", 16);
    cr_assert_eq(msg.b[msg.n - 1], 0);
    put_a(1);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert_eq(out.records, 1);
    cr_assert_str_eq(out.record[0].name, "a\\046b\\092\\032\\027\\255z\"\\000.com");
}

Test(dns, ttl_with_its_top_bit_set_is_none)
{
    begin(0x8180, 0, 2, 0, 0);
    put_name("a");
    put_fixed(DNS_A, IN, 0x80000001, 4);
    put("\300\0\2\1", 4);
    put_name("a");
    put_fixed(DNS_A, IN, 0x7fffffff, 4);
    put("\300\0\2\1", 4);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert_eq(out.record[0].ttl_s, 0);
    cr_assert_eq(out.record[1].ttl_s, 0x7fffffff);
}

Test(dns, not_dns)
{
    begin(0x3000, 1, 0, 0, 0); /* opcode 6 */
    put_question("a", DNS_A);
    cr_assert_eq(dissect(), DIS_NOT_MINE);
    begin(0x0140, 1, 0, 0, 0); /* Z */
    put_question("a", DNS_A);
    cr_assert_eq(dissect(), DIS_NOT_MINE);
    begin(0x0100, 5, 0, 0, 0);
    cr_assert_eq(dissect(), DIS_NOT_MINE);
    begin(0x0100, 1, 0, 0, 0);
    put("\100"
        "0123456789",
        11); /* a label of 64 */
    cr_assert_eq(dissect(), DIS_NOT_MINE);
    begin(0x0100, 1, 0, 0, 0);
    put_name("a");
    put_u16(DNS_A);
    put_u16(2); /* neither IN nor ANY */
    cr_assert_eq(dissect(), DIS_NOT_MINE);
    cr_assert_eq(why.n, 0);
    begin(0x0100, 1, 0, 0, 0);
    put_name("a");
    put_u16(DNS_A);
    put_u16(255);
    cr_assert_eq(dissect(), DIS_OK);
}

Test(dns, question_that_points_to_itself)
{
    begin(0x0100, 1, 0, 0, 0);
    put_pointer(HEADER);
    put_u16(DNS_A);
    put_u16(IN);
    cr_assert_eq(dissect(), DIS_NOT_MINE);
    cr_assert_eq(why.n, 0);
}

/* A record whose name is a pointer, between two sound ones; `label` stands before the pointer. */
static enum dis dissect_pointer(const char *label, size_t target)
{
    begin(0x8180, 0, 3, 0, 0);
    put_name("first");
    put_a(1);
    put(label, strlen(label));
    put_pointer(target);
    put_a(2);
    put_name("last");
    put_a(3);
    return dissect();
}

Test(dns, bad_pointers_cost_their_record_only)
{
    enum { FIRST_END = HEADER + 7 + 14 };
    static const struct {
        const char *label;
        size_t target;
    } bad[] = {
        { "", FIRST_END },        /* itself */
        { "\1a", FIRST_END },     /* a loop over its own label */
        { "\1a", FIRST_END + 2 }, /* itself, behind a label */
        { "", FIRST_END + 16 },   /* forward */
        { "", 0x3fff },           /* past the message */
        { "", 0 },                /* the header */
        { "", HEADER - 1 },
        { "", FIRST_END - 2 }, /* bytes that run into the pointer's own name */
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(dissect_pointer(bad[i].label, bad[i].target), DIS_OK, "pointer %zu", i);
        cr_assert(only_fault(FAULT_DNS_NAME), "pointer %zu", i);
        cr_assert_eq(why.v[0].at, FIRST_END);
        cr_assert(out.records == 2 && out.answers == 2);
        cr_assert(is_a(&out.record[0], "first", 1) && is_a(&out.record[1], "last", 3));
    }
    cr_assert_eq(dissect_pointer("\1a", HEADER), DIS_OK);
    cr_assert(out.records == 3 && is_a(&out.record[1], "a.first", 2));
}

/* A name that goes back, then forth: the second pointer must lead back from where the first one led, not from the name. */
Test(dns, pointer_that_leads_back_then_forth)
{
    begin(0x8180, 0, 2, 0, 0);
    put_name("a");
    put_fixed(99, IN, 0, 5);
    put_pointer(msg.n + 2);
    put("\1b", 3);
    put_pointer(msg.n - 5);
    put_a(1);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(only_fault(FAULT_DNS_NAME) && out.records == 1);
}

/* Pointers to pointers to pointers: followed as far as a name may have labels, and no further. */
static enum dis dissect_pointer_chain(unsigned pointers)
{
    size_t last;

    begin(0x8180, 0, 2, 0, 0);
    put_name("end");
    put_fixed(99, IN, 0, 2 * (pointers - 1));
    last = HEADER;
    for (unsigned i = 1; i < pointers; i++) {
        size_t here = msg.n;

        put_pointer(last);
        last = here;
    }
    put_pointer(last);
    put_a(1);
    return dissect();
}

Test(dns, pointer_chains)
{
    cr_assert_eq(dissect_pointer_chain(127), DIS_OK);
    cr_assert(why.n == 0 && out.records == 2 && is_a(&out.record[1], "end", 1));
    cr_assert_eq(dissect_pointer_chain(128), DIS_OK);
    cr_assert(only_fault(FAULT_DNS_NAME) && out.records == 1);
}

/* Labels of 62 bytes and one that fills the name up to `octets`, root included. */
static void put_long_name(size_t octets)
{
    char text[512];
    size_t n = 0;

    for (size_t left = octets - 1; left;) {
        size_t label = left > 64 ? 62 : left - 1;

        memset(text + n, 'x', label);
        n += label;
        text[n++] = '.';
        left -= label + 1;
    }
    text[n - 1] = '\0';
    put_name(text);
}

Test(dns, names_of_255_octets)
{
    begin(0x8180, 0, 2, 0, 0);
    put_long_name(255);
    put_a(1);
    put_pointer(HEADER);
    put_a(2);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(why.n == 0 && out.records == 2);
    cr_assert_eq(strlen(out.record[1].name), 253);
    begin(0x8180, 0, 1, 0, 0);
    put_long_name(256);
    put_a(1);
    cr_assert_eq(dissect(), DIS_BAD);
    cr_assert(only_fault(FAULT_DNS_NAME));
    begin(0x8180, 0, 2, 0, 0); /* too long by its pointer only */
    put_long_name(254);
    put_a(1);
    put("\1y", 2);
    put_pointer(HEADER);
    put_a(2);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(only_fault(FAULT_DNS_NAME) && out.records == 1);
}

/* A good name, but 63 octets that need an escape and `more` that do not: 253 + more characters written out. */
static enum dis dissect_escaped(uint8_t more)
{
    uint8_t label[64];

    memset(label, 0xff, sizeof label);
    label[0] = 63;
    begin(0x8180, 1, 2, 0, 0);
    put(label, sizeof label);
    put(&more, 1);
    put("xyz", more);
    put_name("");
    put_u16(DNS_A);
    put_u16(IN);
    put_pointer(HEADER);
    put_a(1);
    put_name("a");
    put_a(2);
    return dissect();
}

Test(dns, name_that_is_too_long_written_out)
{
    cr_assert_eq(dissect_escaped(2), DIS_OK);
    cr_assert(why.n == 0 && out.questions == 1 && out.records == 2);
    cr_assert_eq(strlen(out.question[0].name), DNS_NAME - 1);
    cr_assert_eq(dissect_escaped(3), DIS_OK);
    cr_assert(only_fault(FAULT_DNS_RECORD_COUNT));
    cr_assert(out.questions == 0 && out.records == 1 && is_a(&out.record[0], "a", 2));
}

Test(dns, label_of_64)
{
    static const uint8_t reserved[] = { 0x40, 0x7f, 0x80, 0xbf };

    for (size_t i = 0; i < sizeof reserved; i++) {
        begin(0x8180, 0, 1, 0, 0);
        put(&reserved[i], 1);
        put_long_name(200);
        put_a(1);
        cr_assert_eq(dissect(), DIS_BAD);
        cr_assert(only_fault(FAULT_DNS_NAME));
    }
    begin(0x8180, 0, 1, 0, 0);
    put_long_name(65); /* one label of 63 */
    put_a(1);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(out.records == 1 && strlen(out.record[0].name) == 63);
}

Test(dns, counts_of_65535)
{
    begin(0x8180, 65535, 65535, 65535, 65535);
    cr_assert_eq(dissect(), DIS_NOT_MINE);
    begin(0x8180, 1, 65535, 65535, 65535);
    put_question("a", DNS_A);
    put_pointer(HEADER);
    put_a(1);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(only_fault(FAULT_DNS_HEADER));
    cr_assert(out.records == 1 && out.answers == 1);
}

Test(dns, bytes_behind_the_counts)
{
    begin(0x8180, 0, 1, 0, 0);
    put_name("a");
    put_a(1);
    put("x", 1);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(only_fault(FAULT_DNS_HEADER) && why.v[0].at == msg.n - 1);
    cr_assert_eq(out.records, 1);
}

Test(dns, more_records_than_are_kept)
{
    begin(0x8180, 0, 100, 0, 0);
    for (unsigned i = 0; i < 100; i++) {
        put_name("a");
        put_a((uint8_t)i);
    }
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(only_fault(FAULT_DNS_RECORD_COUNT));
    cr_assert_eq(out.records, DNS_RECORDS_KEPT);
    cr_assert_eq(out.answers, DNS_RECORDS_KEPT);
    cr_assert(is_a(&out.record[DNS_RECORDS_KEPT - 1], "a", DNS_RECORDS_KEPT - 1));
}

Test(dns, more_names_than_are_kept)
{
    begin(0x8180, 0, 40, 0, 0);
    for (unsigned i = 0; i < 40; i++) {
        put_long_name(255);
        put_a((uint8_t)i);
    }
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(only_fault(FAULT_DNS_RECORD_COUNT));
    cr_assert_eq(out.records, DNS_NAMES_BYTES / 254);
    cr_assert(out.names_used <= DNS_NAMES_BYTES);
}

Test(dns, data_that_is_not_what_its_type_says)
{
    static const struct {
        unsigned type;
        size_t n;
        const char *data;
    } bad[] = {
        { DNS_A, 3, "\1\2\3" },
        { DNS_A, 5, "\1\2\3\4\5" },
        { DNS_A, 0, "" },
        { DNS_AAAA, 15, "123456789012345" },
        { DNS_CNAME, 3, "\3ab" },
        { DNS_CNAME, 4, "\1a\0x" },
        { DNS_CNAME, 0, "" },
        { DNS_SRV, 6, "\0\0\0\0\0\0" },
        { DNS_SRV, 8, "\0\0\0\0\0\0\0x" },
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin(0x8180, 0, 2, 0, 0);
        put_name("bad");
        put_fixed(bad[i].type, IN, 1, bad[i].n);
        put(bad[i].data, bad[i].n);
        put_name("good");
        put_a(1);
        cr_assert_eq(dissect(), DIS_OK, "case %zu", i);
        cr_assert(why.n == 1, "case %zu", i);
        cr_assert(out.records == 1 && out.answers == 1 && is_a(&out.record[0], "good", 1), "case %zu", i);
        cr_assert_eq(out.names_used, sizeof "good", "case %zu: what was not kept takes no room", i);
    }
}

Test(dns, record_past_the_message)
{
    begin(0x8180, 0, 1, 0, 0);
    put_name("a");
    put_fixed(DNS_A, IN, 1, 65535);
    put("\1\2\3\4", 4);
    cr_assert_eq(dissect(), DIS_SHORT);
    cr_assert(only_fault(FAULT_DNS_RECORD));
    begin(0x8180, 1, 0, 0, 0);
    put("\77abc", 4);
    cr_assert_eq(dissect(), DIS_SHORT);
    cr_assert(only_fault(FAULT_DNS_HEADER));
    begin(0x8180, 0, 0, 0, 0);
    msg.n = 11;
    cr_assert_eq(dissect(), DIS_SHORT);
    cr_assert(only_fault(FAULT_DNS_HEADER));
}

Test(dns, cut_keeps_what_came_before)
{
    put_chain();
    msg.n -= 11; /* without OPT, whose cut would show nothing */
    msg.b[11] = 0;
    cr_assert_eq(dissect_cut(msg.n - 1), DIS_CUT);
    cr_assert_eq(why.n, 0);
    cr_assert(out.questions == 1 && out.records == 2 && out.answers == 2);
    cr_assert(is_a(&out.record[1], "stun1.l.example.com", 1));
    cr_assert_eq(dissect_cut(HEADER + 4), DIS_CUT);
    cr_assert(out.id == 0x1234 && out.questions == 0);
}

/* The longest walk that a message can ask for: every record's name is a chain of pointers as long as is followed. */
Test(dns, worst_case_is_bounded, .timeout = 20)
{
    size_t last = HEADER;

    begin(0x8180, 0, 65535, 0, 0);
    put_long_name(255);
    put_fixed(99, IN, 0, 2 * 126);
    for (unsigned i = 0; i < 126; i++) {
        size_t here = msg.n;

        put_pointer(last);
        last = here;
    }
    while (msg.n + 12 < 65500) {
        put_pointer(last);
        put_fixed(99, IN, 0, 0);
    }
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(out.records > 30 && out.records <= DNS_RECORDS_KEPT);
}

static bool kept_here(const char *text)
{
    return text >= out.names && text < out.names + out.names_used && memchr(text, 0, DNS_NAME);
}

static void swept(struct rd r, bool full, void *self)
{
    const uint8_t *p = r.p;
    enum dis d;

    (void)self;
    memset(&why, 0, sizeof why);
    d = dns_dissect(&r, &out, &why);
    cr_assert(!full || (d == DIS_OK && out.records == 3 && why.n == 0));
    cr_assert(d == DIS_OK || r.p == p);
    cr_assert(out.questions <= DNS_QUESTIONS_KEPT && out.records <= DNS_RECORDS_KEPT && out.answers <= out.records);
    cr_assert(out.names_used <= DNS_NAMES_BYTES);
    for (size_t i = 0; i < out.questions; i++)
        cr_assert(kept_here(out.question[i].name));
    for (size_t i = 0; i < out.records; i++)
        cr_assert(kept_here(out.record[i].name) && (!out.record[i].target || kept_here(out.record[i].target)));
}

Test(dns, sweep)
{
    put_chain();
    sweep((struct span){ msg.b, msg.n }, swept, NULL);
}
