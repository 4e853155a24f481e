#include "verdict/report.h"

#include <stdlib.h>

#include "verdict/join.h"
#include "verdict/questions.h"
#include "verdict/sessions_ahead.h"
#include "verdict/teller.h"
#include "verdict/verdict_private.h"

static uint32_t sessions_of(const struct vantage *v)
{
    return v->view.t->calls.used + v->unsignalled.calls.used;
}

static const struct call *session_at(const struct vantage *v, uint32_t i)
{
    uint32_t sip = v->view.t->calls.used;

    return i < sip ? track_call_at(v->view.t, i) : pool_at(&v->unsignalled.calls, i - sip);
}

/* ---- one session in several vantages ---- */

/* What names a session everywhere: its Call-ID, or its pair of ICE username fragments. */
static uint64_t session_hash(const struct call *c)
{
    struct span a, b;

    if (c->kind == SESSION_SIP)
        return hash_bytes(c->call_id, strlen(c->call_id));
    if (c->kind == SESSION_RTP)
        return addr_hash(&c->sdps->media->addr) ^ addr_hash(&c->sdps->next->media->addr);
    a = span_str(c->sdps->media->ufrag);
    b = span_str(c->sdps->next->media->ufrag);
    return hash_bytes(a.p, a.n) ^ hash_bytes(b.p, b.n);
}

/* The same two addresses and an SSRC in common: where a NAT is in between, two places cannot know that they see one session. */
static bool same_rtp(const struct call *a, const struct call *b)
{
    bool swapped = !addr_eq(&a->sdps->media->addr, &b->sdps->media->addr);
    const struct sdp_fact *first = swapped ? b->sdps->next : b->sdps, *second = swapped ? b->sdps : b->sdps->next;

    if (!addr_eq(&a->sdps->media->addr, &first->media->addr) || !addr_eq(&a->sdps->next->media->addr, &second->media->addr))
        return false;
    for (enum party p = CALLER; p < PARTIES; p++)
        if (a->ssrc[p] && a->ssrc[p] == b->ssrc[swapped ? other_party(p) : p])
            return true;
    return false;
}

static bool same_session(const struct call *a, const struct call *b)
{
    const char *a1, *a2, *b1, *b2;

    if (a->kind != b->kind)
        return false;
    if (a->kind == SESSION_RTP)
        return same_rtp(a, b);
    if (a->kind == SESSION_SIP)
        return strcmp(a->call_id, b->call_id) == 0;
    a1 = a->sdps->media->ufrag;
    a2 = a->sdps->next->media->ufrag;
    b1 = b->sdps->media->ufrag;
    b2 = b->sdps->next->media->ufrag;
    return (strcmp(a1, b1) == 0 && strcmp(a2, b2) == 0) || (strcmp(a1, b2) == 0 && strcmp(a2, b1) == 0);
}

const struct call *report_call(const struct report *r, uint32_t i, size_t vantage)
{
    uint32_t own = r->session[i].in[vantage];

    return own == POOL_NONE ? NULL : session_at(&r->vantage[vantage], own);
}

const struct call *report_any_call(const struct report *r, uint32_t i)
{
    const struct call *c = NULL;

    for (size_t v = 0; v < r->vantages && !c; v++)
        c = report_call(r, i, v);
    return c;
}

static bool ref_eq(const void *self, uint32_t slot, const void *key)
{
    const struct report *r = self;

    return same_session(report_any_call(r, slot), key);
}

/* Without signalling each vantage calls `a` whom it saw first. */
static bool parties_swapped(const struct call *a, const struct call *b)
{
    if (a->kind == SESSION_RTP)
        return !addr_eq(&a->sdps->media->addr, &b->sdps->media->addr);
    return a->kind == SESSION_ICE && strcmp(a->sdps->media->ufrag, b->sdps->media->ufrag) != 0;
}

static void turn_like(const struct call *first, struct call *c)
{
    if (parties_swapped(first, c))
        unsignalled_turn(c);
}

