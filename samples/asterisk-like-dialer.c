/*
 * A dialer for the samples: one outgoing SIP call over UDP with PCMU, and the STUN of Asterisk.
 *
 * Asterisk is not in Debian 12, so the samples cannot run it. What matters here is how it asks its STUN server (rtp.conf,
 * stunaddr): in RFC 3489 style, that is without the magic cookie (16 random bytes of transaction id) and without attributes,
 * from the RTP socket itself and again from the RTCP socket. This program does the same, and believes the MAPPED-ADDRESS of
 * whatever answer has its transaction id. It then advertises that address in c= and m=; Asterisk makes it an ICE candidate.
 *
 *   asterisk-like-dialer LOCAL-ADDR PROXY[:PORT] FROM-URI TO-URI STUN[:PORT] SECONDS
 *
 * IPv4 only. Names are looked up with the system's resolver. Exit status 0: the call was answered and ended with BYE.
 */
#include <arpa/inet.h>
#include <math.h>
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
#include <time.h>
#include <unistd.h>

enum {
    SIP_PORT = 5060,
    RTP_PORT = 16384,
    MESSAGE = 4000,
    SAMPLES = 160, /* 20 ms of PCMU */
    PACKET_MS = 20,
    REPORT_MS = 2500,
    T1_MS = 500, /* RFC 3261 §17.1.1.1 */
    GIVE_UP_MS = 64 * T1_MS,
    RTP_HEADER = 12,
};

struct report_source { /* what RTCP says of the stream that comes in, RFC 3550 §6.4.1 */
    uint32_t ssrc, first, highest, packets;
    bool heard;
};

struct dialer {
    const char *local, *from, *to;
    struct sockaddr_in proxy, stun, peer_rtp, peer_rtcp, mapped_rtp, mapped_rtcp;
    int sip, rtp, rtcp;
    uint64_t call_id, tag;
    uint32_t ssrc, timestamp, packets;
    uint16_t seq;
    double phase;
    char to_tag[256], contact[256], route[512]; /* from the answer: the dialog's remote tag, target and route */
    struct report_source in;
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

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
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

static int open_udp(const char *local, uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0 || inet_pton(AF_INET, local, &at.sin_addr) != 1 || bind(fd, (struct sockaddr *)&at, sizeof at))
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
                 "v=0\r\no=- %u 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
                 "a=ptime:20\r\na=rtcp:%u IN IP4 %s\r\na=sendrecv\r\n",
                 (unsigned)d->ssrc, d->local, ip, ntohs(d->mapped_rtp.sin_port), ntohs(d->mapped_rtcp.sin_port), rtcp_ip);
    return (size_t)n;
}

