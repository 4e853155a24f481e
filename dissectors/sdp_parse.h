/* Private to sdp*.c: the words that the lines of an SDP are made of. */
#ifndef RW_DISSECTORS_SDP_PARSE_H
#define RW_DISSECTORS_SDP_PARSE_H

#include "dissectors/sdp.h"

RARE struct span sdp_trim_blanks(struct span s);

/* RFC 8866 §5 puts no blanks around what stands between its separators; they are tolerated. */
static inline struct span sdp_trim(struct span s)
{
    return s.n && (s.p[0] <= ' ' || s.p[s.n - 1] <= ' ') ? sdp_trim_blanks(s) : s;
}

/* Of what has no blank at its end. */
static inline struct span sdp_trim_front(struct span s)
{
    return s.n && s.p[0] <= ' ' ? sdp_trim_blanks(s) : s;
}

/* The next word; *rest has no blank at its end, and moves behind the word. Empty at the end. */
static inline struct span sdp_word(struct span *rest)
{
    *rest = sdp_trim_front(*rest);
    return span_until(rest, ' ');
}

/* What was read ends here, or goes on with `byte`. */
static inline bool sdp_ends(struct span rest, uint8_t byte)
{
    return rest.n == 0 || rest.p[0] == byte;
}

RARE bool sdp_odd_word_u64(struct span *rest, uint64_t max, uint64_t *out);

/* A word that is a number up to `max`; where it is not *rest moves behind it too. */
static inline bool sdp_word_u64(struct span *rest, uint64_t max, uint64_t *out)
{
    struct span s = *rest;
    uint64_t v;

    if (!span_take_u64(&s, max, &v) || !sdp_ends(s, ' '))
        return sdp_odd_word_u64(rest, max, out);
    if (s.n) {
        s.p++;
        s.n--;
    }
    *rest = s;
    *out = v;
    return true;
}

/* The index of `text` in `names`, which are in small letters, in any case; `n` where it is none of them. */
size_t sdp_name_index(struct span text, const struct span names[], size_t n);
/* A host name, not a broken literal: the last label of a name is never a number (RFC 3696 §2). */
bool sdp_is_host_name(struct span text);
/* The address of a literal, ADDR_NONE of a name, with the port either way. False where the text is neither. */
bool sdp_host(struct span text, uint16_t port, struct addr *out);

#endif
