/* STUN servers' answers (RFC 8489 §2) and ICE connectivity checks (RFC 8445 §7), matched by transaction id and the asking socket. */
#include "track/track_private.h"

struct tid_key {
    const uint8_t *tid;
    const struct addr *asker, *asked; /* asked NULL: whoever */
};

/*
 * Check transactions are not kept one by one: the map's slot names the check (its pair of addresses), and the id's hash is
 * trusted with the pair to tell them apart. A collision needs the same 64-bit hash on the same pair.
 */
static bool tid_eq(const void *self, uint32_t slot, const void *key)
{
    const struct track *t = self;
    const struct tid_key *k = key;

    if (slot & TID_IS_CHECK) {
        const struct check *c = track_check_at(t, slot & ~(uint32_t)TID_IS_CHECK);

        return addr_eq(&track_flow_at(t, c->flow)->src, k->asker) &&
               (!k->asked || addr_eq(&track_flow_at(t, c->flow)->dst, k->asked));
    }
    if (k->asked && !addr_eq(&track_server_at(t, track_tx_at(t, slot)->server)->addr, k->asked))
        return false;
    return memcmp(track_tx_at(t, slot)->tid, k->tid, 16) == 0 &&
           addr_eq(&track_socket(t, track_tx_at(t, slot)->socket)->addr, k->asker);
}

static uint32_t tid_find(const struct track *t, uint64_t hash, const struct tid_key *k)
{
    uint32_t slot = hmap_find(&t->by_tid, hash, tid_eq, t, k);

    return slot == HMAP_NONE ? hmap_find(&t->by_old_tid, hash, tid_eq, t, k) : slot;
}

static void tid_put(struct track *t, const struct datagram *d, uint64_t hash, uint32_t slot)
{
    if (t->by_tid.used >= TRACK_TIDS || !hmap_put(&t->by_tid, hash, slot))
        fault_log_one(t->faults, FAULT_STUN_TABLE_FULL, d->at.frame);
}

struct tid_numbers {
    const uint32_t *tx, *check;
};

static uint32_t tid_to(const void *self, uint32_t slot)
{
    const struct tid_numbers *n = self;
    uint32_t to = slot & TID_IS_CHECK ? n->check[slot & ~(uint32_t)TID_IS_CHECK] : n->tx[slot];

    return to == POOL_NONE ? HMAP_NONE : to | (slot & TID_IS_CHECK);
}

void tids_renumber(struct track *t, const uint32_t *to_tx, const uint32_t *to_check)
{
    struct tid_numbers n = { to_tx, to_check };

    hmap_renumber(&t->by_tid, tid_to, &n);
    hmap_done(&t->by_old_tid);
    t->by_old_tid = t->by_tid;
    t->by_tid = (struct hmap){ 0 };
}

/* ---- ICE passwords ---- */

static bool ufrag_eq(const void *self, uint32_t slot, const void *key)
{
    const struct track *t = self;
    const struct ice_password *p = pool_at(&t->passwords, slot);

    return span_eq(span_str(p->ufrag), *(const struct span *)key);
}

uint32_t ice_password_find(const struct track *t, struct span ufrag)
{
    uint32_t slot = hmap_find(&t->by_ufrag, hash_bytes(ufrag.p, ufrag.n), ufrag_eq, t, &ufrag);

    return slot == HMAP_NONE ? POOL_NONE : slot;
}

static struct ice_password *password_find(const struct track *t, struct span ufrag)
{
    uint32_t slot = ice_password_find(t, ufrag);

    return slot == POOL_NONE ? NULL : pool_at(&t->passwords, slot);
}

bool track_knows_ufrag(const struct track *t, struct span ufrag)
{
    return password_find(t, ufrag) != NULL;
}

void ice_password_add(struct track *t, const char *ufrag, const char *pwd)
{
    struct span key = span_str(ufrag);
    struct ice_password *p = password_find(t, key);
    uint32_t slot;

    if (p && strcmp(p->pwd, pwd) == 0)
        return;
    if (p) { /* chosen again by somebody else: a fragment may be as short as 4 characters. Neither can be checked for sure. */
        p->pwd = "";
        return;
    }
    p = pool_new(&t->passwords, &slot);
    if (!p || !hmap_put(&t->by_ufrag, hash_bytes(key.p, key.n), slot))
        return;
    p->ufrag = arena_str(&t->arena, key);
    p->pwd = arena_str(&t->arena, span_str(pwd));
}

