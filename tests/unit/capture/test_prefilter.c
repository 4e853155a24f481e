/* What the kernel would keep of a packet, told by running the program as libpcap's own interpreter does. */
#include <criterion/criterion.h>
#include <pcap/pcap.h>
#include <string.h>

#include "capture/prefilter.h"

/* A packet under construction. */
struct made {
    unsigned char p[512];
    unsigned n;
};

static void add(struct made *m, const void *bytes, unsigned n)
{
    memcpy(m->p + m->n, bytes, n);
    m->n += n;
}

#define ADD(m, text) add(m, text, sizeof(text) - 1)

static void add_u16(struct made *m, unsigned v)
{
    m->p[m->n++] = (unsigned char)(v >> 8);
    m->p[m->n++] = (unsigned char)v;
}

static void add_ip4(struct made *m, unsigned protocol, unsigned fragment, unsigned words)
{
    m->p[m->n] = (unsigned char)(0x40 | words);
    m->p[m->n + 6] = (unsigned char)(fragment >> 8);
    m->p[m->n + 7] = (unsigned char)fragment;
    m->p[m->n + 9] = (unsigned char)protocol;
    m->n += words * 4;
}

static void add_udp(struct made *m, unsigned src, unsigned dst, unsigned payload)
{
    add_u16(m, src);
    add_u16(m, dst);
    add_u16(m, 8 + payload);
    add_u16(m, 0);
}

static struct made ethernet(unsigned type)
{
    struct made m = { .n = 12 };

    add_u16(&m, type);
    return m;
}

/* Ethernet, IPv4, UDP between two media ports. */
static struct made datagram(unsigned payload)
{
    struct made m = ethernet(0x0800);

    add_ip4(&m, 17, 0, 5);
    add_udp(&m, 10000, 40000, payload);
    return m;
}

/* What the program keeps of the packet: all of it, or how many bytes. */
static unsigned kept(int link, const struct made *m)
{
    struct bpf_program p;
    unsigned k;

    cr_assert(prefilter_build(link, NULL, false, &p));
    k = bpf_filter(p.bf_insns, m->p, m->n, m->n);
    prefilter_free(&p);
    return k;
}

static unsigned kept_ethernet(const struct made *m)
{
    return kept(DLT_EN10MB, m);
}

static const unsigned char voice[172] = { 0x80, 0 };

Test(prefilter, voice_is_cut_to_its_header)
{
    struct made m = datagram(sizeof voice);

    add(&m, voice, sizeof voice);
    cr_assert_eq(kept_ethernet(&m), 14 + 20 + 8 + 12);
}

Test(prefilter, contributing_sources_and_the_extension_are_kept)
{
    struct made m = datagram(60);

    ADD(&m, "\x92\x6f" /* X, two CSRCs */ "\0\1\0\0\0\0\0\0\0\0"
            "ccccCCCC"
            "\xbe\xde\0\2"
            "extensio");
    m.n += 20;
    cr_assert_eq(kept_ethernet(&m), 42 + 12 + 8 + 4 + 8);
}

Test(prefilter, an_extension_beyond_reason_is_not_kept)
{
    struct made m = datagram(200);

    ADD(&m, "\x90\x6f\0\1\0\0\0\0\0\0\0\0"
            "\xbe\xde\xff\xff");
    m.n += 180;
    cr_assert_eq(kept_ethernet(&m), 42 + 12 + 4);
}

Test(prefilter, an_extension_that_is_not_there_keeps_the_packet)
{
    struct made m = datagram(14);

    ADD(&m, "\x90\x6f\0\1\0\0\0\0\0\0\0\0"
            "\xbe\xde");
    cr_assert_eq(kept_ethernet(&m), PREFILTER_WHOLE);
}

static unsigned kept_payload(const char *bytes, unsigned n)
{
    struct made m = datagram(n);

    add(&m, bytes, n);
    return kept_ethernet(&m);
}

#define KEPT(text) kept_payload(text, sizeof(text) - 1)

