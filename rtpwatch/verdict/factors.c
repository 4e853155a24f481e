#include "verdict/factors.h"

#include <math.h>
#include <stdlib.h>

#include "verdict/verdict_private.h"

static const char *const words[] = {
    [FACTOR_STUN_SERVER] = "stun_server", [FACTOR_LOCAL_ADDRESS] = "local_address", [FACTOR_PEER_NETWORK] = "peer_network",
    [FACTOR_ACCOUNT] = "account",         [FACTOR_USER_AGENT] = "user_agent",       [FACTOR_CODEC] = "codec",
    [FACTOR_HEADER] = "header",
};

const char *factor_word(unsigned factor)
{
    return words[factor < FACTOR_HEADER ? factor : FACTOR_HEADER];
}

const char *factor_label(const struct factors *fs, unsigned factor)
{
    return factor < FACTOR_HEADER ? NULL : fs->label[factor - FACTOR_HEADER];
}

void factors_init(struct factors *fs, const char *const *label, size_t labels, factor_server_name *name, const void *self)
{
    *fs = (struct factors){ .server_name = name, .self = self, .label = label, .labels = labels };
    if (fs->labels > TRACK_LABELS)
        fs->labels = TRACK_LABELS;
    pool_init(&fs->value, sizeof(struct factor_value), FACTORS_N * FACTOR_VALUES_KEPT);
}

void factors_done(struct factors *fs)
{
    pool_done(&fs->value);
    hmap_done(&fs->by_value);
    arena_done(&fs->arena);
    free(fs->session);
    free(fs->values_of);
    *fs = (struct factors){ 0 };
}

/* ---- what a session has ---- */

struct value_key {
    unsigned factor;
    uint32_t server;
    struct span text; /* of a server: none */
};

static uint64_t value_hash(const struct value_key *k)
{
    uint32_t head[] = { k->factor, k->server };

    return hash_bytes(head, sizeof head) ^ hash_bytes(k->text.p, k->text.n);
}

static bool value_eq(const void *self, uint32_t slot, const void *key)
{
    const struct factor_value *v = factor_value_at(self, slot);
    const struct value_key *k = key;

    return v->factor == k->factor && v->server == k->server && (k->server != POOL_NONE || span_eq(span_str(v->text), k->text));
}

static const char *value_text(struct factors *fs, const struct value_key *k)
{
    struct strbuf b = { 0 };
    const char *text;

    if (k->server == POOL_NONE)
        return arena_str(&fs->arena, k->text);
    fs->server_name(fs->self, k->server, &b);
    text = arena_str(&fs->arena, span_str(strbuf_str(&b)));
    strbuf_done(&b);
    return text;
}

static uint32_t value_get(struct factors *fs, const struct value_key *k)
{
    uint32_t slot = hmap_find(&fs->by_value, value_hash(k), value_eq, fs, k);
    struct factor_value *v;

    if (slot != HMAP_NONE)
        return slot;
    if (fs->kept[k->factor] == FACTOR_VALUES_KEPT) {
        fs->refused++;
        return POOL_NONE;
    }
    v = pool_new(&fs->value, &slot);
    if (!v || !hmap_put(&fs->by_value, value_hash(k), slot)) {
        fs->broken = true;
        return POOL_NONE;
    }
    fs->kept[k->factor]++;
    *v = (struct factor_value){ .factor = k->factor, .server = k->server, .text = value_text(fs, k) };
    return slot;
}

static void *room_for(struct factors *fs, void *list, size_t n, size_t *room, size_t size)
{
    void *more;

    if (n < *room)
        return list;
    more = realloc(list, (*room ? 2 * *room : 256) * size);
    if (!more) {
        fs->broken = true;
        return list;
    }
    *room = *room ? 2 * *room : 256;
    return more;
}

static void has(struct factors *fs, const struct value_key *k, bool cleared)
{
    struct factor_session *s = &fs->session[fs->sessions];
    uint32_t value = value_get(fs, k);

    for (uint32_t i = 0; i < s->values_n; i++)
        if ((fs->values_of[s->value + i] & ~FACTOR_CLEARED) == value) {
            fs->values_of[s->value + i] |= cleared ? FACTOR_CLEARED : 0;
            return;
        }
    fs->values_of = room_for(fs, fs->values_of, fs->values, &fs->values_room, sizeof *fs->values_of);
    if (value == POOL_NONE || fs->broken)
        return;
    fs->values_of[fs->values++] = value | (cleared ? FACTOR_CLEARED : 0);
    s->values_n++;
}

static void has_text(struct factors *fs, unsigned factor, struct span text)
{
    if (text.n)
        has(fs, &(struct value_key){ factor, POOL_NONE, text }, false);
}

/* Of a server's answers those count that could be wrong. A relay's address is no such answer. */
static void has_servers(struct factors *fs, const struct session_finding *f)
{
    for (size_t i = 0; i < f->candidates_n; i++) {
        const struct candidate_finding *c = &f->candidate[i];
        bool reached = c->status == CANDIDATE_USED || c->status == CANDIDATE_REACHABLE;

        if (c->server != POOL_NONE)
            has(fs, &(struct value_key){ FACTOR_STUN_SERVER, c->server, SPAN_NONE },
                c->confirmed || reached || c->tx == POOL_NONE);
    }
}

