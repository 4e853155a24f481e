/*
 * The bytes of an input, so that what a reader asks for stands in one piece and many records stand in memory together. Of a file much is
 * read at a time; of a pipe what it has, so that nobody waits for more than was asked for. Private to capture/.
 */
#ifndef RW_CAPTURE_FEED_H
#define RW_CAPTURE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct feed {
    int fd;         /* the stream's, and closed with it */
    uint8_t *bytes; /* NULL: not begun, or done */
    size_t room;
    size_t at, end;  /* what is not used yet */
    uint64_t offset; /* how far the input is read */
    int error;       /* errno of what ended it early; 0: none */
};

/*
 * Reads on where `from` stands; it is not read by others any more. Unless it is a regular file, it must be unbuffered. `first`: the byte
 * before, to be read again, or EOF. False without memory.
 */
bool feed_begin(struct feed *f, FILE *from, int first);
void feed_done(struct feed *f); /* what was given is gone; `offset` stays */

/* Makes `n` bytes stand at feed_at(), which moves what stood there; false: there are fewer, or `error`. */
bool feed_have(struct feed *f, size_t n);

static inline size_t feed_left(const struct feed *f)
{
    return f->end - f->at;
}

static inline const uint8_t *feed_at(const struct feed *f)
{
    return f->bytes + f->at;
}

#endif