Test(prefilter, signalling_is_kept_whole)
{
    cr_assert_eq(KEPT("INVITE sip:bob@example.net SIP/2.0\r\n\r\n"), PREFILTER_WHOLE);
    cr_assert_eq(KEPT("BYE sip:bob@example.net SIP/2.0\r\n\r\n"), PREFILTER_WHOLE);
    cr_assert_eq(KEPT("SIP/2.0 200 OK\r\n\r\n"), PREFILTER_WHOLE);
    cr_assert_eq(KEPT("\0\1\0\0\x21\x12\xa4\x42tttttttttttt"), PREFILTER_WHOLE, "a Binding request");
    cr_assert_eq(KEPT("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\4\1\0\0\0"), PREFILTER_WHOLE, "DTLS");
    cr_assert_eq(KEPT("\x81\xc8\0\6ssssnnnnNNNNrrrrppppoooo"), PREFILTER_WHOLE, "an SR");
    cr_assert_eq(KEPT("\x80\xcd\0\2ssssmmmm"), PREFILTER_WHOLE, "RTPFB");
    cr_assert_eq(KEPT("\0"), PREFILTER_WHOLE, "a keep-alive");
    cr_assert_eq(KEPT(""), PREFILTER_WHOLE, "an empty datagram");
    cr_assert_eq(KEPT("\x80\0\0\1"), PREFILTER_WHOLE, "too short for RTP");
}

Test(prefilter, payload_types_at_the_edges_of_rtcp)
{
    cr_assert_eq(KEPT("\x80\xbf\0\1ttttssss....................."), 54, "191: RTP with its marker");
    cr_assert_eq(KEPT("\x80\xc0\0\1ttttssss....................."), PREFILTER_WHOLE, "192");
    cr_assert_eq(KEPT("\x80\xdf\0\1ttttssss....................."), PREFILTER_WHOLE, "223");
    cr_assert_eq(KEPT("\x80\xe0\0\1ttttssss....................."), 54, "224: RTP with its marker");
    cr_assert_eq(KEPT("\xc0\0\0\1ttttssss....................."), PREFILTER_WHOLE, "version 3");
}

Test(prefilter, dns_is_kept_whatever_it_begins_with)
{
    struct made m = ethernet(0x0800);

    add_ip4(&m, 17, 0, 5);
    add_udp(&m, 53, 40000, sizeof voice);
    add(&m, voice, sizeof voice);
    cr_assert_eq(kept_ethernet(&m), PREFILTER_WHOLE);
}

Test(prefilter, fragments_tcp_and_icmp_are_kept)
{
    static const struct {
        unsigned protocol, fragment;
    } v[] = { { 17, 0x2000 }, { 17, 0x0010 }, { 6, 0 }, { 1, 0 } };

    for (unsigned i = 0; i < sizeof v / sizeof *v; i++) {
        struct made m = ethernet(0x0800);

        add_ip4(&m, v[i].protocol, v[i].fragment, 5);
        add_udp(&m, 10000, 40000, sizeof voice);
        add(&m, voice, sizeof voice);
        cr_assert_eq(kept_ethernet(&m), PREFILTER_WHOLE, "case %u", i);
    }
}

Test(prefilter, do_not_fragment_and_ip_options_change_nothing)
{
    struct made m = ethernet(0x0800);

    add_ip4(&m, 17, 0x4000, 8);
    add_udp(&m, 10000, 40000, sizeof voice);
    add(&m, voice, sizeof voice);
    cr_assert_eq(kept_ethernet(&m), 14 + 32 + 8 + 12);
}

Test(prefilter, voice_behind_vlan_tags)
{
    struct made m = ethernet(0x88a8);

    ADD(&m, "\0\1\x81\0\0\2\x08\0");
    add_ip4(&m, 17, 0, 5);
    add_udp(&m, 10000, 40000, sizeof voice);
    add(&m, voice, sizeof voice);
    cr_assert_eq(kept_ethernet(&m), 22 + 20 + 8 + 12);
}

static void add_ip6(struct made *m, unsigned next)
{
    m->p[m->n] = 0x60;
    m->p[m->n + 6] = (unsigned char)next;
    m->n += 40;
}

