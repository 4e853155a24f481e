/* The way to one log server: connects, keeps trying, sends. All that depends on the system's sockets is here. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/sockios.h>
#endif

#include "out/syslog_private.h"

enum { READS = 16, UNANSWERED_MS = 30000, IDLE_S = 60, PROBE_S = 10, PROBES = 3 };

void syslog_link_init(struct syslog_link *l, const struct syslog_target *target)
{
    *l = (struct syslog_link){ .target = target, .fd = -1, .delay_ns = SYSLOG_RETRY_NS, .retry_ns = INT64_MIN };
}

static void hang_up(struct syslog_link *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->state = SYSLOG_DOWN;
    l->blocked = false;
    strbuf_clear(&l->out);
    l->done = 0;
}

/* Each address in turn without delay, then a pause, twice as long as the last one. */
static bool broke(struct syslog_link *l, int64_t now_ns, const char *why)
{
    bool was_up = l->state == SYSLOG_UP;

    if (why != l->why)
        snprintf(l->why, sizeof l->why, "%s", why);
    if (was_up && now_ns - l->since_ns >= SYSLOG_STEADY_NS)
        l->delay_ns = SYSLOG_RETRY_NS;
    if (l->tls)
        syslog_tls_end(l->tls, NULL);
    hang_up(l);
    l->breaks++;
    l->turn = (l->turn + 1) % l->addresses;
    l->retry_ns = now_ns;
    if (was_up || l->turn == 0) {
        l->retry_ns = now_ns + l->delay_ns;
        l->delay_ns = l->delay_ns * 2 < SYSLOG_RETRY_MOST_NS ? l->delay_ns * 2 : SYSLOG_RETRY_MOST_NS;
    }
    return false;
}

/* ---- connecting ---- */

static socklen_t length_of(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_UNIX    ? sizeof(struct sockaddr_un)
           : a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                      : sizeof(struct sockaddr_in);
}

/* A server that is gone without a word is found by what it does not acknowledge, or by probes where nothing is sent. */
static void watch_peer(int fd)
{
    const int on = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef TCP_USER_TIMEOUT
    const unsigned unanswered = UNANSWERED_MS;
    const int idle = IDLE_S, probe = PROBE_S, probes = PROBES;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered, sizeof unanswered);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe, sizeof probe);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
#endif
}

static bool connected(struct syslog_link *l, int64_t now_ns)
{
    l->since_ns = l->tls ? l->since_ns : now_ns;
    l->state = l->tls ? SYSLOG_HANDSHAKE : SYSLOG_UP;
    if (l->tls && !syslog_tls_begin(l->tls, l->why))
        return broke(l, now_ns, l->why);
    l->connections += !l->tls;
    return true;
}

static void begin(struct syslog_link *l, int64_t now_ns)
{
    const struct sockaddr_storage *to = &l->address[l->turn];
    bool stream = syslog_is_stream(l->target);

    l->since_ns = now_ns;
    l->made = l->acked = 0;
    l->state = SYSLOG_CONNECTING;
    l->fd = socket(to->ss_family, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0) {
        broke(l, now_ns, strerror(errno));
        return;
    }
    if (stream)
        watch_peer(l->fd);
    if (connect(l->fd, (const struct sockaddr *)to, length_of(to)) == 0)
        connected(l, now_ns);
    else if (errno != EINPROGRESS)
        broke(l, now_ns, errno == EPROTOTYPE ? "a stream socket; only datagram sockets are written to" : strerror(errno));
}

static void finish_connect(struct syslog_link *l, int64_t now_ns)
{
    struct pollfd p = { .fd = l->fd, .events = POLLOUT };
    int error = 0;
    socklen_t n = sizeof error;

    if (poll(&p, 1, 0) <= 0)
        return;
    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
        error = errno;
    if (error)
        broke(l, now_ns, strerror(error));
    else
        connected(l, now_ns);
}

/* ---- streams ---- */

