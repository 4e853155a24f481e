/*
 * RTP (RFC 3550 §5.1; header extension §5.3.1).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |           synchronization source (SSRC) identifier            |
 */
#ifndef RW_DISSECTORS_RTP_H
#define RW_DISSECTORS_RTP_H

#include "dissect.h"

enum { RTP_HEADER = 12 };

struct rtp_msg {
    uint8_t pt, csrcs;
    bool marker, padding, extension;
    uint16_t seq, ext_profile;
    uint32_t timestamp, ssrc;
    struct span ext;     /* the extension's words, as captured */
    struct span payload; /* as captured, padding not taken off */
};

/* The fixed header only, for the path that every packet takes. False unless 12 bytes of version 2. */
static inline bool rtp_peek(struct span s, struct rtp_msg *out)
{
    if (s.n < RTP_HEADER || s.p[0] >> 6 != 2)
        return false;
    out->csrcs = s.p[0] & 15;
    out->padding = s.p[0] >> 5 & 1;
    out->extension = s.p[0] >> 4 & 1;
    out->marker = s.p[1] >> 7;
    out->pt = s.p[1] & 127;
    out->seq = (uint16_t)(s.p[2] << 8 | s.p[3]);
    out->timestamp = (uint32_t)s.p[4] << 24 | (uint32_t)s.p[5] << 16 | (uint32_t)s.p[6] << 8 | s.p[7];
    out->ssrc = (uint32_t)s.p[8] << 24 | (uint32_t)s.p[9] << 16 | (uint32_t)s.p[10] << 8 | s.p[11];
    return true;
}

/* RFC 5761 §4: these second bytes are RTCP, not RTP. */
static inline bool rtp_is_rtcp(uint8_t second_byte)
{
    return second_byte >= 192 && second_byte <= 223;
}

/*
 * One element of a header extension (RFC 8285 §4.2 one-byte form, §4.3 two-byte form): takes it off the front of *ext, padding passed
 * over. False at the end, and where what is left is no element. `profile`: rtp_msg.ext_profile.
 */
bool rtp_ext_next(uint16_t profile, struct span *ext, uint8_t *id, struct span *value);

enum dis rtp_dissect(struct rd *in, struct rtp_msg *out, struct faults *why);

/* The encoding name and clock of a static payload type (RFC 3551 §6); NULL and 0 for a dynamic or unassigned one. */
const char *rtp_static_encoding(uint8_t pt, uint32_t *clock_hz);

#endif
