/*
 * TLS secrets by the random of the ClientHello they belong to, in the format of SSLKEYLOGFILE (RFC 9850): from files that the operator
 * names, which may grow while they are read, and from the secrets that a pcapng file carries. They are never printed, and wiped.
 *
 *   LABEL, a blank, client random (64 hexadecimal digits), a blank, secret (hexadecimal). Lines that begin with '#' are comments.
 */
#ifndef RW_TLS_KEYLOG_H
#define RW_TLS_KEYLOG_H

#include <stdio.h>

#include "base/span.h"

enum keylog_label {
    KEYLOG_MASTER, /* TLS 1.2: CLIENT_RANDOM */
    KEYLOG_CLIENT_HANDSHAKE,
    KEYLOG_SERVER_HANDSHAKE,
    KEYLOG_CLIENT_TRAFFIC,
    KEYLOG_SERVER_TRAFFIC,
    KEYLOG_LABELS
};

enum {
    KEYLOG_CONNECTIONS = 65536, /* of more, those that were read first are given up */
    KEYLOG_FILES = 16,
    KEYLOG_LINE = 512,     /* bytes of a line that is looked at; the longest that is needed has 207 */
    KEYLOG_READ = 1 << 20, /* bytes of a file that are read on at a time */
    KEYLOG_ERROR = 320
};

struct keylog;
struct keylog *keylog_new(void);    /* NULL without memory */
void keylog_free(struct keylog *k); /* NULL: nothing */

/*
 * Reads that file; `grows`: keeps it open, for keylog_read_on(). `path` is borrowed. False: *error says what is wrong with it: it cannot be
 * read, or, unless it grows, has no line that could be used.
 */
bool keylog_file(struct keylog *k, const char *path, bool grows, char error[KEYLOG_ERROR]);
/* Whole lines, as pcapng files carry them. */
void keylog_text(struct keylog *k, struct span text);

/* Some file may still grow, so that a secret which is not there may come. */
bool keylog_grows(const struct keylog *k);
/* Reads what files have grown by; at most once a second of `now_ns`, and without waiting. */
void keylog_read_on(struct keylog *k, int64_t now_ns);

/* Empty: there is none. Valid until the next secret is read. */
struct span keylog_find(const struct keylog *k, enum keylog_label label, struct span client_random);

/* Writes what was not told before: of each file how many lines were broken, and where the first one stands. */
void keylog_tell(struct keylog *k, FILE *to);

#endif
