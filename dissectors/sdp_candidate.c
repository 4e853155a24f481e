/* ICE candidates in SDP (RFC 8839 §5.1), and the hosts and names that the other lines have as well. */
#include "dissectors/sdp_parse.h"

static const struct span cand_type_names[] = {
    [SDP_CAND_HOST] = SPAN_INIT("host"),   [SDP_CAND_SRFLX] = SPAN_INIT("srflx"),     [SDP_CAND_PRFLX] = SPAN_INIT("prflx"),
    [SDP_CAND_RELAY] = SPAN_INIT("relay"), [SDP_CAND_UNKNOWN] = SPAN_INIT("unknown"),
};

size_t sdp_name_index(struct span text, const struct span names[], size_t n)
{
    size_t i = text.n ? 0 : n;

    while (i < n && (text.n != names[i].n || (text.p[0] | 32) != names[i].p[0] || !span_eq_nocase(text, names[i])))
        i++;
    return i;
}

struct span sdp_trim_blanks(struct span s)
{
    return span_trim(s);
}

void sdp_trim_rest_blanks(struct sdp_rest *s)
{
    struct span trimmed = span_trim(sdp_all(s));

    s->p = trimmed.p;
    s->end = trimmed.p + trimmed.n;
}

const uint8_t *sdp_find_far(const struct sdp_rest *s, const uint8_t *from, char byte)
{
    const uint8_t *at = from < s->end ? memchr(from, byte, (size_t)(s->end - from)) : NULL;

    return at ? at : s->end;
}

/* With blanks in front of it, or no number. */
bool sdp_odd_number(struct sdp_rest *s, uint64_t max, uint64_t *out)
{
    return span_u64(sdp_word(s), max, out);
}

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool sdp_is_host_name(struct span text)
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

bool sdp_host(struct span text, uint16_t port, struct addr *out)
{
    bool literal = addr_parse_ip(text, port, out);

    out->port = port;
    return literal || sdp_is_host_name(text);
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
RARE static bool odd_connection(struct sdp_rest *value, uint16_t port, struct span *host, struct addr *out)
{
    struct span net = sdp_word(value), addrtype = sdp_word(value), address = sdp_word(value);

    *host = span_until(&address, '/');
    return sdp_host(*host, port, out) && span_eq(net, SPAN("IN")) && is_addrtype(addrtype, *host);
}

/* "IN IP4 192.0.2.1" (RFC 8866 §5.7), as nearly all are. */
bool sdp_connection(struct sdp_rest *value, uint16_t port, struct span *host, struct addr *out)
{
    const struct span begin = SPAN("IN IP4 "), all = sdp_all(value);

    if (span_starts(all, begin)) {
        *host = (struct span){ all.p + begin.n, all.n - begin.n };
        if (addr_parse_v4(*host, port, out))
            return true;
    }
    return odd_connection(value, port, host, out);
}

static bool is_foundation(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '+' && s.p[i] != '/')
            return false;
    return s.n >= 1 && s.n <= 32;
}

/*
 * rel-addr, rel-port and extensions: pairs of a name and a value, taken in any order. Who hides the base writes 0.0.0.0 or ::, which
 * is no address. An extension's value may be empty.
 */
static bool read_extensions(struct sdp_rest *s, struct sdp_cand *out)
{
    struct addr raddr = ADDR_NONE;
    uint64_t rport = 0;

    out->tcptype = SPAN_NONE;
    for (struct span name = sdp_word(s); name.n; name = sdp_word(s)) {
        struct span value = sdp_word(s);

        if (span_eq_nocase(name, SPAN("rport"))) {
            if (!span_u64(value, UINT16_MAX, &rport))
                return false;
        } else if (span_eq_nocase(name, SPAN("raddr"))) {
            if (!sdp_host(value, 0, &raddr))
                return false;
        } else if (span_eq_nocase(name, SPAN("tcptype"))) {
            out->tcptype = value;
        }
    }
    out->raddr = addr_is_none(&raddr) ? ADDR_NONE : addr_with_port(raddr, (uint16_t)rport);
    return true;
}

static enum sdp_cand_type type_of(struct span name)
{
    if (span_eq(name, SPAN("host")))
        return SDP_CAND_HOST;
    if (span_eq(name, SPAN("srflx")))
        return SDP_CAND_SRFLX;
    return (enum sdp_cand_type)sdp_name_index(name, cand_type_names, SDP_CAND_UNKNOWN);
}

bool sdp_read_candidate(struct sdp_rest *s, struct sdp_cand *out)
{
    uint64_t component = 0, priority = 0, port = 0;
    bool sound;

    if (span_starts(sdp_all(s), SPAN("candidate:")))
        s->p += SPAN("candidate:").n;
    out->line = sdp_all(s);
    out->foundation = sdp_word(s);
    sound = sdp_number(s, UINT8_MAX, &component) && component >= 1;
    out->transport = sdp_word(s);
    sound = sdp_number(s, INT32_MAX, &priority) && priority >= 1 && sound;
    out->host = sdp_word(s);
    sound = sdp_number(s, UINT16_MAX, &port) && span_eq_nocase(sdp_word(s), SPAN("typ")) && sound;
    out->type_name = sdp_word(s);
    out->is_name = !addr_parse_ip(out->host, (uint16_t)port, &out->addr);
    out->addr.port = (uint16_t)port;
    if (!sound || !is_foundation(out->foundation) || !out->type_name.n || (out->is_name && !sdp_is_host_name(out->host)))
        return false;
    out->media = 0;
    out->component = (uint8_t)component;
    out->priority = (uint32_t)priority;
    out->type = type_of(out->type_name);
    out->tcp = span_starts_nocase(out->transport, SPAN("TCP"));
    return read_extensions(s, out);
}

bool sdp_candidate(struct span value, struct sdp_cand *out)
{
    struct span s = span_trim(value);
    const uint8_t *end = s.n ? s.p + s.n : s.p;
    struct sdp_rest rest = { s.p, end, end };

    return sdp_read_candidate(&rest, out);
}

const char *sdp_cand_type_name(enum sdp_cand_type t)
{
    return (const char *)cand_type_names[t <= SDP_CAND_UNKNOWN ? t : SDP_CAND_UNKNOWN].p;
}
