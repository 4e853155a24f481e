/* DNS messages (RFC 1035 §4), with A, AAAA (RFC 3596), CNAME and SRV (RFC 2782) decoded. */
#ifndef RW_DISSECTORS_DNS_H
#define RW_DISSECTORS_DNS_H

#include "dissect.h"

enum { DNS_QUESTIONS_KEPT = 4, DNS_RECORDS_KEPT = 48, DNS_NAME = 256, DNS_NAMES_BYTES = 8192 };
enum { DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35, DNS_OPT = 41 };

struct dns_question {
    const char *name; /* lower case, no last dot, NUL-terminated, in dns_msg.names; bytes outside 0x21..0x7e as \DDD (RFC 4343) */
    uint16_t type;
};

struct dns_record {
    const char *name;
    uint16_t type;
    uint32_t ttl_s;
    struct addr addr;                /* A, AAAA; port 0 */
    const char *target;              /* CNAME, SRV; else NULL */
    uint16_t priority, weight, port; /* SRV */
};

struct dns_msg {
    uint16_t id;
    bool response, truncated, authoritative;
    uint8_t opcode, rcode;
    size_t questions, records;
    struct dns_question question[DNS_QUESTIONS_KEPT];
    struct dns_record record[DNS_RECORDS_KEPT]; /* answers, then authority and additional, OPT left out */
    size_t answers;                             /* how many of them are in the answer section */
    size_t names_used;
    char names[DNS_NAMES_BYTES];
};

/*
 * A whole datagram. DIS_NOT_MINE where the header is none that RFC 1035 allows (opcode above 5, more than 4 questions, Z bit set,
 * a question that is no name and class IN/ANY). Compression pointers must go strictly backwards, so loops cannot be.
 */
enum dis dns_dissect(struct rd *in, struct dns_msg *out, struct faults *why);

#endif
