/*
 * A run: packets of one RTP stream in a row, packed into a few bytes each, with what they make of the stream's record. Captures are so
 * reduced (doc/ARCHITECTURE.md): who reads a run does as if the packets had come. Where the record stands as it stood where the run was
 * made, it is set to what they make of it; elsewhere (the stream is older than what was reduced, or was split) each is recorded anew.
 *
 * That is the same since nothing that is recorded while a capture is read looks at a stream's or a flow's counts, and since a run is
 * only made of packets that begin no record: they follow each other within STREAM_GAP_NS, and an SDP that may split the stream's flow
 * ends the run before it.
 */
#ifndef RW_TRACK_RUN_H
#define RW_TRACK_RUN_H

#include "track/track.h"

enum {
    RUN_LIST = 2048,            /* bytes of packed packets in one run */
    RUN_BYTES = RUN_LIST + 256, /* and of a whole run */
};
#define RUN_LATEST_NS (INT64_MAX / 2) /* packet times beyond are put into no run */

/* What track_rtp() takes of a packet. */
struct run_packet {
    struct seen at;
    size_t size; /* UDP payload on the wire, bytes */
    uint32_t ssrc, timestamp;
    uint16_t seq;
    uint8_t pt;
};

/* What the next packet is told by: its difference to what is expected after the one before it. */
struct run_place {
    struct run_packet packet;
    uint32_t step;    /* of the timestamp */
    int64_t delta_ns; /* of the time */
};

/* ---- making one ---- */

struct run {
    struct stream after; /* with the packets so far */
    uint64_t before;     /* digest of the record as the run found it */
    struct seen lead;    /* the packet before the run */
    struct run_place place;
    uint32_t n;
    size_t list_n;
    uint8_t list[RUN_LIST];
};

/* Begins behind a packet that stands for itself; `s` has it. */
void run_begin(struct run *r, const struct stream *s);
/*
 * Adds a packet that track has recorded, `s` being the record with it. False: it is not added, and the run ends before it: there is no
 * room, or it does not follow within STREAM_GAP_NS, or something else has changed the record.
 */
bool run_add(struct run *r, const struct stream *s, const struct run_packet *p);
/* Writes the run; `out` has RUN_BYTES. Returns how many it takes. */
size_t run_pack(const struct run *r, const struct flow *f, uint8_t *out);

/* ---- reading one ---- */

struct run_told {
    struct addr src, dst;
    struct seen lead, last; /* the packet before the run, and its last */
    uint64_t before;
    struct stream after; /* what packets change in it, without the tally */
    uint32_t n;
    struct span list; /* borrowed from what was read */
};

bool run_read(struct span bytes, struct run_told *out); /* false: damaged */

enum run_fit {
    RUN_GOES_ON, /* the record stands as the run found it: run_apply() */
    RUN_ANEW,    /* the packets are to be recorded one by one: run_next() */
    RUN_UNFIT    /* the run cannot have come here: something split the stream in its middle, or its first packets are not there */
};
/* *f and *s: the flow and the record of the run's stream, NULL where a table was full. */
enum run_fit run_fits(const struct track *t, const struct run_told *told, struct flow **f, struct stream **s);
void run_apply(struct track *t, struct flow *f, struct stream *s, const struct run_told *told);

struct run_list {
    struct run_place place;
    struct rd left;
    uint32_t n; /* packets left */
};
struct run_list run_list(const struct run_told *told);
/* The next packet; false at the end, or where the list is damaged: `n` tells. */
bool run_next(struct run_list *l, struct run_packet *out);

#endif
