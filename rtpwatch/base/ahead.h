/* Memory asked for before its turn: who will need it does something else meanwhile. */
#ifndef RW_BASE_AHEAD_H
#define RW_BASE_AHEAD_H

#include <stddef.h>
#include <stdint.h>

enum { CACHE_LINE = 64 };

/* A function that only asks for memory has no effect that gcc knows of: what it does not inline at once it leaves out. */
#define AHEAD __attribute__((always_inline)) static inline

/* All lines of n bytes from `p` on, which need not be there. */
AHEAD void ask_to_read(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i += CACHE_LINE)
        __builtin_prefetch((const uint8_t *)p + i);
}

AHEAD void ask_to_write(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i += CACHE_LINE)
        __builtin_prefetch((const uint8_t *)p + i, 1);
}

#endif
