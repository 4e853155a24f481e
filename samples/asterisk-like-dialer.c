/*
 * A dialer for the samples: outgoing SIP calls over UDP, and the STUN of Asterisk.
 *
 * Asterisk is not in Debian 12, so the samples cannot run it. What matters here is how it asks its STUN server (rtp.conf,
 * stunaddr): in RFC 3489 style, that is without the magic cookie (16 random bytes of transaction id) and without attributes,
 * from the RTP socket itself and again from the RTCP socket. This program does the same, and believes the MAPPED-ADDRESS of
 * whatever answer has its transaction id. It then advertises that address in c= and m=; Asterisk makes it an ICE candidate.
 *
 *   asterisk-like-dialer LOCAL-ADDR PROXY[:PORT] [OPTIONS] FROM-URI TO-URI STUN[:PORT] SECONDS
 *     -c CODEC     pcmu (a tone), or g726 or g729 (a pattern of the right size, 60 ms a packet)
 *     -m SECONDS   after so many, a re-INVITE moves the audio to a new pair of ports, which STUN is asked about as well
 *     -p           the re-INVITE names the sockets' own address: the STUN server is not asked again
 *   asterisk-like-dialer LOCAL-ADDR PROXY[:PORT] -
 *     many calls, each with its own sockets for media; standard input has one a line: START-MS [OPTIONS] FROM TO STUN SECONDS
 *
 * IPv4 only. Names are looked up with the system's resolver. Exit status 0: every call was answered and ended with BYE.
 */
#include "dialer-rtp.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SIP_PORT = 5060,
    RTP_PORT = 16384,
    MESSAGE = 4000,
    CALLS = 200,
    WORDS = 12,   /* of a line that describes a call */
    PORTS = 4,    /* of one call: RTP and RTCP, and another pair to move to */
    LOOK_MS = 20, /* how often the parent of many calls looks round */
    REPORT_MS = 2500,
    T1_MS = 500, /* RFC 3261 §17.1.1.1 */
    GIVE_UP_MS = 64 * T1_MS,
};

struct dialer {
    const char *local, *proxy_name, *from, *to, *stun_name;
    int64_t seconds, move_after; /* 0: it does not move */
    bool private_move;
    struct sockaddr_in proxy, stun, peer_rtp, peer_rtcp, mapped_rtp, mapped_rtcp;
    int sip, sip_in, rtp, rtcp; /* sip_in: where answers come; sip itself, or the end of a pipe where calls share it */
    uint16_t port;              /* of RTP; RTCP is the next */
    unsigned cseq, sdp_version;
    uint64_t call_id, tag;
    char to_tag[256], contact[256], route[512]; /* from the answer: the dialog's remote tag, target and route */
    struct rtp_stream voice;
};

static void die(const char *what)
{
    fprintf(stderr, "asterisk-like-dialer: %s\n", what);
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void random_bytes(void *p, size_t n)
{
    if (getrandom(p, n, 0) != (ssize_t)n)
        die("no random bytes");
}

static struct sockaddr_in look_up(const char *host_port, unsigned long port)
{
    char host[256];
    const char *colon = strchr(host_port, ':');
    struct addrinfo hint = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM }, *found;
    struct sockaddr_in at;

    snprintf(host, sizeof host, "%.*s", (int)(colon ? colon - host_port : (long)strlen(host_port)), host_port);
    if (getaddrinfo(host, NULL, &hint, &found))
        die("a name was not found");
    memcpy(&at, found->ai_addr, sizeof at);
    freeaddrinfo(found);
    at.sin_port = htons((uint16_t)(colon ? strtoul(colon + 1, NULL, 10) : port));
    return at;
}

static int open_udp(const char *local, uint16_t port, struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    *at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
    if (fd < 0 || inet_pton(AF_INET, local, &at->sin_addr) != 1 || bind(fd, (struct sockaddr *)at, sizeof *at))
        die("a port could not be opened");
    return fd;
}

static void send_to(int fd, const void *p, size_t n, const struct sockaddr_in *to)
{
    (void)sendto(fd, p, n, 0, (const struct sockaddr *)to, sizeof *to);
}