/*
 * A check and its answer are both authenticated under the password of the agent that was asked, whose fragment stands first in
 * USERNAME (RFC 8445 §7.1.2, §7.2.5.2.1).
 */
static enum stun_check integrity(struct track *t, const struct check *c, const struct stun_msg *m)
{
    const char *const users[] = { c->username, c->username_before }; /* an answer may come after an ICE restart */
    enum stun_check result = STUN_ABSENT;

    for (size_t i = 0; i < 2 && result != STUN_GOOD; i++) {
        struct span user = span_str(users[i]);
        struct ice_password *p = password_find(t, span_part(user, 0, span_find(user, ':')));

        if (p && *p->pwd)
            result = stun_check_integrity(&t->mac, m, span_str(p->pwd));
        else if (user.n)
            result = STUN_ABSENT; /* under a password that is not known it may be good */
    }
    return result;
}

/* ---- servers ---- */

static bool server_eq(const void *self, uint32_t slot, const void *key)
{
    return addr_eq(&track_server_at(self, slot)->addr, key);
}

struct stun_server *track_find_server(const struct track *t, const struct addr *a)
{
    uint32_t slot = hmap_find(&t->by_server, addr_hash(a), server_eq, t, a);

    return slot == HMAP_NONE ? NULL : track_server_at(t, slot);
}

static uint32_t server_get(struct track *t, const struct addr *a)
{
    uint32_t slot = hmap_find(&t->by_server, addr_hash(a), server_eq, t, a);
    struct stun_server *s;

    if (slot != HMAP_NONE)
        return slot;
    s = pool_new(&t->servers, &slot);
    if (!s || !hmap_put(&t->by_server, addr_hash(a), slot))
        return POOL_NONE;
    s->addr = *a;
    s->software = "";
    return slot;
}

/* All that one host asked, in time order, whatever the socket. */
static void host_link(struct track *t, const struct addr *asker, uint32_t slot)
{
    struct addr ip = addr_with_port(*asker, 0);
    uint32_t host = socket_get(t, &ip);
    struct stun_tx *x = track_tx_at(t, slot);

    x->older_of_host = x->newer_of_host = POOL_NONE;
    if (host == POOL_NONE)
        return;
    x->older_of_host = track_socket(t, host)->latest_of_host;
    if (x->older_of_host != POOL_NONE)
        track_tx_at(t, x->older_of_host)->newer_of_host = slot;
    track_socket(t, host)->latest_of_host = slot;
}

/* Records a request to a server and gives its transaction; POOL_NONE: none was free. */
static uint32_t server_request(struct track *t, const struct flow *f, const struct datagram *d, const struct stun_msg *m)
{
    uint64_t hash = tid_hash(m->tid, &d->src);
    uint32_t slot = tid_find(t, hash, &(struct tid_key){ m->tid, &d->src, &d->dst }), server;
    struct stun_tx *x;

    if (slot != HMAP_NONE && !(slot & TID_IS_CHECK)) {
        x = track_tx_at(t, slot);
        track_server_at(t, x->server)->retransmissions++;
        tally_add(&x->requests, d->at);
        return slot;
    }
    server = server_get(t, &d->dst);
    x = server == POOL_NONE ? NULL : pool_new(&t->stun_txs, &slot);
    if (!x) {
        fault_log_one(t->faults, FAULT_STUN_TABLE_FULL, d->at.frame);
        return POOL_NONE;
    }
    memcpy(x->tid, m->tid, 16);
    x->method = m->method;
    x->classic = m->classic;
    x->credentials = m->username.n > 0 || m->has_userhash;
    x->socket = f->src_socket;
    x->server = server;
    x->more = &stun_no_more;
    x->next_claimed = POOL_NONE;
    x->next_asked = track_socket(t, x->socket)->asked;
    track_socket(t, x->socket)->asked = slot;
    host_link(t, &d->src, slot);
    tally_add(&x->requests, d->at);
    track_server_at(t, server)->requests++;
    tally_add(&track_server_at(t, server)->asked, d->at);
    tid_put(t, d, hash, slot); /* last: the map compares with what stands in the record */
    return slot;
}

