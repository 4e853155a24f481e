/*
 * An XDP program is run on the same frame again and again (BPF_PROG_TEST_RUN with live frames). Each time it writes the next stream's
 * addresses and the stream's next sequence number and timestamp into it and passes it on to the network stack, or, when no packet is due
 * yet, drops it.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "send_rtp.h"

#define INSN(op, d, s, o, i) ((struct bpf_insn){ .code = (op), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (int32_t)(i) })
#define SET(d, i)            INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define COPY(d, s)           INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define CALC(op, d, i)       INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define LESS(d, s)           INSN(BPF_ALU64 | BPF_SUB | BPF_X, d, s, 0, 0)
#define LOAD(size, d, s, o)  INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, o, s) INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define ORDER(d, bits)       INSN(BPF_ALU | BPF_END | BPF_TO_BE, d, 0, 0, bits)
#define CALL(what)           INSN(BPF_JMP | BPF_CALL, 0, 0, 0, what)
#define JUMP(op, d, s, i, o) INSN(BPF_JMP | (op), d, s, o, i)
#define EXIT                 INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

enum { TO_DROP = -1 /* a jump to the end, put in later */ };
enum { PACKET = 6, END, COUNT, STREAM, PROGRESS = STREAM /* first this, then that */, STACK };

struct progress {
    uint64_t sent, began_ns;
};

static int bpf(int what, union bpf_attr *a)
{
    return (int)syscall(SYS_bpf, what, a, sizeof *a);
}

static int map_make(struct progress *first)
{
    uint32_t key = 0;
    union bpf_attr a = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = sizeof key, .value_size = sizeof *first, .max_entries = 1 };
    int map = bpf(BPF_MAP_CREATE, &a);
    union bpf_attr put = { .map_fd = (uint32_t)map, .key = (uintptr_t)&key, .value = (uintptr_t)first };

    return map < 0 || bpf(BPF_MAP_UPDATE_ELEM, &put) != 0 ? -1 : map;
}

static int map_read(int map, struct progress *out)
{
    uint32_t key = 0;
    union bpf_attr a = { .map_fd = (uint32_t)map, .key = (uintptr_t)&key, .value = (uintptr_t)out };

    return bpf(BPF_MAP_LOOKUP_ELEM, &a);
}

