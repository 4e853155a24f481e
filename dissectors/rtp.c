#include "dissectors/rtp.h"

/* RFC 3551 §6, tables 4 and 5. G722's clock is 8000 by an old mistake that §4.5.2 keeps; L16 is stereo as 10, mono as 11. */
static const struct {
    uint32_t clock_hz;
    const char *name;
} static_types[] = {
    [0] = { 8000, "PCMU" },   [3] = { 8000, "GSM" },    [4] = { 8000, "G723" },   [5] = { 8000, "DVI4" },
    [6] = { 16000, "DVI4" },  [7] = { 8000, "LPC" },    [8] = { 8000, "PCMA" },   [9] = { 8000, "G722" },
    [10] = { 44100, "L16" },  [11] = { 44100, "L16" },  [12] = { 8000, "QCELP" }, [13] = { 8000, "CN" },
    [14] = { 90000, "MPA" },  [15] = { 8000, "G728" },  [16] = { 11025, "DVI4" }, [17] = { 22050, "DVI4" },
    [18] = { 8000, "G729" },  [25] = { 90000, "CelB" }, [26] = { 90000, "JPEG" }, [28] = { 90000, "nv" },
    [31] = { 90000, "H261" }, [32] = { 90000, "MPV" },  [33] = { 90000, "MP2T" }, [34] = { 90000, "H263" },
};

const char *rtp_static_encoding(uint8_t pt, uint32_t *clock_hz)
{
    bool known = pt < sizeof static_types / sizeof *static_types && static_types[pt].name;

    *clock_hz = known ? static_types[pt].clock_hz : 0;
    return known ? static_types[pt].name : NULL;
}

enum { EXT_ONE_BYTE = 0xbede, EXT_TWO_BYTE = 0x1000, EXT_STOP = 15 };

bool rtp_ext_next(uint16_t profile, struct span *ext, uint8_t *id, struct span *value)
{
    bool one = profile == EXT_ONE_BYTE;
    size_t head = one ? 1 : 2, n;

    if (!one && (profile & 0xfff0) != EXT_TWO_BYTE)
        return false;
    while (ext->n && ext->p[0] == 0)
        *ext = span_part(*ext, 1, ext->n);
    if (ext->n < head)
        return false;
    *id = one ? ext->p[0] >> 4 : ext->p[0];
    n = one ? (ext->p[0] & 15u) + 1u : ext->p[1];
    if ((one && *id == EXT_STOP) || n > ext->n - head)
        return false;
    *value = span_part(*ext, head, n);
    *ext = span_part(*ext, head + n, ext->n);
    return true;
}

/* CSRC list and header extension; what the snap length left of the extension is kept. */
static void read_variable_header(struct rd *r, struct rtp_msg *out)
{
    struct rd words;
    size_t bytes;

    (void)rd_take(r, 4u * out->csrcs);
    if (!out->extension)
        return;
    out->ext_profile = rd_u16(r);
    bytes = 4u * rd_u16(r);
    words = rd_sub(r, bytes);
    out->ext = rd_rest(&words);
    if (words.uncap)
        rd_fail(r, words.uncap);
}

/*
 * RFC 3550 §5.1: the last octet counts the padding, itself included. In SRTP it is encrypted and followed by a tag (RFC 3711
 * §3.1), so the fault is only as good as the knowledge that the stream is plain.
 */
static bool padding_fits(struct span payload)
{
    return payload.n && payload.p[payload.n - 1] && payload.p[payload.n - 1] <= payload.n;
}

enum dis rtp_dissect(struct rd *in, struct rtp_msg *out, struct faults *why)
{
    struct rd r = *in;
    struct span seen = rd_rest(in);

    *out = (struct rtp_msg){ 0 };
    if ((seen.n && seen.p[0] >> 6 != 2) || (seen.n > 1 && rtp_is_rtcp(seen.p[1])))
        return DIS_NOT_MINE;
    if (!rtp_peek(rd_take(&r, RTP_HEADER), out))
        return r.err == RD_CUT ? DIS_CUT : DIS_SHORT;
    read_variable_header(&r, out);
    if (r.err == RD_CUT)
        return DIS_CUT;
    out->payload = rd_rest(&r);
    if (r.err || (out->padding && !r.uncap && !padding_fits(out->payload)))
        fault_add(why, FAULT_RTP_HEADER, 0);
    /* The payload's bytes decide nothing here, and live captures leave them out: no DIS_CUT for them. */
    *in = (struct rd){ in->end, in->end, 0, RD_FINE };
    return DIS_OK;
}
