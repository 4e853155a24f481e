#include "capture/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * What is read at a time stays in a core's own cache until it is used. Of each input a little is read before the first frame of all is
 * known, since there may be a thousand.
 */
enum { FEED_BYTES = 128 * 1024, FIRST_BYTES = 16 * 1024 };

static bool regular(int fd)
{
    struct stat s;

    return fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

bool feed_begin(struct feed *f, FILE *from, int first)
{
    off_t at = regular(fileno(from)) ? ftello(from) : -1;

    *f = (struct feed){ .fd = fileno(from), .bytes = malloc(FIRST_BYTES), .room = FIRST_BYTES };
    if (!f->bytes)
        return false;
    if (at >= 0)
        (void)lseek(f->fd, at, SEEK_SET); /* the stream's buffer holds what comes next */
    if (first != EOF)
        f->bytes[f->end++] = (uint8_t)first;
    f->offset = at >= 0 ? (uint64_t)at : f->end;
    return true;
}

void feed_done(struct feed *f)
{
    free(f->bytes);
    f->bytes = NULL;
    f->room = f->at = f->end = 0;
}

static bool grow(struct feed *f, size_t n)
{
    uint8_t *grown = realloc(f->bytes, n);

    if (!grown) {
        f->error = ENOMEM;
        return false;
    }
    f->bytes = grown;
    f->room = n;
    return true;
}

/* Once the first bytes were all there, its turn has come. */
static bool make_room(struct feed *f, size_t n)
{
    size_t room = f->end == f->room && n < FEED_BYTES ? FEED_BYTES : n;

    memmove(f->bytes, f->bytes + f->at, f->end - f->at);
    f->end -= f->at;
    f->at = 0;
    return room <= f->room || grow(f, room);
}

/* False at the end, or where it breaks. */
static bool more(struct feed *f)
{
    ssize_t got;

    do
        got = read(f->fd, f->bytes + f->end, f->room - f->end);
    while (got < 0 && errno == EINTR);
    f->error = got < 0 ? errno : 0;
    f->end += got > 0 ? (size_t)got : 0;
    f->offset += got > 0 ? (size_t)got : 0;
    return got > 0;
}

bool feed_have(struct feed *f, size_t n)
{
    if (feed_left(f) >= n)
        return true;
    if (!make_room(f, n))
        return false;
    while (f->end < n)
        if (!more(f))
            return false;
    return true;
}