/* "198.51.100.0/24": what one site is likely to hold, see addr_same_site(). */
static void network_text(struct addr a, struct strbuf *b)
{
    bool v4 = addr_is_v4(&a);
    size_t kept = v4 ? 15 : 6;
    char buf[ADDR_TEXT];

    memset(a.ip + kept, 0, sizeof a.ip - kept);
    strbuf_fmt(b, "%s/%s", addr_ip_text(&a, buf), v4 ? "24" : "48");
}

static void has_places(struct factors *fs, const struct session_finding *f)
{
    for (enum party p = CALLER; p < PARTIES; p++) {
        struct strbuf network = { 0 };
        char buf[ADDR_TEXT];

        if (addr_is_none(&f->whereabouts[p]))
            continue;
        if (f->here[p]) {
            has_text(fs, FACTOR_LOCAL_ADDRESS, span_str(addr_ip_text(&f->whereabouts[p], buf)));
            continue;
        }
        network_text(f->whereabouts[p], &network);
        has_text(fs, FACTOR_PEER_NETWORK, span_str(strbuf_str(&network)));
        strbuf_done(&network);
    }
}

/* The local party's account; both where the vantage is at neither party, or at both. */
static void has_accounts(struct factors *fs, const struct session_finding *f)
{
    bool one = f->here[CALLER] != f->here[CALLEE];

    if (!one || f->here[CALLER])
        has_text(fs, FACTOR_ACCOUNT, uri_user(span_str(f->call->from_uri)));
    if (!one || f->here[CALLEE])
        has_text(fs, FACTOR_ACCOUNT, uri_user(span_str(f->call->to_uri)));
}

static void has_program(struct factors *fs, const struct session_finding *f)
{
    has_text(fs, FACTOR_USER_AGENT, span_str(f->call->agent[CALLER]));
    has_text(fs, FACTOR_USER_AGENT, span_str(f->call->agent[CALLEE]));
    for (size_t i = 0; i < f->directions_n; i++)
        has_text(fs, FACTOR_CODEC, span_str(f->direction[i].codec));
    for (size_t i = 0; f->call->label && i < fs->labels; i++)
        has_text(fs, FACTOR_HEADER + (unsigned)i, span_str(f->call->label[i]));
}

/* Nobody's fault is proven but perhaps a STUN server's: a way that is shut looks just like an address where nobody is. */
static bool is_open(const struct session_finding *f)
{
    return f->cause == CAUSE_UNKNOWN || f->cause == CAUSE_PATH_BLOCKED || f->cause == CAUSE_BAD_CANDIDATE;
}

void factors_add(struct factors *fs, const struct session_finding *f)
{
    bool failed = verdict_is_failure(f->verdict);

    if (!failed && f->verdict != VERDICT_OK)
        return;
    fs->session = room_for(fs, fs->session, fs->sessions, &fs->sessions_room, sizeof *fs->session);
    if (fs->broken)
        return;
    fs->session[fs->sessions] =
        (struct factor_session){ .value = fs->values, .failed = failed, .open = failed && is_open(f), .ns = f->call->started.ns };
    fs->unsignalled |= f->call->kind != SESSION_SIP;
    has_servers(fs, f);
    has_places(fs, f);
    has_accounts(fs, f);
    has_program(fs, f);
    fs->sessions++;
}

/* ---- the fewest values that explain most ---- */

static void count(struct factors *fs, uint32_t *failed, uint32_t *all)
{
    *failed = *all = 0;
    for (uint32_t v = 0; v < fs->value.used; v++)
        factor_value_at(fs, v)->failed = factor_value_at(fs, v)->all = 0;
    for (size_t i = 0; i < fs->sessions; i++) {
        const struct factor_session *s = &fs->session[i];

        if (s->explained)
            continue;
        *failed += s->failed;
        ++*all;
        for (uint32_t k = 0; k < s->values_n; k++) {
            struct factor_value *v = factor_value_at(fs, fs->values_of[s->value + k]);

            v->failed += s->failed;
            v->all++;
        }
    }
}

static bool has_value(const struct factors *fs, const struct factor_session *s, uint32_t value)
{
    for (uint32_t k = 0; k < s->values_n; k++)
        if ((fs->values_of[s->value + k] & ~FACTOR_CLEARED) == value)
            return true;
    return false;
}

static bool riskier(const struct fourfold *n)
{
    return (double)n->failed_with * n->without >= (double)FACTOR_RISK_LEAST * n->failed_without * n->with;
}

/* The strongest; of equals the one whose factor stands first, then by text, so that the same input gives the same report. */
static bool better(const struct factors *fs, const struct shared_factor *a, const struct shared_factor *b)
{
    const struct factor_value *x = factor_value_at(fs, a->value), *y;

    if (!b->n.with)
        return true;
    y = factor_value_at(fs, b->value);
    if (a->ln_p != b->ln_p)
        return a->ln_p < b->ln_p;
    if (x->factor != y->factor)
        return x->factor < y->factor;
    return strcmp(x->text, y->text) < 0;
}

