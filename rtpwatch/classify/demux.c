#include "classify/classify.h"
#include "dissectors/dtls.h"
#include "dissectors/rtp.h"
#include "dissectors/sip.h"
#include "dissectors/stun.h"

enum { DNS_PORT = 53, MDNS_PORT = 5353 };

/* RFC 7983 §7, and what SIP and keep-alives (RFC 5626 §4.4) look like. */
enum kind classify(struct span s, size_t wire, uint16_t src_port, uint16_t dst_port)
{
    uint8_t b;

    if (s.n == 0)
        return KIND_KEEPALIVE;
    b = s.p[0];
    if (b < 64 && s.n >= STUN_HEADER && s.p[4] == 0x21 && s.p[5] == 0x12 && s.p[6] == 0xa4 && s.p[7] == 0x42)
        return KIND_STUN; /* the magic cookie tells it from DNS on any port */
    if (src_port == DNS_PORT || dst_port == DNS_PORT || (src_port == MDNS_PORT && dst_port == MDNS_PORT))
        return KIND_DNS;
    if (b >> 6 == 2 && s.n >= 8)
        return rtp_is_rtcp(s.p[1]) ? KIND_RTCP : s.n >= RTP_HEADER ? KIND_RTP : KIND_OTHER;
    if (b < 4 && s.n >= 20)
        return KIND_STUN;
    if (sip_looks_like(s))
        return KIND_SIP;
    if ((b >= 20 && b < 64 && s.n >= 13 && s.p[1] == 0xfe && (s.p[2] == 0xff || s.p[2] == 0xfd)) || dtls_looks_like(s))
        return KIND_DTLS;
    if (b >= 64 && b < 80 && s.n >= 4 && (size_t)(s.p[2] << 8 | s.p[3]) + 4 <= wire)
        return KIND_TURN_CHANNEL; /* RFC 8656 §12.4 */
    if (s.n <= 4 && span_trim(s).n == 0)
        return KIND_KEEPALIVE;
    return s.n == 1 && b == 0 ? KIND_KEEPALIVE : KIND_OTHER;
}
