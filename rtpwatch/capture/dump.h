/*
 * Frames into pcap files (with nanoseconds), bounded in size and number: FILE is written, and when it is full it becomes FILE.1, FILE.1
 * becomes FILE.2, and the oldest is removed.
 *
 * A pcap file holds one link type. The first to come has FILE; each other has a file of its own with its name before the ending,
 * evidence.LINUX_SLL2.pcap. libpcap writes the header. The records are written here: pcap_dump() tells of no failed write, and what stdio
 * retries of it would stand in the middle of a record. What is on disk ends with a whole record whatever happens, a full disk too.
 *
 * A file is only readable by its owner: it holds numbers, names and addresses. Nothing but a regular file is written to, and no symbolic
 * link is followed.
 */
#ifndef RW_CAPTURE_DUMP_H
#define RW_CAPTURE_DUMP_H

#include "capture/capture.h"

enum { DUMP_LINKS = 8, DUMP_FILES_MAX = 1000, DUMP_FILES_DEFAULT = 10, DUMP_MIB_DEFAULT = 100 };

struct dump_options {
    const char *path;          /* borrowed, as are the next two */
    uint64_t max_bytes;        /* of one file; 0: DUMP_MIB_DEFAULT */
    unsigned files;            /* of one link type, at most DUMP_FILES_MAX; 0: DUMP_FILES_DEFAULT */
    bool keep_old;             /* a file that is there becomes FILE.1; else it is written anew */
    const char *const *inputs; /* files that must not be written to */
    size_t inputs_n;
};

struct dump_counts {
    uint64_t frames, bytes; /* that are in files, or were */
    uint64_t lost;          /* frames that could not be written */
    uint64_t removed;       /* files that were too many */
};

/* `path` with another part before its ending: evidence.pcap, evidence.PART.pcap; what is no letter, digit, '-' or '_' of it becomes '_'. */
enum { DUMP_NAME = 4096 };
bool dump_name(const char *path, const char *part, char out[DUMP_NAME]); /* false: too long */

struct dump;

/* What is written of a frame: its first `n` bytes, and of them those from `blank` up to `blank_end`, if any, as zeros. */
struct kept {
    size_t n, blank, blank_end;
};

/* Opens FILE, which holds no frame then. NULL, and *error says why, where that cannot be. */
struct dump *dump_open(const struct dump_options *o, char error[CAPTURE_ERROR]);
/*
 * Adds the frame, as much of what is kept as was captured. False: it is lost, and dump_error() says why. The next is tried all the same.
 */
bool dump_frame(struct dump *d, const struct frame *f, struct kept keep);
bool dump_flush(struct dump *d); /* to the file; false as above */
/* The latest reason, once: NULL when it was asked for, or where all went well since. */
const char *dump_error(struct dump *d);
const struct dump_counts *dump_counts(const struct dump *d);
const char *dump_file(const struct dump *d,
                      size_t i); /* the name of its file number `i`, without numbers of rotation; NULL: no more */
bool dump_close(struct dump *d); /* flushes; NULL: nothing, true */

#endif
