/*
 * What is inside TLS connections whose secrets a key log has: in-order bytes of TCP in, in-order plaintext out. TLS 1.2 (RFC 5246) and
 * 1.3 (RFC 8446). Nothing is read that the keys do not prove to have been written; what comes out is as hostile as what went in.
 */
#ifndef RW_TLS_H
#define RW_TLS_H

#include "base/addr.h"
#include "base/fault.h"
#include "base/span.h"

enum {
    TLS_CONNECTIONS = 8192,      /* of more, the longest silent is given up */
    TLS_MEMORY = 64 << 20,       /* bytes of plaintext that wait for the rest of their message, of all connections */
    TLS_PLAIN_MOST = 256 * 1024, /* of one direction */
    TLS_KEY_WAIT_S = 10,         /* a key log that grows is given so long to get a connection's secrets */
    TLS_LOST_RECORDS = 64,       /* behind a hole: at most so many records were in it */
    TLS_SEARCH_BYTES = 4 << 20   /* so much is decrypted in vain to find that out, of one direction */
};

struct tls;
struct keylog;
struct tls *tls_new(struct keylog *keys, struct fault_log *faults); /* both are borrowed; NULL without memory */
void tls_free(struct tls *t);                                       /* NULL: nothing */

struct tls_segment {
    const struct addr *src, *dst;
    int64_t ts_ns;
    uint64_t frame, since; /* the latest and the earliest frame with a part of the bytes */
};

/* Takes plaintext; returns how much of it is used. What is left comes again with more behind it. `since`: the earliest frame of it. */
struct tls_sink {
    void *self;
    size_t (*plain)(void *self, uint64_t since, struct span bytes);
};

/*
 * One direction of a TCP connection has these in-order bytes that were not yet used: returns how many are. `after_gap`: bytes in front of
 * them are missing.
 */
#define TLS_NOT     ((size_t)-1) /* not a connection that is followed: its ClientHello was not seen */
#define TLS_GIVE_UP ((size_t)-2) /* this direction will not be read; a fault says why */
size_t tls_data(struct tls *t, const struct tls_segment *s, struct span bytes, bool after_gap, struct tls_sink sink);
void tls_finish(struct tls *t); /* at the end of input: those that still wait for their key are counted */

#endif
