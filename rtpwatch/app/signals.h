/* Signals as live capture takes them: from a descriptor, when their turn comes. */
#ifndef RW_APP_SIGNALS_H
#define RW_APP_SIGNALS_H

#include <signal.h>

sigset_t signals_that_end(void); /* TERM, INT */
/* A descriptor of those, HUP and USR1, which are blocked from here on; PIPE is ignored. Less than 0: errno says why not. */
int signals_open(void);

#endif
