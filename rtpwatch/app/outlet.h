/*
 * Lines for a reader that may stand still: a pipe, a socket, a terminal. A write would wait for it, and meanwhile packets would be lost. So
 * what it does not take waits in memory, and beyond that what is new is given up and counted.
 */
#ifndef RW_APP_OUTLET_H
#define RW_APP_OUTLET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { OUTLET_BYTES = 1 << 20 };

struct outlet;

/* For `fd`, which is borrowed. NULL: not enough memory, or a regular file, which makes nobody wait (*needed is false then). */
struct outlet *outlet_new(int fd, bool *needed);
FILE *outlet_stream(struct outlet *o); /* whole lines are written here; they go on with outlet_push() */
/*
 * Hands on what the reader takes at once. What was written since the last time joins what waits, or is given up where more than OUTLET_BYTES
 * would wait; returns how many lines that were. *broken: nobody reads there any more.
 */
uint64_t outlet_push(struct outlet *o, bool *broken);
bool outlet_waits(const struct outlet *o); /* for the reader: call outlet_push() when `fd` is ready to be written */
bool outlet_drain(struct outlet *o);       /* waits for the reader, until nothing is left; false: not all could be written */
void outlet_free(struct outlet *o);        /* NULL: nothing. What waits is lost */

#endif
