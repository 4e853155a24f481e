#include "classify/classify.h"

#include <criterion/criterion.h>

enum { TOLD_MAX = 16 };

struct told {
    size_t n;
    uint64_t flows[TOLD_MAX];
    char protocol[TOLD_MAX][HINTS_NAME];
};

static void tell(void *self, const char *protocol, uint64_t flows)
{
    struct told *t = self;

    cr_assert_lt(t->n, TOLD_MAX);
    cr_assert_lt(strlen(protocol), HINTS_NAME);
    memcpy(t->protocol[t->n], protocol, strlen(protocol) + 1);
    t->flows[t->n++] = flows;
}

static struct told all_of(struct hints *h)
{
    struct told t = { 0 };

    hints_each(h, tell, &t);
    return t;
}

/* How many flows were given a protocol whose name holds `name`: nDPI may say "DNS.Google" as well. */
static uint64_t flows_of(const struct told *t, const char *name)
{
    uint64_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        if (strstr(t->protocol[i], name))
            n += t->flows[i];
    return n;
}

/* An NTP client's question, version 4 (RFC 5905 §7.3), and an SSDP search. */
static const uint8_t ntp[48] = { 0x23, 0x00, 0x06, 0xec, [40] = 0xe4, 0x5a, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66 };
static const char ssdp[] =
    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n";
static const uint8_t dns[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04stun\x07"
                             "example\x03"
                             "com\x00\x00\x01\x00\x01";

static void feed(struct hints *h, uint32_t flow, uint16_t src_port, uint16_t dst_port, struct span s)
{
    struct addr src = addr_v4((const uint8_t[4]){ 192, 0, 2, 1 }, src_port);
    struct addr dst = addr_v4((const uint8_t[4]){ 198, 51, 100, 1 }, dst_port);

    hints_feed(h, flow, &src, &dst, s, 1000000000);
}

Test(hints, without_an_object_nothing_happens)
{
    struct told t;

    feed(NULL, 1, 1, 2, SPAN("x"));
    t = all_of(NULL);
    cr_assert_eq(t.n, 0);
    hints_free(NULL);
}

Test(hints, nothing_fed_nothing_told)
{
    struct hints *h = hints_new();
    struct told t = all_of(h);

    cr_assert_eq(t.n, 0);
    hints_free(h);
}

Test(hints, what_ndpi_knows_has_a_name)
{
    struct hints *h = hints_new();
    struct told t;

    feed(h, 1, 40000, 123, (struct span){ ntp, sizeof ntp });
    feed(h, 2, 40001, 1900, SPAN(ssdp));
    feed(h, 3, 40002, 5355, (struct span){ dns, sizeof dns - 1 });
    t = all_of(h);
    cr_assert_eq(flows_of(&t, "NTP"), 1);
    cr_assert_eq(flows_of(&t, "SSDP"), 1);
    hints_free(h);
}

Test(hints, by_content_on_a_port_that_means_nothing)
{
    struct hints *h = hints_new();
    struct told t;

    feed(h, 7, 40000, 41000, SPAN(ssdp));
    t = all_of(h);
    cr_assert_eq(flows_of(&t, "SSDP"), 1);
    hints_free(h);
}

Test(hints, over_ipv6)
{
    struct hints *h = hints_new();
    struct addr src, dst;
    struct told t;

    cr_assert(addr_parse(SPAN("[2001:db8::1]:40000"), &src) && addr_parse(SPAN("[ff02::c]:41000"), &dst));
    hints_feed(h, 1, &src, &dst, SPAN(ssdp), 1);
    t = all_of(h);
    cr_assert_eq(flows_of(&t, "SSDP"), 1);
    hints_free(h);
}

Test(hints, most_flows_first)
{
    struct hints *h = hints_new();
    struct told t;

    for (uint32_t flow = 0; flow < 2; flow++)
        feed(h, flow, 40000, 123, (struct span){ ntp, sizeof ntp });
    for (uint32_t flow = 10; flow < 15; flow++)
        feed(h, flow, 40001, 41000, SPAN(ssdp));
    t = all_of(h);
    for (size_t i = 1; i < t.n; i++)
        cr_assert_geq(t.flows[i - 1], t.flows[i]);
    cr_assert_eq(flows_of(&t, "NTP"), 2);
    cr_assert_eq(flows_of(&t, "SSDP"), 5);
    hints_free(h);
}

Test(hints, a_flow_is_counted_once)
{
    struct hints *h = hints_new();
    struct told t;

    for (int i = 0; i < 3 * HINTS_PACKETS; i++)
        feed(h, 1, 40001, 41000, SPAN(ssdp));
    t = all_of(h);
    cr_assert_eq(flows_of(&t, "SSDP"), 1);
    t = all_of(h);
    cr_assert_eq(flows_of(&t, "SSDP"), 1, "asking twice changes nothing");
    hints_free(h);
}

/* "Unknown" is not a protocol's name. */
Test(hints, what_ndpi_does_not_know_is_not_told)
{
    static const uint8_t noise[100] = { 0xd3, 0x91, 0x07, 0x5c, 0xee, 0x42, 0x18, 0xb9, 0xfe, 0x01, 0xaa };
    struct hints *h = hints_new();
    struct told t;

    for (int i = 0; i < HINTS_PACKETS + 2; i++)
        feed(h, 1, 40000, 41000, (struct span){ noise, sizeof noise });
    feed(h, 2, 40000, 41000, (struct span){ noise, sizeof noise }); /* not given up before the end */
    t = all_of(h);
    cr_assert_eq(flows_of(&t, "Unknown"), 0);
    hints_free(h);
}

Test(hints, flows_beyond_the_cap_are_not_looked_at)
{
    struct hints *h = hints_new();
    struct told t;

    feed(h, 5, 40001, 41000, SPAN(ssdp));
    feed(h, 5 + HINTS_FLOWS, 40000, 123, (struct span){ ntp, sizeof ntp });
    t = all_of(h);
    cr_assert_eq(flows_of(&t, "SSDP"), 1);
    cr_assert_eq(flows_of(&t, "NTP"), 0);
    hints_free(h);
}

Test(hints, payloads_of_any_size)
{
    static uint8_t large[65000];
    struct hints *h = hints_new();

    memset(large, 0xd3, sizeof large);
    feed(h, 1, 40000, 41000, SPAN_NONE);
    feed(h, 1, 40000, 41000, (struct span){ large, 1 });
    feed(h, 1, 40000, 41000, (struct span){ large, 1472 });
    feed(h, 1, 40000, 41000, (struct span){ large, 1473 });
    feed(h, 1, 40000, 41000, (struct span){ large, sizeof large });
    (void)all_of(h);
    hints_free(h);
}
