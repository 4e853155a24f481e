#include "capture/prefilter.h"

/* NOLINTBEGIN(misc-redundant-expression): several of the parts that an opcode is made of are 0, and are named all the same. */
#include <stdlib.h>
#include <string.h>

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88a8,
    IP_UDP = 17,
    IP_ICMP = 1,
    IP_ICMP6 = 58,
    IPV4_HEADER = 20,
    IPV4_FRAGMENT = 0x3fff, /* more fragments, or an offset */
    IPV6_HEADER = 40,
    HOP_BY_HOP = 0,
    ROUTING = 43,
    DESTINATION = 60,
    IPV6_EXTENSIONS = 2, /* that are stepped over; behind more a packet is kept whole */
    ICMP_HEADER = 8,
    ICMP6_INFORMATIONAL = 128, /* errors are below (RFC 4443 §2.1) */
    UDP_HEADER = 8,
    DNS = 53,
    MDNS = 5353,
    RTP_HEADER = 12,
    RTCP_FIRST = 192,
    RTCP_LAST = 223,
    EXTENSION_WORDS = 32, /* a longer header extension is no longer taken for one */
    CHANNEL_HEADER = 4,
    CHANNEL_END = 0x50,
    SEND = 0x0016,
    DATA = 0x0017,
    STUN_HEADER = 20,
    XOR_PEER_ADDRESS = 0x0012,
    DATA_ATTRIBUTE = 0x0013,
    ATTRIBUTE = 4,
};
#define MAGIC_COOKIE 0x2112a442u

/* Places in the program that jumps go to. */
enum label {
    NEXT,  /* no jump */
    WHOLE, /* the next of the two */
    MIDDLE_WHOLE,
    END_WHOLE,
    IP4,
    IP6,
    ICMP4,
    ICMP6,
    QUOTE4,
    STEP, /* over an extension header of IPv6: of the packet, then of the one that an error quotes */
    QUOTED_STEP = STEP + IPV6_EXTENSIONS,
    UDP = QUOTED_STEP + IPV6_EXTENSIONS,
    TAG1,
    TAG2,
    CHANNEL,
    STUN,
    COOKIE,
    PEER6,
    RTP, /* and those of its copies: three each, from RTP + 4 * copy on */
    LABELS = RTP + 16
};

enum { INSNS = PREFILTER_USER_MOST + 400, JUMPS = 200 };

/* Words of memory that the program has. */
enum { LENGTH, AFTER, HERE, PROTOCOL };

struct assembler {
    struct bpf_insn insn[INSNS];
    unsigned n;
    unsigned at[LABELS];
    struct {
        unsigned insn;
        enum label yes, no;
    } jump[JUMPS];
    unsigned jumps;
    bool broken;
    /*
     * Of a cooked packet the kernel has no link header, and libpcap takes it off every constant offset that is beyond it. So there
     * X does not count it, all offsets do, and lengths do not.
     */
    unsigned base;    /* link header that offsets count beside X; 0: X counts it */
    unsigned missing; /* of it, what lengths do not count */
};

static void emit(struct assembler *a, unsigned code, unsigned k)
{
    if (a->n == INSNS) {
        a->broken = true;
        return;
    }
    a->insn[a->n++] = (struct bpf_insn)BPF_STMT((u_short)code, k);
}

static void label(struct assembler *a, enum label l)
{
    a->at[l] = a->n;
}

/* Compares A with k: goes to `yes` or `no`; NEXT goes on. */
static void jump(struct assembler *a, unsigned how, unsigned k, enum label yes, enum label no)
{
    if (a->jumps == JUMPS) {
        a->broken = true;
        return;
    }
    a->jump[a->jumps].insn = a->n;
    a->jump[a->jumps].yes = yes;
    a->jump[a->jumps++].no = no;
    emit(a, BPF_JMP | how | BPF_K, k);
}

static void go(struct assembler *a, enum label to)
{
    jump(a, BPF_JA, 0, to, NEXT);
}

