/* Transfers in a story: a REFER within the call, and what is said to it (RFC 3515). */
#ifndef RW_TESTS_TRANSFER_H
#define RW_TESTS_TRANSFER_H

#include "support/story.h"

/* `by` asks the other party to call `target` instead; it answers with `status`. */
static inline void story_refer(struct story *s, enum party by, const char *target, unsigned status)
{
    s->header[0].name = "Refer-To";
    s->header[0].value = target;
    story_request(s, by, SIP_REFER, NULL);
    s->header[0].name = NULL;
    story_reply(s, status, NULL);
}

/* `by`, which was asked, tells how far its call to the target is: "SIP/2.0 200 OK". */
static inline void story_notify(struct story *s, enum party by, const char *line)
{
    s->header[0].name = "Event";
    s->header[0].value = "refer";
    s->body = line;
    story_request(s, by, SIP_NOTIFY, NULL);
    s->header[0].name = s->body = NULL;
    story_reply(s, 200, NULL);
}

#endif
