/* One reduced capture (app/reduce.h) into a pipeline, as if its captures were read. */
#ifndef RW_APP_PART_H
#define RW_APP_PART_H

#include "app/pipeline.h"
#include "capture/reduced.h"

/*
 * Reads all records. The part's inputs are numbered from `base` on. False: `error` says why, and what the pipeline has is of no use: the
 * file is damaged, or what it tells of the voice cannot be so behind what was read before.
 */
bool part_read(struct reduced *part, unsigned base, struct pipeline *p, char error[CAPTURE_ERROR]);

#endif