Test(prefilter, voice_over_ipv6)
{
    struct made m = ethernet(0x86dd), other = ethernet(0x86dd);

    add_ip6(&m, 17);
    add_udp(&m, 10000, 40000, sizeof voice);
    add(&m, voice, sizeof voice);
    cr_assert_eq(kept_ethernet(&m), 14 + 40 + 8 + 12);
    add_ip6(&other, 44); /* a fragment header */
    other.n += 100;
    cr_assert_eq(kept_ethernet(&other), PREFILTER_WHOLE);
}

Test(prefilter, voice_behind_extension_headers_of_ipv6)
{
    static const struct {
        const char *what;
        unsigned char headers[40];
        unsigned n, first, kept;
    } v[] = {
        { "a hop-by-hop header of 8 bytes", { 17, 0 }, 8, 0, 14 + 40 + 8 + 8 + 12 },
        { "a routing header of 24", { 17, 2 }, 24, 43, 14 + 40 + 24 + 8 + 12 },
        { "two", { 60, 0, [8] = 17, 1 }, 24, 0, 14 + 40 + 24 + 8 + 12 },
        { "three", { 60, 0, [8] = 60, 0, [16] = 17, 0 }, 24, 0, PREFILTER_WHOLE },
        { "a fragment behind one", { 44, 0, [8] = 17, 0 }, 16, 0, PREFILTER_WHOLE },
        { "one that runs past the end", { 17, 255 }, 8, 60, PREFILTER_WHOLE },
    };

    for (unsigned i = 0; i < sizeof v / sizeof *v; i++) {
        struct made m = ethernet(0x86dd);

        add_ip6(&m, v[i].first);
        add(&m, v[i].headers, v[i].n);
        add_udp(&m, 10000, 40000, sizeof voice);
        add(&m, voice, sizeof voice);
        cr_assert_eq(kept_ethernet(&m), v[i].kept, "%s: %u", v[i].what, kept_ethernet(&m));
    }
}

/* ---- ICMP errors: an Ethernet header, IP, 8 bytes of ICMP, and the packet that is quoted ---- */

static struct made error4(unsigned type)
{
    struct made m = ethernet(0x0800);

    add_ip4(&m, 1, 0, 5);
    m.p[m.n] = (unsigned char)type;
    m.n += 8;
    return m;
}

static struct made error6(unsigned type)
{
    struct made m = ethernet(0x86dd);

    add_ip6(&m, 58);
    m.p[m.n] = (unsigned char)type;
    m.n += 8;
    return m;
}

static void add_voice(struct made *m)
{
    add_udp(m, 10000, 40000, sizeof voice);
    add(m, voice, sizeof voice);
}

enum { QUOTE4 = 14 + 20 + 8, QUOTE6 = 14 + 40 + 8 };

Test(prefilter, voice_that_an_icmp_error_quotes_is_cut)
{
    static const unsigned errors[] = { 3, 4, 5, 11, 12 }, others[] = { 0, 8, 13 };
    struct made m;

    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++) {
        m = error4(errors[i]);
        add_ip4(&m, 17, 0x4000, 5);
        add_voice(&m);
        cr_assert_eq(kept_ethernet(&m), QUOTE4 + 20 + 8 + 12, "type %u", errors[i]);
    }
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        m = error4(others[i]);
        add_ip4(&m, 17, 0x4000, 5);
        add_voice(&m);
        cr_assert_eq(kept_ethernet(&m), PREFILTER_WHOLE, "type %u", others[i]);
    }
}

Test(prefilter, voice_that_an_icmp6_error_quotes_is_cut)
{
    struct made m;

    for (unsigned type = 1; type <= 4; type++) {
        m = error6(type);
        add_ip6(&m, 17);
        add_voice(&m);
        cr_assert_eq(kept_ethernet(&m), QUOTE6 + 40 + 8 + 12, "type %u", type);
    }
    m = error6(1);
    add_ip6(&m, 60);
    ADD(&m, "\x11\1..............");
    add_voice(&m);
    cr_assert_eq(kept_ethernet(&m), QUOTE6 + 40 + 16 + 8 + 12, "behind destination options");
    m = error6(128);
    add_ip6(&m, 17);
    add_voice(&m);
    cr_assert_eq(kept_ethernet(&m), PREFILTER_WHOLE, "an echo request is no error");
}

