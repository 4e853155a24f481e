/* ICMP (RFC 792) and ICMPv6 (RFC 4443) errors, with the packet that they quote. */
#ifndef RW_DISSECTORS_ICMP_H
#define RW_DISSECTORS_ICMP_H

#include "dissect.h"

enum icmp_what {
    ICMP_NO_ERROR, /* echo, neighbour discovery, ... */
    ICMP_NET_UNREACHABLE,
    ICMP_HOST_UNREACHABLE,
    ICMP_PROTOCOL_UNREACHABLE,
    ICMP_PORT_UNREACHABLE,
    ICMP_ADMIN_PROHIBITED,
    ICMP_TOO_BIG,
    ICMP_TIME_EXCEEDED,
    ICMP_OTHER_ERROR,
};

struct icmp_msg {
    bool v6;
    uint8_t type, code;
    enum icmp_what what;
    bool quotes;          /* the quoted packet's addresses could be read */
    uint8_t quoted_proto; /* 17 UDP, 6 TCP */
    struct addr src, dst; /* of the quoted packet; ports 0 where it is not UDP/TCP or a later fragment */
    struct span quoted;   /* what was quoted behind the UDP header, as captured */
};

/* `v6` says which of the two protocols; the outer IP header is not part of *in. */
enum dis icmp_dissect(struct rd *in, bool v6, struct icmp_msg *out, struct faults *why);

const char *icmp_what_name(enum icmp_what w); /* "port unreachable" */

#endif
