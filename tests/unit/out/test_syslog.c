/* Against sockets of this process, with a clock of its own: no log server and no waiting. */
#include "out/syslog.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define T0 SECONDS(1700000000)

static int64_t now_ns;

static int64_t clock_of_test(void)
{
    return now_ns += NS_PER_MS;
}

static int listener(int type, uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    const int on = 1;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    cr_assert_eq(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    if (type == SOCK_STREAM)
        cr_assert_eq(listen(fd, 8), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static struct syslog *open_port(const char *scheme, uint16_t port, const struct syslog_options *o)
{
    char target[64], error[SYSLOG_ERROR];
    struct syslog *s;

    snprintf(target, sizeof target, "%s127.0.0.1:%u", scheme, (unsigned)port);
    s = syslog_open(target, o, error);
    cr_assert_not_null(s, "%s", error);
    return s;
}

static void send_text(struct syslog *s, const char *text)
{
    const struct syslog_message m = { SYSLOG_WARNING, SYSLOG_DAEMON, "alert", span_str(text), NULL, 0 };

    syslog_send(s, &m, now_ns);
}

static struct syslog_stats stats(const struct syslog *s)
{
    struct syslog_stats st;

    syslog_stats(s, &st);
    return st;
}

/* Lets the kernel work: loopback is quick, and 2 s are many. */
static void wait_for(int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };

    cr_assert_eq(poll(&p, 1, 2000), 1);
}

static size_t receive(int fd, char *to, size_t room)
{
    ssize_t n;

    wait_for(fd, POLLIN);
    n = recv(fd, to, room - 1, 0);
    cr_assert_geq(n, 0);
    to[n] = 0;
    return (size_t)n;
}

static int accept_one(int fd)
{
    int got;

    wait_for(fd, POLLIN);
    got = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
    cr_assert_geq(got, 0);
    return got;
}

static void run_until_up(struct syslog *s)
{
    for (int i = 0; i < 100 && !stats(s).up; i++) {
        short events;

        syslog_run(s, now_ns);
        if (!stats(s).up && syslog_descriptor(s, &events) >= 0)
            wait_for(syslog_descriptor(s, &events), events);
    }
    cr_assert(stats(s).up, "%s", stats(s).why);
}

static void settle(void)
{
    usleep(20000); /* a FIN, RST or ICMP on loopback */
}

TestSuite(syslog, .timeout = 60);

Test(syslog, udp_sends_one_datagram_a_message_and_asks_for_nothing_more)
{
    uint16_t port = 0;
    int server = listener(SOCK_DGRAM, &port);
    struct syslog *s = open_port("udp://", port, &(struct syslog_options){ .host = "h", .pid = 7 });
    char got[2048];
    short events;

    now_ns = T0;
    send_text(s, "one");
    send_text(s, "two");
    cr_assert_leq(syslog_due(s), now_ns);
    syslog_run(s, now_ns);
    receive(server, got, sizeof got);
    cr_assert_str_eq(got, "<28>1 2023-11-14T22:13:20.000000Z h rtpwatch 7 alert [meta sequenceId=\"1\"] one");
    receive(server, got, sizeof got);
    cr_assert_str_eq(got, "<28>1 2023-11-14T22:13:20.000000Z h rtpwatch 7 alert [meta sequenceId=\"2\"] two");
    cr_assert_eq(stats(s).held, 2);
    cr_assert_eq(syslog_due(s), now_ns + SYSLOG_HOLD_NS);
    cr_assert_geq(syslog_descriptor(s, &events), 0);
    cr_assert_eq(events, POLLIN);
    syslog_run(s, now_ns += SYSLOG_HOLD_NS);
    cr_assert_eq(stats(s).held, 0);
    cr_assert_eq(stats(s).bytes, 0);
    cr_assert_eq(syslog_due(s), INT64_MAX);
    cr_assert_eq(syslog_close(s, 0, clock_of_test), 0);
    close(server);
}

Test(syslog, udp_that_is_refused_is_sent_again)
{
    uint16_t port = 0;
    int server = listener(SOCK_DGRAM, &port);
    struct syslog *s = open_port("udp://", port, NULL);
    char got[2048];

    close(server);
    now_ns = T0;
    send_text(s, "one");
    syslog_run(s, now_ns);
    settle();
    syslog_run(s, now_ns);
    cr_assert_not(stats(s).up);
    cr_assert_eq(stats(s).queued, 1);
    cr_assert_str_eq(stats(s).why, "Connection refused");
    cr_assert_eq(syslog_due(s), now_ns + SYSLOG_RETRY_NS);
    server = listener(SOCK_DGRAM, &port);
    syslog_run(s, now_ns += SYSLOG_RETRY_NS);
    receive(server, got, sizeof got);
    cr_assert_not_null(strstr(got, "[meta sequenceId=\"1\"] one"));
    cr_assert_eq(stats(s).again, 1);
    cr_assert_eq(stats(s).lost, 0);
    syslog_close(s, 0, clock_of_test);
    close(server);
}

Test(syslog, udp_does_not_pour_out_a_full_queue_at_once)
{
    uint16_t port = 0;
    int server = listener(SOCK_DGRAM, &port);
    struct syslog *s = open_port("udp://", port, NULL);

    now_ns = T0;
    for (int i = 0; i < 250; i++)
        send_text(s, "x");
    syslog_run(s, now_ns);
    cr_assert_eq(stats(s).sent, 100);
    cr_assert_eq(syslog_due(s), now_ns + 100 * NS_PER_MS);
    syslog_run(s, now_ns + 99 * NS_PER_MS);
    cr_assert_eq(stats(s).sent, 100);
    syslog_run(s, now_ns += 100 * NS_PER_MS);
    syslog_run(s, now_ns += 100 * NS_PER_MS);
    cr_assert_eq(stats(s).sent, 250);
    cr_assert_eq(stats(s).lost, 0);
    syslog_close(s, 0, clock_of_test);
    close(server);
}

Test(syslog, tcp_counts_octets_and_forgets_what_is_acknowledged_and_old)
{
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port), peer;
    struct syslog *s = open_port("tcp://", port, &(struct syslog_options){ .host = "h" });
    char got[2048];

    now_ns = T0;
    send_text(s, "one");
    run_until_up(s);
    peer = accept_one(server);
    receive(peer, got, sizeof got);
    cr_assert_str_eq(got, "78 <28>1 2023-11-14T22:13:20.000000Z h rtpwatch - alert [meta sequenceId=\"1\"] one");
    cr_assert_eq(stats(s).held, 1);
    syslog_run(s, now_ns += SYSLOG_HOLD_NS);
    cr_assert_eq(stats(s).held, 0);
    cr_assert_eq(syslog_due(s), INT64_MAX);
    cr_assert_eq(syslog_close(s, 100, clock_of_test), 0);
    close(peer);
    close(server);
}

Test(syslog, tcp_closed_by_the_server_is_seen_before_the_next_message_is_written)
{
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port), peer;
    struct syslog *s = open_port("tcp://", port, NULL);
    char got[2048];

    now_ns = T0;
    run_until_up(s);
    peer = accept_one(server);
    close(peer);
    settle();
    send_text(s, "one");
    syslog_run(s, now_ns += SECONDS(1));
    cr_assert_not(stats(s).up);
    cr_assert_str_eq(stats(s).why, "closed by the log server");
    cr_assert_eq(stats(s).sent, 0);
    cr_assert_eq(syslog_due(s), now_ns + SYSLOG_RETRY_NS);
    now_ns += SYSLOG_RETRY_NS;
    run_until_up(s);
    peer = accept_one(server);
    receive(peer, got, sizeof got);
    cr_assert_not_null(strstr(got, "sequenceId=\"1\"] one"));
    syslog_close(s, 0, clock_of_test);
    close(peer);
    close(server);
}

