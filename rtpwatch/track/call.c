/* SIP dialogs as calls: RFC 3261 §12 to §15, forks by To tag. */
#include "track/track_private.h"

enum call_event { CE_INVITE, CE_1XX, CE_EARLY_MEDIA, CE_2XX, CE_FAIL, CE_BYE, CALL_EVENTS };

/* Where each event leads; CALL_NONE: no such move, counted. A call that was found in its middle enters by its BYE or a 2xx. */
static const uint8_t call_next[CALL_STATES][CALL_EVENTS] = {
    [CALL_NONE] = { [CE_INVITE] = CALL_TRYING,
                    [CE_1XX] = CALL_RINGING,
                    [CE_EARLY_MEDIA] = CALL_EARLY,
                    [CE_2XX] = CALL_UP,
                    [CE_FAIL] = CALL_OVER,
                    [CE_BYE] = CALL_OVER },
    [CALL_TRYING] = { [CE_INVITE] = CALL_TRYING,
                      [CE_1XX] = CALL_RINGING,
                      [CE_EARLY_MEDIA] = CALL_EARLY,
                      [CE_2XX] = CALL_UP,
                      [CE_FAIL] = CALL_OVER,

                      [CE_BYE] = CALL_OVER },
    [CALL_RINGING] = { [CE_INVITE] = CALL_RINGING,
                       [CE_1XX] = CALL_RINGING,
                       [CE_EARLY_MEDIA] = CALL_EARLY,
                       [CE_2XX] = CALL_UP,
                       [CE_FAIL] = CALL_OVER,

                       [CE_BYE] = CALL_OVER },
    [CALL_EARLY] = { [CE_INVITE] = CALL_EARLY,
                     [CE_1XX] = CALL_EARLY,
                     [CE_EARLY_MEDIA] = CALL_EARLY,
                     [CE_2XX] = CALL_UP,
                     [CE_FAIL] = CALL_OVER,

                     [CE_BYE] = CALL_OVER },
    [CALL_UP] = { [CE_INVITE] = CALL_UP,
                  [CE_1XX] = CALL_UP,
                  [CE_EARLY_MEDIA] = CALL_UP,
                  [CE_2XX] = CALL_UP,
                  [CE_FAIL] = CALL_UP,

                  [CE_BYE] = CALL_OVER },
    [CALL_OVER] = { [CE_2XX] = CALL_OVER, [CE_FAIL] = CALL_OVER, [CE_BYE] = CALL_OVER },
};

static void call_step(struct call *c, enum call_event ev)
{
    if (call_next[c->state][ev])
        c->state = call_next[c->state][ev];
    else
        c->bad_moves++;
}

/* What a call has as agents to begin with: known from what was told by where it is, for the text itself is seldom in the caches. */
static const char agent_unknown[] = "";

static const char *text_keep(struct call *c, struct span s, uint32_t *n)
{
    const char *text = arena_str(&c->arena, s);

    *n = *text ? (uint32_t)s.n : 0;
    return text;
}

static bool call_eq(const void *self, uint32_t slot, const void *key)
{
    const struct call *c = track_call_at(self, slot);

    return text_is(c->call_id, c->call_id_n, *(const struct span *)key);
}

static struct call *call_find(const struct track *t, struct span call_id, uint64_t hash)
{
    uint32_t slot = hmap_find(&t->by_call_id, hash, call_eq, t, &call_id);

    return slot == HMAP_NONE ? NULL : track_call_at(t, slot);
}

const struct call *track_find_call(const struct track *t, struct span call_id)
{
    return call_find(t, call_id, hash_bytes(call_id.p, call_id.n));
}

static void arena_of(struct track *t, struct call *c)
{
    void *room = pool_new(&t->call_rooms, &c->room);

    if (room)
        arena_begin(&c->arena, room, TRACK_CALL_ROOM);
    else
        c->room = POOL_NONE;
}

