/*
 * Reduced captures: part of a set of captures, in which all but most of the voice stands frame by frame. What is left out of the voice
 * is in records that only others understand. A file of its own kind, in network order:
 *
 *   "rtpwred1" · records: kind 1 · length 4 · bytes · … · the last one tells of the whole part: its inputs, its end · where that one
 *   begins 8 · "rtpwend1"
 *
 * A file without its end was not written whole, and is refused.
 */
#ifndef RW_CAPTURE_REDUCED_H
#define RW_CAPTURE_REDUCED_H

#include <stdio.h>

#include "base/addr.h"
#include "capture/capture.h"

enum { REDUCED_HOSTS = 256 };

/* One of the captures that were reduced. */
struct reduced_input {
    struct capture_input told;
    const char *place;  /* as the user called it, "" not */
    bool looked, known; /* what the beginning of it tells of its place, see app/vantages.h */
    size_t hosts_n;
    struct addr *host; /* IPs that are local there */
};

/* A packet of the last moments, by its hash: another part may begin with a copy of it. */
struct reduced_copy {
    uint64_t hash;
    int64_t ns;
    unsigned input;
};

struct reduced_whole {
    struct reduced_input *input;
    size_t inputs;
    int64_t clock_ns; /* the newest packet time */
    uint64_t outside; /* frames outside --since and --until */
    struct reduced_copy *copy;
    size_t copies;
};

enum reduced_kind {
    REDUCED_FRAME = 1, /* a frame */
    REDUCED_EDGE,      /* a frame so near to the beginning that another part may hold it too */
    REDUCED_COPY,      /* a frame that another input of the part held: its time and number */
    REDUCED_CLOCK,     /* the newest packet time was later than what stands before tells */
    REDUCED_RUN,       /* packets of voice, packed */
    REDUCED_WHOLE,     /* the end */
    REDUCED_BROKEN     /* no record: the file is damaged */
};

/* ---- writing ---- */

struct reduced_out;

/* NULL, and `error` says why: the file cannot be made, is no regular file, or is one of the inputs. Only its owner can read it. */
struct reduced_out *reduced_create(const char *path, const char *const *inputs, size_t n, char error[CAPTURE_ERROR]);
void reduced_frame(struct reduced_out *o, const struct frame *f,
                   enum reduced_kind kind); /* REDUCED_FRAME, REDUCED_EDGE or REDUCED_COPY */
void reduced_clock(struct reduced_out *o, int64_t ns);
void reduced_run(struct reduced_out *o, struct span run);
/* Writes the end and closes; whole NULL: gives the file up and removes it. False: it could not be written, `error` says why. */
bool reduced_close(struct reduced_out *o, const struct reduced_whole *whole, char error[CAPTURE_ERROR]);

/* ---- reading ---- */

struct reduced;

bool reduced_is(const char *path); /* it begins as one */
/* NULL, and `error` says why. */
struct reduced *reduced_open(const char *path, char error[CAPTURE_ERROR]);
struct reduced *reduced_of(FILE *f, char error[CAPTURE_ERROR]); /* takes f, which can be sought in */
const struct reduced_whole *reduced_whole(const struct reduced *r);

struct reduced_record {
    enum reduced_kind kind;
    struct frame frame; /* of REDUCED_FRAME and REDUCED_EDGE; of REDUCED_COPY without bytes; of REDUCED_CLOCK the time */
    struct span run;
};
/* What comes next, valid until the next call. Frames have the numbers of the part's inputs, which are those that there are. */
enum reduced_kind reduced_next(struct reduced *r, struct reduced_record *out);
void reduced_free(struct reduced *r); /* NULL: nothing */

#endif