static void whole(struct assembler *a, enum label l)
{
    label(a, l);
    emit(a, BPF_RET | BPF_K, PREFILTER_WHOLE);
}

static unsigned distance(const struct assembler *a, unsigned from, enum label l)
{
    if (l == WHOLE)
        l = from < a->at[MIDDLE_WHOLE] ? MIDDLE_WHOLE : END_WHOLE;
    return l == NEXT ? 0 : a->at[l] - from - 1;
}

static void resolve(struct assembler *a)
{
    for (unsigned i = 0; i < a->jumps; i++) {
        struct bpf_insn *b = &a->insn[a->jump[i].insn];
        unsigned yes = distance(a, a->jump[i].insn, a->jump[i].yes), no = distance(a, a->jump[i].insn, a->jump[i].no);

        if (BPF_OP(b->code) == BPF_JA) {
            b->k = yes;
            continue;
        }
        a->broken |= yes > 255 || no > 255; /* such a jump has 8 bits (bpf(4)) */
        b->jt = (u_char)yes;
        b->jf = (u_char)no;
    }
}

/* ---- loads; X, with the base, is where the header begins that is looked at ---- */

static void load_byte(struct assembler *a, unsigned behind_x)
{
    emit(a, BPF_LD | BPF_B | BPF_IND, a->base + behind_x);
}

static void load_half(struct assembler *a, unsigned behind_x)
{
    emit(a, BPF_LD | BPF_H | BPF_IND, a->base + behind_x);
}

/* A load past the end of the packet would refuse it; so its length is looked at first. */
static void need(struct assembler *a, unsigned behind_x)
{
    emit(a, BPF_LD | BPF_W | BPF_LEN, 0);
    emit(a, BPF_ALU | BPF_SUB | BPF_X, 0);
    jump(a, BPF_JGT, 0x7fffffff, WHOLE, NEXT); /* X is past the end */
    jump(a, BPF_JGE, a->base - a->missing + behind_x, NEXT, WHOLE);
}

/* Moves X on by what A holds. */
static void forward(struct assembler *a)
{
    emit(a, BPF_ALU | BPF_ADD | BPF_X, 0);
    emit(a, BPF_MISC | BPF_TAX, 0);
}

static void forward_by(struct assembler *a, unsigned n)
{
    emit(a, BPF_LD | BPF_W | BPF_IMM, n);
    forward(a);
}

/* ---- IP, at X, and what it carries behind X then; `icmp`: where ICMP goes to ---- */

static void carried(struct assembler *a, unsigned icmp_protocol, enum label icmp)
{
    emit(a, BPF_LD | BPF_W | BPF_MEM, PROTOCOL);
    jump(a, BPF_JEQ, IP_UDP, UDP, NEXT);
    jump(a, BPF_JEQ, icmp_protocol, icmp, NEXT);
}

static void ip4(struct assembler *a, enum label icmp)
{
    need(a, IPV4_HEADER);
    load_half(a, 6);
    jump(a, BPF_JSET, IPV4_FRAGMENT, WHOLE, NEXT);
    load_byte(a, 9);
    emit(a, BPF_ST, PROTOCOL);
    load_byte(a, 0);
    emit(a, BPF_ALU | BPF_AND | BPF_K, 0x0f);
    emit(a, BPF_ALU | BPF_LSH | BPF_K, 2);
    forward(a);
    carried(a, IP_ICMP, icmp);
    go(a, WHOLE);
}

static void ip6_extension(struct assembler *a, enum label step)
{
    jump(a, BPF_JEQ, HOP_BY_HOP, step, NEXT);
    jump(a, BPF_JEQ, ROUTING, step, NEXT);
    jump(a, BPF_JEQ, DESTINATION, NEXT, WHOLE);
    label(a, step);
    need(a, 8);
    load_byte(a, 0);
    emit(a, BPF_ST, PROTOCOL);
    load_byte(a, 1);
    emit(a, BPF_ALU | BPF_ADD | BPF_K, 1);
    emit(a, BPF_ALU | BPF_LSH | BPF_K, 3);
    forward(a);
}

