/*
 * The sweeps that every dissector goes through: each prefix of a sample (as if the sender stopped there, and as if the snap length
 * cut it), each byte flipped in each bit, and the whole placed right before a page that must not be touched.
 * The callback dissects; it fails the test by itself where it sees something impossible. Sanitizers do the rest.
 */
#ifndef RW_TESTS_SWEEP_H
#define RW_TESTS_SWEEP_H

#include "base/rd.h"

/* `r` reads the bytes under test; `full`: they are the unharmed sample. */
typedef void sweep_fn(struct rd r, bool full, void *self);

void sweep(struct span sample, sweep_fn *fn, void *self);

/* Reads a file below the source folder into malloc'ed memory; ends the test with a message when it cannot. */
struct span sweep_file(const char *path);

#endif