static bool refs_add(struct report *r, struct hmap *index, size_t vantage, bool sip)
{
    struct vantage *v = &r->vantage[vantage];
    uint32_t calls = v->view.t->calls.used, from = sip ? 0 : calls, to = sip ? calls : sessions_of(v);

    for (uint32_t i = from; i < to; i++) {
        const struct call *c = session_at(v, i);
        uint32_t slot = vantage && r->vantages > 1 ? hmap_find(index, session_hash(c), ref_eq, r, c) : HMAP_NONE;

        if (slot == HMAP_NONE) {
            slot = r->sessions++;
            for (size_t k = 0; k < VANTAGES_KEPT; k++)
                r->session[slot].in[k] = POOL_NONE;
            r->session[slot].in[vantage] = i;
            if (r->vantages > 1 && !hmap_put(index, session_hash(c), slot))
                return false;
        }
        if (i >= calls)
            turn_like(report_any_call(r, slot), pool_at(&v->unsignalled.calls, i - calls));
        r->session[slot].in[vantage] = i;
    }
    return true;
}

static bool refs_make(struct report *r)
{
    struct hmap index = { 0 };
    size_t all = 1;
    bool fine = true;

    for (size_t i = 0; i < r->vantages; i++)
        all += sessions_of(&r->vantage[i]);
    r->session = calloc(all, sizeof *r->session);
    for (size_t i = 0; r->session && fine && i < r->vantages; i++)
        fine = refs_add(r, &index, i, true);
    r->sip_sessions = r->sessions;
    for (size_t i = 0; r->session && fine && i < r->vantages; i++)
        fine = refs_add(r, &index, i, false);
    hmap_done(&index);
    return r->session && fine;
}

/* ---- clocks ---- */

int64_t vantage_clock_ns(const struct vantage *v)
{
    return offset_counts(&v->offset) ? v->offset.ns : 0;
}

/* Against the first vantage, or against another one that is known against the first. */
static void offset_find(struct report *r, size_t vantage)
{
    struct vantage *v = &r->vantage[vantage];

    for (size_t i = 0; i < vantage && !v->offset.known; i++) {
        const struct vantage *other = &r->vantage[i];

        if (i && !other->offset.known)
            continue;
        offset_estimate(&other->view, &v->view, &v->offset);
        if (!v->offset.known)
            continue;
        v->offset.ns += other->offset.ns;
        v->offset.within_ns += other->offset.within_ns;
        v->offset.bounded &= i == 0 || other->offset.bounded;
    }
}

/* ---- servers ---- */

static uint64_t at_most(uint64_t n, uint64_t most)
{
    return n < most ? n : most;
}

static void row_join(struct server_finding *into, const struct server_finding *f)
{
    into->requests += f->requests;
    into->responses += f->responses;
    into->errors += f->errors;
    into->allocations += f->allocations;
    into->refused += f->refused;
    into->unanswered += f->unanswered;
    into->mappings += f->mappings;
    /* An answer that two vantages saw is counted once, and so is what speaks for or against it. */
    into->confirmed = at_most(into->confirmed + f->confirmed, into->mappings);
    into->contradicted = at_most(into->contradicted + f->contradicted, into->mappings);
    into->suspected = at_most(into->suspected + f->suspected, into->mappings - into->contradicted);
    into->peer &= f->peer;
    if (!into->name)
        into->name = f->name;
    if (!*into->software)
        into->software = f->software;
    if (!into->rtt_median_us) {
        into->rtt_min_us = f->rtt_min_us;
        into->rtt_median_us = f->rtt_median_us;
        into->rtt_max_us = f->rtt_max_us;
    }
    server_history_join(into, f);
}

static bool rows_add(struct report *r, size_t vantage)
{
    struct vantage *v = &r->vantage[vantage];
    const struct track *before[VANTAGES_KEPT];
    uint32_t n = v->view.t->servers.used;
    struct server_finding *own = calloc(n + 1u, sizeof *own);

    v->server_row = calloc(n + 1u, sizeof *v->server_row);
    v->claims = malloc(v->view.t->stun_txs.used + 1u);
    if (!own || !v->server_row || !v->claims) {
        free(own);
        return false;
    }
    claims_judge(&v->view, v->claims);
    v->view.claims = v->claims;
    judge_servers(&v->view, own);
    for (size_t k = 0; k < vantage; k++)
        before[k] = r->vantage[k].view.t;
    if (!questions_count_once(v->view.t, before, vantage, own)) {
        free(own);
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = 0;

        server_history_shift(&own[i], -vantage_clock_ns(v));
        while (row < r->servers && !addr_eq(&r->server[row].addr, &own[i].addr))
            row++;
        if (row == r->servers)
            r->server[r->servers++] = own[i];
        else
            row_join(&r->server[row], &own[i]);
        v->server_row[i] = row;
    }
    free(own);
    return true;
}

