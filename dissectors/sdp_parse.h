/* Private to sdp*.c: the words that the lines of an SDP are made of. */
#ifndef RW_DISSECTORS_SDP_PARSE_H
#define RW_DISSECTORS_SDP_PARSE_H

#include "dissectors/sdp.h"

/* The next word. RFC 8866 §9 puts one space between words; more are tolerated. Empty at the end. */
static inline struct span sdp_word(struct span *rest)
{
    *rest = span_trim(*rest);
    return span_until(rest, ' ');
}

static inline bool sdp_number(struct span s, uint64_t min, uint64_t max, uint64_t *out)
{
    return span_u64(s, max, out) && *out >= min;
}

/* The index of `text` in `names`, which are in small letters, in any case; `n` where it is none of them. */
size_t sdp_name_index(struct span text, const char *const names[], size_t n);
/* A host name, not a broken literal: the last label of a name is never a number (RFC 3696 §2). */
bool sdp_is_host_name(struct span text);
/* The address of a literal, ADDR_NONE of a name, with the port either way. False where the text is neither. */
bool sdp_host(struct span text, uint16_t port, struct addr *out);

#endif
