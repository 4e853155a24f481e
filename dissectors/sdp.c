#include "dissectors/sdp.h"

#include <stddef.h>

#include "dissectors/rtp.h"
#include "dissectors/sdp_rtp.h"

/* A description is read line by line into the session's part first, then into one media section after another (RFC 8866 §5). */
struct reader {
    struct span text;
    size_t at;      /* offset of the line in hand */
    bool cut;       /* the snap length took the rest of the text */
    unsigned seen;  /* the session's line types met so far, one bit a letter */
    bool rtcp_at_c; /* this section's a=rtcp gives a port alone: the address is that of c= (RFC 3605 §2.1) */
    struct sdp *out;
    struct faults *why;
    struct sdp_media session; /* what the media sections inherit */
    struct sdp_media unkept;  /* takes the lines of sections beyond SDP_MEDIA_KEPT, so that no other section gets them */
    struct sdp_media *now;
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

static const char *const cand_type_names[] = {
    [SDP_CAND_HOST] = "host",   [SDP_CAND_SRFLX] = "srflx",     [SDP_CAND_PRFLX] = "prflx",
    [SDP_CAND_RELAY] = "relay", [SDP_CAND_UNKNOWN] = "unknown",
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* The index of `text` in `names`, in any case; `n` where it is none of them. */
static size_t name_index(struct span text, const char *const names[], size_t n)
{
    size_t i = 0;

    while (i < n && !span_eq_nocase(text, span_str(names[i])))
        i++;
    return i;
}

/* The next word. RFC 8866 §9 puts one space between words; more are tolerated. Empty at the end. */
static struct span word(struct span *rest)
{
    *rest = span_trim(*rest);
    return span_until(rest, ' ');
}

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A host name, not a broken literal: the last label of a name is never a number (RFC 3696 §2). */
static bool is_host_name(struct span text)
{
    bool letter = false; /* in the label in hand */

    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];

        if (c == '.')
            letter = letter && i + 1 == text.n;
        else if (is_alnum(c) || c == '-' || c == '_')
            letter = letter || (is_alnum(c) && c > '9');
        else
            return false;
    }
    return letter;
}

/* The address of a literal, ADDR_NONE of a name, with the port either way. False where the text is neither. */
static bool read_host(struct span text, uint16_t port, struct addr *out)
{
    bool literal = addr_parse_ip(text, port, out);

    out->port = port;
    return literal || is_host_name(text);
}

/* The address type is that of the literal; a name goes with both. */
static bool is_addrtype(struct span addrtype, struct span host)
{
    bool v6_literal = span_find(host, ':') < host.n, name = is_host_name(host);

    return (span_eq(addrtype, SPAN("IP4")) && !v6_literal) || (span_eq(addrtype, SPAN("IP6")) && (v6_literal || name));
}

/* "IN IP4 192.0.2.1" (RFC 8866 §5.7). The TTL and the number of addresses, "224.2.1.1/127/3", are left out of *host. */
static bool read_connection(struct span value, uint16_t port, struct span *host, struct addr *out)
{
    struct span net = word(&value), addrtype = word(&value), address = word(&value);

    *host = span_until(&address, '/');
    return read_host(*host, port, out) && span_eq(net, SPAN("IN")) && is_addrtype(addrtype, *host);
}

/* ---- candidates (RFC 8839 §5.1) ---- */

static bool is_foundation(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '+' && s.p[i] != '/')
            return false;
    return s.n >= 1 && s.n <= 32;
}

static bool read_number(struct span s, uint64_t min, uint64_t max, uint64_t *out)
{
    return span_u64(s, max, out) && *out >= min;
}

/*
 * rel-addr, rel-port and extensions: pairs of a name and a value, taken in any order. Who hides the base writes 0.0.0.0 or ::, which
 * is no address. An extension's value may be empty.
 */
static bool read_extensions(struct span rest, struct sdp_cand *out)
{
    struct addr raddr = ADDR_NONE;
    uint64_t rport = 0;

    for (struct span name = word(&rest); name.n; name = word(&rest)) {
        struct span value = word(&rest);

        if (span_eq_nocase(name, SPAN("raddr")) && !read_host(value, 0, &raddr))
            return false;
        if (span_eq_nocase(name, SPAN("rport")) && !span_u64(value, UINT16_MAX, &rport))
            return false;
        if (span_eq_nocase(name, SPAN("tcptype")))
            out->tcptype = value;
    }
    if (!addr_is_none(&raddr))
        out->raddr = addr_with_port(raddr, (uint16_t)rport);
    return true;
}