static bool flush(struct syslog_link *l, int64_t now_ns)
{
    while (l->done < l->out.n) {
        ssize_t n = send(l->fd, l->out.p + l->done, l->out.n - l->done, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return broke(l, now_ns, strerror(errno));
        l->blocked = n < 0;
        if (n < 0)
            return true;
        l->done += (size_t)n;
    }
    strbuf_clear(&l->out);
    l->done = 0;
    l->blocked = false;
    return true;
}

static void handshake(struct syslog_link *l, int64_t now_ns)
{
    size_t before = l->out.n;
    bool done = false, fine = syslog_tls_handshake(l->tls, &done, &l->out, l->why);

    l->made += l->out.n - before;
    if (!fine) {
        char why[SYSLOG_ERROR];

        memcpy(why, l->why, sizeof why);
        if (flush(l, now_ns)) /* the alert, as far as it goes */
            broke(l, now_ns, why);
        memcpy(l->why, why, sizeof why);
    } else if (done) {
        l->state = SYSLOG_UP;
        l->since_ns = now_ns;
        l->connections++;
    }
}

/* ---- reading ---- */

static bool take(struct syslog_link *l, struct span bytes, int64_t now_ns)
{
    size_t before = l->out.n;
    bool fine = !l->tls || syslog_tls_take(l->tls, bytes, &l->out, l->why);

    l->made += l->out.n - before;
    return fine || broke(l, now_ns, l->why);
}

/* A log server says nothing; what is looked for is that it closed, or of a datagram socket, that it refused. */
static bool read_peer(struct syslog_link *l, int64_t now_ns)
{
    uint8_t bytes[4096];

    for (unsigned i = 0; i < READS; i++) {
        ssize_t n = recv(l->fd, bytes, sizeof bytes, 0);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR || broke(l, now_ns, strerror(errno));
        if (n == 0 && syslog_is_stream(l->target))
            return broke(l, now_ns, "closed by the log server");
        if (!take(l, (struct span){ bytes, (size_t)n }, now_ns))
            return false;
    }
    return true;
}

void syslog_link_step(struct syslog_link *l, int64_t now_ns)
{
    if (l->since_ns > now_ns) /* the clock was set back */
        l->since_ns = now_ns;
    if (l->retry_ns > now_ns + l->delay_ns)
        l->retry_ns = now_ns + l->delay_ns;
    if (!syslog_is_stream(l->target))
        l->blocked = false; /* only the next attempt can tell */
    if (l->state == SYSLOG_DOWN && now_ns >= l->retry_ns)
        begin(l, now_ns);
    if (l->state == SYSLOG_CONNECTING)
        finish_connect(l, now_ns);
    if (l->state >= SYSLOG_HANDSHAKE && !read_peer(l, now_ns))
        return;
    if (l->state == SYSLOG_HANDSHAKE)
        handshake(l, now_ns);
    if (l->state >= SYSLOG_HANDSHAKE && syslog_is_stream(l->target) && !flush(l, now_ns))
        return;
    if ((l->state == SYSLOG_CONNECTING || l->state == SYSLOG_HANDSHAKE) && now_ns - l->since_ns >= SYSLOG_CONNECT_NS)
        broke(l, now_ns, l->state == SYSLOG_HANDSHAKE ? "no TLS within 10 s" : "no answer within 10 s");
}

/* ---- sending ---- */

static bool resting(const struct syslog_link *l, int64_t now_ns)
{
    return l->target->transport == SYSLOG_TO_UDP && l->burst >= SYSLOG_BURST && now_ns >= l->burst_ns &&
           now_ns - l->burst_ns < SYSLOG_BURST_NS;
}

bool syslog_link_ready(const struct syslog_link *l, int64_t now_ns)
{
    return l->state == SYSLOG_UP && l->done >= l->out.n && !l->blocked && !resting(l, now_ns);
}

static enum syslog_sent send_datagram(struct syslog_link *l, struct span bytes, int64_t now_ns)
{
    ssize_t n;

    if (l->burst >= SYSLOG_BURST || now_ns - l->burst_ns >= SYSLOG_BURST_NS || now_ns < l->burst_ns) {
        l->burst = 0;
        l->burst_ns = now_ns;
    }
    n = send(l->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
    l->blocked = n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR);
    if (n >= 0) {
        l->burst++;
        return SYSLOG_TOOK;
    }
    if (l->blocked)
        return SYSLOG_FULL;
    if (errno == EMSGSIZE)
        return SYSLOG_TOO_LONG;
    broke(l, now_ns, strerror(errno));
    return SYSLOG_BROKE;
}

static enum syslog_sent send_stream(struct syslog_link *l, struct span bytes, int64_t now_ns)
{
    if (l->tls ? !syslog_tls_wrap(l->tls, bytes, &l->out, l->why) : (strbuf_span(&l->out, bytes), l->out.failed)) {
        broke(l, now_ns, l->tls ? l->why : "not enough memory");
        return SYSLOG_BROKE;
    }
    l->made += l->out.n;
    return flush(l, now_ns) ? SYSLOG_TOOK : SYSLOG_BROKE;
}

enum syslog_sent syslog_link_send(struct syslog_link *l, struct span bytes, int64_t now_ns)
{
    if (!syslog_link_ready(l, now_ns))
        return SYSLOG_FULL;
    return syslog_is_stream(l->target) ? send_stream(l, bytes, now_ns) : send_datagram(l, bytes, now_ns);
}

void syslog_link_measure(struct syslog_link *l)
{
    int unread = 0;

    if (l->state != SYSLOG_UP || !syslog_is_stream(l->target))
        return;
#ifdef SIOCOUTQ
    if (ioctl(l->fd, SIOCOUTQ, &unread) != 0 || unread < 0)
        return;
#endif
    if (l->made >= l->out.n - l->done + (size_t)unread)
        l->acked = l->made - (l->out.n - l->done) - (size_t)unread;
}

void syslog_link_restart(struct syslog_link *l)
{
    if (l->tls && l->state == SYSLOG_UP) {
        syslog_tls_end(l->tls, &l->out);
        (void)send(l->fd, l->out.p + l->done, l->out.n - l->done, MSG_NOSIGNAL);
    }
    hang_up(l);
    l->turn = 0;
    l->delay_ns = SYSLOG_RETRY_NS;
    l->retry_ns = INT64_MIN;
}

void syslog_link_done(struct syslog_link *l)
{
    if (l->fd >= 0)
        syslog_link_restart(l);
    syslog_tls_free(l->tls);
    l->tls = NULL;
    strbuf_done(&l->out);
}