Test(prefilter, quotes_with_ip_options_of_a_relay_and_cut_short)
{
    struct made m = error4(3);

    add_ip4(&m, 17, 0, 15);
    add_voice(&m);
    cr_assert_eq(kept_ethernet(&m), QUOTE4 + 60 + 8 + 12, "options");
    m = error4(3);
    add_ip4(&m, 17, 0, 5);
    add_udp(&m, 10000, 40000, 4 + sizeof voice);
    ADD(&m, "\x40\1\0\xac");
    add(&m, voice, 100); /* the length is that of the packet, not of the quote */
    cr_assert_eq(kept_ethernet(&m), QUOTE4 + 20 + 8 + 4 + 12, "channel data");
    m = error4(3);
    add_ip4(&m, 17, 0, 5);
    add_udp(&m, 10000, 40000, sizeof voice);
    cr_assert_eq(kept_ethernet(&m), PREFILTER_WHOLE, "the 8 bytes of RFC 792");
}

static unsigned kept_quote(unsigned protocol, unsigned fragment, unsigned port, const void *payload, unsigned n)
{
    struct made m = error4(3);

    add_ip4(&m, protocol, fragment, 5);
    add_udp(&m, 10000, port, n);
    add(&m, payload, n);
    return kept_ethernet(&m);
}

Test(prefilter, quotes_of_other_things_are_kept_whole)
{
    static const char sip[] = "INVITE sip:bob@example.net SIP/2.0\r\n\r\n", stun[] = "\0\1\0\0\x21\x12\xa4\x42tttttttttttt";
    struct made m = error4(3);

    cr_assert_eq(kept_quote(17, 0, 5060, sip, sizeof sip), PREFILTER_WHOLE);
    cr_assert_eq(kept_quote(17, 0, 40000, stun, sizeof stun), PREFILTER_WHOLE);
    cr_assert_eq(kept_quote(17, 0, 40000, "\x81\xc8\0\6ssssnnnnNNNNrrrr", 20), PREFILTER_WHOLE, "RTCP");
    cr_assert_eq(kept_quote(17, 0, 53, voice, sizeof voice), PREFILTER_WHOLE);
    cr_assert_eq(kept_quote(6, 0, 40000, voice, sizeof voice), PREFILTER_WHOLE, "TCP");
    cr_assert_eq(kept_quote(1, 0, 40000, voice, sizeof voice), PREFILTER_WHOLE, "ICMP in ICMP is not entered");
    cr_assert_eq(kept_quote(17, 0x2000, 40000, voice, sizeof voice), PREFILTER_WHOLE, "a fragment");
    add_ip6(&m, 17);
    add_voice(&m);
    cr_assert_eq(kept_ethernet(&m), PREFILTER_WHOLE, "ICMP quotes no IPv6");
}

Test(prefilter, voice_in_channel_data)
{
    struct made m = datagram(4 + sizeof voice), padded = datagram(4 + sizeof voice + 2), sip = datagram(4 + sizeof voice);

    ADD(&m, "\x40\1\0\xac");
    add(&m, voice, sizeof voice);
    cr_assert_eq(kept_ethernet(&m), 42 + 4 + 12);
    ADD(&padded, "\x40\1\0\xac");
    add(&padded, voice, sizeof voice);
    padded.n += 2;
    cr_assert_eq(kept_ethernet(&padded), 42 + 4 + 12);
    ADD(&sip, "INVI");
    add(&sip, voice, sizeof voice);
    cr_assert_eq(kept_ethernet(&sip), PREFILTER_WHOLE);
}