bool sdp_candidate(struct span value, struct sdp_cand *out)
{
    struct span component, priority, port, typ;
    uint64_t component_n, priority_n, port_n;

    *out = (struct sdp_cand){ 0 };
    value = span_trim(value);
    if (span_starts(value, SPAN("candidate:")))
        value = span_part(value, SPAN("candidate:").n, value.n);
    out->line = value;
    out->foundation = word(&value);
    component = word(&value);
    out->transport = word(&value);
    priority = word(&value);
    out->host = word(&value);
    port = word(&value);
    typ = word(&value);
    out->type_name = word(&value);
    if (!is_foundation(out->foundation) || !read_number(component, 1, UINT8_MAX, &component_n) ||
        !read_number(priority, 1, INT32_MAX, &priority_n) || !read_number(port, 0, UINT16_MAX, &port_n) ||
        !span_eq_nocase(typ, SPAN("typ")) || !out->type_name.n || !read_host(out->host, (uint16_t)port_n, &out->addr))
        return false;
    out->component = (uint8_t)component_n;
    out->priority = (uint32_t)priority_n;
    out->type = (enum sdp_cand_type)name_index(out->type_name, cand_type_names, SDP_CAND_UNKNOWN);
    out->tcp = span_starts_nocase(out->transport, SPAN("TCP"));
    out->is_name = is_host_name(out->host);
    return read_extensions(value, out);
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
    struct span pt_text = word(&value), clock_text, encoding;
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
    struct span port_text = word(&value), host;
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

    if (read_number(span_until(&value, '.'), 1, UINT16_MAX, &ms))
        r->now->ptime_ms = (uint16_t)ms;
    else
        fault(r, FAULT_SDP_FIELD);
}

static void read_group(struct reader *r, struct span value)
{
    if (span_eq(word(&value), SPAN("BUNDLE")) && !r->out->bundle.n)
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
    size_t dir = name_index(name, dir_names, COUNT(dir_names));
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
    (void)word(&value); /* username */
    (void)word(&value); /* sess-id */
    version = word(&value);
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
    for (struct span text = word(&list); text.n; text = word(&list)) {
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
        *r->now = (struct sdp_media){ 0 };
    } else {
        fault(r, FAULT_SDP_MEDIA_COUNT);
        r->unkept = (struct sdp_media){ 0 };
        r->now = &r->unkept;
    }
    return r->now;
}

static enum sdp_kind kind_of(struct span name)
{
    size_t i = name_index(name, kind_names, COUNT(kind_names));

    return i < COUNT(kind_names) ? (enum sdp_kind)i : SDP_OTHER;
}

/* "audio 49170/2 RTP/AVP 0 8" (RFC 8866 §5.14). A line with faults keeps its place: offer and answer match by position. */
static void read_m(struct reader *r, struct span value)
{
    struct sdp_media *m = begin_section(r);
    struct span ports, port_text;
    uint64_t port = 0, count;

    m->kind_name = word(&value);
    m->kind = kind_of(m->kind_name);
    ports = word(&value);
    port_text = span_until(&ports, '/');
    m->proto = word(&value);
    if (!span_u64(port_text, UINT16_MAX, &port) || (ports.n && !span_u64(ports, UINT16_MAX, &count)) || !value.n)
        fault(r, FAULT_SDP_FIELD);
    m->port = (uint16_t)port;
    m->addr.port = m->port;
    if (is_rtp(m->proto))
        read_formats(r, m, value);
}

/* What RFC 8866 §9 allows before the first m= line and after it. */
static bool is_type(const struct reader *r, uint8_t type)
{
    const char *types = r->now == &r->session ? "vosiuepcbtrzkam" : "micbka";

    return type && strchr(types, type);
}

static void read_line(struct reader *r, struct span line)
{
    struct span value = span_trim(span_part(line, 2, line.n));

    if (line.n < 2 || line.p[1] != '=' || !is_type(r, line.p[0])) {
        fault(r, FAULT_SDP_LINE);
        return;
    }
    r->seen |= 1u << (line.p[0] - 'a');
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

/* Empty lines, and so the LF of a CRLF, are passed over. The last line may lack its end, but not where the snap length cut it. */
static bool next_line(struct span *rest, bool cut, struct span *line)
{
    size_t n = 0;

    while (rest->n && is_line_end(rest->p[0]))
        *rest = span_part(*rest, 1, rest->n);
    while (n < rest->n && !is_line_end(rest->p[n]))
        n++;
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
        if (!(r->seen >> (*type - 'a') & 1u))
            fault(r, FAULT_SDP_FIELD);
}

enum dis sdp_dissect(struct rd *in, struct sdp *out, struct faults *why)
{
    struct reader r = { .text = rd_rest(in), .cut = in->uncap > 0, .out = out, .why = why };
    struct rd end = *in;
    struct span rest = r.text, line, opening = rd_take(&end, 2);

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

const char *sdp_cand_type_name(enum sdp_cand_type t)
{
    return t < COUNT(cand_type_names) ? cand_type_names[t] : cand_type_names[SDP_CAND_UNKNOWN];
}