static void ip6(struct assembler *a, enum label icmp, enum label step)
{
    need(a, IPV6_HEADER);
    load_byte(a, 6);
    emit(a, BPF_ST, PROTOCOL);
    forward_by(a, IPV6_HEADER);
    carried(a, IP_ICMP6, icmp);
    for (unsigned i = 0; i < IPV6_EXTENSIONS; i++) {
        ip6_extension(a, step + i);
        carried(a, IP_ICMP6, icmp);
    }
    go(a, WHOLE);
}

/* The packet that an error quotes begins behind X then, if it has that version. */
static void quote(struct assembler *a, unsigned version)
{
    load_byte(a, ICMP_HEADER);
    emit(a, BPF_ALU | BPF_RSH | BPF_K, 4);
    jump(a, BPF_JEQ, version, NEXT, WHOLE);
    forward_by(a, ICMP_HEADER);
}

/* Errors quote up to 576 or 1,280 bytes of a packet (RFC 1812 §4.3.2.3, RFC 4443 §2.4): what is voice in it is cut as elsewhere. */
static void icmp4(struct assembler *a)
{
    static const unsigned errors[] = { 3, 4, 5, 11, 12 };

    label(a, ICMP4);
    need(a, ICMP_HEADER + 1);
    load_byte(a, 0);
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
        jump(a, BPF_JEQ, errors[i], QUOTE4, NEXT);
    go(a, WHOLE);
    label(a, QUOTE4);
    quote(a, 4);
    ip4(a, WHOLE);
}

static void icmp6(struct assembler *a)
{
    label(a, ICMP6);
    need(a, ICMP_HEADER + 1);
    load_byte(a, 0);
    jump(a, BPF_JGE, ICMP6_INFORMATIONAL, WHOLE, NEXT);
    quote(a, 6);
    ip6(a, WHOLE, QUOTED_STEP);
}

static void ip(struct assembler *a)
{
    label(a, IP4);
    ip4(a, ICMP4);
    label(a, IP6);
    ip6(a, ICMP6, STEP);
    icmp4(a);
    icmp6(a);
}

/* ---- link ---- */

/* A is the type of what begins at offset `at`. */
static void ethertype(struct assembler *a, unsigned at, enum label tagged)
{
    emit(a, BPF_LDX | BPF_W | BPF_IMM, at - a->base);
    jump(a, BPF_JEQ, ETHERTYPE_IPV4, IP4, NEXT);
    jump(a, BPF_JEQ, ETHERTYPE_IPV6, IP6, NEXT);
    if (tagged == NEXT)
        return;
    jump(a, BPF_JEQ, ETHERTYPE_VLAN, tagged, NEXT);
    jump(a, BPF_JEQ, ETHERTYPE_QINQ, tagged, NEXT);
}

/* The kernel takes a tag off and libpcap puts it back: here it may be there or not. */
static void ethernet(struct assembler *a)
{
    emit(a, BPF_LD | BPF_W | BPF_LEN, 0);
    jump(a, BPF_JGE, 22, NEXT, WHOLE);
    emit(a, BPF_LD | BPF_H | BPF_ABS, 12);
    ethertype(a, 14, TAG1);
    go(a, WHOLE);
    label(a, TAG1);
    emit(a, BPF_LD | BPF_H | BPF_ABS, 16);
    ethertype(a, 18, TAG2);
    go(a, WHOLE);
    label(a, TAG2);
    emit(a, BPF_LD | BPF_H | BPF_ABS, 20);
    ethertype(a, 22, NEXT);
    go(a, WHOLE);
}

static void cooked(struct assembler *a, unsigned protocol, unsigned header, bool in_kernel)
{
    a->base = header;
    a->missing = in_kernel ? header : 0;
    emit(a, BPF_LD | BPF_H | BPF_ABS, protocol);
    ethertype(a, header, NEXT);
    go(a, WHOLE);
}

