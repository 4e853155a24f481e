/* The attributes of an SDP (RFC 8866 §6). */
#include "dissectors/sdp_reader.h"
#include "dissectors/sdp_rtp.h"

APART static void keep_candidate(struct sdp_reader *r)
{
    bool room = r->now != &r->unkept && r->out->cands < SDP_CANDIDATES_KEPT;
    struct sdp_cand spare, *c = room ? &r->out->cand[r->out->cands] : &spare;

    sdp_trim_front(&r->rest);
    if (!sdp_read_candidate(&r->rest, c) || r->now == &r->session) {
        sdp_fault(r, FAULT_SDP_CANDIDATE);
    } else if (!room) {
        sdp_fault(r, FAULT_SDP_CANDIDATE_COUNT);
    } else {
        c->media = (uint8_t)(r->out->medias - 1);
        r->out->cands++;
    }
}

/* "111 opus/48000/2" (RFC 8866 §6.6). A map for a format that the m= line does not list means nothing. */
APART static void read_rtpmap(struct sdp_reader *r)
{
    struct sdp_media *m = r->now;
    struct span encoding;
    uint64_t pt, clock_hz;
    bool sound = sdp_number(&r->rest, 127, &pt);

    encoding = sdp_trim(sdp_until(&r->rest, '/'));
    sdp_trim_front(&r->rest);
    sound = sound && encoding.n && sdp_digits(&r->rest, UINT32_MAX, &clock_hz);
    sdp_trim_front(&r->rest);
    if (!sound || !sdp_ends(&r->rest, '/')) {
        sdp_fault(r, FAULT_SDP_FIELD);
        return;
    }
    for (struct sdp_format *f = m->format, *end = f + m->formats; f < end; f++)
        if (f->pt == pt) {
            f->encoding = encoding;
            f->clock_hz = (uint32_t)clock_hz;
            f->role = sdp_rtp_role(encoding);
        }
}

/* "53020" or "53020 IN IP4 192.0.2.1" (RFC 3605 §2.1). */
APART static void read_rtcp(struct sdp_reader *r)
{
    struct span host;
    uint64_t port;

    if (!sdp_number(&r->rest, UINT16_MAX, &port)) {
        sdp_fault(r, FAULT_SDP_FIELD);
        return;
    }
    r->now->rtcp = addr_with_port(ADDR_NONE, (uint16_t)port);
    r->rtcp_at_c = r->rest.p == r->rest.end;
    if (!r->rtcp_at_c && !sdp_connection(&r->rest, (uint16_t)port, &host, &r->now->rtcp))
        sdp_fault(r, FAULT_SDP_FIELD);
}

/* RFC 8866 §6.4 allows "20.5"; the whole milliseconds are kept. */
APART static void read_ptime(struct sdp_reader *r)
{
    uint64_t ms;

    sdp_trim_front(&r->rest);
    if (sdp_digits(&r->rest, UINT16_MAX, &ms) && sdp_ends(&r->rest, '.') && ms)
        r->now->ptime_ms = (uint16_t)ms;
    else
        sdp_fault(r, FAULT_SDP_FIELD);
}

APART static void read_group(struct sdp_reader *r)
{
    if (span_eq(sdp_word(&r->rest), SPAN("BUNDLE")) && !r->out->bundle.n)
        r->out->bundle = sdp_trim(sdp_all(&r->rest));
}

APART static void keep_text(struct sdp_reader *r, struct span *text)
{
    sdp_trim_front(&r->rest);
    if (r->rest.p == r->rest.end)
        sdp_fault(r, FAULT_SDP_FIELD);
    if (!text->n)
        *text = sdp_all(&r->rest);
}

APART static void keep_fingerprint(struct sdp_reader *r)
{
    r->now->more_fingerprints |= r->now->fingerprint.n > 0;
    keep_text(r, &r->now->fingerprint);
}

static void keep_direction(struct sdp_media *m, enum sdp_dir dir)
{
    if (!m->has_dir)
        m->dir = dir;
    m->has_dir = true;
}