static struct call *call_make(struct track *t, const struct datagram *d, const struct sip_msg *m, uint64_t hash)
{
    uint32_t slot;
    struct call *c = pool_new(&t->calls, &slot);

    if (!c || !hmap_put(&t->by_call_id, hash, slot)) {
        fault_log_one(t->faults, FAULT_SESSION_TABLE_FULL, d->at.frame);
        return NULL;
    }
    c->id = pool_id(&t->calls, slot);
    arena_of(t, c);
    c->from_uri = arena_str(&c->arena, m->from.uri);
    c->to_uri = arena_str(&c->arena, m->to.uri);
    c->call_id = text_keep(c, m->call_id, &c->call_id_n); /* side by side, for each message is compared with both */
    c->from_tag = text_keep(c, m->from.tag, &c->from_tag_n);
    c->agent[CALLER] = c->agent[CALLEE] = agent_unknown;
    c->started = d->at;
    c->seen_from_start = m->request && m->method == SIP_INVITE && m->to.tag.n == 0;
    return c;
}

/* Room for one leg more; there is room for the next power of two of them. False without memory, or when there are enough. */
static bool leg_room(struct call *c)
{
    struct leg *more;

    if (c->legs == CALL_LEGS_KEPT)
        return false;
    if (c->legs & (c->legs - 1))
        return true;
    more = arena_take(&c->arena, (c->legs ? 2u * c->legs : 1u) * sizeof *more);
    if (more && c->legs)
        memcpy(more, c->leg, c->legs * sizeof *more);
    c->leg = more ? more : c->leg;
    return more != NULL;
}

/* The leg of a message within the call's dialogs: by the tag of the party that is not the caller. */
static uint16_t leg_of(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party asker)
{
    struct span tag = asker == CALLER ? m->to.tag : m->from.tag;

    for (uint16_t i = 0; i < c->legs; i++)
        if (text_is(c->leg[i].to_tag, c->leg[i].to_tag_n, tag))
            return i;
    if (tag.n == 0)
        return 0;
    if (!leg_room(c)) {
        fault_log_one(t->faults, FAULT_SESSION_FACT_LIMIT, d->at.frame);
        return c->legs ? c->legs - 1 : 0;
    }
    c->leg[c->legs].to_tag = text_keep(c, tag, &c->leg[c->legs].to_tag_n);
    return c->legs++;
}

/* These and redirections ask the caller to try again; the call is not over (RFC 3261 §8.1.3.4, §8.1.3.5, RFC 4028 §6). */
static bool asks_again(unsigned status)
{
    static const unsigned again[] = { 401, 407, 413, 415, 416, 420, 422, 494 };

    for (size_t i = 0; i < sizeof again / sizeof *again; i++)
        if (status == again[i])
            return true;
    return status >= 300 && status < 400;
}

void track_labels(struct track *t, const char *const *names, size_t n)
{
    t->label = names;
    t->labels = n < TRACK_LABELS ? n : TRACK_LABELS;
}

/* The first INVITE that carries a header tells its value. */
static RARE void labels_keep(const struct track *t, struct call *c, const struct sip_msg *m)
{
    if (!c->label && (c->label = arena_take(&c->arena, t->labels * sizeof *c->label)) != NULL)
        for (size_t i = 0; i < t->labels; i++)
            c->label[i] = "";
    for (size_t i = 0; c->label && i < t->labels; i++)
        if (!*c->label[i])
            c->label[i] = arena_str(&c->arena, span_part(span_trim(sip_header(m, span_str(t->label[i]))), 0, TRACK_LABEL_VALUE));
}

static void invite_request(struct call *c, const struct sip_msg *m)
{
    if (c->state == CALL_OVER && !c->answered.frame && asks_again(c->status) && m->cseq > c->invite_cseq) {
        c->state = CALL_TRYING;
        c->status = 0;
        c->ended = (struct seen){ 0 };
    }
    if (!c->answered.frame)
        c->invite_cseq = m->cseq;
    call_step(c, CE_INVITE);
}

