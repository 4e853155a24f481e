#include "app/trouble.h"

#include "base/clock.h"

bool trouble_look(struct trouble *t, const struct fault_log *log, enum fault_id id, int64_t now_ns)
{
    if (!fault_is_ours(id) || log->count[id] == t->count[id] || now_ns < t->due_ns[id])
        return false;
    t->count[id] = log->count[id];
    t->due_ns[id] = now_ns + TROUBLE_EVERY_NS;
    return true;
}

void trouble_again(struct trouble *t, enum fault_id id)
{
    t->count[id] = 0;
    t->due_ns[id] = 0;
}