Test(syslog, what_a_server_took_and_never_read_is_sent_again_with_its_number)
{
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port), peer;
    struct syslog *s = open_port("tcp://", port, NULL);
    char got[2048];

    now_ns = T0;
    run_until_up(s);
    peer = accept_one(server);
    send_text(s, "one");
    syslog_run(s, now_ns);
    cr_assert_eq(stats(s).sent, 1);
    wait_for(peer, POLLIN);
    close(peer); /* with unread bytes: they are gone, and were acknowledged */
    settle();
    syslog_run(s, now_ns += SYSLOG_HOLD_NS / 2);
    cr_assert_eq(stats(s).queued, 1);
    now_ns += SYSLOG_RETRY_NS;
    run_until_up(s);
    peer = accept_one(server);
    receive(peer, got, sizeof got);
    cr_assert_not_null(strstr(got, "sequenceId=\"1\"] one"));
    cr_assert_eq(stats(s).again, 1);
    syslog_close(s, 0, clock_of_test);
    close(peer);
    close(server);
}

Test(syslog, a_dead_server_is_tried_after_1_2_4_and_at_most_60_seconds)
{
    static const int pauses[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port);
    struct syslog *s = open_port("tcp://", port, NULL);
    int peer;

    close(server);
    now_ns = T0;
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        for (int tries = 0; tries < 100 && stats(s).breaks == i; tries++) {
            syslog_run(s, now_ns);
            settle();
        }
        cr_assert_eq(stats(s).breaks, i + 1);
        cr_assert_eq(syslog_due(s), now_ns + SECONDS(pauses[i]));
        syslog_run(s, syslog_due(s) - 1);
        cr_assert_eq(stats(s).breaks, i + 1, "not a moment earlier");
        now_ns = syslog_due(s);
    }
    server = listener(SOCK_STREAM, &port);
    run_until_up(s);
    peer = accept_one(server);
    syslog_run(s, now_ns += SYSLOG_STEADY_NS);
    close(peer);
    settle();
    syslog_run(s, now_ns);
    cr_assert_eq(syslog_due(s), now_ns + SECONDS(1), "it was up for long enough");
    syslog_close(s, 0, clock_of_test);
    close(server);
}

