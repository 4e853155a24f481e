/*
 * TLS secrets that pcapng files carry (Decryption Secrets Blocks), from when they are read until they are asked for. Private to capture/.
 */
#ifndef RW_CAPTURE_SECRETS_H
#define RW_CAPTURE_SECRETS_H

#include "base/span.h"

enum { SECRETS_MOST = 16 << 20 }; /* bytes that wait at a time; what is more is given up */

struct secrets {
    uint8_t *text; /* lines of an NSS key log */
    size_t n, room;
    bool given; /* they were asked for */
};

void secrets_add(struct secrets *s, struct span lines);
struct span secrets_give(struct secrets *s); /* valid until the next one is added */
void secrets_done(struct secrets *s);        /* wipes them */

#endif