/* Waits at most `ms` for a datagram; 0 where none came. Always leaves a terminated string. */
static size_t receive(int fd, void *p, size_t room, int64_t ms)
{
    struct pollfd w = { .fd = fd, .events = POLLIN };
    ssize_t n = poll(&w, 1, ms < 0 ? 0 : (int)ms) > 0 ? recv(fd, p, room - 1, 0) : 0;

    ((char *)p)[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* --- STUN, RFC 3489 --- */

static bool find_mapped(const uint8_t *msg, size_t n, struct sockaddr_in *mapped)
{
    for (size_t at = 20; at + 4 <= n; at += 4 + get16(msg + at + 2)) {
        if (get16(msg + at) != 0x0001 || get16(msg + at + 2) != 8 || at + 12 > n)
            continue;
        *mapped = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)get16(msg + at + 6)) };
        mapped->sin_addr.s_addr = htonl(get32(msg + at + 8));
        return true;
    }
    return false;
}

static void ask_stun(int fd, const struct sockaddr_in *server, struct sockaddr_in *mapped)
{
    uint8_t request[20] = { 0, 1, 0, 0 }, answer[1500];

    random_bytes(request + 4, 16);
    for (int tries = 0; tries < 3; tries++) {
        send_to(fd, request, sizeof request, server);
        size_t n = receive(fd, answer, sizeof answer, 1000);

        if (n >= 20 && get16(answer) == 0x0101 && !memcmp(answer + 4, request + 4, 16) && find_mapped(answer, n, mapped))
            return;
    }
    die("the STUN server does not answer");
}

/* --- SIP --- */

/* The value of the first header of that name, or an empty string. */
static void header(const char *msg, const char *name, char *out, size_t room)
{
    size_t n = strlen(name);

    *out = '\0';
    for (const char *line = strstr(msg, "\r\n"); line && strncmp(line, "\r\n\r\n", 4) != 0; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, n) != 0 || line[2 + n] != ':')
            continue;
        const char *value = line + 3 + n + strspn(line + 3 + n, " ");

        snprintf(out, room, "%.*s", (int)strcspn(value, "\r"), value);
        return;
    }
}

static void uri_in_brackets(char *value)
{
    char *open = strchr(value, '<'), *close = open ? strchr(open, '>') : NULL;

    if (!close)
        return;
    *close = '\0';
    memmove(value, open + 1, strlen(open + 1) + 1);
}

static size_t offer(const struct dialer *d, char *out, size_t room)
{
    char ip[INET_ADDRSTRLEN], rtcp_ip[INET_ADDRSTRLEN];
    int n;

    inet_ntop(AF_INET, &d->mapped_rtp.sin_addr, ip, sizeof ip);
    inet_ntop(AF_INET, &d->mapped_rtcp.sin_addr, rtcp_ip, sizeof rtcp_ip);
    n = snprintf(out, room,
                 "v=0\r\no=- %u %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP %u\r\na=rtpmap:%u %s\r\n"
                 "a=ptime:%d\r\na=rtcp:%u IN IP4 %s\r\na=sendrecv\r\n",
                 (unsigned)d->voice.ssrc, d->sdp_version, d->local, ip, ntohs(d->mapped_rtp.sin_port), d->voice.codec->type,
                 d->voice.codec->type, d->voice.codec->format, d->voice.codec->packet_ms, ntohs(d->mapped_rtcp.sin_port),
                 rtcp_ip);
    return (size_t)n;
}

