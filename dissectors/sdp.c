#include "dissectors/sdp.h"

#include <limits.h>
#include <stddef.h>

#include "dissectors/rtp.h"
#include "dissectors/sdp_parse.h"
#include "dissectors/sdp_rtp.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define BIT(letter)  (1u << ((letter) - 'a'))

/* What RFC 8866 §9 allows after the first m= line, and before it. */
enum {
    TYPES_OF_MEDIA = BIT('m') | BIT('i') | BIT('c') | BIT('b') | BIT('k') | BIT('a'),
    TYPES_OF_SESSION =
        TYPES_OF_MEDIA | BIT('v') | BIT('o') | BIT('s') | BIT('u') | BIT('e') | BIT('p') | BIT('t') | BIT('r') | BIT('z'),
};

/* A description is read line by line into the session's part first, then into one media section after another (RFC 8866 §5). */
struct reader {
    struct span text;
    const uint8_t *line; /* the one in hand, for its offset */
    bool cut;            /* the snap length took the rest of the text */
    unsigned types;      /* which lines may stand here (RFC 8866 §9), one bit a letter */
    unsigned seen;       /* which have been met so far */
    bool rtcp_at_c;      /* this section's a=rtcp gives a port alone: the address is that of c= (RFC 3605 §2.1) */
    struct sdp *out;
    struct faults *why;
    struct sdp_media *now;
    struct sdp_media session; /* what the media sections inherit */
    struct sdp_media unkept;  /* takes the lines of sections beyond SDP_MEDIA_KEPT, so that no other section gets them */
};

static const struct span kind_names[] = {
    [SDP_OTHER] = SPAN_INIT("other"),
    [SDP_AUDIO] = SPAN_INIT("audio"),
    [SDP_VIDEO] = SPAN_INIT("video"),
    [SDP_TEXT] = SPAN_INIT("text"),
    [SDP_APPLICATION] = SPAN_INIT("application"),
    [SDP_IMAGE] = SPAN_INIT("image"),
    [SDP_MESSAGE] = SPAN_INIT("message"),
};

static const struct span dir_names[] = {
    [SDP_SENDRECV] = SPAN_INIT("sendrecv"),
    [SDP_SENDONLY] = SPAN_INIT("sendonly"),
    [SDP_RECVONLY] = SPAN_INIT("recvonly"),
    [SDP_INACTIVE] = SPAN_INIT("inactive"),
};

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

/* In any form. The TTL and the number of addresses, "224.2.1.1/127/3", are left out of *host. */
RARE static bool odd_connection(struct span value, uint16_t port, struct span *host, struct addr *out)
{
    struct span net = sdp_word(&value), addrtype = sdp_word(&value), address = sdp_word(&value);

    *host = span_until(&address, '/');
    return sdp_host(*host, port, out) && span_eq(net, SPAN("IN")) && is_addrtype(addrtype, *host);
}

/* "IN IP4 192.0.2.1" (RFC 8866 §5.7), as nearly all are. */
static bool read_connection(struct span value, uint16_t port, struct span *host, struct addr *out)
{
    const struct span begin = SPAN("IN IP4 ");

    if (span_starts(value, begin)) {
        *host = (struct span){ value.p + begin.n, value.n - begin.n };
        if (addr_parse_v4(*host, port, out))
            return true;
    }
    return odd_connection(value, port, host, out);
}

/* ---- attributes (RFC 8866 §6) ---- */

RARE static void fault(struct reader *r, enum fault_id id)
{
    fault_add(r->why, id, (size_t)(r->line - r->text.p));
}

static void keep_candidate(struct reader *r, struct span value)
{
    bool room = r->now != &r->unkept && r->out->cands < SDP_CANDIDATES_KEPT;
    struct sdp_cand spare, *c = room ? &r->out->cand[r->out->cands] : &spare;

    if (!sdp_candidate(value, c) || r->now == &r->session) {
        fault(r, FAULT_SDP_CANDIDATE);
    } else if (!room) {
        fault(r, FAULT_SDP_CANDIDATE_COUNT);
    } else {
        c->media = (uint8_t)(r->out->medias - 1);
        r->out->cands++;
    }
}

