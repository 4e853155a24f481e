#include "base/addr.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>

static struct addr addr_of(const char *text)
{
    struct addr a;

    cr_assert(addr_parse(span_str(text), &a), "%s", text);
    return a;
}

static void expect_text(const char *in, const char *want, const char *want_ip)
{
    struct addr a = addr_of(in);
    char buf[ADDR_TEXT];

    cr_assert_str_eq(addr_text(&a, buf), want);
    cr_assert_str_eq(addr_ip_text(&a, buf), want_ip);
}

Test(addr, text_and_back)
{
    expect_text("203.0.113.9:5060", "203.0.113.9:5060", "203.0.113.9");
    expect_text("203.0.113.9", "203.0.113.9:0", "203.0.113.9");
    expect_text("[2001:db8::9]:65535", "[2001:db8::9]:65535", "2001:db8::9");
    expect_text("[2001:DB8:0:0::9]", "[2001:db8::9]:0", "2001:db8::9");
    expect_text("2001:db8::9", "[2001:db8::9]:0", "2001:db8::9");
    expect_text("::", "[::]:0", "::");
    expect_text("[fe80::1%eth0]:9", "[fe80::1]:9", "fe80::1");
    expect_text("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

Test(addr, both_families_have_one_form)
{
    struct addr mapped = addr_of("[::ffff:192.0.2.1]:7"), plain = addr_of("192.0.2.1:7");

    cr_assert(addr_is_v4(&mapped));
    cr_assert(addr_eq(&mapped, &plain));
    cr_assert_eq(addr_hash(&mapped), addr_hash(&plain));
    cr_assert_not(addr_is_v4(&(struct addr){ { 0 }, 0 }));
}

static void expect_no_address(struct span s)
{
    struct addr a = addr_v4((const uint8_t[4]){ 1, 2, 3, 4 }, 5), none = ADDR_NONE;

    cr_assert_not(addr_parse(s, &a), "%.*s", (int)s.n, (const char *)s.p);
    cr_assert(addr_eq(&a, &none));
    a.port = 1;
    cr_assert_not(addr_parse_ip(s, 9, &a));
    cr_assert(addr_eq(&a, &none));
}

Test(addr, what_is_no_address)
{
    static const char *const wrong[] = { "",
                                         ":",
                                         "[",
                                         "]",
                                         "[]",
                                         "[]:5",
                                         "1.2.3",
                                         "1.2.3.4.5",
                                         "256.1.1.1",
                                         "1.2.3.4:",
                                         "1.2.3.4:x",
                                         "1.2.3.4:65536",
                                         "1.2.3.4:-1",
                                         " 1.2.3.4",
                                         "1.2.3.4 ",
                                         "example.com",
                                         "[::1",
                                         "[::1]5",
                                         "[::1]:99999",
                                         "::1::2",
                                         "%eth0",
                                         "0x7f.0.0.1",
                                         ":5060",
                                         "f2a0c6a4-1f7b-4d0e-9c66-3a3b6f4d2f10.local",
                                         "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd" };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_no_address(span_str(wrong[i]));
    expect_no_address(SPAN_NONE);
}

/* "1.2" and any seven of the characters that IPv4 is made of, and one that it is not. */
Test(addr, ipv4_is_what_inet_pton_takes)
{
    static const char of[] = "0129.x";
    char text[] = "1.2.......";

    for (size_t i = 0; i < (size_t)6 * 6 * 6 * 6 * 6 * 6 * 6; i++) {
        struct addr a;
        uint8_t ip[4];

        for (size_t k = 3, left = i; k < 10; k++, left /= 6)
            text[k] = of[left % 6];
        cr_assert_eq(addr_parse_ip(span_str(text), 0, &a), inet_pton(AF_INET, text, ip) == 1, "%s", text);
        cr_assert(addr_is_none(&a) || memcmp(a.ip + 12, ip, 4) == 0, "%s", text);
    }
}

/* All that one number may be: four digits are never one. */
Test(addr, every_number_of_ipv4)
{
    char text[16];

    for (unsigned v = 0; v < 11000; v++)
        for (int width = 1; width < 4; width++) {
            struct addr a;
            uint8_t ip[4];

            snprintf(text, sizeof text, "%0*u.7.9.%0*u", width, v, width, v);
            cr_assert_eq(addr_parse_v4(span_str(text), 5, &a), inet_pton(AF_INET, text, ip) == 1, "%s", text);
            cr_assert(v > 255 || width > 1 || (a.ip[12] == v && a.ip[13] == 7 && a.ip[14] == 9 && a.ip[15] == v && a.port == 5));
        }
}

Test(addr, only_ipv4_is_ipv4)
{
    struct addr a = addr_v4((const uint8_t[4]){ 1, 2, 3, 4 }, 5), before = a;

    cr_assert_not(addr_parse_v4(SPAN("::ffff:192.0.2.1"), 1, &a));
    cr_assert_not(addr_parse_v4(SPAN("[192.0.2.1]"), 1, &a));
    cr_assert_not(addr_parse_v4(SPAN("192.0.2.1%0"), 1, &a));
    cr_assert_not(addr_parse_v4(SPAN_NONE, 1, &a));
    cr_assert(addr_eq(&a, &before));
}

/* A NUL ends a C string, not what came from the network. */
Test(addr, an_address_does_not_end_at_a_nul)
{
    expect_no_address(SPAN("192.0.2.1\0evil"));
    expect_no_address(SPAN("2001:db8::1\0"));
    expect_no_address(SPAN("\0"));
}

Test(addr, an_ip_alone_has_no_port_of_its_own)
{
    struct addr a;

    cr_assert(addr_parse_ip(SPAN("192.0.2.1"), 10000, &a));
    cr_assert_eq(a.port, 10000);
    cr_assert(addr_parse_ip(SPAN("[2001:db8::1]"), 1, &a));
    cr_assert_eq(a.port, 1);
    cr_assert_not(addr_parse_ip(SPAN("192.0.2.1:5"), 1, &a));
}

Test(addr, order_and_equality)
{
    struct addr a = addr_of("192.0.2.1:5"), b = addr_of("192.0.2.1:6"), c = addr_of("192.0.2.2:1");

    cr_assert_eq(addr_cmp(&a, &a), 0);
    cr_assert_lt(addr_cmp(&a, &b), 0);
    cr_assert_gt(addr_cmp(&b, &a), 0);
    cr_assert_lt(addr_cmp(&b, &c), 0, "the IP counts before the port");
    cr_assert(addr_ip_eq(&a, &b));
    cr_assert_not(addr_eq(&a, &b));
    b = addr_with_port(b, 5);
    cr_assert(addr_eq(&a, &b));
}

Test(addr, hash_depends_on_ip_and_port)
{
    struct addr a = addr_of("192.0.2.1:5"), b = a;

    for (size_t i = 0; i < 16; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            b.ip[i] ^= (uint8_t)(1u << bit);
            cr_assert_neq(addr_hash(&a) >> 32, addr_hash(&b) >> 32, "a table keeps the high half only");
            b = a;
        }
    for (unsigned bit = 0; bit < 16; bit++) {
        b.port ^= (uint16_t)(1u << bit);
        cr_assert_neq(addr_hash(&a) >> 32, addr_hash(&b) >> 32);
        b = a;
    }
}

/* Hosts of one network and ports of one range are what captures are full of: their hashes must spread. */
Test(addr, hash_spreads_neighbours)
{
    static uint16_t cell[1 << 16];
    unsigned worst = 0;

    for (unsigned host = 0; host < 256; host++)
        for (unsigned port = 10000; port < 10512; port += 2) {
            struct addr a = addr_v4((const uint8_t[4]){ 10, 0, 0, (uint8_t)host }, (uint16_t)port);
            unsigned n = ++cell[(addr_hash(&a) >> 32) & 0xffff];

            if (n > worst)
                worst = n;
        }
    cr_assert_lt(worst, 16, "%u of 65536 in one cell of as many", worst);
}

/* ---- kinds of addresses ---- */

enum { NONE = 1, LOOPBACK = 2, LINK_LOCAL = 4, MULTICAST = 8, PRIVATE = 16, UNROUTABLE = 32 };

static unsigned kinds(const struct addr *a)
{
    return (addr_is_none(a) ? NONE : 0u) | (addr_is_loopback(a) ? LOOPBACK : 0u) | (addr_is_link_local(a) ? LINK_LOCAL : 0u) |
           (addr_is_multicast(a) ? MULTICAST : 0u) | (addr_is_private(a) ? PRIVATE : 0u) |
           (addr_is_unroutable(a) ? UNROUTABLE : 0u);
}

Test(addr, kinds)
{
    static const struct {
        const char *text;
        unsigned kinds;
    } is[] = {
        { "0.0.0.0", NONE | UNROUTABLE },
        { "::", NONE | UNROUTABLE },
        { "0.1.2.3", UNROUTABLE },
        { "127.0.0.1", LOOPBACK | UNROUTABLE },
        { "127.255.255.255", LOOPBACK | UNROUTABLE },
        { "::1", LOOPBACK | UNROUTABLE },
        { "126.255.255.255", 0 },
        { "128.0.0.0", 0 },
        { "::2", 0 },
        { "169.254.0.1", LINK_LOCAL | UNROUTABLE },
        { "169.253.0.1", 0 },
        { "169.255.0.1", 0 },
        { "fe80::1", LINK_LOCAL | UNROUTABLE },
        { "febf::1", LINK_LOCAL | UNROUTABLE },
        { "fec0::1", 0 },
        { "224.0.0.1", MULTICAST | UNROUTABLE },
        { "239.255.255.255", MULTICAST | UNROUTABLE },
        { "ff02::fb", MULTICAST | UNROUTABLE },
        { "255.255.255.255", MULTICAST | UNROUTABLE },
        { "240.0.0.1", UNROUTABLE },
        { "223.255.255.255", 0 },
        { "10.0.0.0", PRIVATE | UNROUTABLE },
        { "10.255.255.255", PRIVATE | UNROUTABLE },
        { "9.255.255.255", 0 },
        { "11.0.0.0", 0 },
        { "172.15.255.255", 0 },
        { "172.16.0.0", PRIVATE | UNROUTABLE },
        { "172.31.255.255", PRIVATE | UNROUTABLE },
        { "172.32.0.0", 0 },
        { "192.168.0.0", PRIVATE | UNROUTABLE },
        { "192.167.255.255", 0 },
        { "192.169.0.0", 0 },
        { "100.63.255.255", 0 },
        { "100.64.0.0", PRIVATE | UNROUTABLE },
        { "100.127.255.255", PRIVATE | UNROUTABLE },
        { "100.128.0.0", 0 },
        { "fc00::1", PRIVATE | UNROUTABLE },
        { "fdff::1", PRIVATE | UNROUTABLE },
        { "fbff::1", 0 },
        { "2001:db8::1", 0 },
        { "192.0.2.1", 0 },
        { "198.51.100.1", 0 },
        { "203.0.113.1", 0 }, /* documentation: public in laboratories */
    };

    for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
        struct addr a = addr_with_port(addr_of(is[i].text), 5060);

        cr_assert_eq(kinds(&a), is[i].kinds, "%s: %u", is[i].text, kinds(&a));
    }
}

static bool same_site(const char *a, const char *b)
{
    struct addr x = addr_of(a), y = addr_of(b);

    cr_assert_eq(addr_same_site(&x, &y), addr_same_site(&y, &x), "%s and %s, whoever comes first", a, b);
    return addr_same_site(&x, &y);
}

Test(addr, one_site)
{
    cr_assert(same_site("203.0.113.1:1", "203.0.113.254:2"));
    cr_assert_not(same_site("203.0.113.1", "203.0.112.1"));
    cr_assert(same_site("2001:db8:1:2::3", "2001:db8:1:ffff::4"));
    cr_assert_not(same_site("2001:db8:1::3", "2001:db8:2::3"));
    cr_assert_not(same_site("::1", "203.0.113.1"), "IPv4 in its IPv6 form begins with zeros, and so does loopback");
    cr_assert_not(same_site("2001:db8::1", "203.0.113.1"));
}
