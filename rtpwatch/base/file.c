#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *why_not(int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (S_ISDIR(st.st_mode))
        return "it is a folder";
    return S_ISREG(st.st_mode) ? NULL : "it is no regular file: save what it gives to one, and name that";
}

FILE *file_open(const char *path, const char **why)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); /* without it, opening a FIFO waits for its other end */
    FILE *f;

    if (fd < 0) {
        *why = strerror(errno);
        return NULL;
    }
    *why = why_not(fd);
    f = *why ? NULL : fdopen(fd, "r");
    if (f)
        return f;
    if (!*why)
        *why = "no memory";
    close(fd);
    errno = EIO;
    return NULL;
}

char *file_read(const char *path, size_t most, size_t *n, const char **why)
{
    FILE *f = file_open(path, why);
    char *text = f ? malloc(most + 1) : NULL;

    if (!f)
        return NULL;
    *n = text ? fread(text, 1, most + 1, f) : 0; /* one byte more, to see that there is more */
    *why = !text ? "no memory" : ferror(f) ? strerror(errno) : *n > most ? "it is too large" : NULL;
    fclose(f);
    if (!*why)
        return text;
    free(text);
    errno = EIO;
    return NULL;
}
