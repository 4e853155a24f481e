#include "capture/secrets.h"

#include <stdlib.h>

static void wipe(struct secrets *s)
{
    if (s->text)
        explicit_bzero(s->text, s->n);
    s->n = 0;
    s->given = false;
}

/* Not realloc(), which would leave a copy behind. */
static bool room_make(struct secrets *s, size_t want)
{
    uint8_t *text;

    if (want <= s->room)
        return true;
    text = want <= SECRETS_MOST ? malloc(want) : NULL;
    if (!text)
        return false;
    if (s->n) {
        memcpy(text, s->text, s->n);
        explicit_bzero(s->text, s->n);
    }
    free(s->text);
    s->text = text;
    s->room = want;
    return true;
}

void secrets_add(struct secrets *s, struct span lines)
{
    if (s->given)
        wipe(s);
    if (!lines.n || !room_make(s, s->n + lines.n + 1))
        return;
    memcpy(s->text + s->n, lines.p, lines.n);
    s->n += lines.n;
    s->text[s->n++] = '\n'; /* the last line of a block may have no end of its own */
}

struct span secrets_give(struct secrets *s)
{
    if (s->given)
        return SPAN_NONE;
    s->given = true;
    return (struct span){ s->text, s->n };
}

void secrets_done(struct secrets *s)
{
    wipe(s);
    free(s->text);
    *s = (struct secrets){ 0 };
}