static bool rows_make(struct report *r)
{
    size_t all = 1;

    for (size_t i = 0; i < r->vantages; i++)
        all += r->vantage[i].view.t->servers.used;
    r->server = calloc(all, sizeof *r->server);
    for (size_t i = 0; r->server && i < r->vantages; i++)
        if (!rows_add(r, i))
            return false;
    return r->server != NULL;
}

static uint32_t row_of(const struct vantage *v, uint32_t server)
{
    return server == POOL_NONE ? POOL_NONE : v->server_row[server];
}

/* From the vantage's own numbers of servers to the report's rows. */
static void rows_set(const struct vantage *v, struct session_finding *f)
{
    f->server = row_of(v, f->server);
    for (size_t i = 0; i < f->directions_n; i++)
        f->direction[i].server = row_of(v, f->direction[i].server);
    for (size_t i = 0; i < f->candidates_n; i++)
        f->candidate[i].server = row_of(v, f->candidate[i].server);
    for (size_t i = 0; i < f->warnings_n; i++)
        f->warning[i].server = row_of(v, f->warning[i].server);
}

void report_server_text(const struct report *r, uint32_t row, struct strbuf *out)
{
    const struct server_finding *f = &r->server[row];
    char buf[ADDR_TEXT];

    if (!f->name) {
        strbuf_add(out, addr_text(&f->addr, buf));
        return;
    }
    strbuf_safe(out, span_str(f->name->name), 256);
    strbuf_fmt(out, " (%s)", addr_text(&f->addr, buf));
}

/* ---- judging ---- */

static void judge_at(const struct report *r, size_t vantage, uint32_t i, bool brief, struct session_finding *out)
{
    const struct vantage *v = &r->vantage[vantage];

    (brief ? judge_call_briefly : judge_call)(&v->view, session_at(v, i), out);
    rows_set(v, out);
    for (size_t d = 0; d < out->directions_n; d++)
        out->direction[d].sent_at = out->direction[d].received_at = vantage;
    for (size_t c = 0; c < out->candidates_n; c++)
        out->candidate[c].told_at = vantage;
    finding_shift(out, -vantage_clock_ns(v));
}

/* Where hosts are known to be local comes first: what merely passes a place is judged by the ends. */
static size_t vantages_in_order(const struct report *r, const struct session_ref *s, size_t order[VANTAGES_KEPT])
{
    size_t n = 0;

    for (unsigned passing = 0; passing < 2; passing++)
        for (size_t k = 0; k < r->vantages; k++)
            if (s->in[k] != POOL_NONE && view_knows_hosts(&r->vantage[k].view) != passing)
                order[n++] = k;
    return n;
}

static void look_between(const struct report *r, const struct session_ref *s, struct session_finding *out)
{
    struct passage_place place[VANTAGES_KEPT];

    for (size_t k = 0; k < r->vantages; k++)
        place[k] = (struct passage_place){ .name = r->vantage[k].name,
                                           .view = &r->vantage[k].view,
                                           .index = &r->vantage[k].index,
                                           .clock_ns = vantage_clock_ns(&r->vantage[k]),
                                           .has_session = s->in[k] != POOL_NONE };
    teller_find(place, out);
    passage_tell(place, r->vantages, out);
}

static void judge(const struct report *r, uint32_t i, bool brief, struct session_finding *out)
{
    const struct session_ref *s = &r->session[i];
    size_t order[VANTAGES_KEPT] = { 0 }, n = vantages_in_order(r, s, order);
    struct session_finding *more = n > 1 ? malloc(sizeof *more) : NULL;

    judge_at(r, order[0], s->in[order[0]], brief, out);
    for (size_t k = 1; k < n && more; k++) {
        judge_at(r, order[k], s->in[order[k]], brief, more);
        findings_join(out, more);
        session_finding_done(more);
    }
    free(more);
    if (r->vantages > 1)
        look_between(r, s, out);
}

void report_judge(const struct report *r, uint32_t i, struct session_finding *out)
{
    judge(r, i, false, out);
}

