/*
 * Which frames carried the SIP messages of which call, noted while the capture is read: over one connection of a proxy go those of many
 * calls, and only the pipeline, which puts segments and fragments together, knows where each begins.
 */
#ifndef RW_APP_MESSAGES_H
#define RW_APP_MESSAGES_H

#include "app/pipeline.h"

struct message {
    uint64_t way;          /* hash of the two ends, in this direction */
    uint64_t since, frame; /* the frames from the first to the last with a part of it */
    uint64_t call;         /* selection_call_key() */
    bool in_call;          /* else it belongs to no call: REGISTER, OPTIONS, ... */
};

struct messages {
    struct message *list; /* in the order in which they came */
    size_t n, room, most; /* most: the oldest go beyond it; 0: no bound */
    uint64_t not_kept;
};

/* For struct pipeline_watch. */
void messages_note(void *self, const struct datagram *d, const struct sip_msg *m, const struct sdp *sdp);
void messages_done(struct messages *m);

uint64_t message_way(const struct addr *src, const struct addr *dst);

#endif
