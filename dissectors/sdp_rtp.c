#include "dissectors/sdp_rtp.h"

#include "dissectors/sdp_parse.h"

/* "flexfec-03" has its version behind the name. */
static bool is_repair(struct span encoding)
{
    return span_starts_nocase(encoding, SPAN("ulpfec")) || span_starts_nocase(encoding, SPAN("flexfec")) ||
           span_starts_nocase(encoding, SPAN("parityfec")) || span_starts_nocase(encoding, SPAN("1d-interleaved-parityfec"));
}

enum sdp_role sdp_rtp_role(struct span encoding)
{
    switch (encoding.n) {
    case 2: return span_eq_nocase(encoding, SPAN("cn")) ? SDP_ROLE_NOISE : SDP_ROLE_MEDIA;
    case 3:
        if (span_eq_nocase(encoding, SPAN("rtx")))
            return SDP_ROLE_RTX;
        return span_eq_nocase(encoding, SPAN("red")) ? SDP_ROLE_RED : SDP_ROLE_MEDIA;
    case 4: /* PCMU, opus and most others */ return SDP_ROLE_MEDIA;
    case 15:
        if (span_eq_nocase(encoding, SPAN("telephone-event")))
            return SDP_ROLE_DTMF;
        break;
    default: break;
    }
    return is_repair(encoding) ? SDP_ROLE_FEC : SDP_ROLE_MEDIA;
}

/* "97 apt=96;rtx-time=3000" (RFC 4588 §8.1). Other parameters, and those of formats that the m= line does not list, mean nothing here. */
enum sdp_rtp sdp_rtp_fmtp(struct sdp_media *m, struct sdp_rest *value)
{
    uint64_t pt, apt;

    if (!sdp_number(value, 127, &pt)) /* T.38 and others name no payload type */
        return SDP_RTP_FINE;
    while (value->p < value->end) {
        struct span one = sdp_trim(sdp_until(value, ';'));

        if (!span_starts_nocase(one, SPAN("apt")) || !span_eq_nocase(sdp_trim(span_until(&one, '=')), SPAN("apt")))
            continue;
        if (!span_u64(sdp_trim(one), 127, &apt))
            return SDP_RTP_BROKEN;
        for (size_t i = 0; i < m->formats; i++)
            if (m->format[i].pt == pt)
                m->format[i].apt = (uint8_t)apt;
    }
    return SDP_RTP_FINE;
}

/* "urn:ietf:params:rtp-hdrext:sdes:mid" as "4 URI" or "4/sendrecv URI" (RFC 8285 §8). Ids from 4096 on stand for none yet (§6). */
enum sdp_rtp sdp_rtp_extmap(struct sdp_media *m, struct sdp_rest *value)
{
    struct span id_and_dir = sdp_word(value), uri = sdp_word(value), id_text = span_until(&id_and_dir, '/');
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
enum sdp_rtp sdp_rtp_ssrc(struct sdp_media *m, struct sdp_rest *value)
{
    uint64_t ssrc;

    if (!sdp_number(value, UINT32_MAX, &ssrc))
        return SDP_RTP_BROKEN;
    return ssrc_keep(m, (uint32_t)ssrc, false);
}

/* "FID 1 2": the first is the stream, the others repair it. Other semantics, such as SIM, join streams of media. */
enum sdp_rtp sdp_rtp_ssrc_group(struct sdp_media *m, struct sdp_rest *value)
{
    struct span semantics = sdp_word(value);
    bool repairs = span_eq(semantics, SPAN("FID")) || span_eq(semantics, SPAN("FEC-FR"));
    enum sdp_rtp got = SDP_RTP_FINE;
    bool first = true;

    for (; value->p < value->end && got == SDP_RTP_FINE; first = false) {
        uint64_t ssrc;

        got = sdp_number(value, UINT32_MAX, &ssrc) ? ssrc_keep(m, (uint32_t)ssrc, repairs && !first) : SDP_RTP_BROKEN;
    }
    return got;
}