/* What the calls say of a server where no answer says it. */
static void suspect(struct report *r, const struct shared_factor *s)
{
    const struct factor_value *v = factor_value_at(&r->factors, s->value);
    struct server_finding *f = v->factor == FACTOR_STUN_SERVER ? &r->server[v->server] : NULL;
    struct strbuf b = { 0 };
    struct fourfold n;

    if (!f || (f->verdict != SERVER_GOOD && f->verdict != SERVER_UNKNOWN) || !factors_suspect(&r->factors, s->value, &n))
        return;
    f->verdict = SERVER_SUSPECT;
    strbuf_fmt(&b, "No answer of it is contradicted, but %u of %u calls with a candidate from it failed", n.failed_with, n.with);
    strbuf_fmt(&b, " while %u of %u others at that time did, those of the same hosts among them.", n.failed_without, n.without);
    f->suspicion = arena_str(&r->factors.arena, span_str(strbuf_str(&b)));
    strbuf_done(&b);
}

/* "stun.example.com:3478"; with the address as well where another row has the same name. */
static void row_text(const void *self, uint32_t row, struct strbuf *out)
{
    const struct report *r = self;
    const struct server_finding *f = &r->server[row];
    char buf[ADDR_TEXT];
    bool twice = false;

    for (uint32_t i = 0; f->name && i < r->servers; i++)
        twice |= i != row && r->server[i].name && strcmp(r->server[i].name->name, f->name->name) == 0;
    if (f->name)
        strbuf_fmt(out, "%s:%u", f->name->name, f->addr.port);
    if (twice)
        strbuf_fmt(out, " (%s)", addr_ip_text(&f->addr, buf));
    if (!f->name)
        strbuf_add(out, addr_text(&f->addr, buf));
}

static bool dns_eq(const void *self, uint32_t slot, const void *key)
{
    const struct dns_fact *a = ((const struct report *)self)->dns[slot].fact, *b = key;

    return a->type == b->type && addr_eq(&a->addr, &b->addr) && addr_ip_eq(&a->resolver, &b->resolver) &&
           strcmp(a->name, b->name) == 0 && strcmp(a->via, b->via) == 0;
}

/* The place that saw the use tells of it. */
static void dns_use_join(struct dns_finding *into, const struct dns_finding *f)
{
    if (into->last_used.frame || !f->last_used.frame)
        return;
    into->used_as_stun_server = f->used_as_stun_server;
    into->last_used = f->last_used;
    into->age_ns = f->age_ns;
    into->outlived = f->outlived;
    into->stale = f->stale;
}

/* An answer that several vantages saw is told once. */
static bool dns_fold(struct report *r)
{
    struct hmap seen = { 0 };
    bool fine = true;

    for (size_t i = 0; fine && r->vantages > 1 && i < r->dns_n; i++) {
        const struct dns_fact *n = r->dns[i].fact;
        uint64_t hash = hash_bytes(n->name, strlen(n->name)) ^ addr_hash(&n->addr);

        uint32_t same = hmap_find(&seen, hash, dns_eq, r, n);

        if (same == HMAP_NONE) {
            fine = hmap_put(&seen, hash, (uint32_t)i);
            continue;
        }
        dns_use_join(&r->dns[same], &r->dns[i]);
        r->dns[i].folded = true;
    }
    hmap_done(&seen);
    return fine;
}

static bool is_failing(const struct report *r, const struct dns_fact *n)
{
    for (uint32_t i = 0; n && i < r->servers; i++)
        if (addr_ip_eq(&r->server[i].addr, &n->addr) &&
            (r->server[i].verdict == SERVER_BAD || r->server[i].verdict == SERVER_SUSPECT))
            return true;
    return false;
}

static bool dns_make(struct report *r)
{
    size_t all = 1;

    for (size_t i = 0; i < r->vantages; i++)
        all += r->vantage[i].view.t->names.used;
    r->dns = calloc(all, sizeof *r->dns);
    for (size_t i = 0; r->dns && i < r->vantages; i++) {
        if (!dns_findings(&r->vantage[i].view, r->dns + r->dns_n))
            return false;
        r->dns_n += r->vantage[i].view.t->names.used;
    }
    for (size_t i = 0; r->dns && i < r->dns_n; i++)
        r->dns[i].of_failing_server =
            r->dns[i].changed_from && (is_failing(r, r->dns[i].fact) || is_failing(r, r->dns[i].changed_from));
    return r->dns && dns_fold(r);
}

