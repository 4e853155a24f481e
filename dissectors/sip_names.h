/* Private to sip*.c: which of the listed header fields (sip_hdr.def) a name is. */
#ifndef RW_DISSECTORS_SIP_NAMES_H
#define RW_DISSECTORS_SIP_NAMES_H

#include "lane.h"

enum header_id {
#define X(id, name, second, compact, times) HDR_##id,
#include "sip_hdr.def"
#undef X
    HDR_IDS /* not listed */
};

enum { HEADER_NAME_ROOM = 32, HEADER_SLOTS = 128 };

/* No two of the listed names share it. */
#define HEADER_SLOT(length, second) (((length)*13u + ((second) | 32u)) % HEADER_SLOTS)

struct header_table {
    uint8_t slots[HEADER_SLOTS];           /* the row that a name has, if it is listed */
    char names[HDR_IDS][HEADER_NAME_ROOM]; /* with colon and blank behind it */
    uint8_t lengths[HDR_IDS];              /* of the name alone */
};

extern const struct header_table header_table;

/* Whether a listed name, in its usual case, a colon and a blank stand at `p`, all within LANE bytes, which are there. */
static inline bool header_usual(const uint8_t *p, enum header_id *id, size_t *length)
{
    unsigned colon = lane_equal(p, ':'), through = (colon ^ (colon - 1)) * 2 + 1; /* what is to be the same: up to the blank */

    *length = (unsigned)__builtin_ctz(colon | 1u << LANE);
    *id = header_table.slots[HEADER_SLOT(*length, p[1])];
    return (lane_same(p, header_table.names[*id]) & through) == through;
}

/* The row of a header name in either form and any case; HDR_IDS where it is not listed. */
enum header_id header_id(struct span name);

#endif
