/* Every message and stream as one JSON object a line: what was dissected, before anything was judged. For comparing with other tools. */
#ifndef RW_OUT_FACTS_H
#define RW_OUT_FACTS_H

#include <stdio.h>

#include "track/track.h"

struct facts_sink {
    FILE *to;
};

void facts_sip(void *sink, const struct datagram *d, const struct sip_msg *m, const struct sdp *sdp);
void facts_stun(void *sink, const struct datagram *d, const struct stun_msg *m, enum stun_role role);
void facts_icmp(void *sink, const struct datagram *d, const struct icmp_msg *m);
void facts_dns(void *sink, const struct datagram *d, const struct dns_msg *m);
bool facts_streams(const struct track *t, FILE *to); /* false when a write failed */

#endif