Test(syslog, a_server_that_closes_at_once_is_not_hammered)
{
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port);
    struct syslog *s = open_port("tcp://", port, NULL);

    now_ns = T0;
    for (int pause = 1; pause <= 8; pause *= 2) {
        run_until_up(s);
        close(accept_one(server));
        settle();
        syslog_run(s, now_ns);
        cr_assert_eq(syslog_due(s), now_ns + SECONDS(pause));
        now_ns = syslog_due(s);
    }
    syslog_close(s, 0, clock_of_test);
    close(server);
}

Test(syslog, the_clock_set_back_does_not_stop_the_next_attempt)
{
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port);
    struct syslog *s = open_port("tcp://", port, NULL);

    close(server);
    now_ns = T0;
    for (int tries = 0; tries < 100 && stats(s).breaks == 0; tries++) {
        syslog_run(s, now_ns);
        settle();
    }
    now_ns -= SECONDS(3600);
    syslog_run(s, now_ns);
    cr_assert_leq(syslog_due(s), now_ns + SECONDS(2));
    syslog_close(s, 0, clock_of_test);
}

Test(syslog, messages_lost_while_the_server_is_away_are_told_when_it_is_back)
{
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port), peer;
    struct syslog *s = open_port("tcp://", port, &(struct syslog_options){ .messages = 3 });
    char got[4096], text[16];
    const char *lost, *first;

    close(server);
    now_ns = T0;
    for (int i = 1; i <= 15; i++) {
        snprintf(text, sizeof text, "m%d", i);
        send_text(s, text);
        syslog_run(s, now_ns);
    }
    settle();
    syslog_run(s, now_ns);
    cr_assert_eq(stats(s).lost, 12);
    server = listener(SOCK_STREAM, &port);
    now_ns += SECONDS(1);
    run_until_up(s);
    syslog_run(s, now_ns);
    peer = accept_one(server);
    settle();
    receive(peer, got, sizeof got);
    lost = strstr(got, "12 messages were lost while tcp://127.0.0.1:");
    first = strstr(got, "] m13");
    cr_assert_not_null(lost, "%s", got);
    cr_assert_not_null(first, "%s", got);
    cr_assert(lost < first, "told before what came after");
    cr_assert_not_null(strstr(got, "lost [meta sequenceId=\"12\"][rtpwatch@32473 lost=\"12\" target=\"tcp://127.0.0.1:"), "%s",
                       got);
    cr_assert_not_null(strstr(got, "] m15"));
    syslog_close(s, 0, clock_of_test);
    close(peer);
    close(server);
}

