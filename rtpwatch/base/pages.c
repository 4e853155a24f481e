#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

/*
 * STEP is a multiple of every page size in use. Up to AT_ONCE a page comes with its first use, so that what is small stays small;
 * from there on those of a step come together, and steps are longer once there is MUCH.
 *
 * Huge pages are for what is wanted whole, which are hash tables: they are read all over, and the processor would have to look up
 * each time where the page is. What grows is read much in the order it was written in; and a virtual machine may have given the
 * memory of its free huge pages back to its host, which then takes longer to bring one than all the small ones would.
 */
enum {
    STEP = 64 << 10,
    LONG_STEP = 256 << 10,
    AT_ONCE = 256 << 10,
    MUCH = 4 << 20,
    HUGE_PAGE = 2 << 20,
    TABLES = 32 /* one table has at most this part of the addresses that the process may have */
};

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}

/* Addresses alone: no memory is promised for them, so none is counted where the system promises no more than it has. */
static void *addresses(size_t n, size_t align)
{
    uint8_t *p = mmap(NULL, n + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t front;

    if (p == MAP_FAILED)
        return NULL;
    if (align == 0)
        return p;
    front = -(uintptr_t)p & (align - 1);
    if (front)
        munmap(p, front);
    munmap(p + front + n, align - front);
    return p + front;
}

/* Who may not have so many addresses gets fewer: all tables together must leave some. */
static size_t allowed(size_t n)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || n <= limit.rlim_cur / TABLES)
        return round_up(n, STEP);
    return limit.rlim_cur / TABLES & ~(size_t)(STEP - 1);
}

static bool reserve(struct pages *p, bool huge)
{
    p->most = allowed(p->most);
    p->at = p->most ? addresses(p->most, huge ? HUGE_PAGE : 0) : NULL;
    return p->at;
}

bool pages_grow(struct pages *p, size_t need)
{
    bool huge = need >= p->have + HUGE_PAGE;
    size_t have = round_up(need, p->have < MUCH ? STEP : LONG_STEP);
    uint8_t *end;

    if (need <= p->have)
        return true;
    if ((!p->at && !reserve(p, huge)) || need > p->most)
        return false;
    have = have < p->most ? have : p->most;
    end = (uint8_t *)p->at + p->have;
    if (mprotect(end, have - p->have, PROT_READ | PROT_WRITE) != 0)
        return false;
    /* Both are advice: a kernel that does not know them, or has no huge page, gives small ones when they are used. */
    if (huge)
        (void)madvise(end, have - p->have, MADV_HUGEPAGE);
    if (have > AT_ONCE)
        (void)madvise(end, have - p->have, MADV_POPULATE_WRITE);
    p->have = have;
    return true;
}

void pages_shrink(struct pages *p, size_t need)
{
    size_t keep = round_up(need + need / 4, STEP);

    if (p->have <= 2 * need + AT_ONCE || keep >= p->have)
        return;
    (void)madvise((uint8_t *)p->at + keep, p->have - keep, MADV_DONTNEED);
    p->have = keep;
}

size_t pages_given(const struct pages *p, size_t used)
{
    return p->have > AT_ONCE ? p->have : used;
}

void pages_done(struct pages *p)
{
    if (p->at)
        munmap(p->at, p->most);
    *p = pages_of(p->most);
}