/* Is the next packet due? Then which of which stream it is, and where that goes. */
static int program_load(int map, uint32_t streams)
{
    /* clang-format off */
    struct bpf_insn p[] = {
        LOAD(BPF_W, PACKET, 1, offsetof(struct xdp_md, data)), LOAD(BPF_W, END, 1, offsetof(struct xdp_md, data_end)),
        COPY(2, PACKET), CALC(BPF_ADD, 2, FRAME), JUMP(BPF_JGT | BPF_X, 2, END, 0, TO_DROP),

        INSN(BPF_ST | BPF_MEM | BPF_W, STACK, 0, -4, 0), COPY(2, STACK), CALC(BPF_ADD, 2, -4),
        INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map), INSN(0, 0, 0, 0, 0), CALL(BPF_FUNC_map_lookup_elem),
        JUMP(BPF_JEQ | BPF_K, 0, 0, 0, TO_DROP), COPY(PROGRESS, 0),

        CALL(BPF_FUNC_ktime_get_ns), LOAD(BPF_DW, 1, PROGRESS, offsetof(struct progress, began_ns)), LESS(0, 1),
        LOAD(BPF_DW, COUNT, PROGRESS, offsetof(struct progress, sent)), COPY(1, COUNT), CALC(BPF_MUL, 1, INTERVAL_NS / streams),
        JUMP(BPF_JGT | BPF_X, 1, 0, 0, TO_DROP),
        COPY(1, COUNT), CALC(BPF_ADD, 1, 1), STORE(BPF_DW, PROGRESS, offsetof(struct progress, sent), 1),
        COPY(STREAM, COUNT), CALC(BPF_MOD, STREAM, streams), CALC(BPF_DIV, COUNT, streams),

        COPY(1, COUNT), ORDER(1, 16), STORE(BPF_H, PACKET, RTP + 2, 1),
        CALC(BPF_MUL, COUNT, SAMPLES), ORDER(COUNT, 32), STORE(BPF_W, PACKET, RTP + 4, COUNT),
        COPY(1, STREAM), CALC(BPF_ADD, 1, FIRST_SSRC), ORDER(1, 32), STORE(BPF_W, PACKET, RTP + 8, 1),
        COPY(1, STREAM), CALC(BPF_AND, 1, CALLS_OF_A_HOST * 2 - 2), CALC(BPF_ADD, 1, PORT), ORDER(1, 16),
        STORE(BPF_H, PACKET, UDP, 1), STORE(BPF_H, PACKET, UDP + 2, 1),
        COPY(1, STREAM), CALC(BPF_DIV, 1, CALLS_OF_A_HOST * 2),
        COPY(2, 1), CALC(BPF_ADD, 1, INSIDE), ORDER(1, 32), CALC(BPF_ADD, 2, OUTSIDE), ORDER(2, 32),
        JUMP(BPF_JSET | BPF_K, STREAM, 0, 1, 4),
        STORE(BPF_W, PACKET, IP + 12, 1), STORE(BPF_W, PACKET, IP + 16, 2), SET(0, XDP_PASS), EXIT,
        STORE(BPF_W, PACKET, IP + 12, 2), STORE(BPF_W, PACKET, IP + 16, 1), SET(0, XDP_PASS), EXIT,

        SET(0, XDP_DROP), EXIT,
    };
    /* clang-format on */
    uint32_t n = sizeof p / sizeof *p;
    union bpf_attr a = { .prog_type = BPF_PROG_TYPE_XDP, .insns = (uintptr_t)p, .insn_cnt = n, .license = (uintptr_t) "GPL" };

    for (uint32_t i = 0; i < n; i++)
        if (p[i].off == TO_DROP)
            p[i].off = (int16_t)(n - 2 - i - 1);
    return bpf(BPF_PROG_LOAD, &a);
}

/* A veth has a receive queue of the kind that XDP wants only with GRO. */
static int queue_make(const char *interface)
{
    struct ethtool_value on = { .cmd = ETHTOOL_SGRO, .data = 1 };
    struct ifreq r = { .ifr_data = (void *)&on };
    int fd = socket(AF_INET, SOCK_DGRAM, 0), status;

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", interface);
    status = ioctl(fd, SIOCETHTOOL, &r);
    close(fd);
    return status;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void time_is_over(int signal_number)
{
    (void)signal_number;
}

int send_in_kernel(struct sending *s, const unsigned char first[FRAME])
{
    struct progress done = { .began_ns = now_ns() };
    int map = map_make(&done), program = map < 0 ? -1 : program_load(map, s->streams);
    struct xdp_md md = { .data_end = FRAME, .ingress_ifindex = if_nametoindex(s->interface) };
    struct sigaction end = { .sa_handler = time_is_over }; /* interrupts the run: no SA_RESTART */
    union bpf_attr a = { .test = { .prog_fd = (uint32_t)program,
                                   .repeat = UINT32_MAX,
                                   .data_in = (uintptr_t)first,
                                   .data_size_in = FRAME,
                                   .ctx_in = (uintptr_t)&md,
                                   .ctx_size_in = sizeof md,
                                   .flags = BPF_F_TEST_XDP_LIVE_FRAMES } };

    if (program < 0 || queue_make(s->interface) != 0)
        return 0;
    sigaction(SIGALRM, &end, NULL);
    alarm(s->seconds);
    if (bpf(BPF_PROG_TEST_RUN, &a) != 0 && errno != EINTR)
        return 0;
    s->took_s = (double)(now_ns() - done.began_ns) / 1e9;
    if (map_read(map, &done) != 0)
        return 0;
    s->sent = done.sent;
    return 1;
}
