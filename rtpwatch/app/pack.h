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

/* Both are borrowed. The pipeline looks for copies (pipeline_inputs()), of a single input too. NULL without memory. */
struct pack *pack_new(struct pipeline *p, struct reduced_out *to);
void pack_free(struct pack *k);              /* NULL: nothing */
void pack_begin(struct pack *k, int64_t ns); /* the time of the part's first frame, which may lie outside a window */
/* In time order, at most PIPELINE_FRAMES; false without memory. */
bool pack_frames(struct pack *k, const struct frame *f, size_t n);
/* Writes what is under way, and tells the part's last time and packets; w->copy is malloc'ed. False without memory. */
bool pack_end(struct pack *k, struct reduced_whole *w);

#endif
