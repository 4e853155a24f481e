#include "app/messages.h"

#include <stdlib.h>

#include "verdict/selection.h"

enum { FIRST_ROOM = 1024 };

uint64_t message_way(const struct addr *src, const struct addr *dst)
{
    return addr_hash(src) * 3 + addr_hash(dst);
}

/* Outside of a call (RFC 3261 §10, §11, RFC 3428, RFC 3903); NOTIFY and SUBSCRIBE are in a call or have a dialog of their own. */
static bool is_in_call(enum sip_method m)
{
    return m != SIP_REGISTER && m != SIP_OPTIONS && m != SIP_PUBLISH && m != SIP_MESSAGE;
}

/* Half of the oldest go at once, so that it is done seldom. */
static bool room_make(struct messages *m)
{
    size_t room = m->room ? m->room * 2 : FIRST_ROOM;
    struct message *list;

    if (m->most && m->n >= m->most) {
        m->n -= m->most / 2;
        memmove(m->list, m->list + m->most / 2, m->n * sizeof *m->list);
        return true;
    }
    if (m->n < m->room)
        return true;
    list = realloc(m->list, room * sizeof *list);
    if (!list)
        return false;
    m->list = list;
    m->room = room;
    return true;
}

void messages_note(void *self, const struct datagram *d, const struct sip_msg *m, const struct sdp *sdp)
{
    struct messages *all = self;
    uint64_t since = d->since ? d->since : d->at.frame;

    (void)sdp;
    if (!room_make(all)) {
        all->not_kept++;
        return;
    }
    all->list[all->n++] = (struct message){ .way = message_way(&d->src, &d->dst),
                                            .since = since < d->at.frame ? since : d->at.frame,
                                            .frame = since < d->at.frame ? d->at.frame : since,
                                            .call = selection_call_key(m->call_id),
                                            .in_call = is_in_call(m->method) };
}

void messages_done(struct messages *m)
{
    free(m->list);
    *m = (struct messages){ .most = m->most };
}
