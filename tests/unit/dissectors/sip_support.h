/* What the SIP tests share: a message, its faults, and the pieces that messages are made of. */
#ifndef RW_TESTS_SIP_SUPPORT_H
#define RW_TESTS_SIP_SUPPORT_H

#include "dissectors/sip.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct sip_msg m;
static struct faults why;

static inline enum dis feed(struct span s, size_t wire, bool stream)
{
    struct rd r = rd_init(s, wire);
    const uint8_t *from = r.p;
    enum dis d;

    memset(&m, 0xa5, sizeof m); /* nothing of an earlier message may shine through */
    why = (struct faults){ .n = 0 };
    d = sip_dissect(&r, stream, &m, &why);
    if (d != DIS_OK)
        cr_assert_eq(r.p, from, "*in moved without DIS_OK");
    return d;
}

static inline enum dis datagram(const char *text)
{
    return feed(span_str(text), strlen(text), false);
}

static inline bool is(struct span s, const char *text)
{
    if (!span_eq(s, span_str(text)))
        printf("have '%.*s', want '%s'\n", (int)s.n, s.n ? (const char *)s.p : "", text);
    return span_eq(s, span_str(text));
}

static inline bool faulty(enum fault_id id)
{
    for (size_t i = 0; i < why.n && i < FAULTS_KEPT; i++)
        if (why.v[i].id == id)
            return true;
    return false;
}

#define TAIL  "From: <sip:a@example.org>;tag=1\r\nTo: <sip:b@example.org>\r\nCall-ID: c1\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\n"
#define VIA   "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
#define START "INVITE sip:b@example.org SIP/2.0\r\n"
#define END   "Content-Length: 0\r\n\r\n"
#define SDP   "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

/* Parts of a multipart body with the boundary b1. */
#define PLAIN "--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
#define PART  "--b1\r\nContent-Disposition: session\r\ncontent-type : Application / SDP ; x=y\r\n\r\n" SDP "\r\n"

/* Two messages without any fault. */
#define REQUEST                                                                                                                  \
    "INVITE sip:18005550100@pbx.example.com;transport=udp SIP/2.0\r\n"                                                           \
    "Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bKnext;rport\r\n"                                                                \
    "Via: SIP/2.0/TCP [2001:db8::9]:5070;branch=z9hG4bKlast;received=192.0.2.99;rport=31000\r\n"                                 \
    "Max-Forwards: 70\r\n"                                                                                                       \
    "From: \"Agent \\\"One\\\"\" <sip:agent1:secret@pbx.example.com>;tag=as5a3e\r\n"                                             \
    "To: Customer Line <sip:18005550100@pbx.example.com>\r\n"                                                                    \
    "Contact: <sip:agent1@10.0.0.5:5062>;expires=60, <sip:other@example.com>\r\n"                                                \
    "Call-ID: 5f3c@10.0.0.5\r\n"                                                                                                 \
    "CSeq: 102 INVITE\r\n"                                                                                                       \
    "User-Agent: Softphone 1.2\r\n"                                                                                              \
    "Content-Type: application/sdp\r\n"                                                                                          \
    "Content-Length: 87\r\n"                                                                                                     \
    "\r\n" SDP

#define RESPONSE                                                                                                                 \
    "SIP/2.0 180 Ringing now\r\n"                                                                                                \
    "v: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK56;received=198.51.100.7;rport=40512\r\n"                                 \
    "f: sip:agent1@pbx.example.com;tag=as5a3e\r\n"                                                                               \
    "t: <sip:18005550100@pbx.example.com>;tag=77c\r\n"                                                                           \
    "i: 5f3c@10.0.0.5\r\n"                                                                                                       \
    "cseq:102 INVITE\r\n"                                                                                                        \
    "Server: PBX 18\r\n"                                                                                                         \
    "l: 0\r\n"                                                                                                                   \
    "\r\n"

#endif
