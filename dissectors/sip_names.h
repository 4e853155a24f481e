/* Private to sip*.c: which of the listed header fields (sip_hdr.def) a name is. */
#ifndef RW_DISSECTORS_SIP_NAMES_H
#define RW_DISSECTORS_SIP_NAMES_H

#include "sip_lane.h"

enum header_id {
#define X(id, name, second, compact, times) HDR_##id,
#include "sip_hdr.def"
#undef X
    HDR_IDS /* not listed */
};

enum { HEADER_NAME_ROOM = 32, HEADER_SLOTS = 128 };

/* With the colon behind the name. */
extern const char header_names[HDR_IDS][HEADER_NAME_ROOM];
/* Without it; 0 behind the last. */
extern const uint8_t header_lengths[HDR_IDS + 1];
/* By slot: the one row whose name has that length and second letter. Where none has, the first row stands, which differs. */
extern const uint8_t header_slots[HEADER_SLOTS];

#define HEADER_SLOT(length, second) (((length)*13u + ((second) | 32u)) % HEADER_SLOTS)

/* The row whose name, in its usual case, and a colon stand at `p`, where at least LANE bytes are; HDR_IDS where none does. */
static inline enum header_id header_usual(const uint8_t *p)
{
    unsigned colon = lane_equal(p, ':'), through = colon ^ (colon - 1); /* up to the first colon, and it */
    enum header_id id = header_slots[HEADER_SLOT((unsigned)__builtin_ctz(colon | 1u << LANE), p[1])];

    return (lane_same(p, header_names[id]) & through) == through ? id : HDR_IDS;
}

/* The row of a header name in either form and any case; HDR_IDS where it is not listed. */
enum header_id header_id(struct span name);

#endif
