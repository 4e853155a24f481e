#include "dissectors/dns.h"

#include <criterion/criterion.h>

#include "dns_builder.h"
#include "support/sweep.h"

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
