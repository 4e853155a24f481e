/* What the pipeline's files share and nobody else sees. */
#ifndef RW_APP_PIPELINE_PRIVATE_H
#define RW_APP_PIPELINE_PRIVATE_H

#include "app/pipeline.h"

struct datagram pipeline_datagram(const struct net_packet *p);

/* The SIP message in p->msg.sip, dissected, goes to track with its SDP. `uncaptured`: bytes of it that the snap length cut. */
void pipeline_sip(struct pipeline *p, const struct datagram *d, size_t uncaptured, struct faults *why);

/* streams.c: what comes over TCP, in order; the sink of the net layer. */
size_t streams_data(void *self, const struct net_packet *segment, struct span bytes, bool after_gap);

#endif
