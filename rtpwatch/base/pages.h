/*
 * Memory that grows and stays where it is. Addresses are reserved for the most there may ever be, which costs nothing; the system
 * gives pages as they are needed: one by one while there is little, many together later, since a fault costs more than the page.
 */
#ifndef RW_BASE_PAGES_H
#define RW_BASE_PAGES_H

#include <stdbool.h>
#include <stddef.h>

struct pages {
    void *at;    /* NULL: nothing yet; else a page's beginning */
    size_t have; /* bytes that may be used, from `at` on */
    size_t most; /* there will never be more */
};

static inline struct pages pages_of(size_t most)
{
    return (struct pages){ .most = most };
}

/*
 * At least `need` bytes may be used; what is new is zero. False without memory and beyond `most`, which becomes less where
 * the process may not have so many addresses (RLIMIT_AS).
 */
bool pages_grow(struct pages *p, size_t need);
/* Gives back what is far more than `need`, so that who grows and shrinks does not ask for the same pages again and again. */
void pages_shrink(struct pages *p, size_t need);
/* Bytes that the system has given, of which the first `used` were used at some time. */
size_t pages_given(const struct pages *p, size_t used);
void pages_done(struct pages *p); /* gives back all; as pages_of() left it */

#endif
