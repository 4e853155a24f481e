/* Hears a TLS connection as the net layer would give it to tls_data(): what a direction has not used comes again with more behind it. */
#ifndef RW_TESTS_TLS_EAR_H
#define RW_TESTS_TLS_EAR_H

#include "base/strbuf.h"
#include "support/tls_session.h"
#include "tls/keylog.h"
#include "tls/tls.h"

struct tls_ear {
    struct keylog *keys;
    struct tls *tls;
    struct fault_log faults;
    struct addr end[2]; /* by SESSION_CLIENT, SESSION_SERVER */
    struct strbuf wire[2], heard[2];
    bool gap[2], over[2]; /* over: it was given up */
    size_t most;          /* what the reader of the plaintext takes at a time; 0: all */
    unsigned speaks;
    int64_t now_ns;
    uint64_t frame;
};

void ear_open(struct tls_ear *e, struct span keys);
void ear_take(struct tls_ear *e, unsigned from, struct span bytes, size_t step); /* in segments of so many bytes; 0: at once */
void ear_hole(struct tls_ear *e, unsigned from);                                 /* bytes are missing here */
void ear_take_all(struct tls_ear *e, const struct tls_session *s, size_t step);
bool ear_heard(const struct tls_ear *e, unsigned from, const char *text);
void ear_close(struct tls_ear *e);

#endif
