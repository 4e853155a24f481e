/*
 * A STUN server for the samples: lawful in form (RFC 5389, and RFC 3489 for requests without the magic cookie), and,
 * where told to, wrong in substance: it answers with an address that is not the asker's.
 *
 *   lying-stun ADDR PORT                                      honest
 *   lying-stun ADDR PORT --lie-ip ADDR [--lie-port-offset N]  the address, and the port plus N, are made up
 *   lying-stun ADDR PORT --error CODE                         it refuses (RFC 5389 §15.6)
 *   lying-stun ADDR PORT --silent-for SECONDS                 honest, from so long after the first question
 *
 * IPv4 and UDP only. One line on standard output for each answer. It runs until it is ended by a signal.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum {
    HEADER = 20,
    COOKIE = 0x2112A442,
    BINDING_REQUEST = 0x0001,
    BINDING_SUCCESS = 0x0101,
    BINDING_ERROR = 0x0111,
    MAPPED_ADDRESS = 0x0001,
    ERROR_CODE = 0x0009,
    XOR_MAPPED_ADDRESS = 0x0020,
    ADDRESS_ATTR = 12, /* type, length, family and port, IPv4 address */
    ERROR_ATTR = 8,    /* type, length, class and number; no reason is given */
};

struct lie {
    bool told;
    uint32_t ip; /* host order, as the port */
    int port_offset;
    uint32_t error; /* 0: it answers */
    time_t silent_for, asked;
};

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

static bool is_binding_request(const uint8_t *msg, size_t n)
{
    return n >= HEADER && get16(msg) == BINDING_REQUEST && get16(msg + 2) == n - HEADER;
}

/* RFC 5389 §15.2: XOR-MAPPED-ADDRESS. RFC 3489 §11.2.1, where there is no cookie: MAPPED-ADDRESS. */
static size_t answer(const uint8_t *request, uint32_t ip, uint32_t port, uint8_t *out)
{
    bool classic = get32(request + 4) != COOKIE;

    put16(out, BINDING_SUCCESS);
    put16(out + 2, ADDRESS_ATTR);
    memcpy(out + 4, request + 4, HEADER - 4);
    put16(out + HEADER, classic ? MAPPED_ADDRESS : XOR_MAPPED_ADDRESS);
    put16(out + HEADER + 2, ADDRESS_ATTR - 4);
    put16(out + HEADER + 4, 1); /* family IPv4 */
    put16(out + HEADER + 6, classic ? port : port ^ ((uint32_t)COOKIE >> 16));
    put32(out + HEADER + 8, classic ? ip : ip ^ (uint32_t)COOKIE);
    return HEADER + ADDRESS_ATTR;
}

/* RFC 5389 §15.6: hundreds and rest apart. */
static size_t refusal(const uint8_t *request, uint32_t error, uint8_t *out)
{
    put16(out, BINDING_ERROR);
    put16(out + 2, ERROR_ATTR);
    memcpy(out + 4, request + 4, HEADER - 4);
    put16(out + HEADER, ERROR_CODE);
    put16(out + HEADER + 2, ERROR_ATTR - 4);
    put32(out + HEADER + 4, error / 100 << 8 | error % 100);
    return HEADER + ERROR_ATTR;
}

static bool silent(struct lie *lie)
{
    time_t now = time(NULL);

    lie->asked = lie->asked ? lie->asked : now;
    return now - lie->asked < lie->silent_for;
}

static void report(uint32_t ip, uint32_t port, uint32_t said_ip, uint32_t said_port)
{
    printf("%u.%u.%u.%u:%u told %u.%u.%u.%u:%u\n", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255, port, said_ip >> 24,
           said_ip >> 16 & 255, said_ip >> 8 & 255, said_ip & 255, said_port);
    fflush(stdout);
}

static void serve_one(int fd, struct lie *lie)
{
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    uint8_t msg[1500], out[HEADER + ADDRESS_ATTR];
    ssize_t n = recvfrom(fd, msg, sizeof msg, 0, (struct sockaddr *)&from, &len);

    if (n < 0 || !is_binding_request(msg, (size_t)n) || silent(lie))
        return;
    uint32_t ip = ntohl(from.sin_addr.s_addr), port = ntohs(from.sin_port);
    uint32_t said_ip = lie->told ? lie->ip : ip;
    uint32_t said_port = (uint32_t)((int)port + lie->port_offset) & 0xffff;

    size_t size = lie->error ? refusal(msg, lie->error, out) : answer(msg, said_ip, said_port, out);

    (void)sendto(fd, out, size, 0, (struct sockaddr *)&from, len);
    report(ip, port, said_ip, said_port);
}

static int usage(void)
{
    fputs("usage: lying-stun ADDR PORT [--lie-ip ADDR [--lie-port-offset N] | --error CODE | --silent-for SECONDS]\n", stderr);
    return 2;
}

static bool parse_lie(int argc, char **argv, struct lie *lie)
{
    for (int i = 3; i < argc; i += 2) {
        struct in_addr ip;

        if (i + 1 == argc)
            return false;
        if (!strcmp(argv[i], "--lie-ip") && inet_pton(AF_INET, argv[i + 1], &ip) == 1) {
            lie->told = true;
            lie->ip = ntohl(ip.s_addr);
        } else if (!strcmp(argv[i], "--lie-port-offset")) {
            lie->port_offset = (int)strtol(argv[i + 1], NULL, 10);
        } else if (!strcmp(argv[i], "--error")) {
            lie->error = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        } else if (!strcmp(argv[i], "--silent-for")) {
            lie->silent_for = strtol(argv[i + 1], NULL, 10);
        } else {
            return false;
        }
    }
    return lie->told || !lie->port_offset;
}

int main(int argc, char **argv)
{
    struct lie lie = { 0 };
    struct sockaddr_in at = { .sin_family = AF_INET };

    if (argc < 3 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1 || !parse_lie(argc, argv, &lie))
        return usage();
    at.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));

    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at)) {
        perror("lying-stun");
        return 1;
    }
    for (;;)
        serve_one(fd, &lie);
}
