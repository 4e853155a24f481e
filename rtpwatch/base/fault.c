#include "base/fault.h"

#include <string.h>

static const struct {
    const char *key, *text;
} names[] = {
#define X(id, key, text) { key, text },
#include "base/fault.def"
#undef X
};

void fault_log_one(struct fault_log *log, enum fault_id id, uint64_t frame)
{
    if (log->count[id]++ == 0)
        log->first_frame[id] = frame;
}

void fault_log_all(struct fault_log *log, const struct faults *f, uint64_t frame)
{
    size_t kept = f->n < FAULTS_KEPT ? f->n : FAULTS_KEPT;

    for (size_t i = 0; i < kept; i++)
        fault_log_one(log, f->v[i].id, frame);
}

const char *fault_key(enum fault_id id)
{
    return id < FAULT_IDS ? names[id].key : "unknown";
}

const char *fault_text(enum fault_id id)
{
    return id < FAULT_IDS ? names[id].text : "unknown";
}

bool fault_is_ours(enum fault_id id)
{
    const char *last = strrchr(fault_key(id), '.');

    return id == FAULT_OUTPUT_FULL || (last && strcmp(last, ".table_full") == 0);
}