static void invite_reply(struct call *c, const struct datagram *d, const struct sip_msg *m, uint16_t leg, bool has_sdp)
{
    if (m->status == 100)
        return; /* a server has it, no more (RFC 3261 §8.2.6.1) */
    if (m->status < 200) {
        if (!c->ringing.frame)
            c->ringing = d->at;
        if (has_sdp && leg < c->legs && !c->leg[leg].early.frame)
            c->leg[leg].early = d->at;
        call_step(c, has_sdp ? CE_EARLY_MEDIA : CE_1XX);
    } else if (m->status < 300) {
        call_step(c, CE_2XX);
        if (leg < c->legs && !c->leg[leg].answered.frame)
            c->leg[leg].answered = d->at;
        if (!c->answered.frame) {
            c->answered = d->at;
            c->answered_leg = leg;
            c->status = (uint16_t)m->status;
            if (!c->invite_cseq)
                c->invite_cseq = m->cseq;
        }
    } else if (m->cseq == c->invite_cseq && !c->answered.frame) {
        c->status = (uint16_t)m->status;
        c->ended = d->at;
        call_step(c, CE_FAIL);
    }
}

static void call_message(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party from,
                         uint16_t leg, bool has_sdp)
{
    struct span agent = m->user_agent;

    if (agent.n && c->agent[from] == agent_unknown && (m->request || m->status > 100))
        c->agent[from] = shared_text(t, &c->arena, span_part(agent, 0, 128));
    if (!c->signalling[from].port)
        c->signalling[from] = d->src;
    c->last = d->at;
    c->messages++;
    if (m->request && m->method == SIP_INVITE)
        invite_request(c, m);
    else if (!m->request && m->method == SIP_INVITE)
        invite_reply(c, d, m, leg, has_sdp);
    else if (m->request && m->method == SIP_CANCEL)
        c->cancelled = true;
    else if (m->request && m->method == SIP_BYE && c->state != CALL_OVER) {
        call_step(c, CE_BYE);
        c->ended = d->at;
        c->ended_by = (uint8_t)from;
        c->ended_by_known = true;
    }
}

void track_sip(struct track *t, const struct datagram *d, const struct sip_msg *m, const struct sdp *sdp, struct span sdp_bytes)
{
    uint64_t hash = hash_bytes(m->call_id.p, m->call_id.n);
    struct call *c = m->call_id.n ? call_find(t, m->call_id, hash) : NULL;
    struct sdp_fact *kept = NULL;
    enum party asker, from;
    uint16_t leg;

    for (size_t i = 0; sdp && i < sdp->medias; i++)
        track_find_socket_ahead(t, &sdp->media[i].addr);
    t->last = d->at;
    if (!t->first.frame)
        t->first = d->at;
    if (!c && m->call_id.n && (m->method == SIP_INVITE || (m->method == SIP_BYE && m->request)))
        c = call_make(t, d, m, hash);
    if (!c) {
        outside_message(t, NULL, d, m, CALLER);
        t->sip_outside_calls++;
        return;
    }
    /* The From tag is that of the request's sender, in the request and in its replies. */
    asker = text_is(c->from_tag, c->from_tag_n, m->from.tag) ? CALLER : CALLEE;
    outside_message(t, c, d, m, asker);
    from = m->request ? asker : other_party(asker);
    leg = leg_of(t, c, d, m, asker);
    if (t->labels && m->request && m->method == SIP_INVITE)
        labels_keep(t, c, m);
    call_message(t, c, d, m, from, leg, sdp != NULL);
    links_message(t, c, d, m, from);
    if (m->method == SIP_REFER || m->method == SIP_NOTIFY)
        transfer_message(t, c, d, m, from);
    if (sdp)
        kept = sdp_keep(t, c, d, m, from, sdp, sdp_bytes);
    offer_message(t, c, d, m, leg, kept);
}
