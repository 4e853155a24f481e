#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool strbuf_room(struct strbuf *b, size_t more)
{
    size_t want = b->n + more + 1, room = b->room ? b->room : 64;
    char *p;

    if (want <= b->room)
        return true;
    while (room < want)
        room *= 2;
    p = realloc(b->p, room);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->room = room;
    return true;
}

void strbuf_span(struct strbuf *b, struct span s)
{
    if (!strbuf_room(b, s.n))
        return;
    if (s.n)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    b->p[b->n] = 0;
}

void strbuf_add(struct strbuf *b, const char *s)
{
    strbuf_span(b, span_str(s));
}

void strbuf_fmt(struct strbuf *b, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0 && strbuf_room(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

/* The length of the well-formed UTF-8 sequence at the front (RFC 3629 §4), 0 where there is none. */
static size_t utf8_len(struct span s, uint32_t *rune)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t c = s.p[0];
    size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;

    if (n == 0 || n > s.n)
        return 0;
    *rune = n == 1 ? c : c & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s.p[i] & 0xc0) != 0x80)
            return 0;
        *rune = *rune << 6 | (s.p[i] & 0x3f);
    }
    return *rune < least[n] || *rune > 0x10ffff || (*rune >= 0xd800 && *rune < 0xe000) ? 0 : n;
}

static bool rune_is_safe(uint32_t r)
{
    return r >= 0x20 && !(r >= 0x7f && r < 0xa0) && !(r >= 0x200b && r <= 0x200f) && !(r >= 0x2028 && r <= 0x202e) &&
           !(r >= 0x2066 && r <= 0x2069) && r != 0xfeff && r != 0x61c;
}

size_t utf8_take(struct span s, bool *printable)
{
    uint32_t rune = 0;
    size_t n = utf8_len(s, &rune);

    *printable = n && rune_is_safe(rune);
    return n ? n : 1;
}

/* The safe form of the first character of `s`; returns how many bytes of `s` it stands for. */
static size_t safe_piece(struct span s, char out[20])
{
    uint32_t rune = 0;
    size_t n = utf8_len(s, &rune), from = n ? n : 1;

    if (n && rune == '\\') {
        snprintf(out, 20, "\\\\");
    } else if (n && rune_is_safe(rune)) {
        memcpy(out, s.p, n);
        out[n] = 0;
    } else {
        for (size_t i = 0; i < from; i++)
            snprintf(out + 4 * i, 5, "\\x%02x", s.p[i]);
    }
    return from;
}

void strbuf_safe(struct strbuf *b, struct span s, size_t max)
{
    size_t start = b->n;
    char piece[20];

    while (s.n) {
        size_t from = safe_piece(s, piece);

        if (b->n - start + strlen(piece) > max) {
            strbuf_add(b, "…");
            return;
        }
        strbuf_add(b, piece);
        s = span_part(s, from, s.n);
    }
}

void strbuf_clear(struct strbuf *b)
{
    b->n = 0;
    b->failed = false;
    if (b->p)
        b->p[0] = 0;
}

void strbuf_done(struct strbuf *b)
{
    free(b->p);
    *b = (struct strbuf){ 0 };
}

const char *strbuf_str(const struct strbuf *b)
{
    return b->p ? b->p : "";
}
