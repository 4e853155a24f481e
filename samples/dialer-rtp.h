/*
 * The RTP stream of `asterisk-like-dialer`: packets to send, and what is heard, for its reports. It knows no sockets.
 */
#ifndef SAMPLES_DIALER_RTP_H
#define SAMPLES_DIALER_RTP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTP_PACKET = 200 }; /* room that the longest packet here, RTP or RTCP, fits in */

struct codec {
    const char *name, *format; /* for the command line, and for a=rtpmap */
    uint8_t type, frame;       /* payload type (RFC 3551 §6), bytes in 20 ms */
    int packet_ms;
};

struct report_source { /* what RTCP says of the stream that comes in, RFC 3550 §6.4.1 */
    uint32_t ssrc, first, highest, packets;
    bool heard;
};

struct rtp_stream {
    const struct codec *codec;
    uint32_t ssrc, timestamp, packets;
    uint16_t seq;
    double phase; /* of the tone */
    struct report_source in;
};

/* NULL where there is none of that name. */
const struct codec *codec_named(const char *name);

/* The next RTP packet, and the next RTCP report with its SDES; both give their length. */
size_t rtp_next(struct rtp_stream *s, uint8_t packet[RTP_PACKET]);
size_t rtcp_report(const struct rtp_stream *s, uint8_t packet[RTP_PACKET]);

/* A datagram that came to the RTP port. */
void rtp_heard(struct rtp_stream *s, const uint8_t *packet, size_t n);

static inline void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static inline uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

#endif