/* False: no value is worth a claim. */
static bool strongest(const struct factors *fs, uint32_t failed, uint32_t all, struct shared_factor *best)
{
    uint32_t tests = 0;

    *best = (struct shared_factor){ 0 };
    for (uint32_t i = 0; i < fs->value.used; i++) {
        const struct factor_value *v = factor_value_at(fs, i);
        struct shared_factor s = { .value = i, .n = { v->failed, v->all, failed - v->failed, all - v->all } };

        tests += v->all >= FACTOR_FAILED_LEAST && v->all < all; /* others could not pass whatever failed */
        if (v->failed < FACTOR_FAILED_LEAST || !riskier(&s.n))
            continue;
        s.ln_p = fisher_ln_p(&s.n);
        if (better(fs, &s, best))
            *best = s;
    }
    best->ln_p += tests ? log(tests) : 0;
    return best->n.with && best->ln_p < log(FACTOR_P_MOST);
}

/* The values of other factors that exactly the same sessions have: nothing here tells them apart. */
static void same_sessions(struct factors *fs, struct shared_factor *s)
{
    for (uint32_t v = 0; v < fs->value.used; v++)
        factor_value_at(fs, v)->joint = 0;
    for (size_t i = 0; i < fs->sessions; i++)
        for (uint32_t k = 0; !fs->session[i].explained && has_value(fs, &fs->session[i], s->value) && k < fs->session[i].values_n;
             k++)
            factor_value_at(fs, fs->values_of[fs->session[i].value + k])->joint++;
    for (unsigned factor = 0; factor < FACTORS_N; factor++)
        for (uint32_t i = 0; i < fs->value.used && s->same_n < SAME_KEPT; i++) {
            const struct factor_value *v = factor_value_at(fs, i);

            if (i != s->value && v->factor == factor && v->joint == s->n.with && v->all == s->n.with)
                s->same[s->same_n++] = i;
        }
}

/* ---- the sentence ---- */

/* "with a candidate from stun.l.google.com:19302" */
static void put_with(const struct factors *fs, uint32_t value, struct strbuf *b)
{
    static const char *const before[] = {
        [FACTOR_STUN_SERVER] = "with a candidate from ", [FACTOR_LOCAL_ADDRESS] = "of local host ",
        [FACTOR_PEER_NETWORK] = "with a party in ",      [FACTOR_ACCOUNT] = "of account ",
        [FACTOR_USER_AGENT] = "with user agent ",        [FACTOR_CODEC] = "with codec ",
    };
    const struct factor_value *v = factor_value_at(fs, value);

    if (v->factor < FACTOR_HEADER) {
        strbuf_add(b, before[v->factor]);
    } else {
        strbuf_add(b, "with ");
        strbuf_safe(b, span_str(factor_label(fs, v->factor)), 64);
        strbuf_add(b, ": ");
    }
    strbuf_safe(b, span_str(v->text), 128);
}

static void put_p(double ln_p, struct strbuf *b)
{
    if (ln_p < -690) /* about 1e-300: doubles end there */
        strbuf_add(b, "p < 1e-300");
    else
        strbuf_fmt(b, "p = %.1g", exp(ln_p));
}

static const char *sentence(struct factors *fs, const struct shared_factor *s, bool first)
{
    const char *word = fs->unsignalled ? "sessions" : "calls";
    struct strbuf b = { 0 };
    const char *kept;

    strbuf_fmt(&b, "%s%u of %u %s ", first ? "" : "Of the rest, ", s->n.failed_with, s->n.with, word);
    put_with(fs, s->value, &b);
    strbuf_fmt(&b, " failed; %u of %u others did (", s->n.failed_without, s->n.without);
    put_p(s->ln_p, &b);
    strbuf_add(&b, ").");
    for (size_t i = 0; i < s->same_n; i++) {
        strbuf_fmt(&b, i ? ", and %s " : " The very same, and no others, are %s ", word);
        put_with(fs, s->same[i], &b);
    }
    if (s->same_n)
        strbuf_add(&b, ": the counts alone do not tell which of them it is.");
    kept = arena_str(&fs->arena, span_str(strbuf_str(&b)));
    strbuf_done(&b);
    return kept;
}

void factors_share(struct factors *fs)
{
    uint32_t failed, all;

    while (!fs->broken && fs->shared_n < SHARED_KEPT) {
        struct shared_factor *s = &fs->shared[fs->shared_n];

        count(fs, &failed, &all);
        if (failed < FACTOR_FAILED_LEAST || all < FACTOR_JUDGED_LEAST || !strongest(fs, failed, all, s))
            break;
        same_sessions(fs, s);
        s->text = sentence(fs, s, fs->shared_n == 0);
        fs->shared_n++;
        for (size_t i = 0; i < fs->sessions; i++)
            fs->session[i].explained |= has_value(fs, &fs->session[i], s->value);
    }
}
