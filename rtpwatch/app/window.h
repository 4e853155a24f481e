/* The stretch of time that is looked at, of a long capture: --since and --until. */
#ifndef RW_APP_WINDOW_H
#define RW_APP_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame;

/* One end of it, as the user wrote it. */
struct window_end {
    bool given, time_of_day; /* time_of_day: ns counts from midnight UTC, of a day that window_settle() finds */
    int64_t ns;
};

struct window {
    struct window_end since, until; /* from the first on, and before the second */
};

/* An RFC 3339 time ("2026-11-02T09:15:00Z", also with an offset, fractions, a space for the T), or "HH:MM[:SS]" in UTC. False: neither. */
bool window_parse(const char *text, struct window_end *out);
/*
 * Gives times of day their day: that of the capture's first packet, and for the end the next one where it would not be behind the
 * beginning. False: there is nothing between the two.
 */
bool window_settle(struct window *w, int64_t first_ns);
bool window_holds(const struct window *w, int64_t ns);
/* Moves the frames inside together, in order, and returns how many there are. */
size_t window_keep(const struct window *w, struct frame *f, size_t n);

static inline bool window_given(const struct window *w)
{
    return w->since.given || w->until.given;
}

#endif