static void look_ahead(const struct report *r, uint32_t i)
{
    static const enum ahead step[] = { AHEAD_CALL, AHEAD_DESCRIPTIONS, AHEAD_CELLS, AHEAD_SOCKETS, AHEAD_ANSWERS, AHEAD_BASES };

    for (size_t k = 0; k < sizeof step / sizeof *step; k++)
        for (size_t v = 0; v < r->vantages && i + step[k] < r->sessions; v++) {
            const struct call *c = report_call(r, i + step[k], v);

            if (c)
                session_ahead(r->vantage[v].view.t, c, step[k]);
        }
}

static bool count_all(struct report *r)
{
    struct session_finding *f = calloc(1, sizeof *f);

    r->verdict = calloc(r->sessions + 1u, sizeof *r->verdict);
    r->warns = calloc(r->sessions + 1u, sizeof *r->warns);
    for (uint32_t i = 0; f && r->verdict && r->warns && i < r->sessions; i++) {
        look_ahead(r, i);
        judge(r, i, true, f);
        r->verdict[i] = (uint8_t)f->verdict;
        r->warns[i] = f->warnings_n > 0;
        r->by_verdict[f->verdict]++;
        r->by_cause[f->cause]++;
        r->warned += f->verdict == VERDICT_OK && f->warnings_n;
        r->unanswered += f->verdict == VERDICT_NOT_EXPECTED && !f->call->answered.frame;
        if (f->verdict == VERDICT_UNKNOWN)
            reasons_add(&r->unknown, f);
        server_add_session(r->server, f);
        factors_add(&r->factors, f);
        session_finding_done(f);
    }
    for (uint32_t i = 0; i < r->servers; i++)
        server_conclude(&r->server[i]);
    factors_share(&r->factors);
    for (size_t i = 0; i < r->factors.shared_n; i++)
        suspect(r, &r->factors.shared[i]);
    free(f);
    return f != NULL && r->verdict && r->warns;
}

bool report_make(struct report *r, const struct vantage_input *in, size_t n)
{
    struct view *views[VANTAGES_KEPT];
    bool fine = true;

    *r = (struct report){ .vantages = n };
    if (n > VANTAGES_KEPT) {
        r->vantages = 0;
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct vantage *v = &r->vantage[i];

        v->name = in[i].name;
        views[i] = &v->view;
        view_make(&v->view, in[i].track, &in[i].options, in[i].now_ns);
        v->flows = (struct flow_index){ .t = in[i].track };
        v->view.flows = &v->flows;
    }
    if (n > 1 && in[0].options.locals_n)
        view_given_nowhere(views, n, &in[0].options);
    for (size_t i = 0; i < n; i++) {
        struct vantage *v = &r->vantage[i];
        int64_t now;

        unsignalled_make(&v->unsignalled, &v->view);
        offset_find(r, i);
        now = in[i].now_ns - vantage_clock_ns(v);
        r->now_ns = now > r->now_ns ? now : r->now_ns;
    }
    for (size_t i = 0; i < n && n > 1 && fine; i++)
        fine = ssrc_index_make(&r->vantage[i].index, r->vantage[i].view.t);
    if (fine && refs_make(r) && rows_make(r) && links_make(&r->links, r)) {
        const struct track *t = n ? in[0].track : NULL;

        factors_init(&r->factors, t ? t->label : NULL, t ? t->labels : 0, row_text, r);
        if (count_all(r) && dns_make(r))
            return true;
    }
    report_done(r);
    return false;
}

bool report_rows(struct report *r, const struct view *v)
{
    *r = (struct report){ .vantages = 1, .now_ns = v->now_ns };
    r->vantage[0].view = *v;
    r->server = calloc(v->t->servers.used + 1u, sizeof *r->server);
    for (; r->server && r->servers < v->t->servers.used; r->servers++)
        server_begin(v, r->servers, &r->server[r->servers]);
    return r->server != NULL;
}

void report_done(struct report *r)
{
    for (size_t i = 0; i < r->vantages; i++) {
        free(r->vantage[i].server_row);
        free(r->vantage[i].claims);
        flow_index_done(&r->vantage[i].flows);
        ssrc_index_done(&r->vantage[i].index);
        unsignalled_done(&r->vantage[i].unsignalled);
    }
    links_done(&r->links);
    free(r->session);
    free(r->verdict);
    free(r->warns);
    free(r->server);
    free(r->dns);
    factors_done(&r->factors);
    reasons_done(&r->unknown);
    *r = (struct report){ 0 };
}
