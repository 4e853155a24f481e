/* Private to sdp*.c: the words that the lines of an SDP are made of. */
#ifndef RW_DISSECTORS_SDP_PARSE_H
#define RW_DISSECTORS_SDP_PARSE_H

#include "dissectors/lane.h"
#include "dissectors/sdp.h"

/*
 * What is left of a line's value, without blanks at its end. The text goes on to `wall`: up to there bytes may be looked at, so that
 * short words, too, are found in one lane, but what stands behind `end` is not the value's.
 */
struct sdp_rest {
    const uint8_t *p, *end, *wall;
};

RARE struct span sdp_trim_blanks(struct span s);
RARE void sdp_trim_rest_blanks(struct sdp_rest *s);
/* The first `byte` at or after `from`, or s->end. */
RARE const uint8_t *sdp_find_far(const struct sdp_rest *s, const uint8_t *from, char byte);

static inline struct span sdp_all(const struct sdp_rest *s)
{
    return (struct span){ s->p, (size_t)(s->end - s->p) };
}

/* RFC 8866 §5 puts no blanks around what stands between its separators; they are tolerated. */
static inline struct span sdp_trim(struct span s)
{
    return s.n && (s.p[0] <= ' ' || s.p[s.n - 1] <= ' ') ? sdp_trim_blanks(s) : s;
}

/* The same of a whole value. */
static inline void sdp_trim_rest(struct sdp_rest *s)
{
    if (s->p < s->end && (s->p[0] <= ' ' || s->end[-1] <= ' '))
        sdp_trim_rest_blanks(s);
}

static inline void sdp_trim_front(struct sdp_rest *s)
{
    if (s->p < s->end && *s->p <= ' ')
        sdp_trim_rest_blanks(s);
}

/* The first `byte`, or s->end. */
static inline const uint8_t *sdp_find(const struct sdp_rest *s, char byte)
{
    const uint8_t *at = s->p;

    if (s->wall - at >= LANE) {
        at += __builtin_ctz(lane_equal(at, byte) | 1u << LANE);
        if (at >= s->end)
            return s->end;
        if (at < s->p + LANE)
            return at;
    }
    return sdp_find_far(s, at, byte);
}

/* What stands before `byte`; *s moves behind it. */
static inline struct span sdp_until(struct sdp_rest *s, char byte)
{
    const uint8_t *at = sdp_find(s, byte);
    struct span head = { s->p, (size_t)(at - s->p) };

    s->p = at + (at < s->end);
    return head;
}

/* The next word; empty at the end. */
static inline struct span sdp_word(struct sdp_rest *s)
{
    sdp_trim_front(s);
    return sdp_until(s, ' ');
}

/* Past the next word, byte by byte: short ones are foreseen, and what follows does not wait for a lane. */
static inline void sdp_skip_word(struct sdp_rest *s)
{
    const uint8_t *p;

    sdp_trim_front(s);
    for (p = s->p; p < s->end && *p != ' '; p++)
        ;
    s->p = p + (p < s->end);
}

/* What was read ends here, or goes on with `byte`. */
static inline bool sdp_ends(const struct sdp_rest *s, uint8_t byte)
{
    return s->p == s->end || *s->p == byte;
}

/* Takes the digits at the front, as span_take_u64() does. */
static inline bool sdp_digits(struct sdp_rest *s, uint64_t max, uint64_t *out)
{
    struct span rest = sdp_all(s);
    bool are = span_take_u64(&rest, max, out);

    s->p = rest.p;
    return are;
}

RARE bool sdp_odd_number(struct sdp_rest *s, uint64_t max, uint64_t *out);

/* A word that is a number up to `max`; where it is not *s moves behind it too. */
static inline bool sdp_number(struct sdp_rest *s, uint64_t max, uint64_t *out)
{
    struct sdp_rest rest = *s;
    uint64_t v;

    if (!sdp_digits(&rest, max, &v) || !sdp_ends(&rest, ' '))
        return sdp_odd_number(s, max, out);
    s->p = rest.p + (rest.p < rest.end);
    *out = v;
    return true;
}

/* The index of `text` in `names`, which are in small letters, in any case; `n` where it is none of them. */
size_t sdp_name_index(struct span text, const struct span names[], size_t n);
/* A host name, not a broken literal: the last label of a name is never a number (RFC 3696 §2). */
bool sdp_is_host_name(struct span text);
/* The address of a literal, ADDR_NONE of a name, with the port either way. False where the text is neither. */
bool sdp_host(struct span text, uint16_t port, struct addr *out);
/* The rest of a line, "IN IP4 192.0.2.1": host as it stands there, and its address as sdp_host() gives it. */
bool sdp_connection(struct sdp_rest *s, uint16_t port, struct span *host, struct addr *out);
/* sdp_candidate() of a line's value. */
bool sdp_read_candidate(struct sdp_rest *s, struct sdp_cand *out);

#endif