static size_t request(const struct dialer *d, const char *method, unsigned branch, char *out, size_t room)
{
    bool invite = !strcmp(method, "INVITE");
    char sdp[1000] = "", route[sizeof d->route + 16] = "";
    size_t body = invite ? offer(d, sdp, sizeof sdp) : 0;

    if (*d->route)
        snprintf(route, sizeof route, "Route: %s\r\n", d->route);
    int n =
        snprintf(out, room,
                 "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=z9hG4bK%016llx%u;rport\r\nMax-Forwards: 70\r\n%s"
                 "From: <%s>;tag=%016llx\r\nTo: <%s>%s%s\r\nCall-ID: %016llx@%s\r\nCSeq: %u %s\r\n"
                 "Contact: <sip:dialer@%s:%d>\r\nUser-Agent: asterisk-like-dialer\r\n%sContent-Length: %zu\r\n\r\n%s",
                 method, *d->contact ? d->contact : d->to, d->local, SIP_PORT, (unsigned long long)d->tag, branch, route, d->from,
                 (unsigned long long)d->tag, d->to, *d->to_tag ? ";tag=" : "", d->to_tag, (unsigned long long)d->call_id,
                 d->local, d->cseq, method, d->local, SIP_PORT, invite ? "Content-Type: application/sdp\r\n" : "", body, sdp);

    if (n < 0 || (size_t)n >= room)
        die("a request is too long");
    return (size_t)n;
}

/* The status code of a response to a request of that method; 0 for all else. */
static unsigned long status_of(const char *msg, const char *method)
{
    char cseq[100];

    header(msg, "CSeq", cseq, sizeof cseq);
    return strncmp(msg, "SIP/2.0 ", 8) == 0 && strstr(cseq, method) ? strtoul(msg + 8, NULL, 10) : 0;
}

/* RFC 3261 §17.1: sends until a final answer comes; its status code. */
static unsigned long transact(struct dialer *d, const char *method, char *answer, size_t room)
{
    char msg[MESSAGE];
    size_t n;
    int64_t end = now_ms() + GIVE_UP_MS, wait = T1_MS;

    d->cseq++;
    n = request(d, method, 2 * d->cseq, msg, sizeof msg);
    while (now_ms() < end) {
        send_to(d->sip, msg, n, &d->proxy);
        for (int64_t again = now_ms() + wait; now_ms() < again;) {
            unsigned long status = receive(d->sip_in, answer, room, again - now_ms()) ? status_of(answer, method) : 0;

            if (status >= 200)
                return status;
            if (status >= 100)
                again = end; /* the other side has it: no more sending */
        }
        wait *= 2;
    }
    die("no final answer to a request");
    return 0;
}

static void learn_dialog(struct dialer *d, const char *answer)
{
    char to[512];
    const char *tag;

    header(answer, "To", to, sizeof to);
    tag = strstr(to, ";tag=");
    snprintf(d->to_tag, sizeof d->to_tag, "%.*s", tag ? (int)strcspn(tag + 5, ";") : 0, tag ? tag + 5 : "");
    header(answer, "Record-Route", d->route, sizeof d->route); /* one proxy: nothing to turn round */
    header(answer, "Contact", d->contact, sizeof d->contact);
    uri_in_brackets(d->contact);
}

/* The last c= before the end wins: a media level one stands after the session's. */
static void learn_media(struct dialer *d, const char *answer)
{
    char ip[64] = "";
    const char *m = strstr(answer, "\r\nm=audio ");

    for (const char *c = strstr(answer, "\r\nc=IN IP4 "); c; c = strstr(c + 2, "\r\nc=IN IP4 "))
        snprintf(ip, sizeof ip, "%.*s", (int)strcspn(c + 11, "\r/"), c + 11);
    if (!m || inet_pton(AF_INET, ip, &d->peer_rtp.sin_addr) != 1)
        die("the answer has no address for audio");

    unsigned long port = strtoul(m + 10, NULL, 10);

    d->peer_rtp.sin_family = AF_INET;
    d->peer_rtp.sin_port = htons((uint16_t)port);
    d->peer_rtcp = d->peer_rtp;
    d->peer_rtcp.sin_port = htons((uint16_t)(port + 1)); /* RFC 3550 §11, where a=rtcp says nothing else */
}

/* RFC 3261 §13.2.2.4: the ACK of a 2xx is its own transaction, hence its own branch. */
static void send_ack(const struct dialer *d)
{
    char msg[MESSAGE];

    send_to(d->sip, msg, request(d, "ACK", 2 * d->cseq + 1, msg, sizeof msg), &d->proxy);
}

static void send_voice(struct dialer *d)
{
    uint8_t p[RTP_PACKET];
    size_t n = rtp_next(&d->voice, p);

    send_to(d->rtp, p, n, &d->peer_rtp);
}

