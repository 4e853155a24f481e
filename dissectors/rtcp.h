/*
 * RTCP: compound (RFC 3550 §6.1) and reduced-size (RFC 5506). SR, RR, SDES CNAME, BYE, XR (RFC 3611), feedback (RFC 4585).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |V=2|P|   RC    |      PT       |       length in words - 1     |
 * |                         SSRC of sender                        |
 */
#ifndef RW_DISSECTORS_RTCP_H
#define RW_DISSECTORS_RTCP_H

#include "dissect.h"

enum {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205,
    RTCP_PSFB = 206,
    RTCP_XR = 207
};
enum { RTCP_PACKETS_KEPT = 16, RTCP_REPORTS_KEPT = 62, RTCP_BYES_KEPT = 31 };

struct rtcp_packet {
    uint8_t type, count; /* count: RC, SC or FMT, as in the header */
    uint32_t ssrc;       /* of its sender; 0 for a BYE or SDES without sources */
};

/* RFC 3550 §6.4.1 report block. */
struct rtcp_report {
    uint32_t from;  /* SSRC of who reports */
    uint32_t about; /* SSRC of the stream reported on */
    uint8_t fraction_lost;
    int32_t lost;         /* cumulative; may be negative */
    uint32_t highest_seq; /* extended */
    uint32_t jitter;      /* timestamp units */
    uint32_t last_sr, delay_last_sr;
};

struct rtcp_msg {
    size_t packets;
    struct rtcp_packet packet[RTCP_PACKETS_KEPT];
    bool has_sr;
    uint32_t sr_ssrc, sr_packets, sr_octets, sr_rtp_time;
    uint64_t sr_ntp;
    size_t reports;
    struct rtcp_report report[RTCP_REPORTS_KEPT];
    size_t byes;
    uint32_t bye[RTCP_BYES_KEPT];
    struct span cname; /* the first CNAME */
    bool has_feedback, has_xr;
};

/*
 * A whole datagram. DIS_NOT_MINE unless the first packet is version 2, of type 192..223 and fits.
 * What follows the first packet may be SRTCP (encrypted, with its trailer): bytes that do not parse as further packets are then
 * no fault as long as the first packet's header stands, and `packet[0]` (type, count, SSRC) is what may be believed.
 */
enum dis rtcp_dissect(struct rd *in, struct rtcp_msg *out, struct faults *why);

#endif
