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

/* Before `to`, which is borrowed; into a regular file, where nobody waits, lines go as they are. NULL without memory. */
struct outlet *outlet_new(FILE *to);
/* Whole lines are written here; they go on with outlet_push(). */
FILE *outlet_stream(struct outlet *o);
/*
 * Hands on what the reader takes at once. What was written since the last time joins what waits, or is given up where more than
 * OUTLET_BYTES would wait; returns how many lines that were. *broken: nobody reads there any more.
 */
uint64_t outlet_push(struct outlet *o, bool *broken);
bool outlet_waits(const struct outlet *o); /* for the reader: call outlet_push() when `to` is ready to be written */
/*
 * Waits for the reader until nothing is left, or it takes nothing for `wait_ms` (-1: however long that lasts). False: not all could be
 * written.
 */
bool outlet_drain(struct outlet *o, int wait_ms);
void outlet_free(struct outlet *o); /* NULL: nothing. What waits is lost */

#endif
