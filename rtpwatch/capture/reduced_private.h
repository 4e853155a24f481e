/* What the writer and the reader of reduced captures share. */
#ifndef RW_CAPTURE_REDUCED_PRIVATE_H
#define RW_CAPTURE_REDUCED_PRIVATE_H

#include "capture/reduced.h"

#define REDUCED_BEGINS "rtpwred1"
#define REDUCED_ENDS   "rtpwend1"

enum {
    REDUCED_MAGIC = 8,
    REDUCED_HEAD = 5,                 /* of a record: kind 1 · length 4 */
    REDUCED_TAIL = 8 + REDUCED_MAGIC, /* behind the last one */
    REDUCED_FRAME_HEAD = 24,          /* number 8 · time 8 · link type 4 · length on the wire 4 */
    REDUCED_RECORD = 64 << 20,        /* the largest; a frame is at most 16 MB (pcapng.c) */
    REDUCED_TEXT = 8192               /* of a path */
};

#endif
