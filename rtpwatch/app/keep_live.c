#include "app/keep_live.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/pick.h"
#include "app/ring.h"

enum { SIGNALLING, VOICE, RINGS };
#define LINGER_NS SECONDS(2) /* what was captured before a session's end may still wait to be read */

/* One whose packets are written. */
struct failing {
    uint64_t key;
    uint32_t session; /* its number in the selection */
    int64_t until_ns;
};

struct keep_live {
    struct dump *dump;
    struct ring ring[RINGS];
    uint64_t order;            /* of the next frame, over both */
    uint64_t looked_at[RINGS]; /* positions up to which frames were held against the selection */
    uint64_t wanted[RINGS];    /* the earliest frame that is wanted and not written */
    struct messages messages;
    struct selection selection;
    struct pick *pick;
    struct owners owners;
    bool owners_made, changed; /* changed: the selection, so that all frames are looked at again */
    size_t failing_n;
    uint32_t sessions;
    uint64_t refused; /* sessions that were too many */
    struct failing failing[KEEP_SESSIONS];
};

/* ---- beginning and end ---- */

/* The token of a frame is its position, and which ring. */
static void wanted(void *self, uint64_t token, struct kept keep, const uint32_t *sessions, size_t n)
{
    struct keep_live *k = self;
    unsigned which = token & 1;
    uint64_t at = token >> 1;
    struct ring_frame *f;

    (void)sessions;
    (void)n;
    if (at < k->ring[which].tail)
        return; /* a fragment whose rest came too late */
    f = ring_at(&k->ring[which], &at);
    if (!f || f->written)
        return;
    if (keep.n > f->keep.n)
        f->keep = keep;
    if (at < k->wanted[which])
        k->wanted[which] = at;
}

struct keep_live *keep_live_open(const struct keep_live_options *o, char error[CAPTURE_ERROR])
{
    struct keep_live *k = calloc(1, sizeof *k);
    size_t memory = (size_t)(o->memory_mib ? o->memory_mib : KEEP_MIB_DEFAULT) << 20;

    snprintf(error, CAPTURE_ERROR, "there is not enough memory for the packets that -w holds back");
    if (!k)
        return NULL;
    k->messages.most = KEEP_MESSAGES;
    k->pick = pick_new(&(struct pick_options){ .audio = o->audio, .wanted = wanted, .self = k });
    if (k->pick && ring_init(&k->ring[SIGNALLING], memory / 8) && ring_init(&k->ring[VOICE], memory / 8 * 7))
        k->dump = dump_open(&o->to, error);
    if (k->dump)
        return k;
    keep_live_close(k);
    return NULL;
}

bool keep_live_close(struct keep_live *k)
{
    bool fine;

    if (!k)
        return true;
    fine = dump_close(k->dump);
    for (unsigned i = 0; i < RINGS; i++)
        ring_done(&k->ring[i]);
    messages_done(&k->messages);
    selection_done(&k->selection);
    pick_free(k->pick);
    owners_done(&k->owners);
    free(k);
    return fine;
}

struct messages *keep_live_messages(struct keep_live *k)
{
    return &k->messages;
}

const char *keep_live_error(struct keep_live *k)
{
    return dump_error(k->dump);
}

const struct dump_counts *keep_live_counts(const struct keep_live *k)
{
    return dump_counts(k->dump);
}

void keep_live_frame(struct keep_live *k, const struct frame *f, bool voice)
{
    ring_add(&k->ring[voice ? VOICE : SIGNALLING], f, k->order++);
}

/* ---- sessions ---- */

/* The notebook gives calls other numbers from time to time; this names one for good. */
static uint64_t session_key(const struct call *c)
{
    uint64_t key = hash_bytes(c->call_id, strlen(c->call_id)) + (uint64_t)c->kind;

    for (const struct sdp_fact *f = c->kind == SESSION_SIP ? NULL : c->sdps; f; f = f->next)
        for (size_t i = 0; i < f->medias; i++)
            key ^=
                c->kind == SESSION_ICE ? hash_bytes(f->media[i].ufrag, strlen(f->media[i].ufrag)) : addr_hash(&f->media[i].addr);
    return key;
}

