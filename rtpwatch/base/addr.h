/*
 * Transport addresses: IPv6, or IPv4 in its IPv4-mapped form (RFC 4291 §2.5.5.2), and a port.
 * One form for both families, so that addresses compare and hash as bytes.
 */
#ifndef RW_BASE_ADDR_H
#define RW_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/span.h"

struct addr {
    uint8_t ip[16];
    uint16_t port; /* host byte order; 0 where only the IP counts */
};

#define ADDR_NONE ((struct addr){ { 0 }, 0 })
enum { ADDR_TEXT = 56 }; /* "[v6]:65535" and its NUL fit */

static inline struct addr addr_v4(const uint8_t ip[4], uint16_t port)
{
    struct addr a = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ip[0], ip[1], ip[2], ip[3] }, port };
    return a;
}

static inline struct addr addr_v6(const uint8_t ip[16], uint16_t port)
{
    struct addr a;

    memcpy(a.ip, ip, 16);
    a.port = port;
    return a;
}

static inline bool addr_ip_eq(const struct addr *a, const struct addr *b)
{
    return memcmp(a->ip, b->ip, 16) == 0;
}

static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
    return a->port == b->port && addr_ip_eq(a, b);
}

static inline struct addr addr_with_port(struct addr a, uint16_t port)
{
    a.port = port;
    return a;
}

uint64_t addr_hash(const struct addr *a);
bool addr_is_v4(const struct addr *a);
bool addr_is_none(const struct addr *a); /* ADDR_NONE, 0.0.0.0 or ::, whatever the port */
bool addr_is_loopback(const struct addr *a);
bool addr_is_link_local(const struct addr *a); /* 169.254/16, fe80::/10 */
bool addr_is_multicast(const struct addr *a);  /* and IPv4 broadcast 255.255.255.255 */
/* RFC 1918, RFC 4193, and RFC 6598 (100.64/10, a carrier's NAT). */
bool addr_is_private(const struct addr *a);
/*
 * No host on the internet can be reached there: private, loopback, link-local, multicast, none, 0/8,
 * 240/4. Documentation ranges (RFC 5737) are not counted: laboratories use them as if they were public.
 */
bool addr_is_unroutable(const struct addr *a);
/* In one /24 (IPv4) or one /48 (IPv6): what one site is likely to hold. */
bool addr_same_site(const struct addr *a, const struct addr *b);
int addr_cmp(const struct addr *a, const struct addr *b);

/* Reads four decimal numbers with dots between them, and nothing else; false, and *out as it was, otherwise. */
bool addr_parse_v4(struct span text, uint16_t port, struct addr *out);
/* Reads an IPv4 or IPv6 literal (brackets and a %zone allowed); false and ADDR_NONE otherwise. */
bool addr_parse_ip(struct span text, uint16_t port, struct addr *out);
/* Reads "1.2.3.4:5", "[::1]:5", or an IP alone (port 0). */
bool addr_parse(struct span text, struct addr *out);
/* Both write a NUL-terminated text into buf and return buf. */
const char *addr_text(const struct addr *a, char buf[ADDR_TEXT]);    /* with the port */
const char *addr_ip_text(const struct addr *a, char buf[ADDR_TEXT]); /* without */

#endif
