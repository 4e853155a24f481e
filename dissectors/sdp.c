#include "dissectors/sdp.h"

#include <limits.h>
#include <stddef.h>

#include "dissectors/rtp.h"
#include "dissectors/sdp_reader.h"
#include "dissectors/sdp_rtp.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define BIT(letter)  (1u << ((letter) - 'a'))

/* What RFC 8866 §9 allows after the first m= line, and before it. */
enum {
    TYPES_OF_MEDIA = BIT('m') | BIT('i') | BIT('c') | BIT('b') | BIT('k') | BIT('a'),
    TYPES_OF_SESSION =
        TYPES_OF_MEDIA | BIT('v') | BIT('o') | BIT('s') | BIT('u') | BIT('e') | BIT('p') | BIT('t') | BIT('r') | BIT('z'),
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

/*
 * Its lists are large, and written entry by entry. In pieces of at most 80 bytes: of more at once gcc makes a rep stos, which takes as
 * long as two lines.
 */
static void media_clear(struct sdp_media *m)
{
#define CLEAR(from, to) memset(&m->from, 0, offsetof(struct sdp_media, to) - offsetof(struct sdp_media, from))
    CLEAR(kind, host);
    CLEAR(host, ufrag);
    CLEAR(ufrag, more_fingerprints);
    CLEAR(more_fingerprints, format);
#undef CLEAR
}

void sdp_fault(struct sdp_reader *r, enum fault_id id)
{
    fault_add(r->why, id, (size_t)(r->line - r->text.p));
}

/* "jdoe 2890844526 2890842807 IN IP4 198.51.100.1" (RFC 8866 §5.2) */
APART static void read_origin(struct sdp_reader *r)
{
    struct span host;

    if (r->out->origin.n)
        return;
    r->out->origin = sdp_all(&r->rest);
    sdp_skip_word(&r->rest); /* username */
    sdp_skip_word(&r->rest); /* sess-id */
    if (!sdp_number(&r->rest, UINT64_MAX, &r->out->version) || !sdp_connection(&r->rest, 0, &host, &r->out->origin_addr))
        sdp_fault(r, FAULT_SDP_FIELD);
}

/* A section may hold several c= (RFC 8866 §5.7); the first is where the media goes. */
APART static void read_c(struct sdp_reader *r)
{
    struct sdp_media *m = r->now;

    if (!m->host.n && !sdp_connection(&r->rest, m->port, &m->host, &m->addr))
        sdp_fault(r, FAULT_SDP_FIELD);
}

/* "RTP/AVP", "UDP/TLS/RTP/SAVPF", ...: only there a format is a payload type. */
static bool is_rtp(struct span proto)
{
    if (span_starts(proto, SPAN("RTP/")))
        return true;
    while (proto.n)
        if (span_eq_nocase(span_until(&proto, '/'), SPAN("RTP")))
            return true;
    return false;
}

static void read_formats(struct sdp_reader *r, struct sdp_media *m)
{
    struct sdp_format *f = m->format, *const full = f + SDP_FORMATS_KEPT;

    while (r->rest.p < r->rest.end) {
        uint64_t pt;

        if (!sdp_number(&r->rest, 127, &pt)) {
            sdp_fault(r, FAULT_SDP_FIELD);
        } else if (f == full) {
            sdp_fault(r, FAULT_SDP_FORMAT_COUNT);
            break;
        } else {
            *f++ = (struct sdp_format){ .pt = (uint8_t)pt, .apt = (uint8_t)pt };
        }
    }
    m->formats = (size_t)(f - m->format);
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

APART static void inherit_attributes(struct sdp_media *m, const struct sdp_media *s)
{
    if (!m->has_dir) {
        m->has_dir = s->has_dir;
        m->dir = s->dir;
    }
    m->end_of_candidates |= s->end_of_candidates; /* RFC 8840: at either level */
    inherit(&m->ufrag, s->ufrag);
    inherit(&m->pwd, s->pwd);
    inherit(&m->ice_options, s->ice_options);
    if (!m->fingerprint.n)
        m->more_fingerprints = s->more_fingerprints;
    inherit(&m->fingerprint, s->fingerprint);
    inherit(&m->setup, s->setup);
    m->mid_ext = m->mid_ext ? m->mid_ext : s->mid_ext;
}

static void end_section(struct sdp_reader *r)
{
    struct sdp_media *m = r->now;
    const struct sdp_media *s = &r->session;

    if (m == s) {
        r->session_attributes = r->seen & BIT('a');
        return;
    }
    explain_formats(m);
    if (!m->host.n) {
        m->host = s->host;
        m->addr = addr_with_port(s->addr, m->port);
    }
    if (r->rtcp_at_c)
        m->rtcp = addr_with_port(m->addr, m->rtcp.port);
    if (r->session_attributes)
        inherit_attributes(m, s);
    if (!m->host.n && m->port && !r->cut)
        sdp_fault(r, FAULT_SDP_FIELD);
}

static struct sdp_media *begin_section(struct sdp_reader *r)
{
    end_section(r);
    r->rtcp_at_c = false;
    r->types = TYPES_OF_MEDIA;
    if (r->out->medias < SDP_MEDIA_KEPT) {
        r->now = &r->out->media[r->out->medias++];
    } else {
        sdp_fault(r, FAULT_SDP_MEDIA_COUNT);
        r->now = &r->unkept;
    }
    media_clear(r->now);
    return r->now;
}

/* Nearly always it is audio: then nobody waits for where the word ends. */
static struct span take_kind(struct sdp_rest *s, enum sdp_kind *kind)
{
    struct span name;
    size_t i;

    if (span_starts(sdp_all(s), SPAN("audio "))) {
        *kind = SDP_AUDIO;
        name = (struct span){ s->p, SPAN("audio").n };
        s->p += SPAN("audio ").n;
        return name;
    }
    name = sdp_word(s);
    i = sdp_name_index(name, kind_names, COUNT(kind_names));
    *kind = i < COUNT(kind_names) ? (enum sdp_kind)i : SDP_OTHER;
    return name;
}

/* "49170/2" (RFC 8866 §5.14), in any form. */
RARE static bool odd_ports(struct sdp_rest *s, uint16_t *out)
{
    struct span ports = sdp_word(s);
    uint64_t port, count;

    if (!span_take_u64(&ports, UINT16_MAX, &port) || (ports.n && ports.p[0] != '/'))
        return false;
    *out = (uint16_t)port;
    return ports.n <= 1 || span_u64(span_part(ports, 1, ports.n), UINT16_MAX, &count);
}

static bool take_ports(struct sdp_rest *s, uint16_t *out)
{
    struct span rest = sdp_all(s);
    uint64_t port;

    if (!span_take_u64(&rest, UINT16_MAX, &port) || !rest.n || rest.p[0] != ' ')
        return odd_ports(s, out);
    s->p = rest.p + 1;
    *out = (uint16_t)port;
    return true;
}

/* "audio 49170/2 RTP/AVP 0 8" (RFC 8866 §5.14). A line with faults keeps its place: offer and answer match by position. */
APART static void read_m(struct sdp_reader *r)
{
    struct sdp_media *m = begin_section(r);
    bool sound;

    m->kind_name = take_kind(&r->rest, &m->kind);
    sound = take_ports(&r->rest, &m->port);
    m->proto = sdp_word(&r->rest);
    if (!sound || r->rest.p == r->rest.end)
        sdp_fault(r, FAULT_SDP_FIELD);
    m->addr.port = m->port;
    if (is_rtp(m->proto))
        read_formats(r, m);
}

APART static void read_line(struct sdp_reader *r, const uint8_t *line, const uint8_t *end)
{
    unsigned letter;

    r->line = line;
    if (end - line < 2 || line[1] != '=') {
        sdp_fault(r, FAULT_SDP_LINE);
        return;
    }
    r->rest.p = line + 2;
    r->rest.end = end;
    sdp_trim_rest(&r->rest);
    if (line[0] == 'a') {
        r->seen |= BIT('a');
        sdp_read_attribute(r);
        return;
    }
    letter = line[0] - (unsigned)'a';
    if (letter > 'z' - 'a' || !(r->types >> letter & 1)) {
        sdp_fault(r, FAULT_SDP_LINE);
        return;
    }
    r->seen |= 1u << letter;
    if (line[0] == 'm')
        read_m(r);
    else if (line[0] == 'c')
        read_c(r);
    else if (line[0] == 'o')
        read_origin(r);
    else if (line[0] == 'v' && !span_eq(sdp_all(&r->rest), SPAN("0")))
        sdp_fault(r, FAULT_SDP_FIELD);
}

static bool is_line_end(uint8_t c)
{
    return c == '\r' || c == '\n';
}

static inline uint64_t lane_ends(const uint8_t *p)
{
    return lane_equal(p, '\r') | lane_equal(p, '\n');
}

/* Bit i tells whether p[i] is CR or LF, of the next 64 bytes. */
static inline uint64_t line_ends(const uint8_t *p)
{
    return lane_ends(p) | lane_ends(p + LANE) << LANE | lane_ends(p + 2 * LANE) << 2 * LANE | lane_ends(p + 3 * LANE) << 3 * LANE;
}

/* The same of the last bytes, less than 64. The end of the text is one of a line, but not where the snap length cut it. */
APART static uint64_t last_line_ends(const struct sdp_reader *r, const uint8_t *p)
{
    size_t n = (size_t)(r->rest.wall - p), i = 0;
    uint64_t ends = (uint64_t)!r->cut << n;

    for (; n - i >= LANE; i += LANE)
        ends |= lane_ends(p + i) << i;
    if (r->text.n >= LANE)
        return ends | lane_ends(p + n - LANE) >> (LANE - (n - i)) << i;
    for (; i < n; i++)
        ends |= (uint64_t)is_line_end(p[i]) << i;
    return ends;
}

/* Empty lines, and so the LF of a CRLF, are passed over. */
static void read_lines(struct sdp_reader *r)
{
    const uint8_t *line = r->text.p, *wall = r->rest.wall;

    for (const uint8_t *p = line;; p += 64) {
        bool last = wall - p < 64;
        uint64_t ends = last ? last_line_ends(r, p) : line_ends(p);

        for (; ends; ends &= ends - 1) {
            const uint8_t *at = p + (unsigned)__builtin_ctzll(ends);

            if (at > line)
                read_line(r, line, at);
            line = at + 1;
        }
        if (last)
            return;
    }
}

static void check_required(struct sdp_reader *r)
{
    const unsigned required = BIT('o') | BIT('s') | BIT('t');

    r->line = r->text.p + r->text.n;
    for (unsigned missing = required & ~r->seen; missing; missing &= missing - 1)
        sdp_fault(r, FAULT_SDP_FIELD);
}

enum dis sdp_dissect(struct rd *in, struct sdp *out, struct faults *why)
{
    struct sdp_reader r;
    struct rd end = *in;
    struct span opening = rd_take(&end, 2);

    memset(&r, 0, offsetof(struct sdp_reader, session));
    media_clear(&r.session);
    r.text = rd_rest(in);
    r.rest.wall = r.text.p + r.text.n;
    r.cut = in->uncap > 0;
    r.types = TYPES_OF_SESSION;
    r.out = out;
    r.why = why;
    memset(out, 0, offsetof(struct sdp, media)); /* the lists are large, and cleared entry by entry */
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
