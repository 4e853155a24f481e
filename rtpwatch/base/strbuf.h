/* A growing string. Without memory it stays as it is and `failed` says so. */
#ifndef RW_BASE_STRBUF_H
#define RW_BASE_STRBUF_H

#include "base/span.h"

struct strbuf {
    char *p; /* NUL-terminated; NULL before the first byte */
    size_t n, room;
    bool failed;
};

void strbuf_add(struct strbuf *b, const char *s);
void strbuf_span(struct strbuf *b, struct span s);
__attribute__((format(printf, 2, 3))) void strbuf_fmt(struct strbuf *b, const char *fmt, ...);
/*
 * Text from the network, made safe for a terminal and a log: valid printable UTF-8 stays, control characters (C0, DEL, C1),
 * line breaks, bidirectional overrides and broken UTF-8 become \xNN, a backslash becomes \\. At most `max` bytes are written,
 * then "…".
 */
void strbuf_safe(struct strbuf *b, struct span s, size_t max);
/* How many bytes the first character of `s` (not empty) has, 1 where it is no UTF-8; and whether strbuf_safe() lets it stay. */
size_t utf8_take(struct span s, bool *printable);
void strbuf_clear(struct strbuf *b); /* empties, keeps the room */
void strbuf_done(struct strbuf *b);
const char *strbuf_str(const struct strbuf *b); /* never NULL */

#endif
