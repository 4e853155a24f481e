/* A story that is watched second by second, as the service runs, and what was told of servers, names and ICMP errors. */
#ifndef RW_TESTS_WATCHING_H
#define RW_TESTS_WATCHING_H

#include "support/story.h"
#include "verdict/monitor.h"

enum { HEARD = 512 };

struct heard {
    enum event_kind kind;
    int64_t at_ns;
    struct server_finding server;
    const struct dns_fact *name, *other; /* valid while the notebook is as it was */
    const struct dns_fact *changed_from;
    struct event_use use;
    struct event_icmp icmp;
    uint64_t frame; /* of the transaction: its first request */
};

struct watching {
    struct story *s;
    struct monitor m;
    size_t n;
    struct heard heard[HEARD];
};

struct watching *watching_new(void);
void watching_free(struct watching *w);
void watch_pass(struct watching *w, unsigned seconds);
void watch_end(struct watching *w); /* the end of input */
/* The notebook gives up what it can; slots change. */
void watch_compact(struct watching *w);
/* An answer of `resolver` to the dialer that gives one address. */
void watch_dns(struct watching *w, const char *name, const char *ip, const char *resolver, uint32_t ttl_s);
unsigned heard_count(const struct watching *w, enum event_kind kind);
const struct heard *heard_nth(const struct watching *w, enum event_kind kind, unsigned n); /* from 0; fails where there is none */

#define EXPECT_HEARD(w, kind, times)                                                                                             \
    cr_expect_eq(heard_count(w, kind), times, "%s was told %u times, expected %u", event_word(kind), heard_count(w, kind), times)

#endif
