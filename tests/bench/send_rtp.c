/*
 * Sends RTP onto an interface as the streams of that many calls would come: one packet of each every 20 ms.
 *
 *   send_rtp [--in-kernel] IFACE STREAMS SECONDS
 *
 * From a socket, so that the other end of a veth pair receives it; or made in the kernel, so that IFACE itself does
 * (send_rtp.h). Prints how many packets were sent, how many were refused, and how long that took: from a socket longer
 * than asked for where the machine cannot send so many, in the kernel fewer are sent then. Exit status: 0, or 2: could
 * not be run.
 */
#include "send_rtp.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    TICKS = 20 /* milliseconds between two packets of a stream */,
    AT_ONCE = 1024,
    STREAMS_MOST = 1 << 17,
    MS = 1000000,
    S = 1000 * MS
};

struct sender {
    int fd;
    struct sending *told;
    unsigned char (*frame)[FRAME];
    struct iovec part[AT_ONCE];
    struct mmsghdr message[AT_ONCE];
};

static int fail(const char *what)
{
    fprintf(stderr, "send_rtp: %s: %s\n", what, strerror(errno));
    return 2;
}

static void put16(unsigned char *at, unsigned v)
{
    at[0] = (unsigned char)(v >> 8);
    at[1] = (unsigned char)v;
}

static void put32(unsigned char *at, uint32_t v)
{
    put16(at, v >> 16);
    put16(at + 2, v & 0xffff);
}

static uint32_t get16(const unsigned char *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

/* To a hardware address that no host has, so that the stack drops it early. */
static void frame_make(unsigned char *f, uint32_t stream)
{
    static const unsigned char nobody[6] = { 2, 0, 0, 0, 0, 0xfe };
    uint32_t call = stream / 2, inside = INSIDE + call / CALLS_OF_A_HOST, outside = OUTSIDE + call / CALLS_OF_A_HOST;
    unsigned port = PORT + call % CALLS_OF_A_HOST * 2;

    memcpy(f, nobody, sizeof nobody);
    f[6] = 2;
    put16(f + 12, ETHERTYPE_IP);
    f[IP] = 0x45;
    put16(f + IP + 2, FRAME - IP);
    f[IP + 8] = 64;
    f[IP + 9] = IPPROTO_UDP;
    put32(f + IP + 12, stream & 1 ? outside : inside);
    put32(f + IP + 16, stream & 1 ? inside : outside);
    put16(f + UDP, port);
    put16(f + UDP + 2, port);
    put16(f + UDP + 4, FRAME - UDP);
    f[RTP] = 0x80;
    put32(f + RTP + 8, FIRST_SSRC + stream);
    memset(f + RTP + 12, 0xff, SAMPLES);
}

static void next_packet(unsigned char *f)
{
    uint32_t number = get16(f + RTP + 2) + 1;

    put16(f + RTP + 2, number);
    put32(f + RTP + 4, (get16(f + RTP + 4) << 16 | get16(f + RTP + 6)) + SAMPLES);
}

/* What the interface refuses is counted and not tried again. */
static void send_some(struct sender *s, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->part[i].iov_base = s->frame[first + i];
    for (size_t i = 0; i < n;) {
        int got = sendmmsg(s->fd, s->message + i, (unsigned)(n - i), 0);

        s->told->sent += got > 0 ? (size_t)got : 0;
        s->told->refused += got <= 0;
        i += got > 0 ? (size_t)got : 1;
    }
    for (size_t i = 0; i < n; i++)
        next_packet(s->frame[first + i]);
}

static void send_tick(struct sender *s, size_t tick)
{
    size_t at = s->told->streams * tick / TICKS, end = s->told->streams * (tick + 1) / TICKS;

    for (size_t n; at < end; at += n) {
        n = end - at < AT_ONCE ? end - at : AT_ONCE;
        send_some(s, at, n);
    }
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * S + t.tv_nsec;
}

static void send_all(struct sender *s)
{
    int64_t began = now_ns();

    for (unsigned ms = 0; ms < s->told->seconds * 1000; ms++) {
        int64_t due = began + (int64_t)ms * MS;
        struct timespec t = { .tv_sec = due / S, .tv_nsec = due % S };

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        send_tick(s, ms % TICKS);
    }
    s->told->took_s = (double)(now_ns() - began) / S;
}

static int sender_open(struct sender *s)
{
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(s->told->interface) };
    int on = 1;

    s->frame = calloc(s->told->streams, FRAME);
    s->fd = to.sll_ifindex ? socket(AF_PACKET, SOCK_RAW, 0) : -1;
    if (!s->frame || s->fd < 0 || bind(s->fd, (struct sockaddr *)&to, sizeof to) != 0)
        return 0;
    (void)setsockopt(s->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on); /* what is measured is who receives */
    for (uint32_t i = 0; i < s->told->streams; i++)
        frame_make(s->frame[i], i);
    for (size_t i = 0; i < AT_ONCE; i++) {
        s->part[i].iov_len = FRAME;
        s->message[i].msg_hdr = (struct msghdr){ .msg_iov = &s->part[i], .msg_iovlen = 1 };
    }
    return 1;
}

static int send_from_socket(struct sending *told)
{
    struct sender *s = calloc(1, sizeof *s);
    int fine;

    if (!s)
        return 0;
    s->told = told;
    fine = sender_open(s);
    if (fine)
        send_all(s);
    free(s->frame);
    free(s);
    return fine;
}

int main(int argc, char **argv)
{
    int in_kernel = argc == 5 && strcmp(argv[1], "--in-kernel") == 0, first = in_kernel ? 2 : 1, fine;
    unsigned char frame[FRAME] = { 0 };
    struct sending s = { .interface = "" };

    if (argc == first + 3) {
        s.interface = argv[first];
        s.streams = (unsigned)strtoul(argv[first + 1], NULL, 10);
        s.seconds = (unsigned)strtoul(argv[first + 2], NULL, 10);
    }
    if (!s.streams || s.streams > STREAMS_MOST || !s.seconds || s.seconds > 3600) {
        fprintf(stderr, "usage: send_rtp [--in-kernel] IFACE STREAMS SECONDS\n");
        return 2;
    }
    frame_make(frame, 0);
    fine = in_kernel ? send_in_kernel(&s, frame) : send_from_socket(&s);
    if (!fine)
        return fail(s.interface);
    printf("sent %llu refused %llu seconds %.3f\n", (unsigned long long)s.sent, (unsigned long long)s.refused, s.took_s);
    return 0;
}