static void server_claim(struct track *t, uint32_t slot, const struct addr *mapped)
{
    uint32_t s = socket_get(t, mapped);

    if (s == POOL_NONE)
        return;
    track_tx_at(t, slot)->next_claimed = track_socket(t, s)->claimed;
    track_socket(t, s)->claimed = slot;
}

const struct stun_more stun_no_more;

static RARE bool more_keep(struct track *t, struct stun_tx *x, const struct stun_more *more)
{
    struct stun_more *kept = arena_take(&t->arena, sizeof *kept);

    if (!kept)
        return false;
    *kept = *more;
    x->more = kept;
    return true;
}

/* What a success says. */
static void answer_keep(struct track *t, struct stun_tx *x, const struct stun_msg *m)
{
    struct stun_more more = { .plain = m->mapped, .relayed = m->relayed };
    bool differs = m->has_xor_mapped && m->has_mapped && !addr_eq(&m->xor_mapped, &m->mapped);

    if (m->has_xor_mapped || m->has_mapped)
        x->mapped = m->has_xor_mapped ? m->xor_mapped : m->mapped;
    if (differs || m->has_relayed)
        x->mapped_differs = more_keep(t, x, &more) && differs;
}

static void server_answer(struct track *t, uint32_t slot, const struct datagram *d, const struct stun_msg *m)
{
    struct stun_tx *x = track_tx_at(t, slot);
    struct stun_server *s = track_server_at(t, x->server);
    int64_t rtt = d->at.ns - x->requests.last.ns;

    if (x->answer.frame)
        return; /* a second answer to a retransmission */
    x->answer = d->at;
    x->elsewhere = !addr_same_site(&d->src, &s->addr);
    s->responses++;
    if (s->rtts < sizeof s->rtt_us / sizeof *s->rtt_us)
        s->rtt_us[s->rtts++] = rtt > 0 ? (uint32_t)(rtt / NS_PER_US) : 0; /* a capture may be out of order */
    if (m->software.n && !*s->software)
        s->software = arena_str(&t->arena, span_part(m->software, 0, 128));
    if (m->cls == STUN_ERROR)
        x->error = m->error & 1023u;
    turn_answer(t, slot, d, m);
    if (m->cls == STUN_ERROR) {
        if ((m->error == 401 && !x->credentials) || m->error == 438)
            s->challenges++;
        else
            s->errors++;
        if (m->has_alternate)
            more_keep(t, x, &(struct stun_more){ .alternate = m->alternate });
        return;
    }
    x->success = true;
    answer_keep(t, x, m);
    if (m->has_xor_mapped || m->has_mapped)
        server_claim(t, slot, &x->mapped);
}

/* ---- checks ---- */

static struct check *check_get(struct track *t, struct flow *f)
{
    struct check *c = track_check_at(t, f->checks);
    uint32_t slot;

    if (c)
        return c;
    c = pool_new(&t->checks, &slot);
    if (!c)
        return NULL;
    c->flow = f->slot;
    c->username = c->username_before = "";
    f->checks = slot;
    return c;
}

/* An ICE restart gives both agents new fragments; the request that first carries them is kept, while there is room. */
static RARE void check_rename(struct track *t, struct check *c, const struct datagram *d, struct span username)
{
    const char *before = c->username_before;
    struct ice_restart *r = NULL;
    uint32_t slot;

    c->username_before = c->username;
    if (span_eq(span_str(before), username)) { /* back to the one before: two agents share the addresses, nothing began anew */
        c->username = before;
        return;
    }
    if (*c->username && !(r = pool_new(&t->restarts, &slot)))
        return; /* full: who changes names without end is not followed */
    c->username = arena_str(&t->arena, username);
    if (r)
        *r = (struct ice_restart){ track_flow_at(t, c->flow)->checks, c->username_before, c->username, c->requests.last, d->at };
}

