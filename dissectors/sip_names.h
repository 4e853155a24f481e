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
    uint32_t lanes[HDR_IDS];               /* a bit for each byte of those */
    uint8_t lengths[HDR_IDS + 1];          /* of the name alone */
};

extern const struct header_table header_table;

/* The row of a listed name that stands at `p` in its usual case, a colon and a blank behind it, all within LANE bytes; HDR_IDS else. */
static inline size_t header_usual(const uint8_t *p)
{
    size_t length = (unsigned)__builtin_ctz(lane_equal(p, ':') | 1u << LANE);
    size_t id = header_table.slots[HEADER_SLOT(length, p[1])];

    return ~lane_same(p, header_table.names[id]) & header_table.lanes[id] ? HDR_IDS : id;
}

/* The row of a header name in either form and any case; HDR_IDS where it is not listed. */
enum header_id header_id(struct span name);

#endif
