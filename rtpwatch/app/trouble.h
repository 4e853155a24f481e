/* Our own trouble, of all that the fault log counts: tables that are full. Told when it is met, and then at most once a minute. */
#ifndef RW_APP_TROUBLE_H
#define RW_APP_TROUBLE_H

#include "base/fault.h"

#define TROUBLE_EVERY_NS SECONDS(60)

struct trouble {
    uint64_t count[FAULT_IDS]; /* when it was told */
    int64_t due_ns[FAULT_IDS]; /* before that it is not told again */
};

/* Once a second, of each fault. True: it is ours, was met since it was told, and it is time to tell. */
bool trouble_look(struct trouble *t, const struct fault_log *log, enum fault_id id, int64_t now_ns);
void trouble_again(struct trouble *t, enum fault_id id); /* what was told of it was not heard: trouble_look() tells it again */

#endif
