#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "out/syslog_private.h"

static void expect(const char *text, enum syslog_transport transport, const char *host, uint16_t port)
{
    struct syslog_target t;
    char error[SYSLOG_ERROR];

    cr_assert(syslog_target_parse(text, &t, error), "%s", error);
    cr_assert_eq(t.transport, transport);
    cr_assert_str_eq(t.host, host);
    cr_assert_eq(t.port, port);
    cr_assert_str_eq(t.text, text);
}

static void refuse(const char *text, const char *expected)
{
    char error[SYSLOG_ERROR];

    cr_assert_not(syslog_target_check(text, error), "%s", text);
    cr_assert_not_null(strstr(error, expected), "%s: %s", text, error);
    cr_assert_not_null(strstr(error, "syslog target '"), "%s", error);
}

Test(syslog_target, each_transport_has_its_port)
{
    expect("local", SYSLOG_TO_LOCAL, "/dev/log", 0);
    expect("local:/run/x/log", SYSLOG_TO_LOCAL, "/run/x/log", 0);
    expect("udp://log.example.org", SYSLOG_TO_UDP, "log.example.org", 514);
    expect("tcp://192.0.2.1", SYSLOG_TO_TCP, "192.0.2.1", 514);
    expect("tls://log_1.example-x.org", SYSLOG_TO_TLS, "log_1.example-x.org", 6514);
    expect("tcp://log.example.org:601", SYSLOG_TO_TCP, "log.example.org", 601);
    expect("udp://x:65535", SYSLOG_TO_UDP, "x", 65535);
}

Test(syslog_target, an_ipv6_address_stands_in_brackets)
{
    expect("udp://[2001:db8::1]", SYSLOG_TO_UDP, "2001:db8::1", 514);
    expect("tls://[::1]:1514", SYSLOG_TO_TLS, "::1", 1514);
    expect("udp://[fe80::1%eth0]:514", SYSLOG_TO_UDP, "fe80::1%eth0", 514);
    refuse("udp://2001:db8::1", "expected an IPv6 address in brackets");
    refuse("udp://[2001:db8::1", "between '[' and ']'");
    refuse("udp://[]", "expected a host");
    refuse("udp://[192.0.2.1]", "between '[' and ']'");
    refuse("udp://[%eth0]", "between '[' and ']'");
    refuse("udp://[::1]514", "a port from 1 to 65535");
}

Test(syslog_target, an_error_says_what_is_expected)
{
    static char long_host[400] = "udp://";

    refuse("", "expected local, local:/PATH, udp://HOST:PORT");
    refuse("syslog://x", "expected local, local:/PATH, udp://HOST:PORT");
    refuse("UDP://x", "expected local, local:/PATH, udp://HOST:PORT");
    refuse("udp://", "expected a host");
    refuse("udp://:514", "expected a host");
    refuse("udp://x:", "a port from 1 to 65535");
    refuse("udp://x:0", "a port from 1 to 65535");
    refuse("udp://x:65536", "a port from 1 to 65535");
    refuse("udp://x:51a", "a port from 1 to 65535");
    refuse("udp://x/", "expected a host name");
    refuse("udp://user@x", "expected a host name");
    refuse("udp://x y", "expected a host name");
    refuse("local:log", "from '/' on");
    refuse("local:", "from '/' on");
    refuse("locally", "expected local,");
    memset(long_host + 6, 'x', 254);
    refuse(long_host, "expected a host name");
    memset(long_host + 6, 'x', 390);
    refuse(long_host, "too long");
    refuse("local:/2345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
           "at most 107 bytes");
}

Test(syslog_target, addresses_are_taken_as_they_are)
{
    struct sockaddr_storage found[SYSLOG_ADDRESSES];
    struct syslog_target t;
    char error[SYSLOG_ERROR];

    cr_assert(syslog_target_parse("udp://[::1]:99", &t, error));
    cr_assert_eq(syslog_target_resolve(&t, found, error), 1);
    cr_assert_eq(found[0].ss_family, AF_INET6);
    cr_assert_eq(((const struct sockaddr_in6 *)&found[0])->sin6_port, htons(99));
    cr_assert(syslog_target_parse("tcp://127.0.0.1:99", &t, error));
    cr_assert_eq(syslog_target_resolve(&t, found, error), 1);
    cr_assert_eq(found[0].ss_family, AF_INET);
    cr_assert(syslog_target_parse("local:/run/x", &t, error));
    cr_assert_eq(syslog_target_resolve(&t, found, error), 1);
    cr_assert_str_eq(((const struct sockaddr_un *)&found[0])->sun_path, "/run/x");
}

Test(syslog_target, a_name_without_an_address_is_an_error_when_opened)
{
    char error[SYSLOG_ERROR] = "";

    cr_assert_null(syslog_open("udp://no-such-host.invalid", NULL, error));
    cr_assert_not_null(strstr(error, "no-such-host.invalid: "), "%s", error);
}
