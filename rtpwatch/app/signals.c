#include "app/signals.h"

#include <stddef.h>
#include <sys/signalfd.h>

sigset_t signals_that_end(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

int signals_open(void)
{
    sigset_t set = signals_that_end();

    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is a write that fails */
    return sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC) : -1;
}