static void hear_voice(struct dialer *d)
{
    uint8_t p[1500];
    size_t n = receive(d->rtp, p, sizeof p, 0);

    rtp_heard(&d->voice, p, n);
}

static void send_report(struct dialer *d)
{
    uint8_t p[RTP_PACKET];
    size_t n = rtcp_report(&d->voice, p);

    send_to(d->rtcp, p, n, &d->peer_rtcp);
}

static void drain(int fd)
{
    uint8_t p[1500];

    while (receive(fd, p, sizeof p, 0))
        ;
}

/* --- a call --- */

static void open_media(struct dialer *d, bool ask)
{
    d->rtp = open_udp(d->local, d->port, &d->mapped_rtp);
    d->rtcp = open_udp(d->local, (uint16_t)(d->port + 1), &d->mapped_rtcp);
    if (!ask)
        return;
    ask_stun(d->rtp, &d->stun, &d->mapped_rtp);
    ask_stun(d->rtcp, &d->stun, &d->mapped_rtcp);
}

static void agree(struct dialer *d)
{
    char answer[MESSAGE];

    d->sdp_version++;
    if (transact(d, "INVITE", answer, sizeof answer) != 200)
        die("an offer was not accepted");
    if (d->cseq == 1)
        learn_dialog(d, answer);
    learn_media(d, answer);
    send_ack(d);
}

/* RFC 3264 §8.3.1: what still comes to the old ports is heard until the new ones are agreed; then they are closed. */
static void move_media(struct dialer *d)
{
    int rtp = d->rtp, rtcp = d->rtcp;

    d->port += 2;
    open_media(d, !d->private_move);
    agree(d);
    close(rtp);
    close(rtcp);
}

static void listen_for(struct dialer *d, int64_t ms)
{
    char msg[MESSAGE];
    struct pollfd w[3] = { { .fd = d->rtp, .events = POLLIN },
                           { .fd = d->rtcp, .events = POLLIN },
                           { .fd = d->sip_in, .events = POLLIN } };

    (void)poll(w, 3, ms > 0 ? (int)ms : 0);
    if (w[0].revents)
        hear_voice(d);
    if (w[1].revents)
        drain(d->rtcp);
    if (w[2].revents && receive(d->sip_in, msg, sizeof msg, 0) && status_of(msg, "INVITE") == 200)
        send_ack(d); /* the 200 again: the ACK was lost */
}

static void talk(struct dialer *d)
{
    int64_t start = now_ms(), voice = start, report = start + REPORT_MS;
    int64_t move = d->move_after ? start + d->move_after * 1000 : INT64_MAX;

    while (now_ms() < start + d->seconds * 1000) {
        listen_for(d, voice - now_ms());
        if (now_ms() >= move) {
            move_media(d);
            move = INT64_MAX;
        }
        for (; voice <= now_ms(); voice += d->voice.codec->packet_ms)
            send_voice(d);
        for (; report <= now_ms(); report += REPORT_MS)
            send_report(d);
    }
}

/* One call from beginning to end. True: it was answered and ended with BYE. */
static bool call(struct dialer *d)
{
    char answer[MESSAGE];

    random_bytes(&d->tag, sizeof d->tag);
    random_bytes(&d->voice.ssrc, sizeof d->voice.ssrc);
    random_bytes(&d->voice.seq, sizeof d->voice.seq);
    random_bytes(&d->voice.timestamp, sizeof d->voice.timestamp);
    d->proxy = look_up(d->proxy_name, SIP_PORT);
    d->stun = look_up(d->stun_name, 3478);
    open_media(d, true);
    agree(d);
    talk(d);
    return transact(d, "BYE", answer, sizeof answer) == 200;
}

/* --- many calls: a process each, and one socket for SIP, whose answers the parent hands on by Call-ID --- */

struct job {
    int64_t start;
    struct dialer d;
    pid_t pid;
    int pipe; /* what is written here, the call reads */
};

static struct job jobs[CALLS];

static void start_job(struct job *job)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) || (job->pid = fork()) < 0)
        die("no process for a call");
    if (job->pid == 0) {
        job->d.sip_in = pair[1];
        exit(!call(&job->d));
    }
    close(pair[1]);
    job->pipe = pair[0];
}