/* "111 opus/48000/2" (RFC 8866 §6.6). A map for a format that the m= line does not list means nothing. */
static void read_rtpmap(struct reader *r, struct span value)
{
    struct sdp_media *m = r->now;
    struct span encoding = SPAN_NONE;
    uint64_t pt, clock_hz;

    if (sdp_word_u64(&value, 127, &pt)) {
        encoding = sdp_trim(span_until(&value, '/'));
        value = sdp_trim_front(value);
    }
    if (!encoding.n || !span_take_u64(&value, UINT32_MAX, &clock_hz) || !sdp_ends(sdp_trim_front(value), '/')) {
        fault(r, FAULT_SDP_FIELD);
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
static void read_rtcp(struct reader *r, struct span value)
{
    struct span host;
    uint64_t port;

    if (!sdp_word_u64(&value, UINT16_MAX, &port)) {
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

    if (span_take_u64(&value, UINT16_MAX, &ms) && sdp_ends(value, '.') && ms)
        r->now->ptime_ms = (uint16_t)ms;
    else
        fault(r, FAULT_SDP_FIELD);
}

static void read_group(struct reader *r, struct span value)
{
    if (span_eq(sdp_word(&value), SPAN("BUNDLE")) && !r->out->bundle.n)
        r->out->bundle = sdp_trim(value);
}

static void keep_text(struct reader *r, struct span *text, struct span value)
{
    if (!value.n)
        fault(r, FAULT_SDP_FIELD);
    if (!text->n)
        *text = value;
}

static void keep_fingerprint(struct reader *r, struct span value)
{
    r->now->more_fingerprints |= r->now->fingerprint.n > 0;
    keep_text(r, &r->now->fingerprint, value);
}

static void keep_direction(struct sdp_media *m, enum sdp_dir dir)
{
    if (!m->has_dir)
        m->dir = dir;
    m->has_dir = true;
}

/* Whose RTP is whose; at session level only header extensions may stand (RFC 8285 §8). */
static void read_rtp(struct reader *r, enum sdp_rtp got)
{
    if (got != SDP_RTP_FINE)
        fault(r, got == SDP_RTP_FULL ? FAULT_SDP_SSRC_COUNT : FAULT_SDP_FIELD);
}

/* The attribute begins with a name of `n` bytes; where that is all of its name, *attribute becomes its value. */
static bool take_name(struct span *attribute, size_t n)
{
    struct span value = { attribute->p + n, attribute->n - n };

    if (value.n) {
        if (value.p[0] != ':')
            return false;
        value.p++;
        value.n--;
    }
    *attribute = sdp_trim_front(value);
    return true;
}

#define IS(name)     (span_starts(a, SPAN(name)) && take_name(&a, sizeof(name) - 1))
#define IS_DIR(name) (span_starts_nocase(a, SPAN(name)) && take_name(&a, sizeof(name) - 1))

static void read_i(struct reader *r, struct span a)
{
    struct sdp_media *m = r->now;

    if (IS_DIR("inactive"))
        keep_direction(m, SDP_INACTIVE);
    else if (IS("ice-ufrag"))
        keep_text(r, &m->ufrag, a);
    else if (IS("ice-pwd"))
        keep_text(r, &m->pwd, a);
    else if (IS("ice-options"))
        keep_text(r, &m->ice_options, a);
    else if (IS("ice-lite"))
        r->out->ice_lite = true;
    else
        m->ice_mismatch |= IS("ice-mismatch");
}

static void read_s(struct reader *r, struct span a)
{
    struct sdp_media *m = r->now;

    if (IS_DIR("sendrecv"))
        keep_direction(m, SDP_SENDRECV);
    else if (IS_DIR("sendonly"))
        keep_direction(m, SDP_SENDONLY);
    else if (IS("setup"))
        keep_text(r, &m->setup, a);
    else if (IS("ssrc"))
        read_rtp(r, sdp_rtp_ssrc(m, a));
    else if (IS("ssrc-group"))
        read_rtp(r, sdp_rtp_ssrc_group(m, a));
}

/* Of an attribute that stands twice in one section, the first counts: fingerprint may (RFC 8122 §5), the others must not. */
static void read_attribute(struct reader *r, struct span a)
{
    struct sdp_media *m = r->now;

    if (sdp_ends(a, ':')) {
        fault(r, FAULT_SDP_FIELD);
        return;
    }
    switch (a.p[0] | 32) { /* directions may stand in any case */
    case 'b': m->bundle_only |= IS("bundle-only"); break;
    case 'c':
        if (IS("candidate"))
            keep_candidate(r, a);
        break;
    case 'e':
        if (IS("extmap"))
            read_rtp(r, sdp_rtp_extmap(m, a));
        else
            m->end_of_candidates |= IS("end-of-candidates");
        break;
    case 'f':
        if (IS("fmtp"))
            read_rtp(r, sdp_rtp_fmtp(m, a));
        else if (IS("fingerprint"))
            keep_fingerprint(r, a);
        break;
    case 'g':
        if (IS("group"))
            read_group(r, a);
        break;
    case 'i': read_i(r, a); break;
    case 'm':
        if (IS("mid"))
            keep_text(r, &m->mid, a);
        break;
    case 'p':
        if (IS("ptime"))
            read_ptime(r, a);
        break;
    case 'r':
        if (IS("rtpmap"))
            read_rtpmap(r, a);
        else if (IS("rtcp"))
            read_rtcp(r, a);
        else if (IS_DIR("recvonly"))
            keep_direction(m, SDP_RECVONLY);
        else
            m->rtcp_mux |= IS("rtcp-mux");
        break;
    case 's': read_s(r, a); break;
    default: break;
    }
}

/* ---- lines (RFC 8866 §5) ---- */

/* "jdoe 2890844526 2890842807 IN IP4 198.51.100.1" (RFC 8866 §5.2) */
static void read_origin(struct reader *r, struct span value)
{
    struct span host;

    if (r->out->origin.n)
        return;
    r->out->origin = value;
    (void)sdp_word(&value); /* username */
    (void)sdp_word(&value); /* sess-id */
    if (!sdp_word_u64(&value, UINT64_MAX, &r->out->version) || !read_connection(value, 0, &host, &r->out->origin_addr))
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
    while (list.n) {
        uint64_t pt;

        if (!sdp_word_u64(&list, 127, &pt)) {
            fault(r, FAULT_SDP_FIELD);
        } else if (m->formats == SDP_FORMATS_KEPT) {
            fault(r, FAULT_SDP_FORMAT_COUNT);
            return;
        } else {
            m->format[m->formats++] = (struct sdp_format){ .pt = (uint8_t)pt, .apt = (uint8_t)pt };
        }
    }
}

/* Formats that no a=rtpmap explains are what their number says, where it says anything (RFC 3551 §6). */
static void explain_formats(struct sdp_media *m)
{
    for (size_t i = 0; i < m->formats; i++) {
        struct sdp_format *f = &m->format[i];

        if (f->encoding.n)
            continue;
        f->encoding = span_str(rtp_static_encoding(f->pt, &f->clock_hz));
        f->role = sdp_rtp_role(f->encoding);
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
    explain_formats(m);
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
    r->types = TYPES_OF_MEDIA;
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

/* "49170/2" (RFC 8866 §5.14) */
static bool read_ports(struct span ports, uint16_t *out)
{
    uint64_t port, count;

    if (!span_take_u64(&ports, UINT16_MAX, &port) || !sdp_ends(ports, '/'))
        return false;
    *out = (uint16_t)port;
    return ports.n <= 1 || span_u64(span_part(ports, 1, ports.n), UINT16_MAX, &count);
}

/* "audio 49170/2 RTP/AVP 0 8" (RFC 8866 §5.14). A line with faults keeps its place: offer and answer match by position. */
static void read_m(struct reader *r, struct span value)
{
    struct sdp_media *m = begin_section(r);
    bool sound;

    m->kind_name = sdp_word(&value);
    m->kind = kind_of(m->kind_name);
    sound = read_ports(sdp_word(&value), &m->port);
    m->proto = sdp_word(&value);
    if (!sound || !value.n)
        fault(r, FAULT_SDP_FIELD);
    m->addr.port = m->port;
    if (is_rtp(m->proto))
        read_formats(r, m, value);
}

static void read_line(struct reader *r, struct span line)
{
    unsigned letter = line.n >= 2 && line.p[1] == '=' ? line.p[0] - (unsigned)'a' : UINT_MAX;
    struct span value;

    r->line = line.p;
    if (letter > 'z' - 'a' || !(r->types >> letter & 1)) {
        fault(r, FAULT_SDP_LINE);
        return;
    }
    value = sdp_trim((struct span){ line.p + 2, line.n - 2 });
    if (line.p[0] == 'a') {
        read_attribute(r, value);
        return;
    }
    r->seen |= 1u << letter;
    if (line.p[0] == 'm')
        read_m(r, value);
    else if (line.p[0] == 'c')
        read_c(r, value);
    else if (line.p[0] == 'o')
        read_origin(r, value);
    else if (line.p[0] == 'v' && !span_eq(value, SPAN("0")))
        fault(r, FAULT_SDP_FIELD);
}

static bool is_line_end(uint8_t c)
{
    return c == '\r' || c == '\n';
}

/* Up to the first CR or LF, eight bytes at a time; where another control character stands, byte by byte from there. */
static size_t line_length(struct span s)
{
    const uint8_t *p = s.p, *end = s.p + s.n;

    for (; end - p >= 8; p += 8) {
        uint64_t marks = bytes8_less(bytes8(p), '\r' + 1);

        if (marks) {
            p += bytes8_first(marks);
            break;
        }
    }
    while (p < end && !is_line_end(*p))
        p++;
    return (size_t)(p - s.p);
}

/* Empty lines, and so the LF of a CRLF, are passed over. The last line may lack its end, but not where the snap length cut it. */
static void read_lines(struct reader *r)
{
    struct span rest = r->text;

    while (rest.n) {
        size_t n = line_length(rest);

        if (n && !(n == rest.n && r->cut))
            read_line(r, (struct span){ rest.p, n });
        if (n == rest.n)
            return;
        n += n + 1 < rest.n && rest.p[n + 1] == '\n' ? 2 : 1;
        rest.p += n;
        rest.n -= n;
    }
}

static void check_required(struct reader *r)
{
    r->line = r->text.p + r->text.n;
    for (const char *type = "ost"; *type; type++)
        if (!(r->seen & BIT(*type)))
            fault(r, FAULT_SDP_FIELD);
}

enum dis sdp_dissect(struct rd *in, struct sdp *out, struct faults *why)
{
    struct reader r;
    struct rd end = *in;
    struct span opening = rd_take(&end, 2);

    memset(&r, 0, offsetof(struct reader, session));
    media_clear(&r.session);
    r.text = rd_rest(in);
    r.cut = in->uncap > 0;
    r.types = TYPES_OF_SESSION;
    r.out = out;
    r.why = why;
    memset(out, 0, offsetof(struct sdp, media)); /* the lists are large, and cleared entry by entry */
    out->cands = 0;
    if (end.err)
        return end.err == RD_CUT ? DIS_CUT : DIS_SHORT;
    if (!span_eq(opening, SPAN("v=")))
        return DIS_NOT_MINE;
    r.now = &r.session;
    read_lines(&r);
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
    return (const char *)kind_names[k < COUNT(kind_names) ? k : SDP_OTHER].p;
}

const char *sdp_dir_name(enum sdp_dir d)
{
    return d < COUNT(dir_names) ? (const char *)dir_names[d].p : "unknown";
}
