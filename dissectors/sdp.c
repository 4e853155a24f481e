#include "dissectors/sdp.h"

#include <stddef.h>

#include "dissectors/rtp.h"
#include "dissectors/sdp_parse.h"
#include "dissectors/sdp_rtp.h"

enum { LINE_USUAL = 128 };

/* A description is read line by line into the session's part first, then into one media section after another (RFC 8866 §5). */
struct reader {
    struct span text;
    size_t at;      /* offset of the line in hand */
    bool cut;       /* the snap length took the rest of the text */
    unsigned seen;  /* the session's line types met so far, one bit a letter */
    bool rtcp_at_c; /* this section's a=rtcp gives a port alone: the address is that of c= (RFC 3605 §2.1) */
    struct sdp *out;
    struct faults *why;
    struct sdp_media *now;
    struct sdp_media session; /* what the media sections inherit */
    struct sdp_media unkept;  /* takes the lines of sections beyond SDP_MEDIA_KEPT, so that no other section gets them */
};

static const char *const kind_names[] = {
    [SDP_OTHER] = "other",
    [SDP_AUDIO] = "audio",
    [SDP_VIDEO] = "video",
    [SDP_TEXT] = "text",
    [SDP_APPLICATION] = "application",
    [SDP_IMAGE] = "image",
    [SDP_MESSAGE] = "message",
};

