#include "dissectors/sdp_rtp.h"

#include "dissectors/sdp_parse.h"

enum sdp_role sdp_rtp_role(struct span encoding)
{
    static const struct {
        struct span encoding; /* or how it begins: "flexfec-03" */
        enum sdp_role role;
    } roles[] = {
        { SPAN_INIT("rtx"), SDP_ROLE_RTX },       { SPAN_INIT("red"), SDP_ROLE_RED },
        { SPAN_INIT("ulpfec"), SDP_ROLE_FEC },    { SPAN_INIT("flexfec"), SDP_ROLE_FEC },
        { SPAN_INIT("parityfec"), SDP_ROLE_FEC }, { SPAN_INIT("1d-interleaved-parityfec"), SDP_ROLE_FEC },
        { SPAN_INIT("cn"), SDP_ROLE_NOISE },      { SPAN_INIT("telephone-event"), SDP_ROLE_DTMF },
    };

    for (size_t i = 0; encoding.n && i < sizeof roles / sizeof *roles; i++)
        if ((encoding.p[0] | 32) == (roles[i].encoding.p[0] | 32) &&
            (span_eq_nocase(encoding, roles[i].encoding) ||
             (roles[i].role == SDP_ROLE_FEC && span_starts_nocase(encoding, roles[i].encoding))))
            return roles[i].role;
    return SDP_ROLE_MEDIA;
}

/* "97 apt=96;rtx-time=3000" (RFC 4588 §8.1). Other parameters, and those of formats that the m= line does not list, mean nothing here. */
static enum sdp_rtp read_fmtp(struct sdp_media *m, struct span value)
{
    struct span pt_text = sdp_word(&value);
    uint64_t pt, apt;

    if (!span_u64(pt_text, 127, &pt)) /* T.38 and others name no payload type */
        return SDP_RTP_FINE;
    while (value.n) {
        struct span one = span_trim(span_until(&value, ';')), name = span_until(&one, '=');

        if (!span_eq_nocase(span_trim(name), SPAN("apt")))
            continue;
        if (!span_u64(span_trim(one), 127, &apt))
            return SDP_RTP_BROKEN;
        for (size_t i = 0; i < m->formats; i++)
            if (m->format[i].pt == pt)
                m->format[i].apt = (uint8_t)apt;
    }
    return SDP_RTP_FINE;
}

/* "urn:ietf:params:rtp-hdrext:sdes:mid" as "4 URI" or "4/sendrecv URI" (RFC 8285 §8). Ids from 4096 on stand for none yet (§6). */
static enum sdp_rtp read_extmap(struct sdp_media *m, struct span value)
{
    struct span id_and_dir = sdp_word(&value), uri = sdp_word(&value), id_text = span_until(&id_and_dir, '/');
    uint64_t id;

    if (!span_u64(id_text, UINT16_MAX, &id) || id == 0 || !uri.n)
        return SDP_RTP_BROKEN;
    if (span_eq(uri, SPAN("urn:ietf:params:rtp-hdrext:sdes:mid")) && id <= UINT8_MAX && !m->mid_ext)
        m->mid_ext = (uint8_t)id;
    return SDP_RTP_FINE;
}

static enum sdp_rtp ssrc_keep(struct sdp_media *m, uint32_t ssrc, bool repair)
{
    for (size_t i = 0; i < m->ssrcs; i++)
        if (m->ssrc[i].ssrc == ssrc) {
            m->ssrc[i].repair |= repair;
            return SDP_RTP_FINE;
        }
    if (m->ssrcs == SDP_SSRCS_KEPT)
        return SDP_RTP_FULL;
    m->ssrc[m->ssrcs++] = (struct sdp_ssrc){ ssrc, repair };
    return SDP_RTP_FINE;
}

/* "1234567890 cname:abc" (RFC 5576 §4.1); one line for each of its attributes. */
static enum sdp_rtp read_ssrc(struct sdp_media *m, struct span value)
{
    uint64_t ssrc;

    if (!span_u64(sdp_word(&value), UINT32_MAX, &ssrc))
        return SDP_RTP_BROKEN;
    return ssrc_keep(m, (uint32_t)ssrc, false);
}

/* "FID 1 2": the first is the stream, the others repair it. Other semantics, such as SIM, join streams of media. */
static enum sdp_rtp read_ssrc_group(struct sdp_media *m, struct span value)
{
    struct span semantics = sdp_word(&value);
    bool repairs = span_eq(semantics, SPAN("FID")) || span_eq(semantics, SPAN("FEC-FR"));
    enum sdp_rtp got = SDP_RTP_FINE;
    bool first = true;

    for (struct span text = sdp_word(&value); text.n && got == SDP_RTP_FINE; text = sdp_word(&value), first = false) {
        uint64_t ssrc;

        got = span_u64(text, UINT32_MAX, &ssrc) ? ssrc_keep(m, (uint32_t)ssrc, repairs && !first) : SDP_RTP_BROKEN;
    }
    return got;
}

enum sdp_rtp sdp_rtp_attribute(struct sdp_media *m, struct span name, struct span value)
{
    if (span_eq(name, SPAN("fmtp")))
        return read_fmtp(m, value);
    if (span_eq(name, SPAN("extmap")))
        return read_extmap(m, value);
    if (span_eq(name, SPAN("ssrc")))
        return read_ssrc(m, value);
    if (span_eq(name, SPAN("ssrc-group")))
        return read_ssrc_group(m, value);
    return SDP_RTP_NOT_MINE;
}
