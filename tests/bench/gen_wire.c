#include "gen_wire.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { NS_PER_S = 1000 * 1000 * 1000, FILE_BUFFER = 1 << 20 };
enum { ETHERNET = 14, IPV4 = 20, UDP = 8, HEADERS = ETHERNET + IPV4 + UDP };

static void be16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void be32(uint8_t *p, uint32_t v)
{
    be16(p, v >> 16);
    be16(p + 2, v & 0xffff);
}

/* ---- pcap, pcapng: magic numbers tell the byte order and the unit of time, so the machine's own order serves ---- */

static bool put_head(FILE *f, const uint32_t *words, size_t n)
{
    return fwrite(words, sizeof *words, n, f) == n;
}

bool pcap_open(struct pcap_out *o, const char *path, enum pcap_format format)
{
    const uint32_t ethernet = 1, snap = 65535, magic = format == PCAP_NANOSECONDS ? 0xa1b23c4dU : 0xa1b2c3d4U;
    const uint16_t version[2] = { 2, 4 }, version_ng[2] = { 1, 0 };
    uint32_t words[] = { magic, 0, 0, 0, snap, ethernet };
    uint32_t ng[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 0,    UINT32_MAX,  UINT32_MAX, 28,       /* section of any length */
                      1,          32, ethernet,   snap, 9 | 1 << 16, 9,          0,  32 }; /* if_tsresol: 10^-9 */

    memcpy(&words[1], version, sizeof version);
    memcpy(&ng[3], version_ng, sizeof version_ng);
    *o = (struct pcap_out){ .file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb"), .format = format };
    if (!o->file)
        return false;
    (void)setvbuf(o->file, NULL, _IOFBF, FILE_BUFFER);
    return format == PCAPNG ? put_head(o->file, ng, sizeof ng / sizeof *ng)
                            : put_head(o->file, words, sizeof words / sizeof *words);
}

/* RFC 1071 over the 20 header bytes, whose own checksum field is still zero. */
static unsigned ip_checksum(const uint8_t *p)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < IPV4; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* The UDP checksum stays zero, which over IPv4 says that there is none (RFC 768). */
static void udp_headers(uint8_t h[HEADERS], struct sock from, struct sock to, size_t n, uint64_t id)
{
    static const uint8_t start[ETHERNET + 2] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0 };
    uint8_t *ip = h + ETHERNET, *udp = ip + IPV4;

    memset(h, 0, HEADERS);
    memcpy(h, start, sizeof start);
    be16(ip + 2, (unsigned)(IPV4 + UDP + n));
    be16(ip + 4, (unsigned)(id & 0xffff));
    ip[6] = 0x40;                          /* do not fragment */
    ip[8] = from.ip >> 24 == 10 ? 64 : 57; /* the dialers are at the place of the capture, all others behind routers */
    ip[9] = 17;
    be32(ip + 12, from.ip);
    be32(ip + 16, to.ip);
    be16(ip + 10, ip_checksum(ip));
    be16(udp, from.port);
    be16(udp + 2, to.port);
    be16(udp + 4, (unsigned)(UDP + n));
}

enum { RECORD = 16, ENHANCED_PACKET = 6, EPB_HEAD = 28, EPB = EPB_HEAD + 4 };

/* What stands before a packet of `size` bytes; gives its length. */
static size_t record_head(const struct pcap_out *o, int64_t at_ns, uint32_t size, uint8_t *head)
{
    const uint32_t sub = (uint32_t)(at_ns % NS_PER_S), block = EPB + (size + 3) / 4 * 4;
    const uint32_t record[] = { (uint32_t)(at_ns / NS_PER_S), o->format == PCAP_MICROSECONDS ? sub / 1000 : sub, size, size };
    const uint32_t enhanced[] = { ENHANCED_PACKET, block, 0, (uint32_t)((uint64_t)at_ns >> 32), (uint32_t)at_ns, size, size };

    memcpy(head, o->format == PCAPNG ? enhanced : record, o->format == PCAPNG ? EPB_HEAD : RECORD);
    return o->format == PCAPNG ? EPB_HEAD : RECORD;
}

