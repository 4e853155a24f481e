/*
 * Answers of STUN that stand before their requests: two network queues, two mirror sessions or two taps put them into one file out of
 * order, by what their clocks differ. A transaction id is no chance match (RFC 8489 §6), so such an answer is told again behind its
 * request.
 */
#ifndef RW_APP_EARLY_H
#define RW_APP_EARLY_H

#include "dissectors/stun.h"
#include "track/track.h"

enum { EARLY_KEPT = 16 /* the latest */, EARLY_BYTES = 600 /* a longer message is not kept */ };
#define EARLY_NS SECONDS(1)

struct early {
    struct early_answer {
        struct datagram datagram;
        size_t n, wire; /* n 0: none */
        uint8_t bytes[EARLY_BYTES];
    } answer[EARLY_KEPT];
    unsigned kept; /* ever */
};

/* `m` came in `d` and answers no request so far. */
void early_keep(struct early *e, const struct datagram *d, const struct stun_msg *m);
/* Takes out the answer to the request with that id which came in `d`. False: none came before it. */
bool early_take(struct early *e, const uint8_t tid[STUN_TID], const struct datagram *d, struct early_answer *out);

#endif
