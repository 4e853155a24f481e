#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "out/syslog_private.h"

static const struct scheme {
    const char *prefix;
    enum syslog_transport transport;
    uint16_t port;
} schemes[] = {
    { "udp://", SYSLOG_TO_UDP, 514 },  /* RFC 5426 §3.3 */
    { "tcp://", SYSLOG_TO_TCP, 514 },  /* RFC 6587 names none; 514 is what rsyslog and syslog-ng listen on */
    { "tls://", SYSLOG_TO_TLS, 6514 }, /* RFC 5425 §4.1 */
};

static bool refuse(char *error, const char *text, const char *why)
{
    snprintf(error, SYSLOG_ERROR, "syslog target '%.200s': %s", text, why);
    return false;
}

static bool parse_port(struct span port, uint16_t *out)
{
    uint64_t number = 0;

    if (!span_u64(port, 65535, &number) || number == 0)
        return false;
    *out = (uint16_t)number;
    return true;
}

static bool is_name(struct span host)
{
    for (size_t i = 0; i < host.n; i++) {
        uint8_t c = host.p[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
            return false;
    }
    return host.n > 0 && host.n < 254;
}

static bool is_ip6(struct span host)
{
    char text[INET6_ADDRSTRLEN];
    struct span ip = span_part(host, 0, span_find(host, '%')); /* a zone: RFC 4007 §11 */
    uint8_t bytes[16];

    if (ip.n == 0 || ip.n >= sizeof text)
        return false;
    memcpy(text, ip.p, ip.n);
    text[ip.n] = 0;
    return inet_pton(AF_INET6, text, bytes) == 1;
}

static void keep_host(struct syslog_target *t, struct span host)
{
    host = span_part(host, 0, sizeof t->host - 1);
    memcpy(t->host, host.p, host.n);
    t->host[host.n] = 0;
}

/* HOST, HOST:PORT, [IPv6] or [IPv6]:PORT. */
static bool parse_place(const char *text, struct span place, struct syslog_target *out, char *error)
{
    bool bracket = place.n && place.p[0] == '[';
    size_t end = span_find(place, bracket ? ']' : ':');
    struct span host = bracket ? span_part(place, 1, end - 1) : span_part(place, 0, end);
    struct span rest = span_part(place, bracket ? end + 1 : end, place.n);

    if (place.n == 0 || host.n == 0)
        return refuse(error, text, "expected a host behind '//', as in tcp://log.example.org:514");
    if (!bracket && span_find(span_part(rest, 1, rest.n), ':') < span_part(rest, 1, rest.n).n)
        return refuse(error, text, "expected an IPv6 address in brackets, as in tcp://[2001:db8::1]:514");
    if (bracket && (end == place.n || !is_ip6(host)))
        return refuse(error, text, "expected an IPv6 address between '[' and ']'");
    if (!bracket && !is_name(host))
        return refuse(error, text, "expected a host name or an address: letters, digits, '.', '-'");
    if (rest.n && (rest.p[0] != ':' || !parse_port(span_part(rest, 1, rest.n), &out->port)))
        return refuse(error, text, "expected nothing, or ':' and a port from 1 to 65535, behind the host");
    keep_host(out, host);
    return true;
}

static bool parse_local(const char *text, const char *path, struct syslog_target *out, char *error)
{
    out->transport = SYSLOG_TO_LOCAL;
    if (*path == 0)
        path = "/dev/log";
    else if (*path++ != ':' || *path != '/')
        return refuse(error, text, "expected 'local', or 'local:' and the path of a socket from '/' on");
    if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return refuse(error, text, "the path is too long for a socket: at most 107 bytes");
    keep_host(out, span_str(path));
    return true;
}

bool syslog_target_parse(const char *text, struct syslog_target *out, char error[SYSLOG_ERROR])
{
    struct span all = span_str(text);

    *out = (struct syslog_target){ 0 };
    *error = 0;
    if (all.n < sizeof out->text)
        memcpy(out->text, text, all.n);
    else
        return refuse(error, text, "too long: a host has at most 253 letters");
    if (strcmp(text, "local") == 0 || span_starts(all, SPAN("local:")))
        return parse_local(text, text + strlen("local"), out, error);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (span_starts(all, span_str(schemes[i].prefix))) {
            out->transport = schemes[i].transport;
            out->port = schemes[i].port;
            return parse_place(text, span_part(all, strlen(schemes[i].prefix), all.n), out, error);
        }
    return refuse(error, text, "expected local, local:/PATH, udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT");
}

bool syslog_target_check(const char *target, char error[SYSLOG_ERROR])
{
    struct syslog_target parsed;

    return syslog_target_parse(target, &parsed, error);
}

/* ---- looking up ---- */

static size_t resolve_local(const struct syslog_target *t, struct sockaddr_storage out[SYSLOG_ADDRESSES])
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    memcpy(un.sun_path, t->host, strnlen(t->host, sizeof un.sun_path - 1));
    memset(out, 0, sizeof *out);
    memcpy(out, &un, sizeof un);
    return 1;
}

size_t syslog_target_resolve(const struct syslog_target *t, struct sockaddr_storage out[SYSLOG_ADDRESSES],
                             char error[SYSLOG_ERROR])
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICSERV, .ai_socktype = syslog_is_stream(t) ? SOCK_STREAM : SOCK_DGRAM };
    struct addrinfo *found = NULL;
    char port[8];
    size_t n = 0;
    int status;

    if (t->transport == SYSLOG_TO_LOCAL)
        return resolve_local(t, out);
    snprintf(port, sizeof port, "%u", (unsigned)t->port);
    status = getaddrinfo(t->host, port, &hints, &found);
    if (status != 0) {
        snprintf(error, SYSLOG_ERROR, "syslog target '%.200s': %.200s: %s", t->text, t->host, gai_strerror(status));
        return 0;
    }
    for (const struct addrinfo *a = found; a && n < SYSLOG_ADDRESSES; a = a->ai_next)
        if (a->ai_addrlen <= sizeof *out)
            memcpy(&out[n++], a->ai_addr, a->ai_addrlen);
    freeaddrinfo(found);
    if (n == 0)
        refuse(error, t->text, "the name has no address");
    return n;
}