/* The padding, and the block's length again. */
static void block_tail(const struct pcap_out *o, uint32_t size)
{
    const uint32_t padding = (4 - size % 4) % 4, block = EPB + size + padding;
    uint8_t tail[2 * sizeof block] = { 0 };

    memcpy(tail + padding, &block, sizeof block);
    (void)fwrite(tail, padding + sizeof block, 1, o->file);
}

void pcap_udp(struct pcap_out *o, int64_t at_ns, struct sock from, struct sock to, const struct msg *m)
{
    const uint32_t size = (uint32_t)(HEADERS + m->n);
    uint8_t head[EPB_HEAD + HEADERS];
    size_t n = record_head(o, at_ns, size, head);

    udp_headers(head + n, from, to, m->n, o->packets++);
    (void)fwrite(head, n + HEADERS, 1, o->file); /* an error sticks to the FILE: pcap_finish() tells */
    (void)fwrite(m->p, m->n, 1, o->file);
    if (o->format == PCAPNG)
        block_tail(o, size);
}

bool pcap_finish(struct pcap_out *o)
{
    bool good = fflush(o->file) == 0 && !ferror(o->file);

    return (o->file == stdout || fclose(o->file) == 0) && good;
}

/* ---- messages ---- */

void put(struct msg *m, const void *p, size_t n)
{
    if (n > sizeof m->p - m->n)
        abort();
    if (n)
        memcpy(m->p + m->n, p, n);
    m->n += n;
}

void put_u8(struct msg *m, unsigned v)
{
    put(m, &(uint8_t){ (uint8_t)v }, 1);
}

void put_u16(struct msg *m, unsigned v)
{
    uint8_t b[2];

    be16(b, v);
    put(m, b, sizeof b);
}

void put_u32(struct msg *m, uint32_t v)
{
    uint8_t b[4];

    be32(b, v);
    put(m, b, sizeof b);
}

void put_text(struct msg *m, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf((char *)m->p + m->n, sizeof m->p - m->n, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof m->p - m->n)
        abort();
    m->n += (size_t)n;
}

/* ---- STUN ---- */

enum { STUN_HEADER = 20, COOKIE = 0x2112A442, SHA1_BYTES = 20 };
enum { ATTR_INTEGRITY = 0x0008, ATTR_FINGERPRINT = 0x8028 };

void stun_begin(struct msg *m, unsigned type, uint64_t tid)
{
    m->n = 0;
    put_u16(m, type);
    put_u16(m, 0);
    put_u32(m, COOKIE);
    put_u32(m, 0x62656e63); /* the transaction id is 96 bits: "benc" and 64 that differ */
    put_u32(m, (uint32_t)(tid >> 32));
    put_u32(m, (uint32_t)tid);
}

/* Both MESSAGE-INTEGRITY and FINGERPRINT cover a length that already counts them (RFC 8489 §14.5, §14.7). */
static void stun_length(struct msg *m, size_t more)
{
    be16(m->p + 2, (unsigned)(m->n + more - STUN_HEADER));
}

void stun_attr(struct msg *m, unsigned code, const void *value, size_t n)
{
    static const uint8_t zero[3];

    put_u16(m, code);
    put_u16(m, (unsigned)n);
    put(m, value, n);
    put(m, zero, (4 - n % 4) % 4);
    stun_length(m, 0);
}

void stun_attr_u32(struct msg *m, unsigned code, uint32_t v)
{
    uint8_t b[4];

    be32(b, v);
    stun_attr(m, code, b, sizeof b);
}

void stun_attr_u64(struct msg *m, unsigned code, uint64_t v)
{
    uint8_t b[8];

    be32(b, (uint32_t)(v >> 32));
    be32(b + 4, (uint32_t)v);
    stun_attr(m, code, b, sizeof b);
}

void stun_xor_mapped(struct msg *m, struct sock mapped)
{
    uint8_t b[8] = { 0, 1 /* IPv4 */ };

    be16(b + 2, mapped.port ^ COOKIE >> 16);
    be32(b + 4, mapped.ip ^ (uint32_t)COOKIE);
    stun_attr(m, ATTR_XOR_MAPPED_ADDRESS, b, sizeof b);
}

