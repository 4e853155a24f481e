/* What the generator puts on the wire: a pcap or pcapng file, Ethernet/IPv4/UDP frames, and the binary messages in them. */
#ifndef BENCH_GEN_WIRE_H
#define BENCH_GEN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { MESSAGE_MAX = 1472 }; /* UDP payload of a 1500-byte Ethernet: nothing here is ever fragmented */

/* Both in host byte order. */
struct sock {
    uint32_t ip;
    uint16_t port;
};

struct msg {
    size_t n;
    uint8_t p[MESSAGE_MAX];
};

enum pcap_format { PCAP_NANOSECONDS, PCAP_MICROSECONDS, PCAPNG /* nanoseconds too */ };

struct pcap_out {
    FILE *file;
    enum pcap_format format;
    uint64_t packets;
};

/* False where the file cannot be opened or written; `path` "-" is standard output. */
bool pcap_open(struct pcap_out *o, const char *path, enum pcap_format format);
void pcap_udp(struct pcap_out *o, int64_t at_ns, struct sock from, struct sock to, const struct msg *m);
bool pcap_finish(struct pcap_out *o);

/* These append, and abort() where the message would outgrow a frame: that is a mistake in the generator. */
void put(struct msg *m, const void *p, size_t n);
void put_u8(struct msg *m, unsigned v);
void put_u16(struct msg *m, unsigned v);
void put_u32(struct msg *m, uint32_t v);
void put_text(struct msg *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* STUN (RFC 5389): begin, attributes in order, then integrity and fingerprint where wanted. */
enum { BINDING_REQUEST = 0x0001, BINDING_SUCCESS = 0x0101 };
enum { ATTR_USERNAME = 0x0006, ATTR_XOR_MAPPED_ADDRESS = 0x0020, ATTR_PRIORITY = 0x0024, ATTR_USE_CANDIDATE = 0x0025 };
enum { ATTR_CONTROLLED = 0x8029, ATTR_CONTROLLING = 0x802a, ATTR_SOFTWARE = 0x8022 };
void stun_begin(struct msg *m, unsigned type, uint64_t tid);
void stun_attr(struct msg *m, unsigned code, const void *value, size_t n);
void stun_attr_u32(struct msg *m, unsigned code, uint32_t v);
void stun_attr_u64(struct msg *m, unsigned code, uint64_t v);
void stun_xor_mapped(struct msg *m, struct sock mapped);
void stun_integrity(struct msg *m, const char *password); /* short-term credential, HMAC-SHA1 */
void stun_fingerprint(struct msg *m);

/* DNS (RFC 1035): a query for an A record, or with `answer` its response. */
void dns_message(struct msg *m, unsigned id, const char *name, const uint32_t *answer, uint32_t ttl_s);

enum { PCMU_BYTES = 160, PCMU_NS = 20 * 1000 * 1000 };
void rtp_packet(struct msg *m, bool marker, uint16_t seq, uint32_t timestamp, uint32_t ssrc, const uint8_t payload[PCMU_BYTES]);

/* RTCP: a sender report with one report block, or none where `about` is 0 (nothing was ever received), and a CNAME. */
struct rtcp_side {
    uint32_t ssrc, packets, octets, rtp_time;
    uint32_t about, highest_seq, lost;
    unsigned fraction_lost;
};
void rtcp_report(struct msg *m, int64_t at_ns, const struct rtcp_side *s);

#endif
