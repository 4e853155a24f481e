#include "dissectors/sdp.h"

#include <criterion/criterion.h>
#include <stdio.h>

static bool is(struct span s, const char *text)
{
    return span_eq(s, span_str(text));
}

static bool at(const struct addr *a, const char *text)
{
    char buf[ADDR_TEXT];

    return strcmp(addr_text(a, buf), text) == 0;
}

static bool is_port_alone(const struct addr *a, uint16_t port)
{
    struct addr none = addr_with_port(ADDR_NONE, port);

    return addr_eq(a, &none);
}

static struct sdp_cand candidate(const char *text)
{
    struct sdp_cand c;

    cr_assert(sdp_candidate(span_str(text), &c), "%s", text);
    return c;
}

/* The example of RFC 8839 §5.1. */
Test(sdp_candidate, rfc8839_example)
{
    struct sdp_cand c = candidate("2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998");

    cr_assert(c.type == SDP_CAND_SRFLX && !c.tcp && !c.is_name && c.component == 1 && c.priority == 1694498815);
    cr_assert(is(c.foundation, "2") && is(c.transport, "UDP") && is(c.host, "192.0.2.3") && is(c.type_name, "srflx"));
    cr_assert(at(&c.addr, "192.0.2.3:45664") && at(&c.raddr, "203.0.113.141:8998"));
    cr_assert_eq(c.line.n, strlen("2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998"));
}

Test(sdp_candidate, types)
{
    static const char *const types[] = { "host", "srflx", "prflx", "relay" };
    char text[128];

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        snprintf(text, sizeof text, "H+/9 2 udp 1 192.0.2.3 0 typ %s", types[i]);
        cr_assert_eq(candidate(text).type, (enum sdp_cand_type)i);
        cr_assert_str_eq(sdp_cand_type_name((enum sdp_cand_type)i), types[i]);
    }
    cr_assert_eq(candidate("1 1 UDP 1 192.0.2.3 5 typ future").type, SDP_CAND_UNKNOWN);
    cr_assert(is(candidate("1 1 UDP 1 192.0.2.3 5 typ future").type_name, "future"));
    cr_assert_str_eq(sdp_cand_type_name(SDP_CAND_UNKNOWN), "unknown");
}

Test(sdp_candidate, forms)
{
    struct sdp_cand c = candidate("candidate:1 1 UDP 2130706431 2001:db8::1 5000 typ host\r\n");

    cr_assert(at(&c.addr, "[2001:db8::1]:5000"));
    cr_assert_eq(c.line.p[0], '1', "the line is the value, however it came");
    c = candidate("1 1 TCP 1 192.0.2.3 9 typ host tcptype passive raddr 10.0.0.1 rport 9");
    cr_assert(c.tcp && is(c.tcptype, "passive") && at(&c.raddr, "10.0.0.1:9"));
    c = candidate("1 1 tcp-act 1 192.0.2.3 9 typ host");
    cr_assert(c.tcp);
    c = candidate("1 1 UDP 1 turn.example.com 9 typ relay raddr host.local rport 7");
    cr_assert(c.is_name && is(c.host, "turn.example.com") && is_port_alone(&c.addr, 9) && is_port_alone(&c.raddr, 0));
    c = candidate("1 1 UDP 1 192.0.2.3 9 typ srflx raddr :: rport 9");
    cr_assert(is_port_alone(&c.raddr, 0));
    c = candidate(
        "1  1 UDP 1 192.0.2.3 9  typ srflx generation 0 ufrag x network-id 1 network-cost 10 raddr 10.0.0.9 rport 8 ufrag");
    cr_assert(at(&c.raddr, "10.0.0.9:8"), "extensions first, and one without its value");
}

Test(sdp_candidate, outside_rfc8839)
{
    static const char *const bad[] = {
        "",
        "candidate:",
        "1",
        "1 1 UDP 1 192.0.2.3 5 typ",
        "1 1 UDP 1 192.0.2.3 5 host typ",
        "1 1 UDP 1 192.0.2.3 5",
        "1 0 UDP 1 192.0.2.3 5 typ host",
        "1 x UDP 1 192.0.2.3 5 typ host",
        "1 300 UDP 1 192.0.2.3 5 typ host",
        "1 1 UDP 0 192.0.2.3 5 typ host",
        "1 1 UDP 2147483648 192.0.2.3 5 typ host",
        "1 1 UDP 1 192.0.2.300 5 typ host",
        "1 1 UDP 1 192.0.2 5 typ host",
        "1 1 UDP 1 2001:db8::g 5 typ host",
        "1 1 UDP 1 a,b 5 typ host",
        "1 1 UDP 1 192.0.2.3 65536 typ host",
        "1 1 UDP 1 192.0.2.3 -1 typ host",
        "a,b 1 UDP 1 192.0.2.3 5 typ host",
        "123456789012345678901234567890123 1 UDP 1 192.0.2.3 5 typ host",
        "1 1 UDP 1 192.0.2.3 5 typ srflx raddr 1.2.3 rport 1",
        "1 1 UDP 1 192.0.2.3 5 typ srflx raddr",
        "1 1 UDP 1 192.0.2.3 5 typ srflx raddr 10.0.0.1 rport 70000",
        "1 1 UDP 1 192.0.2.3 5 typ srflx raddr 10.0.0.1 rport x",
    };
    struct sdp_cand c;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(sdp_candidate(span_str(bad[i]), &c), "%s", bad[i]);
}