static void raw(struct assembler *a)
{
    emit(a, BPF_LDX | BPF_W | BPF_IMM, 0);
    need(a, IPV4_HEADER);
    load_byte(a, 0);
    emit(a, BPF_ALU | BPF_RSH | BPF_K, 4);
    jump(a, BPF_JEQ, 4, IP4, NEXT);
    jump(a, BPF_JEQ, 6, IP6, WHOLE);
}

/* ---- what UDP carries ---- */

/* Returns the length up to the end of the RTP header, which begins `rtp` bytes behind X. `copy`: whose labels. */
static void rtp_at(struct assembler *a, unsigned rtp, unsigned copy)
{
    enum label voice = RTP + 4 * copy, plain = voice + 1, longer = voice + 2;

    need(a, rtp + RTP_HEADER);
    load_byte(a, rtp);
    emit(a, BPF_ALU | BPF_AND | BPF_K, 0xc0);
    jump(a, BPF_JEQ, 0x80, NEXT, WHOLE);
    load_byte(a, rtp + 1);
    jump(a, BPF_JGE, RTCP_FIRST, NEXT, voice);
    jump(a, BPF_JGT, RTCP_LAST, NEXT, WHOLE);
    label(a, voice);
    load_byte(a, rtp);
    emit(a, BPF_ALU | BPF_AND | BPF_K, 0x0f);
    emit(a, BPF_ALU | BPF_LSH | BPF_K, 2);
    emit(a, BPF_ALU | BPF_ADD | BPF_K, rtp + RTP_HEADER);
    emit(a, BPF_ALU | BPF_ADD | BPF_X, 0);
    emit(a, BPF_ST, LENGTH);
    load_byte(a, rtp);
    jump(a, BPF_JSET, 0x10, NEXT, plain);
    emit(a, BPF_LDX | BPF_W | BPF_MEM, LENGTH);
    need(a, 4);
    load_half(a, 2);
    jump(a, BPF_JGT, EXTENSION_WORDS, longer, NEXT);
    emit(a, BPF_ALU | BPF_LSH | BPF_K, 2);
    emit(a, BPF_ALU | BPF_ADD | BPF_X, 0);
    emit(a, BPF_ST, LENGTH);
    label(a, longer);
    emit(a, BPF_LD | BPF_W | BPF_MEM, LENGTH);
    emit(a, BPF_ALU | BPF_ADD | BPF_K, 4);
    emit(a, BPF_ST, LENGTH);
    label(a, plain);
    emit(a, BPF_LD | BPF_W | BPF_MEM, LENGTH);
    if (a->base > a->missing)
        emit(a, BPF_ALU | BPF_ADD | BPF_K, a->base - a->missing);
    emit(a, BPF_RET | BPF_A, 0);
}

/* ChannelData fills its datagram, but for padding: what merely begins like it does not (SIP begins with letters). */
static void channel(struct assembler *a)
{
    need(a, UDP_HEADER + CHANNEL_HEADER);
    load_byte(a, UDP_HEADER);
    jump(a, BPF_JGE, CHANNEL_END, WHOLE, NEXT);
    emit(a, BPF_STX, HERE);
    load_half(a, UDP_HEADER + 2);
    emit(a, BPF_ALU | BPF_ADD | BPF_K, UDP_HEADER + CHANNEL_HEADER);
    emit(a, BPF_ST, AFTER);
    load_half(a, 4); /* UDP's own length */
    emit(a, BPF_LDX | BPF_W | BPF_MEM, AFTER);
    emit(a, BPF_ALU | BPF_SUB | BPF_X, 0);
    jump(a, BPF_JGT, 3, WHOLE, NEXT);
    emit(a, BPF_LDX | BPF_W | BPF_MEM, HERE);
    rtp_at(a, UDP_HEADER + CHANNEL_HEADER, 1);
}

static void peer_then_data(struct assembler *a, unsigned peer_bytes, unsigned copy)
{
    unsigned data = UDP_HEADER + STUN_HEADER + ATTRIBUTE + peer_bytes;

    need(a, data + ATTRIBUTE);
    load_half(a, data);
    jump(a, BPF_JEQ, DATA_ATTRIBUTE, NEXT, WHOLE);
    rtp_at(a, data + ATTRIBUTE, copy);
}

