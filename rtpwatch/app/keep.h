/*
 * The packets of failed sessions, or of one session, out of capture files and into new ones (-w): what is sent to a provider as the
 * evidence of a finding. The inputs are read again, once to find the frames (pick.h) and once to write them in the order of time; so they
 * must be files that do not change. rtpwatch, run on what it wrote, judges those sessions again and tells the frames by their new numbers.
 */
#ifndef RW_APP_KEEP_H
#define RW_APP_KEEP_H

#include <stdio.h>

#include "app/messages.h"
#include "capture/dump.h"
#include "verdict/report.h"

/* All is borrowed until keep_close(). */
struct keep_options {
    const char *path;
    const char *session; /* its Call-ID or a beginning that only it has; NULL: all that failed */
    unsigned mib, files; /* bounds of what is written, see struct dump_options; 0: its defaults */
    bool audio;          /* RTP is not cut behind its header */
    const char *const *inputs, *filter;
    size_t inputs_n;
    const char *const *vantage; /* their names; where there are several each has its own file, with the name before the ending */
    size_t vantages;
    const unsigned char *vantage_of; /* of each input */
};

struct keep;

/* Before the inputs are read: NULL, and *error says why, where that cannot be written, or not read twice. */
struct keep *keep_open(const struct keep_options *o, char error[CAPTURE_ERROR]);
/* The messages of that vantage, for its pipeline's watch. */
struct messages *keep_messages(struct keep *k, size_t vantage);
/* After the report was made from the same inputs: writes. False: *error says why; what could be written is. */
bool keep_write(struct keep *k, const struct report *r, char error[CAPTURE_ERROR]);
void keep_tell(const struct keep *k, const struct report *r, FILE *to); /* what was written, of which sessions */
void keep_close(struct keep *k);                                        /* NULL: nothing */

#endif
