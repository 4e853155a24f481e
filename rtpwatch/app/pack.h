/*
 * Frames into a reduced capture: they go through a pipeline, which tells what each is, and then most of the voice goes into runs
 * (track/run.h) and all else into the file as it is.
 *
 * What is read of the file must be what is read of the frames. So a run ends before whatever may look at its stream or change it but its
 * own packets: an SDP that names an end of its flow, any SDP of a call that began before the part, whatever may complete a message that
 * did, a packet out of the order of time, or one that a relay passes on.
 */
#ifndef RW_APP_PACK_H
#define RW_APP_PACK_H

#include "app/pipeline.h"
#include "capture/reduced.h"

struct pack;

struct pack *pack_new(struct pipeline *p, struct reduced_out *to); /* both borrowed; NULL without memory */
void pack_free(struct pack *k);                                    /* NULL: nothing */
void pack_begin(struct pack *k, int64_t ns); /* the time of the part's first frame, which may lie outside a window */
bool pack_frames(struct pack *k, const struct frame *f,
                 size_t n);    /* in time order, at most PIPELINE_FRAMES; false without memory */
void pack_end(struct pack *k); /* writes what is under way */

#endif