Test(syslog, a_server_that_does_not_read_costs_bounded_memory_and_no_time)
{
    static char text[900];
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port), peer;
    struct syslog *s = open_port("tcp://", port, &(struct syslog_options){ .messages = 64 });

    now_ns = T0;
    memset(text, 'x', sizeof text - 1);
    run_until_up(s);
    peer = accept_one(server);
    for (int i = 0; i < 30000; i++) {
        send_text(s, text);
        syslog_run(s, now_ns += NS_PER_MS);
    }
    cr_assert_gt(stats(s).lost, 0);
    cr_assert_leq(stats(s).queued + stats(s).held, 65);
    cr_assert(syslog_due(s) > now_ns, "nobody spins");
    cr_assert_eq(stats(s).sent + stats(s).lost + stats(s).queued, 30000);
    syslog_close(s, 5, clock_of_test);
    close(peer);
    close(server);
}

Test(syslog, closing_sends_what_waits_and_says_what_did_not_go)
{
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port), peer;
    struct syslog *s = open_port("tcp://", port, NULL);
    char got[4096];

    now_ns = T0;
    send_text(s, "last words");
    cr_assert_eq(syslog_close(s, 1000, clock_of_test), 0);
    peer = accept_one(server);
    receive(peer, got, sizeof got);
    cr_assert_not_null(strstr(got, "] last words"));
    cr_assert_eq(recv(peer, got, sizeof got, 0), 0, "and closed");
    close(peer);
    close(server);

    s = open_port("tcp://", port, NULL);
    send_text(s, "to nobody");
    cr_assert_eq(syslog_close(s, 20, clock_of_test), 1);
    cr_assert_eq(syslog_close(NULL, 20, clock_of_test), 0);
}

Test(syslog, reopening_connects_anew_and_repeats_nothing_that_was_acknowledged)
{
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port), peer;
    struct syslog *s = open_port("tcp://", port, NULL);
    char got[2048], error[SYSLOG_ERROR];

    now_ns = T0;
    run_until_up(s);
    peer = accept_one(server);
    send_text(s, "one");
    syslog_run(s, now_ns);
    receive(peer, got, sizeof got);
    settle();
    cr_assert(syslog_reopen(s, error), "%s", error);
    cr_assert_eq(recv(peer, got, sizeof got, 0), 0);
    close(peer);
    send_text(s, "two");
    run_until_up(s);
    peer = accept_one(server);
    receive(peer, got, sizeof got);
    cr_assert_null(strstr(got, "] one"));
    cr_assert_not_null(strstr(got, "] two"));
    cr_assert_eq(stats(s).breaks, 0);
    syslog_close(s, 0, clock_of_test);
    close(peer);
    close(server);
}