static struct failing *failing_find(struct keep_live *k, uint64_t key)
{
    for (size_t i = 0; i < k->failing_n; i++)
        if (k->failing[i].key == key)
            return &k->failing[i];
    return NULL;
}

static struct failing *failing_new(struct keep_live *k, uint64_t key)
{
    if (k->failing_n == KEEP_SESSIONS) {
        k->refused++;
        return NULL;
    }
    k->failing[k->failing_n] = (struct failing){ key, k->sessions++, 0 };
    return &k->failing[k->failing_n++];
}

void keep_live_session(struct keep_live *k, const struct view *v, const struct session_finding *f, bool failed)
{
    uint64_t key = session_key(f->call);
    struct failing *x = failing_find(k, key);

    if (!x && (!failed || !(x = failing_new(k, key))))
        return;
    if (!k->owners_made) {
        struct unsignalled none = { 0 }; /* the fragments of ICE checks tell those apart */

        owners_make(&k->owners, v, &none);
        k->owners_made = true;
    }
    selection_drop(&k->selection, x->session);
    selection_add(&k->selection, v, &k->owners, f->call, x->session);
    for (size_t i = 0; i < f->evidence_n; i++)
        selection_cite(&k->selection, f->evidence[i].at.frame, x->session);
    x->until_ns = f->call->ended.frame ? f->call->ended.ns + SELECTION_AFTER_NS : INT64_MAX;
    k->changed = true;
}

static void forget_ended(struct keep_live *k, int64_t now_ns)
{
    size_t n = 0;

    for (size_t i = 0; i < k->failing_n; i++) {
        if (now_ns < k->failing[i].until_ns || now_ns - k->failing[i].until_ns < LINGER_NS) {
            k->failing[n++] = k->failing[i];
            continue;
        }
        selection_drop(&k->selection, k->failing[i].session);
        k->changed = true;
    }
    k->failing_n = n;
}

/* ---- frames ---- */

/* The next frame of both rings, in the order in which they came; which ring it is of. */
static struct ring_frame *next(const struct keep_live *k, uint64_t at[RINGS], unsigned *which)
{
    struct ring_frame *f[RINGS];

    for (unsigned i = 0; i < RINGS; i++)
        f[i] = ring_at(&k->ring[i], &at[i]);
    *which = !f[SIGNALLING] || (f[VOICE] && f[VOICE]->order < f[SIGNALLING]->order) ? VOICE : SIGNALLING;
    return f[*which];
}

static void look(struct keep_live *k)
{
    struct ring_frame *f;
    unsigned which;

    while ((f = next(k, k->looked_at, &which)) != NULL) {
        struct frame frame = ring_frame(f);

        pick_frame(k->pick, &frame, k->looked_at[which] << 1 | which);
        k->looked_at[which] += f->size;
    }
}

static bool write_wanted(struct keep_live *k)
{
    bool fine = true;
    struct ring_frame *f;
    unsigned which;

    while ((f = next(k, k->wanted, &which)) != NULL) {
        struct frame frame = ring_frame(f);

        k->wanted[which] += f->size;
        if (!f->keep.n || f->written)
            continue;
        f->written = true;
        fine &= dump_frame(k->dump, &frame, f->keep);
    }
    return dump_flush(k->dump) && fine;
}

bool keep_live_tick(struct keep_live *k, const struct view *v)
{
    bool fine = true;

    if (k->failing_n) {
        if (k->changed) {
            selection_ready(&k->selection, v);
            fine = pick_select(k->pick, &k->selection, &k->messages);
            k->looked_at[SIGNALLING] = k->looked_at[VOICE] = 0;
        } else {
            fine = pick_messages(k->pick, &k->messages);
        }
        k->changed = false;
        k->wanted[SIGNALLING] = k->wanted[VOICE] = UINT64_MAX;
        if (fine)
            look(k);
        fine &= write_wanted(k);
        forget_ended(k, v->now_ns);
    }
    owners_done(&k->owners);
    k->owners_made = false;
    return fine;
}
