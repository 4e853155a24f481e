/*
 * How much of a frame is evidence: signalling whole, voice to the end of its header. What people said is in no provider's interest, and
 * tones (RFC 4733) may be card numbers.
 */
#ifndef RW_APP_CUT_H
#define RW_APP_CUT_H

#include "capture/dump.h"
#include "classify/classify.h"
#include "dissectors/icmp.h"
#include "net/net.h"

/*
 * What is kept of a UDP payload. Whole: SIP, STUN, DTLS, RTCP, DNS, keep-alives. To the end of its header, its contributing sources
 * and its header extension: RTP, also in TURN's ChannelData and indications. Of what nothing explains as much as an RTP header has.
 *
 * Where an indication names the peer behind DATA, it is kept up to there, and the voice in between is blank.
 */
struct kept cut_datagram(struct span payload, enum kind kind);
/* The same of an ICMP message: of the packet that it quotes. `m`: as icmp_dissect() gave it. */
struct kept cut_icmp(struct span message, const struct icmp_msg *m);
/* The same of a TCP segment that carries no SIP: a STUN message at its front, else what would be the header of a TURN channel. */
struct kept cut_segment(struct span payload);
/* The same of bytes that stand so far behind others, which are kept as well. */
struct kept cut_behind(size_t before, struct kept k);
/* Length of the header of an IP packet that is a fragment, and whether what it carries begins behind it. 0: none that is known. */
size_t ip_header(struct span ip, bool *begins);

#endif
