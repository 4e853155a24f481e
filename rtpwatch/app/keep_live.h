/*
 * The packets of failed sessions while they are captured (-w with -i). The latest frames wait in memory; when a session is found to fail,
 * those of its frames that are still there are written, and later ones until it has ended. Each frame is written once, whoever else it
 * belongs to. What is written at one time is in the order of time; another session that fails later may reach further back.
 *
 * Voice has a ring of its own, so that it does not drive out the signalling, which is a hundredth of it and tells why.
 *
 * On the way of a packet there is one copy, of what the kernel's filter left of it. Everything else is done once a second, and only while
 * some session fails.
 */
#ifndef RW_APP_KEEP_LIVE_H
#define RW_APP_KEEP_LIVE_H

#include "app/messages.h"
#include "capture/dump.h"
#include "verdict/selection.h"

enum {
    KEEP_MIB_DEFAULT = 32,
    KEEP_SESSIONS = 4096 /* that fail at a time; beyond it others are not written */,
    KEEP_MESSAGES = 1 << 16
};

struct keep_live_options {
    struct dump_options to; /* keep_old is for a service that starts again */
    unsigned memory_mib;    /* for frames, of which an eighth is for signalling, DNS, DTLS, ...; 0: KEEP_MIB_DEFAULT */
    bool audio;
};

struct keep_live;

struct keep_live *keep_live_open(const struct keep_live_options *o, char error[CAPTURE_ERROR]); /* NULL: *error says why */
/* Writes what was asked for until then; NULL: nothing. False: something could not be written. */
bool keep_live_close(struct keep_live *k);
struct messages *keep_live_messages(struct keep_live *k); /* for the pipeline's watch */

/* Each frame, after the pipeline had it. `voice`: most frames are so (DONE_RTP, DONE_TURN_DATA, DONE_UNEXPLAINED). */
void keep_live_frame(struct keep_live *k, const struct frame *f, bool voice);

/*
 * A session was judged: `failed` makes it one whose packets are written; one that is, stays so to its end. To be called where its media is
 * found missing, and when it has ended. Nothing of the view is borrowed beyond the next keep_live_tick().
 */
void keep_live_session(struct keep_live *k, const struct view *v, const struct session_finding *f, bool failed);

/* Once a second, after the sessions were told and before the notebook is made smaller: writes. False: see keep_live_error(). */
bool keep_live_tick(struct keep_live *k, const struct view *v);
const char *keep_live_error(struct keep_live *k); /* what could not be written, once; NULL: all was, or it was told */
const struct dump_counts *keep_live_counts(const struct keep_live *k);

#endif
