/*
 * Malformed input and full tables, by name. A dissector lists what it met in a `struct faults`;
 * the pipeline adds those to the one `struct fault_log`, which the report prints.
 */
#ifndef RW_BASE_FAULT_H
#define RW_BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X(id, key, text) FAULT_##id,
enum fault_id {
#include "base/fault.def"
    FAULT_IDS
};
#undef X

enum { FAULTS_KEPT = 6 };

struct fault {
    enum fault_id id;
    size_t at; /* byte offset in the message */
};

struct faults {
    size_t n; /* counts also those not kept */
    struct fault v[FAULTS_KEPT];
};

static inline void fault_add(struct faults *f, enum fault_id id, size_t at)
{
    if (f->n < FAULTS_KEPT)
        f->v[f->n] = (struct fault){ id, at };
    f->n++;
}

/* How often each fault was met and in which frame first (0: none). */
struct fault_log {
    uint64_t count[FAULT_IDS];
    uint64_t first_frame[FAULT_IDS];
};

/* Cold: what comes to it is compiled to stand apart from what is usual. */
__attribute__((cold)) void fault_log_one(struct fault_log *log, enum fault_id id, uint64_t frame);
void fault_log_all(struct fault_log *log, const struct faults *f, uint64_t frame);
const char *fault_key(enum fault_id id);
const char *fault_text(enum fault_id id);
/* A table of ours is full, or an output, and what came on top was not kept: our own trouble; all others are what the input was like. */
bool fault_is_ours(enum fault_id id);

#endif
