/*
 * Gives up what the service does not need, once its interfaces and outputs are open: the user, all capabilities but CAP_NET_RAW (an
 * interface that comes back is opened again), new privileges, most of the file system (Landlock) and most system calls (seccomp).
 * A fault in reading hostile packets then reaches little. Linux only; what a kernel does not have is told and left out.
 */
#ifndef RW_APP_CONFINE_H
#define RW_APP_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

enum { CONFINE_ERROR = 320, CONFINE_PATHS = 64 };

struct confine {
    const char *user; /* to become where the program runs as root; NULL: stay */
    /* Beneath these a path may still be opened; what is open already stays so. Those that do not exist are passed over. */
    const char *read[CONFINE_PATHS], *write[CONFINE_PATHS]; /* up to the first NULL */
};

/* What was done, for the log. */
struct confined {
    bool user, capabilities, no_new_privileges, landlock, seccomp;
    int landlock_abi; /* 0: the kernel has none */
};

/*
 * False: *error says what could not be given up, and why; the caller must not go on. A kernel without Landlock is no failure. There is no
 * way back.
 */
bool confine(const struct confine *c, struct confined *done, char error[CONFINE_ERROR]);

#endif
