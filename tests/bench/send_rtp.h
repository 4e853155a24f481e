/* The frames that send_rtp sends: where in them what is, and which stream has which addresses. */
#ifndef RW_BENCH_SEND_RTP_H
#define RW_BENCH_SEND_RTP_H

#include <stdint.h>

enum {
    SAMPLES = 160, /* 20 ms of G.711 */
    INTERVAL_NS = 20 * 1000 * 1000,
    IP = 14,
    UDP = IP + 20,
    RTP = UDP + 8,
    FRAME = RTP + 12 + SAMPLES,
    PORT = 10000,
    CALLS_OF_A_HOST = 64, /* a power of two */
};
/* Streams 2n and 2n + 1 are the two ways of call n, between two hosts that have 64 calls with one another. */
#define INSIDE     0x0a400000u
#define OUTSIDE    0x46120000u
#define FIRST_SSRC 0x51000000u

struct sending {
    const char *interface;
    unsigned streams, seconds;
    uint64_t sent, refused;
    double took_s;
};

/*
 * Lets the kernel make the packets, as if the interface, an end of a veth pair, had received them: three times as fast as a socket. Keeps a
 * processor busy for the whole time. False, with errno: cannot be done here (needs Linux 5.18 and root).
 */
int send_in_kernel(struct sending *s, const unsigned char first[FRAME]);

#endif