Test(prefilter, a_check_in_channel_data_is_kept)
{
    cr_assert_eq(KEPT("\x40\1\0\x14\0\1\0\0\x21\x12\xa4\x42tttttttttttt"), PREFILTER_WHOLE);
}

Test(prefilter, voice_in_a_send_and_in_a_data_indication)
{
    struct made m = datagram(20 + 12 + 4 + sizeof voice), six = datagram(20 + 24 + 4 + sizeof voice);

    ADD(&m, "\0\x16\0\0\x21\x12\xa4\x42tttttttttttt"
            "\0\x12\0\x08"
            "peeraddr"
            "\0\x13\0\xac");
    add(&m, voice, sizeof voice);
    cr_assert_eq(kept_ethernet(&m), 42 + 20 + 12 + 4 + 12);
    ADD(&six, "\0\x17\0\0\x21\x12\xa4\x42tttttttttttt"
              "\0\x12\0\x14"
              "peeraddrpeeraddrpeer"
              "\0\x13\0\xac");
    add(&six, voice, sizeof voice);
    cr_assert_eq(kept_ethernet(&six), 42 + 20 + 24 + 4 + 12);
}

Test(prefilter, a_check_in_a_send_indication_is_kept)
{
    cr_assert_eq(KEPT("\0\x16\0\0\x21\x12\xa4\x42tttttttttttt"
                      "\0\x12\0\x08"
                      "peeraddr"
                      "\0\x13\0\x14"
                      "\0\1\0\0\x21\x12\xa4\x42tttttttttttt"),
                 PREFILTER_WHOLE);
}

static unsigned kept_by(int link, bool in_kernel, const struct made *m)
{
    struct bpf_program p;
    unsigned k;

    cr_assert(prefilter_build(link, NULL, in_kernel, &p));
    k = bpf_filter(p.bf_insns, m->p, m->n, m->n);
    prefilter_free(&p);
    return k;
}

static unsigned kept_cooked(int link, bool in_kernel, const unsigned char *header, unsigned n)
{
    struct made m = { .n = 0 };

    add(&m, header, n);
    add_ip4(&m, 17, 0, 5);
    add_voice(&m);
    return kept_by(link, in_kernel, &m);
}

Test(prefilter, voice_behind_cooked_headers)
{
    static const unsigned char v1[16] = { [14] = 0x08 }, v2[20] = { 0x08 };

    cr_assert_eq(kept_cooked(DLT_LINUX_SLL, false, v1, sizeof v1), 16 + 40);
    cr_assert_eq(kept_cooked(DLT_LINUX_SLL2, false, v2, sizeof v2), 20 + 40);
    cr_assert_eq(kept_cooked(DLT_LINUX_SLL, true, v1, sizeof v1), 40, "the kernel counts without the header");
    cr_assert_eq(kept_cooked(DLT_LINUX_SLL2, true, v2, sizeof v2), 40);
}

Test(prefilter, a_quote_behind_a_cooked_header)
{
    static const unsigned char v2[20] = { 0x08 };
    struct made m = { .n = 0 };

    add(&m, v2, sizeof v2);
    add_ip4(&m, 1, 0, 5);
    ADD(&m, "\3\3\0\0\0\0\0\0");
    add_ip4(&m, 17, 0, 5);
    add_voice(&m);
    cr_assert_eq(kept_by(DLT_LINUX_SLL2, false, &m), 20 + 28 + 28 + 12);
    cr_assert_eq(kept_by(DLT_LINUX_SLL2, true, &m), 28 + 28 + 12);
}

Test(prefilter, raw_ip)
{
    struct made m = { .n = 0 };

    add_ip4(&m, 17, 0, 5);
    add_udp(&m, 10000, 40000, sizeof voice);
    add(&m, voice, sizeof voice);
    cr_assert_eq(kept(DLT_RAW, &m), 40);
}

