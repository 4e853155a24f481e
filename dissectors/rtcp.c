#include "dissectors/rtcp.h"

#include "dissectors/rtp.h"

enum { REPORT_BLOCK = 24, SENDER_INFO = 20, SSRC = 4, SDES_CNAME = 1 };

struct part {
    uint8_t type, count;
    bool padded;
    size_t at;      /* in the datagram */
    struct rd body; /* behind the four bytes that all share */
};

/* One packet of the chain; false where the bytes are no RTCP header, or one whose length does not fit. */
static bool read_part(struct rd *r, size_t wire, struct part *out)
{
    size_t at = wire - rd_wire_left(r);
    uint8_t first = rd_u8(r), type = rd_u8(r);
    size_t bytes = 4u * rd_u16(r);

    if (r->err || first >> 6 != 2 || !rtp_is_rtcp(type))
        return false;
    *out = (struct part){ type, first & 31, first >> 5 & 1, at, rd_sub(r, bytes) };
    return !r->err;
}

/*
 * Plain RTCP or SRTCP? SRTCP leaves the first eight bytes as they were, the plain packet's length among them, encrypts the
 * rest and appends a trailer: E flag and index (4 bytes), perhaps an MKI, and a tag (10 bytes as a rule; RFC 3711 §3.4,
 * RFC 7714 §9). So even a lone SR is followed by bytes that are no RTCP header, and in a compound the headers of the further
 * packets are scrambled. Plain RTCP is a chain of sound headers that fills the datagram exactly (RFC 3550 §6.1); otherwise
 * nothing behind the first eight bytes is believed. Where the capture ends first, one more sound header behind the first
 * packet tells as much, for it stood in the clear; without it a whole first packet may still be an encrypted one.
 */
static bool is_plain(struct rd r)
{
    size_t wire = rd_wire_left(&r), headers = 0;
    struct part p;

    while (rd_wire_left(&r)) {
        if (!read_part(&r, wire, &p))
            return r.err == RD_CUT && headers > 1;
        headers++;
    }
    return true;
}

static bool has_reports(uint8_t type)
{
    return type == RTCP_SR || type == RTCP_RR;
}

/* Shortest body that the packet type's RFC allows, its report blocks, sources and chunks left out. */
static size_t least_body(uint8_t type)
{
    switch (type) {
    case RTCP_SR: return SSRC + SENDER_INFO;
    case RTCP_RR: return SSRC;
    case RTCP_APP: return SSRC + 4;      /* name: RFC 3550 §6.7 */
    case RTCP_RTPFB: return SSRC + SSRC; /* media source: RFC 4585 §6.1 */
    case RTCP_PSFB: return SSRC + SSRC;
    case RTCP_XR: return SSRC;
    default: return 0;
    }
}

/* What the first eight bytes say, which SRTCP too leaves readable. */
static void keep_header(const struct part *p, struct rtcp_msg *out, struct faults *why)
{
    struct rd body = p->body;
    size_t bytes = rd_wire_left(&body), least = least_body(p->type);
    bool sources = p->count || (p->type != RTCP_BYE && p->type != RTCP_SDES);
    uint32_t ssrc = bytes && sources ? rd_u32(&body) : 0;

    if (body.err == RD_CUT)
        return;
    if (bytes < least)
        fault_add(why, FAULT_RTCP_LENGTH, p->at);
    else if (has_reports(p->type) && bytes - least < (size_t)p->count * REPORT_BLOCK)
        fault_add(why, FAULT_RTCP_REPORT_COUNT, p->at);
    out->has_feedback |= p->type == RTCP_RTPFB || p->type == RTCP_PSFB;
    out->has_xr |= p->type == RTCP_XR;
    if (out->packets < RTCP_PACKETS_KEPT)
        out->packet[out->packets++] = (struct rtcp_packet){ p->type, p->count, ssrc };
}

static int32_t signed_24(uint32_t v)
{
    return v & 0x800000 ? (int32_t)v - 0x1000000 : (int32_t)v;
}

/* RFC 3550 §6.4.1. Blocks that a wrong count promises and the packet does not hold end the loop. */
static void read_reports(struct rd *r, uint32_t from, uint8_t count, struct rtcp_msg *out)
{
    while (count-- && rd_left(r) >= REPORT_BLOCK) {
        struct rtcp_report b = { .from = from };

        b.about = rd_u32(r);
        b.fraction_lost = rd_u8(r);
        b.lost = signed_24(rd_u24(r));
        b.highest_seq = rd_u32(r);
        b.jitter = rd_u32(r);
        b.last_sr = rd_u32(r);
        b.delay_last_sr = rd_u32(r);
        if (out->reports < RTCP_REPORTS_KEPT)
            out->report[out->reports++] = b;
    }
}

