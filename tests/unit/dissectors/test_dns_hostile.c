/* Messages made to lead a reader of compressed names astray, and counts made to exhaust it. */
#include "dissectors/dns.h"

#include <criterion/criterion.h>

#include "dns_builder.h"

Test(dns_hostile, question_that_points_to_itself)
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

Test(dns_hostile, bad_pointers_cost_their_record_only)
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
Test(dns_hostile, pointer_that_leads_back_then_forth)
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

Test(dns_hostile, pointer_chains)
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

Test(dns_hostile, names_of_255_octets)
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

Test(dns_hostile, name_that_is_too_long_written_out)
{
    cr_assert_eq(dissect_escaped(2), DIS_OK);
    cr_assert(why.n == 0 && out.questions == 1 && out.records == 2);
    cr_assert_eq(strlen(out.question[0].name), DNS_NAME - 1);
    cr_assert_eq(dissect_escaped(3), DIS_OK);
    cr_assert(only_fault(FAULT_DNS_RECORD_COUNT));
    cr_assert(out.questions == 0 && out.records == 1 && is_a(&out.record[0], "a", 2));
}

Test(dns_hostile, label_of_64)
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

Test(dns_hostile, counts_of_65535)
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

Test(dns_hostile, bytes_behind_the_counts)
{
    begin(0x8180, 0, 1, 0, 0);
    put_name("a");
    put_a(1);
    put("x", 1);
    cr_assert_eq(dissect(), DIS_OK);
    cr_assert(only_fault(FAULT_DNS_HEADER) && why.v[0].at == msg.n - 1);
    cr_assert_eq(out.records, 1);
}

Test(dns_hostile, more_records_than_are_kept)
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

Test(dns_hostile, more_names_than_are_kept)
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

/* The longest walk that a message can ask for: every record's name is a chain of pointers as long as is followed. */
Test(dns_hostile, worst_case_is_bounded, .timeout = 20)
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
