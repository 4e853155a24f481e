#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "out/syslog_private.h"

#define T0 SECONDS(1700000000)

static const struct syslog_target target = { .transport = SYSLOG_TO_TCP, .text = "tcp://log" };
static struct syslog_link link_;

/* The n-th address of the link: a port of loopback where one listens, or nobody. */
static int add_address(bool open)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    cr_assert_eq(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    if (open)
        cr_assert_eq(listen(fd, 8), 0);
    memcpy(&link_.address[link_.addresses++], &a, sizeof a);
    return fd;
}

/* As a loop does that polls, at one point in time, until it must wait for a later one. */
static void run(int64_t now_ns)
{
    for (int i = 0; i < 100; i++) {
        struct pollfd p = { .events = POLLOUT };

        syslog_link_step(&link_, now_ns);
        if (link_.state == SYSLOG_UP || (link_.state == SYSLOG_DOWN && link_.retry_ns > now_ns))
            return;
        p.fd = link_.fd;
        (void)poll(&p, 1, 100);
    }
    cr_assert_fail("neither up nor down");
}

static void begin(void)
{
    syslog_link_init(&link_, &target);
}

static void end(void)
{
    syslog_link_done(&link_);
}

TestSuite(syslog_link, .init = begin, .fini = end, .timeout = 30);

Test(syslog_link, each_address_is_tried_without_a_pause)
{
    int one = add_address(false), two = add_address(false), three = add_address(true);

    run(T0);
    cr_assert_eq(link_.state, SYSLOG_UP);
    cr_assert_eq(link_.breaks, 2);
    cr_assert_eq(link_.connections, 1);
    close(one);
    close(two);
    close(three);
}

Test(syslog_link, after_all_addresses_there_is_a_pause)
{
    int one = add_address(false), two = add_address(false);

    run(T0);
    cr_assert_eq(link_.state, SYSLOG_DOWN);
    cr_assert_eq(link_.breaks, 2);
    cr_assert_eq(link_.retry_ns, T0 + SYSLOG_RETRY_NS);
    cr_assert_str_eq(link_.why, "Connection refused");
    run(T0 + SYSLOG_RETRY_NS);
    cr_assert_eq(link_.breaks, 4);
    cr_assert_eq(link_.retry_ns, T0 + 3 * SYSLOG_RETRY_NS);
    close(one);
    close(two);
}

Test(syslog_link, what_the_other_end_has_is_measured_in_bytes)
{
    static uint8_t bytes[100000], got[100000];
    int server = add_address(true), peer;
    struct pollfd p = { .events = POLLIN };
    size_t sent = 0;

    run(T0);
    peer = accept4(server, NULL, NULL, SOCK_NONBLOCK);
    cr_assert_geq(peer, 0);
    while (syslog_link_send(&link_, (struct span){ bytes, sizeof bytes }, T0) == SYSLOG_TOOK)
        sent += sizeof bytes;
    cr_assert(link_.blocked);
    cr_assert_eq(link_.made, sent);
    syslog_link_measure(&link_);
    cr_assert_lt(link_.acked, sent, "nobody reads");
    p.fd = peer;
    for (size_t read_n = 0; read_n < sent;) {
        ssize_t n;

        syslog_link_step(&link_, T0);
        cr_assert_eq(poll(&p, 1, 5000), 1);
        n = recv(peer, got, sizeof got, 0);
        cr_assert_gt(n, 0);
        read_n += (size_t)n;
    }
    usleep(200000); /* an acknowledgement may be delayed by 40 ms */
    syslog_link_measure(&link_);
    cr_assert_eq(link_.acked, sent);
    close(peer);
    close(server);
}