void stun_integrity(struct msg *m, const char *password)
{
    uint8_t mac[EVP_MAX_MD_SIZE];

    stun_length(m, 4 + SHA1_BYTES);
    if (!HMAC(EVP_sha1(), password, (int)strlen(password), m->p, m->n, mac, NULL))
        abort();
    stun_attr(m, ATTR_INTEGRITY, mac, SHA1_BYTES);
}

/* CRC-32 as in ISO/IEC 3309 and Ethernet. */
static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

void stun_fingerprint(struct msg *m)
{
    stun_length(m, 8);
    stun_attr_u32(m, ATTR_FINGERPRINT, crc32_of(m->p, m->n) ^ 0x5354554e);
}

/* ---- DNS ---- */

static void dns_name(struct msg *m, const char *name)
{
    while (*name) {
        size_t n = strcspn(name, ".");

        put_u8(m, (unsigned)n);
        put(m, name, n);
        name += n + (name[n] == '.');
    }
    put_u8(m, 0);
}

void dns_message(struct msg *m, unsigned id, const char *name, const uint32_t *answer, uint32_t ttl_s)
{
    const unsigned records = answer ? 1 : 0;

    m->n = 0;
    put_u16(m, id);
    put_u16(m, answer ? 0x8180 : 0x0100); /* recursion desired, and available */
    put_u16(m, 1);
    put_u16(m, records);
    put_u32(m, 0);
    dns_name(m, name);
    put_u16(m, 1); /* A */
    put_u16(m, 1); /* IN */
    if (!answer)
        return;
    put_u16(m, 0xc00c); /* the question's name */
    put_u16(m, 1);
    put_u16(m, 1);
    put_u32(m, ttl_s);
    put_u16(m, 4);
    put_u32(m, *answer);
}

/* ---- RTP and RTCP (RFC 3550) ---- */

void rtp_packet(struct msg *m, bool marker, uint16_t seq, uint32_t timestamp, uint32_t ssrc, const uint8_t payload[PCMU_BYTES])
{
    m->n = 0;
    put_u8(m, 0x80);
    put_u8(m, marker ? 0x80 : 0); /* payload type 0: PCMU */
    put_u16(m, seq);
    put_u32(m, timestamp);
    put_u32(m, ssrc);
    put(m, payload, PCMU_BYTES);
}

void rtcp_report(struct msg *m, int64_t at_ns, const struct rtcp_side *s)
{
    static const int64_t ntp_epoch_s = 2208988800; /* 1900 to 1970 */
    const unsigned reports = s->about ? 1 : 0;

    m->n = 0;
    put_u8(m, 0x80 | reports);
    put_u8(m, 200); /* SR */
    put_u16(m, 6 + 6 * reports);
    put_u32(m, s->ssrc);
    put_u32(m, (uint32_t)(at_ns / NS_PER_S + ntp_epoch_s));
    put_u32(m, (uint32_t)(((uint64_t)(at_ns % NS_PER_S) << 32) / NS_PER_S));
    put_u32(m, s->rtp_time);
    put_u32(m, s->packets);
    put_u32(m, s->octets);
    if (reports) {
        put_u32(m, s->about);
        put_u32(m, s->fraction_lost << 24 | (s->lost & 0xffffff));
        put_u32(m, s->highest_seq);
        put_u32(m, 12); /* jitter: 1.5 ms of 8 kHz */
        put_u32(m, 0);  /* no SR of the other side is echoed */
        put_u32(m, 0);
    }
    put_u8(m, 0x81);
    put_u8(m, 202); /* SDES with one chunk: a CNAME of 8 bytes and the END that fills the word */
    put_u16(m, 4);
    put_u32(m, s->ssrc);
    put_u8(m, 1);
    put_u8(m, 8);
    put_text(m, "%08x", (unsigned)s->ssrc);
    put_u16(m, 0);
}