/* Whatever is cut off at the end: nothing is refused, and nothing is read past the end. */
Test(prefilter, every_length_of_every_packet_is_taken)
{
    struct made m = ethernet(0x8100);

    ADD(&m, "\0\2\x08\0");
    add_ip4(&m, 17, 0, 5);
    add_udp(&m, 10000, 40000, 40);
    ADD(&m, "\0\x16\0\0\x21\x12\xa4\x42tttttttttttt"
            "\0\x12\0\x08"
            "peeraddr"
            "\0\x13\0\xac\x92\x6f\0\1ttttssss"
            "ccccCCCC"
            "\xbe\xde\0\2"
            "extensio");
    for (unsigned n = 0; n <= m.n; n++)
        for (unsigned kind = 0; kind < 256; kind++) {
            struct made cut = m;

            cut.n = n;
            cut.p[18 + 20 + 8] = (unsigned char)kind;
            cr_assert_neq(kept_ethernet(&cut), 0, "length %u, first byte %u", n, kind);
        }
}

Test(prefilter, every_length_of_every_error_is_taken)
{
    struct made m[2] = { error4(3), error6(1) };

    add_ip4(&m[0], 17, 0, 6);
    add_voice(&m[0]);
    add_ip6(&m[1], 0);
    ADD(&m[1], "\x3c\0......\x11\0......");
    add_voice(&m[1]);
    for (unsigned v = 0; v < 2; v++)
        for (unsigned n = 0; n <= m[v].n; n++) {
            struct made cut = m[v];

            cut.n = n;
            cr_assert_neq(kept_ethernet(&cut), 0, "version %u, length %u", v, n);
        }
}

Test(prefilter, a_long_filter_of_the_user_and_one_that_is_too_long)
{
    static struct bpf_insn insn[PREFILTER_USER_MOST + 1];
    struct bpf_program user = { PREFILTER_USER_MOST, insn }, p;
    struct made m = datagram(sizeof voice);

    add(&m, voice, sizeof voice);
    for (unsigned i = 0; i < PREFILTER_USER_MOST + 1; i++)
        insn[i] = (struct bpf_insn)BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0);
    insn[0] = (struct bpf_insn)BPF_STMT(BPF_JMP | BPF_JA, PREFILTER_USER_MOST - 2);
    insn[PREFILTER_USER_MOST - 1] = (struct bpf_insn)BPF_STMT(BPF_RET | BPF_K, 262144);
    cr_assert(prefilter_build(DLT_EN10MB, &user, false, &p));
    cr_assert(bpf_validate(p.bf_insns, (int)p.bf_len));
    cr_assert_eq(bpf_filter(p.bf_insns, m.p, m.n, m.n), 54);
    prefilter_free(&p);
    user.bf_len++;
    insn[PREFILTER_USER_MOST] = insn[PREFILTER_USER_MOST - 1];
    cr_assert_not(prefilter_build(DLT_EN10MB, &user, false, &p));
}

Test(prefilter, the_users_filter_comes_first)
{
    struct made m = datagram(sizeof voice);
    struct bpf_program user, p;
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, PREFILTER_WHOLE);

    add(&m, voice, sizeof voice);
    cr_assert_eq(pcap_compile(dead, &user, "udp port 10000 or tcp port 5060", 1, PCAP_NETMASK_UNKNOWN), 0);
    cr_assert(prefilter_build(DLT_EN10MB, &user, false, &p));
    cr_assert_eq(bpf_filter(p.bf_insns, m.p, m.n, m.n), 54);
    m.p[34] = m.p[36] = 0; /* other ports */
    cr_assert_eq(bpf_filter(p.bf_insns, m.p, m.n, m.n), 0);
    cr_assert(bpf_validate(p.bf_insns, (int)p.bf_len));
    prefilter_free(&p);
    pcap_freecode(&user);
    pcap_close(dead);
}

Test(prefilter, what_it_does_not_know_it_refuses_to_build_for)
{
    static const struct bpf_insn computed[] = { BPF_STMT(BPF_RET | BPF_A, 0) };
    struct bpf_program user = { 1, (struct bpf_insn *)(uintptr_t)computed }, p;

    cr_assert_not(prefilter_build(DLT_IEEE802_11, NULL, false, &p));
    cr_assert_not(prefilter_build(DLT_EN10MB, &user, false, &p));
}
