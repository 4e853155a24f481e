#include "app/early.h"

#include <string.h>

#include "app/pipeline_private.h"

enum { TID_AT = 4 };

void early_keep(struct early *e, const struct datagram *d, const struct stun_msg *m)
{
    struct early_answer *a = &e->answer[e->kept % EARLY_KEPT];

    if (m->classic || m->cls == STUN_REQUEST || m->cls == STUN_INDICATION || m->whole.n < STUN_HEADER || m->whole.n > EARLY_BYTES)
        return;
    a->datagram = *d;
    a->n = m->whole.n;
    a->wire = d->size;
    memcpy(a->bytes, m->whole.p, a->n);
    e->kept++;
}

static bool is_answer(const struct early_answer *a, const uint8_t tid[STUN_TID], const struct datagram *d)
{
    int64_t early_ns = d->at.ns - a->datagram.at.ns;

    return a->n && memcmp(a->bytes + TID_AT, tid, STUN_TID) == 0 && early_ns <= EARLY_NS && early_ns >= -EARLY_NS &&
           addr_eq(&a->datagram.dst, &d->src);
}

bool early_take(struct early *e, const uint8_t tid[STUN_TID], const struct datagram *d, struct early_answer *out)
{
    for (unsigned i = 0; i < e->kept && i < EARLY_KEPT; i++)
        if (is_answer(&e->answer[i], tid, d)) {
            *out = e->answer[i];
            e->answer[i].n = 0;
            return true;
        }
    return false;
}

void pipeline_early_answer(struct pipeline *p, const struct datagram *request)
{
    struct early_answer a;
    struct faults why = { 0 };
    struct flow *f =
        early_take(&p->early, p->msg.stun.tid, request, &a) ? track_find_flow(p->track, &a.datagram.src, &a.datagram.dst) : NULL;
    struct rd r;

    if (!f)
        return;
    a.datagram.at.ns = request->at.ns;
    r = rd_init((struct span){ a.bytes, a.n }, a.wire);
    pipeline_stun(p, f, &a.datagram, stun_dissect(&r, false, &p->msg.stun, &why), &why);
}