static size_t request(const struct dialer *d, const char *method, unsigned cseq, unsigned branch, char *out, size_t room)
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
                 d->local, cseq, method, d->local, SIP_PORT, invite ? "Content-Type: application/sdp\r\n" : "", body, sdp);

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
static unsigned long transact(const struct dialer *d, const char *method, unsigned cseq, char *answer, size_t room)
{
    char msg[MESSAGE];
    size_t n = request(d, method, cseq, cseq, msg, sizeof msg);
    int64_t end = now_ms() + GIVE_UP_MS, wait = T1_MS;

    while (now_ms() < end) {
        send_to(d->sip, msg, n, &d->proxy);
        for (int64_t again = now_ms() + wait; now_ms() < again;) {
            unsigned long status = receive(d->sip, answer, room, again - now_ms()) ? status_of(answer, method) : 0;

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

    send_to(d->sip, msg, request(d, "ACK", 1, 0, msg, sizeof msg), &d->proxy);
}

/* --- RTP and RTCP --- */

/* ITU-T G.711, µ-law. */
static uint8_t ulaw(int sample)
{
    int sign = sample < 0 ? 0x80 : 0, level = abs(sample) + 132, exponent = 7;

    if (level > 32767)
        level = 32767;
    while (exponent && !(level & 0x80 << exponent))
        exponent--;
    return (uint8_t) ~(sign | exponent << 4 | (level >> (exponent + 3) & 15));
}

static void send_voice(struct dialer *d)
{
    uint8_t p[RTP_HEADER + SAMPLES] = { 0x80, d->packets ? 0 : 0x80 };

    put16(p + 2, d->seq++);
    put32(p + 4, d->timestamp);
    put32(p + 8, d->ssrc);
    for (int i = 0; i < SAMPLES; i++, d->phase += 6.283185307179586 * 440 / 8000)
        p[RTP_HEADER + i] = ulaw((int)(8000 * sin(d->phase)));
    d->timestamp += SAMPLES;
    d->packets++;
    send_to(d->rtp, p, sizeof p, &d->peer_rtp);
}

static void hear_voice(struct dialer *d)
{
    uint8_t p[1500];
    size_t n = receive(d->rtp, p, sizeof p, 0);

    if (n < RTP_HEADER || p[0] >> 6 != 2)
        return;
    struct report_source *in = &d->in;
    uint32_t seq = get16(p + 2);

    if (!in->heard)
        *in = (struct report_source){ .heard = true, .ssrc = get32(p + 8), .first = seq, .highest = seq };
    in->highest += (uint16_t)(seq - in->highest) < 0x8000 ? (uint16_t)(seq - in->highest) : 0;
    in->packets++;
}

static size_t report_block(const struct report_source *in, uint8_t *p)
{
    uint32_t expected = in->highest - in->first + 1;

    if (!in->heard)
        return 0;
    memset(p, 0, 24);
    put32(p, in->ssrc);
    put32(p + 4, (expected > in->packets ? expected - in->packets : 0) & 0x7fffff);
    put32(p + 8, in->highest);
    return 24;
}

/* RFC 3550 §6.4.1 and §6.5: a sender report, with a report block if anything is heard, and an SDES with the CNAME. */
static void send_report(const struct dialer *d)
{
    static const char cname[] = "dialer1";
    uint8_t p[28 + 24 + 20] = { 0 };
    struct timespec t;
    size_t n = 28;

    clock_gettime(CLOCK_REALTIME, &t);
    n += report_block(&d->in, p + n);
    p[0] = d->in.heard ? 0x81 : 0x80;
    p[1] = 200;
    put16(p + 2, (uint32_t)(n / 4 - 1));
    put32(p + 4, d->ssrc);
    put32(p + 8, (uint32_t)((uint64_t)t.tv_sec + 2208988800u)); /* NTP counts from 1900 */
    put32(p + 12, (uint32_t)(((uint64_t)t.tv_nsec << 32) / 1000000000));
    put32(p + 16, d->timestamp);
    put32(p + 20, d->packets);
    put32(p + 24, d->packets * SAMPLES);
    p[n] = 0x81;
    p[n + 1] = 202;
    put16(p + n + 2, 4);
    put32(p + n + 4, d->ssrc);
    p[n + 8] = 1;
    p[n + 9] = sizeof cname - 1;
    memcpy(p + n + 10, cname, sizeof cname - 1);
    send_to(d->rtcp, p, n + 20, &d->peer_rtcp);
}

static void drain(int fd)
{
    uint8_t p[1500];

    while (receive(fd, p, sizeof p, 0))
        ;
}

static void talk(struct dialer *d, int64_t seconds)
{
    char msg[MESSAGE];
    int64_t start = now_ms(), voice = start, report = start + REPORT_MS;
    struct pollfd w[3] = { { .fd = d->rtp, .events = POLLIN },
                           { .fd = d->rtcp, .events = POLLIN },
                           { .fd = d->sip, .events = POLLIN } };

    while (now_ms() < start + seconds * 1000) {
        int64_t left = voice - now_ms();

        (void)poll(w, 3, left > 0 ? (int)left : 0);
        if (w[0].revents)
            hear_voice(d);
        if (w[1].revents)
            drain(d->rtcp);
        if (w[2].revents && receive(d->sip, msg, sizeof msg, 0) && status_of(msg, "INVITE") == 200)
            send_ack(d); /* the 200 again: the ACK was lost */
        for (; voice <= now_ms(); voice += PACKET_MS)
            send_voice(d);
        for (; report <= now_ms(); report += REPORT_MS)
            send_report(d);
    }
}

static void set_up(struct dialer *d, char **argv)
{
    d->local = argv[1];
    d->from = argv[3];
    d->to = argv[4];
    d->sip = open_udp(d->local, SIP_PORT);
    d->rtp = open_udp(d->local, RTP_PORT);
    d->rtcp = open_udp(d->local, RTP_PORT + 1);
    random_bytes(&d->call_id, sizeof d->call_id);
    random_bytes(&d->tag, sizeof d->tag);
    random_bytes(&d->ssrc, sizeof d->ssrc);
    random_bytes(&d->seq, sizeof d->seq);
    random_bytes(&d->timestamp, sizeof d->timestamp);
    d->proxy = look_up(argv[2], SIP_PORT);
    d->stun = look_up(argv[5], 3478);
}

int main(int argc, char **argv)
{
    struct dialer d = { 0 };
    char answer[MESSAGE];

    if (argc != 7) {
        fputs("usage: asterisk-like-dialer LOCAL-ADDR PROXY[:PORT] FROM-URI TO-URI STUN[:PORT] SECONDS\n", stderr);
        return 2;
    }
    set_up(&d, argv);
    ask_stun(d.rtp, &d.stun, &d.mapped_rtp);
    ask_stun(d.rtcp, &d.stun, &d.mapped_rtcp);
    if (transact(&d, "INVITE", 1, answer, sizeof answer) != 200)
        die("the call was not answered");
    learn_dialog(&d, answer);
    learn_media(&d, answer);
    send_ack(&d);
    talk(&d, strtol(argv[6], NULL, 10));
    return transact(&d, "BYE", 2, answer, sizeof answer) != 200;
}
