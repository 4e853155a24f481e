/* The SDP in a SIP body: alone, or one part of a multipart body (RFC 5621, RFC 2046 §5.1). */
#include "sip_parse.h"

static bool is_type(struct span content_type, struct span type, struct span subtype)
{
    struct span rest = content_type;

    sip_lws(&rest);
    if (!span_eq_nocase(sip_token(&rest), type) || !sip_separator(&rest, '/'))
        return false;
    return subtype.n == 0 || span_eq_nocase(sip_token(&rest), subtype);
}

static bool is_sdp(struct span content_type)
{
    return span_eq(content_type, SPAN("application/sdp")) || is_type(content_type, SPAN("application"), SPAN("sdp"));
}

static struct span boundary_of(struct span content_type)
{
    struct sip_param param;

    (void)sip_take(&content_type, span_find(content_type, ';'));
    while (sip_param_next(&content_type, &param))
        if (span_eq_nocase(param.name, SPAN("boundary")))
            return param.value;
    return SPAN_NONE;
}

/* "--boundary", and "--" behind the last part; blanks may follow. */
static bool is_delimiter(struct span line, struct span boundary, bool *last)
{
    struct span rest = span_trim(span_part(line, 2 + boundary.n, line.n));

    if (!span_starts(line, SPAN("--")) || !span_eq(span_part(line, 2, boundary.n), boundary))
        return false;
    *last = span_eq(rest, SPAN("--"));
    return rest.n == 0 || *last;
}

/* What stands before the next delimiter line, without the line end that belongs to it; *rest moves behind that line. */
static struct span until_delimiter(struct span *rest, struct span boundary, bool *found, bool *last)
{
    struct span part = *rest, left = *rest;

    *found = false;
    while (left.n) {
        struct span line = span_until(&left, '\n');

        *found = is_delimiter(line, boundary, last);
        if (*found) {
            part.n = (size_t)(line.p - part.p);
            break;
        }
    }
    *rest = left;
    if (*found && part.n && part.p[part.n - 1] == '\n')
        part.n -= part.n >= 2 && part.p[part.n - 2] == '\r' ? 2 : 1;
    return part;
}

/* The content of a part whose header says application/sdp; SPAN_NONE of another. */
static struct span sdp_of_part(struct span part)
{
    bool sdp = false;

    while (part.n) {
        struct span line = span_until(&part, '\n'), name;

        if (span_trim(line).n == 0)
            return sdp ? part : SPAN_NONE;
        name = span_until(&line, ':');
        if (span_eq_nocase(span_trim(name), SPAN("Content-Type")))
            sdp = is_sdp(line);
    }
    return SPAN_NONE;
}

static struct span sdp_of_multipart(const struct sip_msg *m, struct faults *why)
{
    struct span boundary = boundary_of(m->content_type), rest = m->body, sdp = SPAN_NONE;
    bool found = false, last = false;
    bool whole = !m->has_content_length || m->body.n >= m->content_length;

    if (boundary.n)
        (void)until_delimiter(&rest, boundary, &found, &last); /* the preamble */
    while (found && !last && sdp.p == NULL)
        sdp = sdp_of_part(until_delimiter(&rest, boundary, &found, &last));
    if (!found && whole)
        fault_add(why, FAULT_SIP_MULTIPART, 0);
    return sdp;
}

struct span sip_sdp(const struct sip_msg *m, struct faults *why)
{
    if (m->body.n == 0)
        return SPAN_NONE;
    if (is_sdp(m->content_type) || (m->content_type.n == 0 && span_starts(m->body, SPAN("v="))))
        return m->body;
    return is_type(m->content_type, SPAN("multipart"), SPAN_NONE) ? sdp_of_multipart(m, why) : SPAN_NONE;
}