static void hand_on(int sip, size_t n_jobs)
{
    char msg[MESSAGE], id[100];
    size_t n = receive(sip, msg, sizeof msg, 0);

    header(msg, "Call-ID", id, sizeof id);
    for (size_t i = 0; n && i < n_jobs; i++)
        if (jobs[i].pid > 0 && strtoull(id, NULL, 16) == jobs[i].d.call_id)
            (void)send(jobs[i].pipe, msg, n, 0);
}

/* Counts the calls that ended since it was last asked; `failed` those among them that were not as they should be. */
static size_t reap(size_t *failed)
{
    size_t ended = 0;

    for (int status; waitpid(-1, &status, WNOHANG) > 0; ended++)
        *failed += status != 0;
    return ended;
}

static size_t run_jobs(int sip, size_t n_jobs)
{
    int64_t begin = now_ms();
    size_t started = 0, ended = 0, failed = 0;

    while (ended < n_jobs) {
        for (; started < n_jobs && now_ms() - begin >= jobs[started].start; started++)
            start_job(&jobs[started]);
        struct pollfd w = { .fd = sip, .events = POLLIN };

        if (poll(&w, 1, LOOK_MS) > 0)
            hand_on(sip, n_jobs);
        ended += reap(&failed);
    }
    return failed;
}

/* --- the command line --- */

static void usage(void)
{
    fputs("usage: asterisk-like-dialer LOCAL-ADDR PROXY[:PORT] [-c CODEC] [-m SECONDS [-p]] FROM-URI TO-URI STUN[:PORT] SECONDS\n"
          "       asterisk-like-dialer LOCAL-ADDR PROXY[:PORT] - <CALLS\n",
          stderr);
    exit(2);
}

/* What is common to both forms: the options of one call; returns the index of the first other word. */
static int options(struct dialer *d, int argc, char **argv)
{
    d->voice.codec = codec_named("pcmu");
    optind = 0; /* glibc: begin anew, with another vector */
    for (int c; (c = getopt(argc, argv, "+c:m:p")) != -1;) {
        if (c == 'c')
            d->voice.codec = codec_named(optarg);
        else if (c == 'm')
            d->move_after = strtol(optarg, NULL, 10);
        else if (c == 'p')
            d->private_move = true;
        else
            usage();
    }
    if (!d->voice.codec)
        usage();
    random_bytes(&d->call_id, sizeof d->call_id);
    return optind;
}

static void whom(struct dialer *d, char **words)
{
    d->from = words[0];
    d->to = words[1];
    d->stun_name = words[2];
    d->seconds = strtol(words[3], NULL, 10);
}

static size_t read_jobs(const struct dialer *common)
{
    char line[500];
    size_t n = 0;

    for (; n < CALLS && fgets(line, sizeof line, stdin); n++) {
        char *words[WORDS + 1] = { NULL }, *rest = strdup(line);
        int count = 0;

        while (rest && count < WORDS)
            if (*(words[count] = strsep(&rest, " \n")))
                count++;
        words[count] = NULL;
        if (!count)
            die("an empty line among the calls");
        jobs[n].d = *common;
        jobs[n].start = strtol(words[0], NULL, 10);

        int at = options(&jobs[n].d, count, words);

        if (count - at != 4)
            die("a line is no call");
        whom(&jobs[n].d, words + at);
        jobs[n].d.port = (uint16_t)(RTP_PORT + n * PORTS);
    }
    return n;
}

int main(int argc, char **argv)
{
    struct dialer d = { .port = RTP_PORT };
    struct sockaddr_in at;
    int words;

    if (argc < 4)
        usage();
    d.local = argv[1];
    d.proxy_name = argv[2];
    d.sip = d.sip_in = open_udp(d.local, SIP_PORT, &at);
    if (argc == 4 && !strcmp(argv[3], "-"))
        return run_jobs(d.sip, read_jobs(&d)) != 0;
    words = 2 + options(&d, argc - 2, argv + 2);
    if (argc - words != 4)
        usage();
    whom(&d, argv + words);
    return !call(&d);
}
