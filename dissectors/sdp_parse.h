/* Private to sdp*.c: the words that the lines of an SDP are made of. */
#ifndef RW_DISSECTORS_SDP_PARSE_H
#define RW_DISSECTORS_SDP_PARSE_H

#include "dissectors/sdp.h"

/*
 * The next word; *rest has no blank at its end, and moves behind the word. RFC 8866 §9 puts one space between words; more are
 * tolerated. Empty at the end.
 */
static inline struct span sdp_word(struct span *rest)
{
    *rest = span_trim_front(*rest);
    return span_until(rest, ' ');
}

/* What was read ends here, or goes on with `byte`. */
static inline bool sdp_ends(struct span rest, uint8_t byte)
{
    return rest.n == 0 || rest.p[0] == byte;
}

/* A word that is a number up to `max`; *rest moves behind it also where it is not. */
static inline bool sdp_word_u64(struct span *rest, uint64_t max, uint64_t *out)
{
    struct span s = span_trim_front(*rest);
    uint64_t v = 0;
    bool number = span_take_u64(&s, max, &v) && sdp_ends(s, ' ');

    if (number)
        *out = v;
    (void)span_until(&s, ' ');
    *rest = s;
    return number;
}

/* The index of `text` in `names`, which are in small letters, in any case; `n` where it is none of them. */
size_t sdp_name_index(struct span text, const struct span names[], size_t n);
/* A host name, not a broken literal: the last label of a name is never a number (RFC 3696 §2). */
bool sdp_is_host_name(struct span text);
/* The address of a literal, ADDR_NONE of a name, with the port either way. False where the text is neither. */
bool sdp_host(struct span text, uint16_t port, struct addr *out);

#endif
