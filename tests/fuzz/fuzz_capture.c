/*
 * A whole capture file, of any kind: what is read one by one and what is read in batches are the same frames, and every byte of them is
 * there to be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BATCH = 32, PATH = 64 };

/* A number that other frames, or their order, would change. */
static uint64_t digest(uint64_t sum, const struct frame *f)
{
    const uint64_t of[] = { f->id, (uint64_t)f->ts_ns, (uint64_t)f->link, f->wire, f->bytes.n };

    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        sum = (sum ^ of[i]) * 0x100000001b3u;
    for (size_t i = 0; i < f->bytes.n; i++)
        sum = (sum ^ f->bytes.p[i]) * 0x100000001b3u;
    return sum;
}

static uint64_t read_by(const char *path, size_t batch)
{
    struct capture *c = capture_open_files(&path, 1, NULL, NULL);
    struct frame f[BATCH];
    uint64_t sum = 0;
    size_t got;

    if (!c)
        abort();
    while ((got = capture_batch(c, f, batch)) > 0)
        for (size_t i = 0; i < got; i++)
            sum = digest(sum, &f[i]);
    sum += capture_input(c, 0)->truncated + 2 * capture_input(c, 0)->dropped;
    capture_close(c);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", 0);
    char path[PATH];

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (read_by(path, 1) != read_by(path, BATCH))
        abort();
    close(fd);
    return 0;
}