static const char *const dir_names[] = {
    [SDP_SENDRECV] = "sendrecv",
    [SDP_SENDONLY] = "sendonly",
    [SDP_RECVONLY] = "recvonly",
    [SDP_INACTIVE] = "inactive",
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Its lists are large, and written entry by entry. */
static void media_clear(struct sdp_media *m)
{
    memset(m, 0, offsetof(struct sdp_media, format));
}

/* The address type is that of the literal; a name goes with both. */
static bool is_addrtype(struct span addrtype, struct span host)
{
    bool v6_literal = span_find(host, ':') < host.n;

    if (span_eq(addrtype, SPAN("IP4")))
        return !v6_literal;
    return span_eq(addrtype, SPAN("IP6")) && (v6_literal || sdp_is_host_name(host));
}

/* "IN IP4 192.0.2.1" and nothing else, as nearly all are. */
static bool usual_connection(struct span value, uint16_t port, struct addr *out)
{
    const struct span begin = SPAN("IN IP4 ");
    struct span text = span_part(value, begin.n, value.n);

    return span_starts(value, begin) && addr_parse_ip(text, port, out) && span_find(text, ':') == text.n;
}

/* "IN IP4 192.0.2.1" (RFC 8866 §5.7). The TTL and the number of addresses, "224.2.1.1/127/3", are left out of *host. */
static bool read_connection(struct span value, uint16_t port, struct span *host, struct addr *out)
{
    struct span net, addrtype, address;

    if (usual_connection(value, port, out)) {
        *host = span_part(value, SPAN("IN IP4 ").n, value.n);
        return true;
    }
    net = sdp_word(&value);
    addrtype = sdp_word(&value);
    address = sdp_word(&value);
    *host = span_until(&address, '/');
    return sdp_host(*host, port, out) && span_eq(net, SPAN("IN")) && is_addrtype(addrtype, *host);
}

/* ---- attributes (RFC 8866 §6) ---- */

static void fault(struct reader *r, enum fault_id id)
{
    fault_add(r->why, id, r->at);
}

static void keep_candidate(struct reader *r, struct span value)
{
    struct sdp_cand c;

    if (!sdp_candidate(value, &c) || r->now == &r->session) {
        fault(r, FAULT_SDP_CANDIDATE);
    } else if (r->now == &r->unkept || r->out->cands == SDP_CANDIDATES_KEPT) {
        fault(r, FAULT_SDP_CANDIDATE_COUNT);
    } else {
        c.media = (uint8_t)(r->out->medias - 1);
        r->out->cand[r->out->cands++] = c;
    }
}

/* "111 opus/48000/2" (RFC 8866 §6.6). A map for a format that the m= line does not list means nothing. */
static void read_rtpmap(struct reader *r, struct span value)
{
    struct span pt_text = sdp_word(&value), clock_text, encoding;
    uint64_t pt, clock_hz;

    encoding = span_trim(span_until(&value, '/'));
    clock_text = span_trim(span_until(&value, '/'));
    if (!span_u64(pt_text, 127, &pt) || !encoding.n || !span_u64(clock_text, UINT32_MAX, &clock_hz)) {
        fault(r, FAULT_SDP_FIELD);
        return;
    }
    for (size_t i = 0; i < r->now->formats; i++)
        if (r->now->format[i].pt == pt) {
            r->now->format[i].encoding = encoding;
            r->now->format[i].clock_hz = (uint32_t)clock_hz;
            r->now->format[i].role = sdp_rtp_role(encoding);
        }
}

/* "53020" or "53020 IN IP4 192.0.2.1" (RFC 3605 §2.1). */
static void read_rtcp(struct reader *r, struct span value)
{
    struct span port_text = sdp_word(&value), host;
    uint64_t port;

    if (!span_u64(port_text, UINT16_MAX, &port)) {
        fault(r, FAULT_SDP_FIELD);
        return;
    }
    r->now->rtcp = addr_with_port(ADDR_NONE, (uint16_t)port);
    r->rtcp_at_c = value.n == 0;
    if (value.n && !read_connection(value, (uint16_t)port, &host, &r->now->rtcp))
        fault(r, FAULT_SDP_FIELD);
}

/* RFC 8866 §6.4 allows "20.5"; the whole milliseconds are kept. */
static void read_ptime(struct reader *r, struct span value)
{
    uint64_t ms;

    if (sdp_number(span_until(&value, '.'), 1, UINT16_MAX, &ms))
        r->now->ptime_ms = (uint16_t)ms;
    else
        fault(r, FAULT_SDP_FIELD);
}

static void read_group(struct reader *r, struct span value)
{
    if (span_eq(sdp_word(&value), SPAN("BUNDLE")) && !r->out->bundle.n)
        r->out->bundle = span_trim(value);
}

static bool *flag_of(struct reader *r, struct span name)
{
    if (span_eq(name, SPAN("rtcp-mux")))
        return &r->now->rtcp_mux;
    if (span_eq(name, SPAN("ice-mismatch")))
        return &r->now->ice_mismatch;
    if (span_eq(name, SPAN("end-of-candidates")))
        return &r->now->end_of_candidates;
    if (span_eq(name, SPAN("bundle-only")))
        return &r->now->bundle_only;
    if (span_eq(name, SPAN("ice-lite")))
        return &r->out->ice_lite;
    return NULL;
}

static struct span *text_of(struct sdp_media *m, struct span name)
{
    if (span_eq(name, SPAN("mid")))
        return &m->mid;
    if (span_eq(name, SPAN("ice-ufrag")))
        return &m->ufrag;
    if (span_eq(name, SPAN("ice-pwd")))
        return &m->pwd;
    if (span_eq(name, SPAN("ice-options")))
        return &m->ice_options;
    if (span_eq(name, SPAN("fingerprint")))
        return &m->fingerprint;
    if (span_eq(name, SPAN("setup")))
        return &m->setup;
    return NULL;
}

/* Whose RTP is whose; at session level only header extensions may stand (RFC 8285 §8). */
static void read_rtp(struct reader *r, struct span name, struct span value)
{
    switch (sdp_rtp_attribute(r->now, name, value)) {
    case SDP_RTP_BROKEN: fault(r, FAULT_SDP_FIELD); break;
    case SDP_RTP_FULL: fault(r, FAULT_SDP_SSRC_COUNT); break;
    default: break;
    }
}

static void read_structured(struct reader *r, struct span name, struct span value)
{
    if (span_eq(name, SPAN("candidate")))
        keep_candidate(r, value);
    else if (span_eq(name, SPAN("rtpmap")))
        read_rtpmap(r, value);
    else if (span_eq(name, SPAN("rtcp")))
        read_rtcp(r, value);
    else if (span_eq(name, SPAN("ptime")))
        read_ptime(r, value);
    else if (span_eq(name, SPAN("group")))
        read_group(r, value);
    else if (!name.n)
        fault(r, FAULT_SDP_FIELD);
    else
        read_rtp(r, name, value);
}

/* Of an attribute that stands twice in one section, the first counts: fingerprint may (RFC 8122 §5), the others must not. */
static void read_attribute(struct reader *r, struct span value)
{
    struct span name = span_until(&value, ':'), *text = text_of(r->now, name);
    size_t dir = name.n == SPAN("sendrecv").n ? sdp_name_index(name, dir_names, COUNT(dir_names)) : COUNT(dir_names);
    bool *flag = flag_of(r, name);

    value = span_trim(value);
    if (flag) {
        *flag = true;
    } else if (text) {
        if (!value.n)
            fault(r, FAULT_SDP_FIELD);
        r->now->more_fingerprints |= text == &r->now->fingerprint && text->n > 0;
        if (!text->n)
            *text = value;
    } else if (dir < COUNT(dir_names)) {
        if (!r->now->has_dir)
            r->now->dir = (enum sdp_dir)dir;
        r->now->has_dir = true;
    } else {
        read_structured(r, name, value);
    }
}

/* ---- lines (RFC 8866 §5) ---- */

/* "jdoe 2890844526 2890842807 IN IP4 198.51.100.1" (RFC 8866 §5.2) */
static void read_origin(struct reader *r, struct span value)
{
    struct span host, version;

    if (r->out->origin.n)
        return;
    r->out->origin = value;
    (void)sdp_word(&value); /* username */
    (void)sdp_word(&value); /* sess-id */
    version = sdp_word(&value);
    if (!span_u64(version, UINT64_MAX, &r->out->version) || !read_connection(value, 0, &host, &r->out->origin_addr))
        fault(r, FAULT_SDP_FIELD);
}

/* A section may hold several c= (RFC 8866 §5.7); the first is where the media goes. */
static void read_c(struct reader *r, struct span value)
{
    struct sdp_media *m = r->now;

    if (!m->host.n && !read_connection(value, m->port, &m->host, &m->addr))
        fault(r, FAULT_SDP_FIELD);
}

/* "RTP/AVP", "UDP/TLS/RTP/SAVPF", ...: only there a format is a payload type. */
static bool is_rtp(struct span proto)
{
    while (proto.n)
        if (span_eq_nocase(span_until(&proto, '/'), SPAN("RTP")))
            return true;
    return false;
}

static void read_formats(struct reader *r, struct sdp_media *m, struct span list)
{
    for (struct span text = sdp_word(&list); text.n; text = sdp_word(&list)) {
        struct sdp_format *f = &m->format[m->formats];
        uint64_t pt;

        if (!span_u64(text, 127, &pt)) {
            fault(r, FAULT_SDP_FIELD);
        } else if (m->formats == SDP_FORMATS_KEPT) {
            fault(r, FAULT_SDP_FORMAT_COUNT);
            return;
        } else {
            f->pt = f->apt = (uint8_t)pt;
            f->encoding = span_str(rtp_static_encoding(f->pt, &f->clock_hz));
            f->role = sdp_rtp_role(f->encoding);
            m->formats++;
        }
    }
}

static void inherit(struct span *own, struct span session)
{
    if (!own->n)
        *own = session;
}

static void end_section(struct reader *r)
{
    struct sdp_media *m = r->now;
    const struct sdp_media *s = &r->session;

    if (m == s)
        return;
    if (!m->host.n) {
        m->host = s->host;
        m->addr = addr_with_port(s->addr, m->port);
    }
    if (!m->has_dir) {
        m->has_dir = s->has_dir;
        m->dir = s->dir;
    }
    if (r->rtcp_at_c)
        m->rtcp = addr_with_port(m->addr, m->rtcp.port);
    m->end_of_candidates |= s->end_of_candidates; /* RFC 8840: at either level */
    inherit(&m->ufrag, s->ufrag);
    inherit(&m->pwd, s->pwd);
    inherit(&m->ice_options, s->ice_options);
    if (!m->fingerprint.n)
        m->more_fingerprints = s->more_fingerprints;
    inherit(&m->fingerprint, s->fingerprint);
    inherit(&m->setup, s->setup);
    m->mid_ext = m->mid_ext ? m->mid_ext : s->mid_ext;
    if (!m->host.n && m->port && !r->cut)
        fault(r, FAULT_SDP_FIELD);
}

static struct sdp_media *begin_section(struct reader *r)
{
    end_section(r);
    r->rtcp_at_c = false;
    if (r->out->medias < SDP_MEDIA_KEPT) {
        r->now = &r->out->media[r->out->medias++];
    } else {
        fault(r, FAULT_SDP_MEDIA_COUNT);
        r->now = &r->unkept;
    }
    media_clear(r->now);
    return r->now;
}

static enum sdp_kind kind_of(struct span name)
{
    size_t i = sdp_name_index(name, kind_names, COUNT(kind_names));

    return i < COUNT(kind_names) ? (enum sdp_kind)i : SDP_OTHER;
}

/* "audio 49170/2 RTP/AVP 0 8" (RFC 8866 §5.14). A line with faults keeps its place: offer and answer match by position. */
static void read_m(struct reader *r, struct span value)
{
    struct sdp_media *m = begin_section(r);
    struct span ports, port_text;
    uint64_t port = 0, count;

    m->kind_name = sdp_word(&value);
    m->kind = kind_of(m->kind_name);
    ports = sdp_word(&value);
    port_text = span_until(&ports, '/');
    m->proto = sdp_word(&value);
    if (!span_u64(port_text, UINT16_MAX, &port) || (ports.n && !span_u64(ports, UINT16_MAX, &count)) || !value.n)
        fault(r, FAULT_SDP_FIELD);
    m->port = (uint16_t)port;
    m->addr.port = m->port;
    if (is_rtp(m->proto))
        read_formats(r, m, value);
}

#define BIT(letter) (1u << ((letter) - 'a'))

/* What RFC 8866 §9 allows after the first m= line, and before it. */
static bool is_type(const struct reader *r, uint8_t type)
{
    const unsigned of_media = BIT('m') | BIT('i') | BIT('c') | BIT('b') | BIT('k') | BIT('a');
    const unsigned of_session =
        of_media | BIT('v') | BIT('o') | BIT('s') | BIT('u') | BIT('e') | BIT('p') | BIT('t') | BIT('r') | BIT('z');

    return type >= 'a' && type <= 'z' && (r->now == &r->session ? of_session : of_media) & BIT(type);
}

static void read_line(struct reader *r, struct span line)
{
    struct span value = span_trim(span_part(line, 2, line.n));

    if (line.n < 2 || line.p[1] != '=' || !is_type(r, line.p[0])) {
        fault(r, FAULT_SDP_LINE);
        return;
    }
    r->seen |= BIT(line.p[0]);
    switch (line.p[0]) {
    case 'v':
        if (!span_eq(value, SPAN("0")))
            fault(r, FAULT_SDP_FIELD);
        break;
    case 'o': read_origin(r, value); break;
    case 'c': read_c(r, value); break;
    case 'm': read_m(r, value); break;
    case 'a': read_attribute(r, value); break;
    default: break;
    }
}

static bool is_line_end(uint8_t c)
{
    return c == '\r' || c == '\n';
}

/* Up to the first CR or LF. The near LF is looked for first, which is fast; a text without any has lines that are read byte by byte. */
static size_t line_length(struct span s)
{
    struct span near = span_part(s, 0, LINE_USUAL);
    size_t n = span_find(near, '\n');

    if (n < near.n)
        return span_find(span_part(s, 0, n), '\r');
    for (n = 0; n < s.n && !is_line_end(s.p[n]); n++)
        ;
    return n;
}

/* Empty lines, and so the LF of a CRLF, are passed over. The last line may lack its end, but not where the snap length cut it. */
static bool next_line(struct span *rest, bool cut, struct span *line)
{
    size_t n;

    for (; rest->n && is_line_end(rest->p[0]); rest->n--)
        rest->p++;
    n = line_length(*rest);
    *line = span_part(*rest, 0, n);
    if (n == 0 || (n == rest->n && cut))
        return false;
    *rest = span_part(*rest, n, rest->n);
    return true;
}

static void check_required(struct reader *r)
{
    r->at = r->text.n;
    for (const char *type = "ost"; *type; type++)
        if (!(r->seen & BIT(*type)))
            fault(r, FAULT_SDP_FIELD);
}

enum dis sdp_dissect(struct rd *in, struct sdp *out, struct faults *why)
{
    struct reader r;
    struct rd end = *in;
    struct span rest = rd_rest(in), line, opening = rd_take(&end, 2);

    memset(&r, 0, offsetof(struct reader, session));
    media_clear(&r.session);
    r.text = rest;
    r.cut = in->uncap > 0;
    r.out = out;
    r.why = why;
    memset(out, 0, offsetof(struct sdp, media)); /* the lists are large, and cleared entry by entry */
    out->cands = 0;
    if (end.err)
        return end.err == RD_CUT ? DIS_CUT : DIS_SHORT;
    if (!span_eq(opening, SPAN("v=")))
        return DIS_NOT_MINE;
    r.now = &r.session;
    while (next_line(&rest, r.cut, &line)) {
        r.at = (size_t)(line.p - r.text.p);
        read_line(&r, line);
    }
    end_section(&r);
    if (r.cut)
        return DIS_CUT;
    check_required(&r);
    (void)rd_take(&end, rd_left(&end));
    *in = end;
    return DIS_OK;
}

const char *sdp_kind_name(enum sdp_kind k)
{
    return k < COUNT(kind_names) ? kind_names[k] : kind_names[SDP_OTHER];
}

const char *sdp_dir_name(enum sdp_dir d)
{
    return d < COUNT(dir_names) ? dir_names[d] : "unknown";
}
