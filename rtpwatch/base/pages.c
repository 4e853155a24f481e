#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

/*
 * STEP is a multiple of every page size in use. Up to AT_ONCE a page comes with its first use, so that what is small stays small;
 * from there on those of a step come together, and from LARGE on as huge pages: half of the last one stays empty on average.
 */
enum {
    STEP = 64 << 10,
    AT_ONCE = 256 << 10,
    HUGE_PAGE = 2 << 20,
    LARGE = 4 << 20,
    TABLES = 32 /* one table has at most this part of the addresses that the process may have */
};

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}

/* Addresses alone: no memory is promised for them, so none is counted where the system promises no more than it has. */
static void *addresses(size_t n)
{
    size_t slack = n < HUGE_PAGE ? 0 : HUGE_PAGE, front;
    uint8_t *p = mmap(NULL, n + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    front = slack ? -(uintptr_t)p & (HUGE_PAGE - 1) : 0;
    if (front)
        munmap(p, front);
    if (slack > front)
        munmap(p + front + n, slack - front);
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

static bool reserve(struct pages *p)
{
    p->most = allowed(p->most);
    p->at = p->most ? addresses(p->most) : NULL;
    return p->at;
}

bool pages_grow(struct pages *p, size_t need)
{
    bool large = p->have >= LARGE || need >= p->have + HUGE_PAGE;
    size_t have = round_up(need, large ? HUGE_PAGE : STEP);
    uint8_t *end;

    if (need <= p->have)
        return true;
    if ((!p->at && !reserve(p)) || need > p->most)
        return false;
    have = have < p->most ? have : p->most;
    end = (uint8_t *)p->at + p->have;
    if (mprotect(end, have - p->have, PROT_READ | PROT_WRITE) != 0)
        return false;
    /* Both are advice: a kernel that does not know them, or has no huge page, gives small ones when they are used. */
    if (large)
        (void)madvise(end, have - p->have, MADV_HUGEPAGE);
    if (have > AT_ONCE)
        (void)madvise(end, have - p->have, MADV_POPULATE_WRITE);
    p->have = have;
    return true;
}

void pages_shrink(struct pages *p, size_t need)
{
    size_t keep = round_up(need + need / 4, need < LARGE ? STEP : HUGE_PAGE);

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