static void indication(struct assembler *a)
{
    unsigned first = UDP_HEADER + STUN_HEADER;

    need(a, first + ATTRIBUTE);
    load_half(a, UDP_HEADER);
    jump(a, BPF_JEQ, SEND, COOKIE, NEXT);
    jump(a, BPF_JEQ, DATA, NEXT, WHOLE);
    label(a, COOKIE);
    emit(a, BPF_LD | BPF_W | BPF_IND, a->base + UDP_HEADER + 4);
    jump(a, BPF_JEQ, MAGIC_COOKIE, NEXT, WHOLE);
    load_half(a, first);
    jump(a, BPF_JEQ, XOR_PEER_ADDRESS, NEXT, WHOLE);
    load_half(a, first + 2);
    jump(a, BPF_JEQ, 20, PEER6, NEXT);
    jump(a, BPF_JEQ, 8, NEXT, WHOLE);
    peer_then_data(a, 8, 2);
    label(a, PEER6);
    peer_then_data(a, 20, 3);
}

static void udp(struct assembler *a)
{
    label(a, UDP);
    need(a, UDP_HEADER + 1);
    for (unsigned port = 0; port <= 2; port += 2) {
        load_half(a, port);
        jump(a, BPF_JEQ, DNS, WHOLE, NEXT);
        jump(a, BPF_JEQ, MDNS, WHOLE, NEXT);
    }
    load_byte(a, UDP_HEADER);
    emit(a, BPF_ALU | BPF_RSH | BPF_K, 6); /* RFC 7983 §7 */
    jump(a, BPF_JEQ, 0, STUN, NEXT);
    jump(a, BPF_JEQ, 1, CHANNEL, NEXT);
    rtp_at(a, UDP_HEADER, 0);
    label(a, CHANNEL);
    channel(a);
    label(a, STUN);
    indication(a);
}

/* ---- the whole ---- */

/* The user's program: what it takes goes on, what it refuses stays refused. False where it returns what it has computed. */
static bool user_program(struct assembler *a, const struct bpf_program *user)
{
    unsigned end = user ? user->bf_len : 0;

    if (end > PREFILTER_USER_MOST)
        return false;
    for (unsigned i = 0; i < end; i++) {
        struct bpf_insn b = user->bf_insns[i];

        if (BPF_CLASS(b.code) == BPF_RET) {
            if (BPF_RVAL(b.code) != BPF_K)
                return false;
            if (b.k)
                b = (struct bpf_insn)BPF_STMT(BPF_JMP | BPF_JA, end - i - 1);
        }
        a->insn[a->n++] = b;
    }
    return true;
}

static bool link_part(struct assembler *a, int link, bool in_kernel)
{
    switch (link) {
    case DLT_EN10MB: ethernet(a); return true;
    case DLT_LINUX_SLL: cooked(a, 14, 16, in_kernel); return true;
    case DLT_LINUX_SLL2: cooked(a, 0, 20, in_kernel); return true;
    case DLT_RAW: raw(a); return true;
    default: return false;
    }
}

bool prefilter_build(int link, const struct bpf_program *user, bool in_kernel, struct bpf_program *out)
{
    struct assembler *a = calloc(1, sizeof *a);
    bool fine = a && user_program(a, user) && link_part(a, link, in_kernel);
    struct bpf_insn *insns = NULL;

    if (fine) {
        ip(a);
        whole(a, MIDDLE_WHOLE); /* one at the end alone is too far: a jump has 8 bits */
        udp(a);
        whole(a, END_WHOLE);
        resolve(a);
        insns = a->broken ? NULL : malloc(a->n * sizeof *insns);
    }
    if (insns) {
        memcpy(insns, a->insn, a->n * sizeof *insns);
        *out = (struct bpf_program){ a->n, insns };
    }
    free(a);
    return insns != NULL;
}

void prefilter_free(struct bpf_program *p)
{
    free(p->bf_insns);
    *p = (struct bpf_program){ 0, NULL };
}
/* NOLINTEND(misc-redundant-expression) */