/* Of several SRs, from a mixer or an endpoint with several streams, the first is kept. */
static void read_sender_info(struct rd *r, uint32_t ssrc, struct rtcp_msg *out)
{
    struct rd info = rd_sub(r, SENDER_INFO);

    if (out->has_sr)
        return;
    out->has_sr = true;
    out->sr_ssrc = ssrc;
    out->sr_ntp = rd_u64(&info);
    out->sr_rtp_time = rd_u32(&info);
    out->sr_packets = rd_u32(&info);
    out->sr_octets = rd_u32(&info);
}

static void read_sr_or_rr(const struct part *p, struct rd r, struct rtcp_msg *out)
{
    uint32_t from = rd_u32(&r);

    if (r.err || (p->type == RTCP_SR && rd_left(&r) < SENDER_INFO))
        return; /* told as RTCP_LENGTH */
    if (p->type == RTCP_SR)
        read_sender_info(&r, from, out);
    read_reports(&r, from, p->count, out);
}

/* RFC 3550 §6.5: chunks of an SSRC and items, ended by a zero byte and filled up to the next 32-bit boundary. */
static bool read_sdes(struct rd r, uint8_t chunks, struct rtcp_msg *out)
{
    while (chunks-- && !r.err) {
        uint8_t item;

        (void)rd_u32(&r);
        while ((item = rd_u8(&r)) != 0) {
            struct span text = rd_take(&r, rd_u8(&r));

            if (item == SDES_CNAME && text.n && !out->cname.n)
                out->cname = text;
        }
        (void)rd_take(&r, rd_left(&r) % 4);
    }
    return !r.err;
}

static bool read_bye(struct rd r, uint8_t sources, struct rtcp_msg *out)
{
    while (sources-- && !r.err) {
        uint32_t ssrc = rd_u32(&r);

        if (!r.err && out->byes < RTCP_BYES_KEPT)
            out->bye[out->byes++] = ssrc;
    }
    return !r.err;
}

/* RFC 3550 §6.4.1: the last octet counts the padding, itself included, and is a multiple of four. */
static bool strip_padding(struct rd *body)
{
    struct span s = rd_rest(body);
    size_t pad = s.n ? s.p[s.n - 1] : 0;

    if (!pad || pad % 4 || pad > s.n)
        return false;
    *body = rd_sub(body, s.n - pad);
    return true;
}

/* A whole packet in the clear. */
static void read_content(const struct part *p, struct rtcp_msg *out, struct faults *why)
{
    struct rd body = p->body;
    bool sound = !p->padded || strip_padding(&body);

    if (has_reports(p->type))
        read_sr_or_rr(p, body, out);
    else if (p->type == RTCP_SDES)
        sound &= read_sdes(body, p->count, out);
    else if (p->type == RTCP_BYE)
        sound &= read_bye(body, p->count, out);
    if (!sound)
        fault_add(why, FAULT_RTCP_LENGTH, p->at);
}

/* Of tables that overflow the first entries stay. A packet that the snap length cut is listed, its contents are not read. */
static void read_chain(struct rd r, bool plain, struct rtcp_msg *out, struct faults *why)
{
    size_t wire = rd_wire_left(&r);
    struct part p;

    while (rd_wire_left(&r) && read_part(&r, wire, &p)) {
        keep_header(&p, out, why);
        if (!plain || p.body.uncap)
            return;
        read_content(&p, out, why);
    }
}

enum dis rtcp_dissect(struct rd *in, struct rtcp_msg *out, struct faults *why)
{
    struct rd r = *in;
    struct span seen = rd_rest(in);
    struct part first;

    *out = (struct rtcp_msg){ 0 };
    if ((seen.n && seen.p[0] >> 6 != 2) || (seen.n > 1 && !rtp_is_rtcp(seen.p[1])))
        return DIS_NOT_MINE;
    if (!read_part(&r, rd_wire_left(&r), &first))
        return r.err == RD_CUT ? DIS_CUT : DIS_NOT_MINE;
    read_chain(*in, is_plain(*in), out, why);
    if (in->uncap)
        return DIS_CUT;
    *in = (struct rd){ in->end, in->end, 0, RD_FINE };
    return DIS_OK;
}
