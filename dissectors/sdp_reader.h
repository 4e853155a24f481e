/* Private to sdp*.c: what is known while a description is read. */
#ifndef RW_DISSECTORS_SDP_READER_H
#define RW_DISSECTORS_SDP_READER_H

#include "dissectors/sdp_parse.h"

/* What reads one kind of line is called, and last: read into one function, all of them would share its few registers. */
#define APART __attribute__((noinline))

/* A description is read line by line into the session's part first, then into one media section after another (RFC 8866 §5). */
struct sdp_reader {
    struct span text;
    const uint8_t *line;     /* the one in hand, for its offset */
    bool cut;                /* the snap length took the rest of the text */
    unsigned types;          /* which lines may stand here (RFC 8866 §9), one bit a letter */
    unsigned seen;           /* which have been met so far */
    bool session_attributes; /* the session has any, and its sections inherit them */
    bool rtcp_at_c;          /* this section's a=rtcp gives a port alone: the address is that of c= (RFC 3605 §2.1) */
    struct sdp_rest rest;    /* of that line's value */
    struct sdp *out;
    struct faults *why;
    struct sdp_media *now;
    struct sdp_media session; /* what the media sections inherit */
    struct sdp_media unkept;  /* takes the lines of sections beyond SDP_MEDIA_KEPT, so that no other section gets them */
};

/* Of the line in hand. */
RARE void sdp_fault(struct sdp_reader *r, enum fault_id id);
/* The rest of a line of type a (RFC 8866 §6). */
APART void sdp_read_attribute(struct sdp_reader *r);

#endif
