/* What the monitor's files share and nobody else sees. */
#ifndef RW_VERDICT_MONITOR_PRIVATE_H
#define RW_VERDICT_MONITOR_PRIVATE_H

#include "verdict/monitor.h"

#define MONITOR_SILENT_NS SECONDS(10) /* RFC 8489 §6.2.1 gives up after 39.5 s; media does not wait so long */
#define MONITOR_RECENT_NS SECONDS(60) /* what is older than that is not looked at again */

struct tick {
    struct monitor *m;
    const struct view *v;
    void (*tell)(void *self, const struct event *e);
    void *self;
    bool last;        /* the end of input */
    bool minute;      /* what is counted is told */
    int64_t since_ns; /* then: since when */
};

/* The record in that slot, NULL where it was given back. */
static inline void *record_in(const struct pool *p, uint32_t slot)
{
    return pool_get(p, pool_id(p, slot));
}

/* Slots that have changed make all look new; what is that old was told before. */
static inline bool is_recent(const struct tick *t, int64_t ns)
{
    return t->m->ticked_ns - ns <= MONITOR_RECENT_NS;
}

/* Each has its own part of struct monitor, and keeps within it what must not be told twice. */
void monitor_sessions_init(struct monitor *m);
void monitor_sessions_done(struct monitor *m);
void monitor_sessions_renumbered(struct monitor *m);
void monitor_sessions(const struct tick *t);
void monitor_servers_init(struct monitor *m);
void monitor_servers_done(struct monitor *m);
void monitor_servers(const struct tick *t); /* who is asked, how it answers, what it refuses */
void monitor_names_init(struct monitor *m);
void monitor_names_done(struct monitor *m);
void monitor_names(const struct tick *t); /* DNS answers and their use */
void monitor_icmp_init(struct monitor *m);
void monitor_icmp_done(struct monitor *m);
void monitor_icmp(const struct tick *t);

#endif