static void check_request(struct track *t, struct flow *f, const struct datagram *d, const struct stun_msg *m)
{
    struct check *c = check_get(t, f);
    uint64_t hash = tid_hash(m->tid, &d->src);

    f->contains |= FLOW_CHECK;
    if (!c)
        return;
    if (tid_find(t, hash, &(struct tid_key){ m->tid, &d->src, &d->dst }) == HMAP_NONE) {
        tid_put(t, d, hash, f->checks | TID_IS_CHECK);
        if (c->unanswered++ == 0)
            c->unanswered_since = d->at;
    }
    if (!span_eq(span_str(c->username), m->username))
        check_rename(t, c, d, m->username);
    tally_add(&c->requests, d->at);
    c->controlling = m->controlling;
    if (m->use_candidate && !c->nominated.frame)
        c->nominated = d->at;
}

/* How the peer sees the socket; where that changes, its NAT got another address in between. */
static void check_mapped(struct check *c, const struct addr *mapped, struct seen at)
{
    if (!c->mapped_at.frame || !addr_ip_eq(&c->mapped, mapped)) {
        c->mapped_before = c->mapped;
        c->mapped_before_at = c->mapped_at;
        c->mapped_since_ns = at.ns;
    }
    c->mapped = *mapped;
    c->mapped_at = at;
}

static void check_answer(struct track *t, struct check *c, const struct datagram *d, const struct stun_msg *m)
{
    enum stun_check sound = integrity(t, c, m);

    if (!addr_eq(&d->src, &track_flow_at(t, c->flow)->dst)) /* not symmetric: a failed check (RFC 8445 §7.2.5.2.1) */
        return;

    if (sound == STUN_WRONG) { /* forged or corrupt: no evidence (SPEC §3) */
        fault_log_one(t->faults, FAULT_STUN_INTEGRITY, d->at.frame);
        c->forged++;
        return;
    }
    if (m->cls == STUN_ERROR) {
        c->errors++;
        c->conflicts += m->error == 487;
        return;
    }
    tally_add(&c->answers, d->at);
    c->unanswered = 0;
    if (c->nominated.frame && !c->nominated_ok.frame)
        c->nominated_ok = d->at;
    if (m->has_xor_mapped || m->has_mapped) {
        check_mapped(c, m->has_xor_mapped ? &m->xor_mapped : &m->mapped, d->at);
        c->mapped_verified = sound == STUN_GOOD;
    }
}

/* What the answer belongs to. A server may answer from another address: Asterisk does not look (RFC 3489 §8.1 allows it). */
static uint32_t answered_by(const struct track *t, const struct datagram *d, const struct stun_msg *m)
{
    uint64_t hash = tid_hash(m->tid, &d->dst);
    uint32_t slot = tid_find(t, hash, &(struct tid_key){ m->tid, &d->dst, &d->src });

    return slot == HMAP_NONE ? tid_find(t, hash, &(struct tid_key){ m->tid, &d->dst, NULL }) : slot;
}

enum stun_role track_stun(struct track *t, struct flow *f, const struct datagram *d, const struct stun_msg *m)
{
    uint32_t slot;

    if (m->cls == STUN_REQUEST) {
        if (m->method == STUN_BINDING && m->username.n) {
            check_request(t, f, d, m);
            return STUN_OF_CHECK;
        }
        f->contains |= FLOW_STUN_SERVER;
        turn_request(t, f, d, m, server_request(t, f, d, m));
        return STUN_OF_SERVER;
    }
    if (m->cls == STUN_INDICATION)
        return m->classic ? STUN_OF_NOBODY : STUN_OF_SERVER; /* a keep-alive (RFC 8445 §11), or TURN data */
    if (m->has_xor_mapped)
        track_find_socket_ahead(t, &m->xor_mapped);
    slot = answered_by(t, d, m);
    if (slot == HMAP_NONE) {
        t->stun_unmatched++;
        return STUN_OF_NOBODY;
    }
    if (slot & TID_IS_CHECK) {
        check_answer(t, track_check_at(t, slot & ~(uint32_t)TID_IS_CHECK), d, m);
        f->contains |= FLOW_CHECK;
        return STUN_OF_CHECK;
    }
    f->contains |= FLOW_STUN_SERVER;
    server_answer(t, slot, d, m);
    return STUN_OF_SERVER;
}