Test(syslog, the_local_socket_is_waited_for_while_it_is_full_or_not_there)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char folder[] = "/tmp/rtpwatch-syslog-XXXXXX", target[128], error[SYSLOG_ERROR], got[2048];
    struct syslog *s;
    int server;
    size_t received = 0;

    cr_assert_not_null(mkdtemp(folder));
    snprintf(a.sun_path, sizeof a.sun_path, "%s/log", folder);
    snprintf(target, sizeof target, "local:%s", a.sun_path);
    now_ns = T0;
    s = syslog_open(target, NULL, error);
    cr_assert_not_null(s, "%s", error);
    send_text(s, "early");
    syslog_run(s, now_ns);
    cr_assert_str_eq(stats(s).why, "No such file or directory");
    server = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(server, (const struct sockaddr *)&a, sizeof a), 0);
    for (int i = 0; i < 999; i++)
        send_text(s, "more");
    syslog_run(s, now_ns += SYSLOG_RETRY_NS);
    cr_assert_gt(stats(s).queued, 0, "the receiver's queue is short");
    for (int i = 0; i < 5000 && received < 1000; i++) {
        while (received < 1000 && recv(server, got, sizeof got, 0) > 0)
            received++;
        syslog_run(s, now_ns += NS_PER_MS);
    }
    cr_assert_eq(received, 1000);
    cr_assert_eq(stats(s).lost, 0);
    syslog_close(s, 0, clock_of_test);
    close(server);
    unlink(a.sun_path);
    rmdir(folder);
}

Test(syslog, tls_to_a_server_that_says_nothing_is_given_up_in_time)
{
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port), peer;
    struct syslog *s = open_port("tls://", port, NULL);

    now_ns = T0;
    send_text(s, "one");
    syslog_run(s, now_ns);
    peer = accept_one(server);
    for (int i = 0; i < 20; i++)
        syslog_run(s, now_ns);
    cr_assert_not(stats(s).up);
    cr_assert_eq(syslog_due(s), now_ns + SYSLOG_CONNECT_NS);
    syslog_run(s, now_ns += SYSLOG_CONNECT_NS);
    cr_assert_str_eq(stats(s).why, "no TLS within 10 s");
    cr_assert_eq(stats(s).sent, 0);
    syslog_close(s, 0, clock_of_test);
    close(peer);
    close(server);
}

Test(syslog, tls_to_a_server_that_speaks_something_else_is_refused)
{
    uint16_t port = 0;
    int server = listener(SOCK_STREAM, &port), peer;
    struct syslog *s = open_port("tls://", port, NULL);

    now_ns = T0;
    syslog_run(s, now_ns);
    peer = accept_one(server);
    cr_assert_eq(send(peer, "220 mail.example ESMTP\r\n", 24, 0), 24);
    settle();
    for (int i = 0; i < 20 && stats(s).breaks == 0; i++)
        syslog_run(s, now_ns);
    cr_assert_not_null(strstr(stats(s).why, "TLS: wrong version number"), "%s", stats(s).why);
    syslog_close(s, 0, clock_of_test);
    close(peer);
    close(server);
}

Test(syslog, without_verification_the_operator_is_told)
{
    struct syslog_options o = { .tls = { .insecure = true } };
    char error[SYSLOG_ERROR];
    struct syslog *s = syslog_open("tls://127.0.0.1", &o, error);

    cr_assert_not_null(s, "%s", error);
    cr_assert_not_null(strstr(syslog_caution(s), "tls://127.0.0.1 is not verified"));
    syslog_close(s, 0, clock_of_test);
    s = syslog_open("tls://127.0.0.1", NULL, error);
    cr_assert_null(syslog_caution(s));
    syslog_close(s, 0, clock_of_test);
}

Test(syslog, an_sd_id_is_of_an_enterprise)
{
    static const char *const fine[] = { "rtpwatch@32473", "a@1", "voice@64496.7.1" };
    static const char *const wrong[] = { "",
                                         "meta",
                                         "@32473",
                                         "a@",
                                         "a@b",
                                         "a b@1",
                                         "a=b@1",
                                         "a]@1",
                                         "\"@1",
                                         "\xc3\xa4@1",
                                         "a@1@2",
                                         "a@1]forged",
                                         "0123456789012345678901234567@32473" };
    struct syslog_options o = { 0 };
    char error[SYSLOG_ERROR];

    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        o.sd_id = fine[i];
        syslog_close(open_port("udp://", 9, &o), 0, clock_of_test);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        o.sd_id = wrong[i];
        cr_assert_null(syslog_open("udp://127.0.0.1:9", &o, error), "%s", wrong[i]);
        cr_assert_not_null(strstr(error, "expected NAME@NUMBER"), "%s", error);
    }
}
