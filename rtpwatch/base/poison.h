/* Tells the address sanitizer, where it runs, which bytes of memory that we divide ourselves nobody may touch. */
#ifndef RW_BASE_POISON_H
#define RW_BASE_POISON_H

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define POISON_ON 1
#endif
#elif defined __SANITIZE_ADDRESS__
#define POISON_ON 1
#endif

#ifdef POISON_ON
#include <sanitizer/asan_interface.h>

#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
enum { POISON_GAP = 16 }; /* between neighbours that must not run into one another */
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
enum { POISON_GAP = 0 };
#endif

#endif
