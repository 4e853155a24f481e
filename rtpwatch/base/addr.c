#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/hmap.h"

static const uint8_t v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

uint64_t addr_hash(const struct addr *a)
{
    uint64_t lo, hi, h;

    memcpy(&lo, a->ip, 8);
    memcpy(&hi, a->ip + 8, 8);
    h = (lo ^ hash_secret()) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 32) ^ hi) * 0xc4ceb9fe1a85ec53u;
    h = (h ^ (h >> 29) ^ a->port) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 32);
}

bool addr_is_v4(const struct addr *a)
{
    return memcmp(a->ip, v4_prefix, 12) == 0;
}

bool addr_is_none(const struct addr *a)
{
    static const uint8_t zero[16];

    return memcmp(a->ip, zero, 16) == 0 || (addr_is_v4(a) && memcmp(a->ip + 12, zero, 4) == 0);
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = { [15] = 1 };

    return addr_is_v4(a) ? a->ip[12] == 127 : memcmp(a->ip, one, 16) == 0;
}

bool addr_is_link_local(const struct addr *a)
{
    return addr_is_v4(a) ? a->ip[12] == 169 && a->ip[13] == 254 : a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct addr *a)
{
    if (!addr_is_v4(a))
        return a->ip[0] == 0xff;
    return (a->ip[12] & 0xf0) == 0xe0 || memcmp(a->ip + 12, "\xff\xff\xff\xff", 4) == 0;
}

bool addr_is_private(const struct addr *a)
{
    const uint8_t *v4 = a->ip + 12;

    if (!addr_is_v4(a))
        return (a->ip[0] & 0xfe) == 0xfc;
    return v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) || (v4[0] == 192 && v4[1] == 168) ||
           (v4[0] == 100 && (v4[1] & 0xc0) == 64);
}

bool addr_is_unroutable(const struct addr *a)
{
    const uint8_t *v4 = a->ip + 12;

    if (!addr_is_v4(a))
        return addr_is_none(a) || addr_is_private(a) || addr_is_loopback(a) || addr_is_link_local(a) || addr_is_multicast(a);
    return v4[0] == 0 || v4[0] == 127 || v4[0] >= 224 || (v4[0] == 169 && v4[1] == 254) || addr_is_private(a);
}

bool addr_same_site(const struct addr *a, const struct addr *b)
{
    return addr_is_v4(a) == addr_is_v4(b) && memcmp(a->ip, b->ip, addr_is_v4(a) ? 15 : 6) == 0;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
    int c = memcmp(a->ip, b->ip, 16);

    return c ? c : (a->port > b->port) - (a->port < b->port);
}

/* As inet_pton() takes them: no leading zero, so that what stands behind 0, or behind 26 and more, is no digit of theirs. */
bool addr_parse_v4(struct span text, uint16_t port, struct addr *out)
{
    uint8_t ip[4];
    size_t at = 0;

    for (size_t i = 0; i < 4; i++) {
        unsigned value, digit;

        if ((i && (at == text.n || text.p[at++] != '.')) || at == text.n || (value = text.p[at++] - (unsigned)'0') > 9)
            return false;
        for (; value - 1 < 25 && at < text.n && (digit = text.p[at] - (unsigned)'0') <= 9; at++)
            value = value * 10 + digit;
        if (value > 255)
            return false;
        ip[i] = (uint8_t)value;
    }
    if (at < text.n)
        return false;
    *out = addr_v4(ip, port);
    return true;
}

bool addr_parse_ip(struct span text, uint16_t port, struct addr *out)
{
    char buf[INET6_ADDRSTRLEN];
    uint8_t ip[16];

    if (addr_parse_v4(text, port, out)) /* what nearly all are, and a call of inet_pton() costs as much as a header of SIP */
        return true;
    *out = ADDR_NONE;
    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = span_part(text, 1, text.n - 2);
    text = span_part(text, 0, span_find(text, '%'));
    if (text.n == 0 || text.n >= sizeof buf || span_find(text, 0) < text.n)
        return false;
    memcpy(buf, text.p, text.n);
    buf[text.n] = 0;
    if (inet_pton(AF_INET, buf, ip) == 1)
        *out = addr_v4(ip, port);
    else if (inet_pton(AF_INET6, buf, ip) == 1)
        *out = addr_v6(ip, port);
    else
        return false;
    return true;
}

bool addr_parse(struct span text, struct addr *out)
{
    size_t colon = text.n, colons = 0;
    uint64_t port = 0;

    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == ':') {
            colon = i;
            colons++;
        }
    if (colons == 0 || (colons > 1 && text.n && text.p[0] != '[') || (text.n && text.p[text.n - 1] == ']'))
        return addr_parse_ip(text, 0, out);
    *out = ADDR_NONE;
    return span_u64(span_part(text, colon + 1, text.n), 65535, &port) &&
           addr_parse_ip(span_part(text, 0, colon), (uint16_t)port, out);
}

const char *addr_ip_text(const struct addr *a, char buf[ADDR_TEXT])
{
    if (addr_is_v4(a))
        inet_ntop(AF_INET, a->ip + 12, buf, ADDR_TEXT);
    else
        inet_ntop(AF_INET6, a->ip, buf, ADDR_TEXT);
    return buf;
}

const char *addr_text(const struct addr *a, char buf[ADDR_TEXT])
{
    char ip[ADDR_TEXT];

    snprintf(buf, ADDR_TEXT, addr_is_v4(a) ? "%.45s:%u" : "[%.45s]:%u", addr_ip_text(a, ip), a->port);
    return buf;
}