/* Whose RTP is whose; at session level only header extensions may stand (RFC 8285 §8). */
static void rtp_fault(struct sdp_reader *r, enum sdp_rtp got)
{
    if (got != SDP_RTP_FINE)
        sdp_fault(r, got == SDP_RTP_FULL ? FAULT_SDP_SSRC_COUNT : FAULT_SDP_FIELD);
}

APART static void read_fmtp(struct sdp_reader *r)
{
    rtp_fault(r, sdp_rtp_fmtp(r->now, &r->rest));
}

APART static void read_extmap(struct sdp_reader *r)
{
    rtp_fault(r, sdp_rtp_extmap(r->now, &r->rest));
}

APART static void read_ssrc(struct sdp_reader *r)
{
    rtp_fault(r, sdp_rtp_ssrc(r->now, &r->rest));
}

APART static void read_ssrc_group(struct sdp_reader *r)
{
    rtp_fault(r, sdp_rtp_ssrc_group(r->now, &r->rest));
}

/* The value behind a name of `n` bytes: `n` is known where it is called, so that nobody waits for where the name was found to end. */
static inline bool value_behind(struct sdp_reader *r, size_t n)
{
    r->rest.p += n;
    r->rest.p += r->rest.p < r->rest.end;
    return true;
}

/* In a switch over the length of the name, so that it is not compared again. */
#define IS(literal)     (span_eq(name, SPAN(literal)) && value_behind(r, sizeof(literal) - 1))
#define IS_DIR(literal) span_eq_nocase(name, SPAN(literal)) /* directions may stand in any case */

APART static void read_attribute_8(struct sdp_reader *r, struct span name)
{
    struct sdp_media *m = r->now;

    if (IS_DIR("sendrecv"))
        keep_direction(m, SDP_SENDRECV);
    else if (IS_DIR("sendonly"))
        keep_direction(m, SDP_SENDONLY);
    else if (IS_DIR("recvonly"))
        keep_direction(m, SDP_RECVONLY);
    else if (IS_DIR("inactive"))
        keep_direction(m, SDP_INACTIVE);
    else if (IS("ice-lite"))
        r->out->ice_lite = true;
    else
        m->rtcp_mux |= IS("rtcp-mux");
}

/* Of an attribute that stands twice in one section, the first counts: fingerprint may (RFC 8122 §5), the others must not. */
void sdp_read_attribute(struct sdp_reader *r)
{
    struct sdp_media *m = r->now;
    struct span name = { r->rest.p, (size_t)(sdp_find(&r->rest, ':') - r->rest.p) };

    switch (name.n) {
    case 0: sdp_fault(r, FAULT_SDP_FIELD); break;
    case 3:
        if (IS("mid"))
            keep_text(r, &m->mid);
        break;
    case 4:
        if (IS("fmtp"))
            read_fmtp(r);
        else if (IS("rtcp"))
            read_rtcp(r);
        else if (IS("ssrc"))
            read_ssrc(r);
        break;
    case 5:
        if (IS("ptime"))
            read_ptime(r);
        else if (IS("setup"))
            keep_text(r, &m->setup);
        else if (IS("group"))
            read_group(r);
        break;
    case 6:
        if (IS("rtpmap"))
            read_rtpmap(r);
        else if (IS("extmap"))
            read_extmap(r);
        break;
    case 7:
        if (IS("ice-pwd"))
            keep_text(r, &m->pwd);
        break;
    case 8: read_attribute_8(r, name); break;
    case 9:
        if (IS("candidate"))
            keep_candidate(r);
        else if (IS("ice-ufrag"))
            keep_text(r, &m->ufrag);
        break;
    case 10:
        if (IS("ssrc-group"))
            read_ssrc_group(r);
        break;
    case 11:
        if (IS("fingerprint"))
            keep_fingerprint(r);
        else if (IS("ice-options"))
            keep_text(r, &m->ice_options);
        else
            m->bundle_only |= IS("bundle-only");
        break;
    case 12: m->ice_mismatch |= IS("ice-mismatch"); break;
    case 17: m->end_of_candidates |= IS("end-of-candidates"); break;
    default: break;
    }
}
