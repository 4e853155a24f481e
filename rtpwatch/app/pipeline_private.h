/* What the pipeline's files share and nobody else sees. */
#ifndef RW_APP_PIPELINE_PRIVATE_H
#define RW_APP_PIPELINE_PRIVATE_H

#include "app/pipeline.h"

struct datagram pipeline_datagram(const struct net_packet *p);

/* A SIP message goes to track with its SDP. `uncaptured`: bytes of it that the snap length cut. */
void pipeline_sip(struct pipeline *p, const struct datagram *d, const struct sip_msg *m, size_t uncaptured, struct faults *why);

/*
 * The STUN message that was dissected into p->msg.stun with this result goes to track, and what it relays is looked at. False: it is no
 * STUN. What is wrong with it is logged.
 */
bool pipeline_stun(struct pipeline *p, struct flow *f, const struct datagram *d, enum dis got, struct faults *why);
/* ChannelData (RFC 8656 §12.4): number, length, data. What it relays is looked at. */
void pipeline_channel(struct pipeline *p, struct flow *f, const struct datagram *d, struct rd r);

/* early.c: the answer to the request in p->msg.stun, which came in `request`, if it stood before it: taken as if it came with it. */
void pipeline_early_answer(struct pipeline *p, const struct datagram *request);

/* streams.c: what comes over TCP, in order; the sink of the net layer. */
size_t streams_data(void *self, const struct net_packet *segment, struct span bytes, bool after_gap);

#endif
