#include "support/sweep.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded {
    uint8_t *map, *end; /* bytes before `end` may be read, the page at `end` not */
    size_t room, page;
};

static struct guarded guarded_new(size_t room)
{
    struct guarded g = { .page = (size_t)sysconf(_SC_PAGESIZE) };

    g.room = (room + g.page - 1) / g.page * g.page;
    g.map = mmap(NULL, g.room + g.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(g.map != MAP_FAILED);
    g.end = g.map + g.room;
    cr_assert_eq(mprotect(g.end, g.page, PROT_NONE), 0);
    return g;
}

static struct span guarded_put(struct guarded *g, struct span s)
{
    if (s.n)
        memcpy(g->end - s.n, s.p, s.n);
    return (struct span){ g->end - s.n, s.n };
}

void sweep(struct span sample, sweep_fn *fn, void *self)
{
    struct guarded g = guarded_new(sample.n + 1);
    uint8_t *copy = malloc(sample.n + 1);

    cr_assert_not_null(copy);
    fn(rd_init(guarded_put(&g, sample), sample.n), true, self);
    for (size_t n = 0; n < sample.n; n++) {
        struct span cut = guarded_put(&g, span_part(sample, 0, n));

        fn(rd_init(cut, n), false, self);        /* the sender stopped here */
        fn(rd_init(cut, sample.n), false, self); /* the snap length did */
    }
    for (size_t n = 0; n < sample.n; n++)
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(copy, sample.p, sample.n);
            copy[n] ^= (uint8_t)(1u << bit);
            fn(rd_init(guarded_put(&g, (struct span){ copy, sample.n }), sample.n), false, self);
        }
    free(copy);
    munmap(g.map, g.room + g.page);
}

struct span sweep_file(const char *path)
{
    char full[1024];
    FILE *f;
    uint8_t *bytes;
    long n;

    snprintf(full, sizeof full, "%s/%s", RW_SOURCE_DIR, path);
    f = fopen(full, "rb");
    cr_assert_not_null(f, "cannot open %s", full);
    cr_assert_eq(fseek(f, 0, SEEK_END), 0);
    n = ftell(f);
    cr_assert(n >= 0);
    rewind(f);
    bytes = malloc((size_t)n + 1);
    cr_assert_not_null(bytes);
    cr_assert_eq(fread(bytes, 1, (size_t)n, f), (size_t)n);
    fclose(f);
    return (struct span){ bytes, (size_t)n };
}
