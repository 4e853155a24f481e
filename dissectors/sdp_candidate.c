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

/* With blanks in front of it, or no number. */
bool sdp_odd_word_u64(struct span *rest, uint64_t max, uint64_t *out)
{
    return span_u64(sdp_word(rest), max, out);
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
static bool read_extensions(struct span rest, struct sdp_cand *out)
{
    struct addr raddr = ADDR_NONE;
    uint64_t rport = 0;

    for (struct span name = sdp_word(&rest); name.n; name = sdp_word(&rest)) {
        struct span value = sdp_word(&rest);

        if (span_eq_nocase(name, SPAN("raddr")) && !sdp_host(value, 0, &raddr))
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
    uint64_t component = 0, priority = 0, port = 0;
    bool sound;

    *out = (struct sdp_cand){ 0 };
    value = span_trim(value);
    if (span_starts(value, SPAN("candidate:")))
        value = span_part(value, SPAN("candidate:").n, value.n);
    out->line = value;
    out->foundation = sdp_word(&value);
    sound = sdp_word_u64(&value, UINT8_MAX, &component) && component >= 1;
    out->transport = sdp_word(&value);
    sound = sdp_word_u64(&value, INT32_MAX, &priority) && priority >= 1 && sound;
    out->host = sdp_word(&value);
    sound = sdp_word_u64(&value, UINT16_MAX, &port) && span_eq_nocase(sdp_word(&value), SPAN("typ")) && sound;
    out->type_name = sdp_word(&value);
    out->is_name = !addr_parse_ip(out->host, (uint16_t)port, &out->addr);
    out->addr.port = (uint16_t)port;
    if (!sound || !is_foundation(out->foundation) || !out->type_name.n || (out->is_name && !sdp_is_host_name(out->host)))
        return false;
    out->component = (uint8_t)component;
    out->priority = (uint32_t)priority;
    out->type = (enum sdp_cand_type)sdp_name_index(out->type_name, cand_type_names, SDP_CAND_UNKNOWN);
    out->tcp = span_starts_nocase(out->transport, SPAN("TCP"));
    return read_extensions(value, out);
}

const char *sdp_cand_type_name(enum sdp_cand_type t)
{
    return (const char *)cand_type_names[t <= SDP_CAND_UNKNOWN ? t : SDP_CAND_UNKNOWN].p;
}
