#include "rule/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* False: input error. One byte more than `most` is read, to see that there is more. */
static bool read_all(int fd, char *text, size_t most, size_t *n)
{
    ssize_t got = 1;

    for (*n = 0; got > 0 && *n <= most; *n += (size_t)got) {
        do
            got = read(fd, text + *n, most + 1 - *n);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return false;
    }
    return true;
}

static char *read_open(int fd, size_t most, size_t *n, const char **why)
{
    struct stat st;
    char *text = NULL;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        *why = "it is no regular file";
    else if ((text = malloc(most + 1)) == NULL)
        *why = "no memory";
    else if (!read_all(fd, text, most, n))
        *why = strerror(errno);
    else if (*n > most)
        *why = "it is too large";
    else
        return text;
    free(text);
    return NULL;
}

char *file_read(const char *path, size_t most, size_t *n, const char **why)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); /* without it, opening a FIFO waits for its other end */
    char *text;

    if (fd < 0) {
        *why = strerror(errno);
        return NULL;
    }
    text = read_open(fd, most, n, why);
    close(fd);
    if (!text)
        errno = EIO;
    return text;
}
