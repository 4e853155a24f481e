/*
 * The program that the kernel runs on every packet of a live capture: what looks like voice is cut to its headers before it is copied,
 * all else is kept whole. So the audio never reaches this process, and a busy host copies a fraction of its traffic.
 *
 * Cut: RTP (RFC 3550: version 2, no RTCP by RFC 5761 §4) over UDP over IPv4, or IPv6 with up to two extension headers (none for
 * fragments or authentication), plain or in TURN ChannelData (RFC 8656 §12.4) or a Send or Data indication whose peer address stands
 * first (as coturn and pjnath write it): to the end of the RTP header, its contributing sources and its header extension. The same in
 * the packet that an ICMP or ICMPv6 error quotes.
 *
 * Whole: TCP, fragments and quotes of them, ports 53 and 5353, tunnels (PPPoE, IP in IP, GRE, VXLAN, GENEVE, MPLS: what they carry would
 * need this program again for each kind, and a jump in it has 8 bits), and every link layer but Ethernet (with up
 * to two VLAN tags), Linux cooked and raw IP. Fragments must be: SIP comes in them, and a later one has no port that would tell; a
 * stream of TCP has no packets that a filter could know.
 */
#ifndef RW_CAPTURE_PREFILTER_H
#define RW_CAPTURE_PREFILTER_H

#include <pcap/pcap.h>
#include <stdbool.h>

enum {
    PREFILTER_WHOLE = 262144, /* what the program returns for a packet that is kept whole */
    PREFILTER_USER_MOST = 600 /* instructions of the user's program */
};

/*
 * Builds the program for packets of that link type (DLT_), after `user`: only what `user` takes goes on to it (NULL: everything).
 * `in_kernel`: for pcap_setfilter(), where a cooked packet has no link header yet: what is kept then counts from the IP header.
 * False: that link type is not supported, or that user program (too long, or no filter), and *out is untouched. prefilter_free() frees it.
 */
bool prefilter_build(int link, const struct bpf_program *user, bool in_kernel, struct bpf_program *out);
void prefilter_free(struct bpf_program *p);

#endif
