/* STUN servers: how they answered, what they are called, and whether their word holds. */
#include <stdlib.h>

#include "verdict/verdict_private.h"

const struct dns_fact *dns_name_of(const struct track *t, const struct addr *a, int64_t ns)
{
    const struct dns_fact *best = NULL;

    for (uint32_t i = 0; i < t->names.used; i++) {
        const struct dns_fact *n = pool_at(&t->names, i);
        bool before = n->at.ns <= ns;

        if (n->type == DNS_SRV || !addr_ip_eq(&n->addr, a))
            continue;
        if (!best || (before && (best->at.ns > ns || n->last.ns > best->last.ns)))
            best = n;
    }
    return best;
}

void server_text(const struct view *v, uint32_t server, struct strbuf *out)
{
    const struct stun_server *s = track_server_at(v->t, server);
    const struct dns_fact *name = dns_name_of(v->t, &s->addr, s->asked.last.ns);
    char buf[ADDR_TEXT];

    if (name) {
        strbuf_safe(out, span_str(name->name), 256);
        strbuf_fmt(out, " (%s)", addr_text(&s->addr, buf));
    } else {
        strbuf_add(out, addr_text(&s->addr, buf));
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void rtts(const struct stun_server *s, struct server_finding *f)
{
    uint32_t sorted[sizeof s->rtt_us / sizeof *s->rtt_us];

    if (!s->rtts)
        return;
    memcpy(sorted, s->rtt_us, s->rtts * sizeof *sorted);
    qsort(sorted, s->rtts, sizeof *sorted, by_size);
    f->rtt_min_us = sorted[0];
    f->rtt_median_us = sorted[s->rtts / 2];
    f->rtt_max_us = sorted[s->rtts - 1];
}

static void bad_at(struct server_finding *f, struct seen at)
{
    if (!f->first_bad.frame || at.ns < f->first_bad.ns)
        f->first_bad = at;
    if (at.ns > f->last_bad.ns)
        f->last_bad = at;
}

static bool carries_media(const struct view *v, const struct addr *a)
{
    const struct socket *k = track_find_socket(v->t, a);

    return k && (k->advertised || k->takes_media);
}

bool server_is_peer(const struct view *v, uint32_t server)
{
    const struct addr *a = &track_server_at(v->t, server)->addr;
    struct addr rtp = addr_with_port(*a, (uint16_t)(a->port - 1));

    return carries_media(v, a) || carries_media(v, &rtp);
}

void server_begin(const struct view *v, uint32_t server, struct server_finding *out)
{
    const struct stun_server *s = track_server_at(v->t, server);

    *out = (struct server_finding){ .addr = s->addr,
                                    .software = s->software,
                                    .requests = s->requests,
                                    .responses = s->responses,
                                    .errors = s->errors,
                                    .allocations = s->allocations,
                                    .refused = s->turn_refused,
                                    .name = dns_name_of(v->t, &s->addr, s->asked.last.ns),
                                    .peer = server_is_peer(v, server) };
    rtts(s, out);
}

static void judge_answers(const struct view *v, struct server_finding *out)
{
    for (uint32_t i = 0; i < v->t->stun_txs.used; i++) {
        const struct stun_tx *x = track_tx_at(v->t, i);
        struct server_finding *f = &out[x->server];
        enum claim_status claim;
        enum confidence sure;

        f->unanswered += !x->answer.frame;
        if (!x->success || addr_is_none(&x->mapped))
            continue;
        f->mappings++;
        claim = claim_of_answer(v, i, &sure);
        f->confirmed += claim == CLAIM_FINE;
        if (claim != CLAIM_WRONG)
            continue;
        f->contradicted += sure == CONFIDENCE_PROVEN;
        f->suspected += sure != CONFIDENCE_PROVEN;
        bad_at(f, x->answer);
    }
}

void judge_servers(const struct view *v, struct server_finding *out)
{
    for (uint32_t i = 0; i < v->t->servers.used; i++)
        server_begin(v, i, &out[i]);
    judge_answers(v, out);
    server_history(v, out);
}

static void failed_at(struct server_finding *f, struct seen began)
{
    if (!f->first_failed.frame || began.ns < f->first_failed.ns)
        f->first_failed = began;
    if (!f->last_failed.frame || began.ns > f->last_failed.ns)
        f->last_failed = began;
}

/*
 * A server that refuses, does not answer, or whose relay ends, is not one that lies: its row counts the session, and its verdict is not for
 * that.
 */
static void add_for_want(struct server_finding *servers, const struct session_finding *s)
{
    for (size_t i = 0; i < s->candidates_n; i++)
        if (s->candidate[i].server == s->server)
            return; /* counted with its candidates */
    servers[s->server].sessions++;
    servers[s->server].failed_sessions++;
}

static bool for_want(enum cause c)
{
    return c == CAUSE_TURN_FAILED || c == CAUSE_STUN_ERROR || c == CAUSE_STUN_UNANSWERED;
}

void server_add_session(struct server_finding *servers, const struct session_finding *s)
{
    for (size_t i = 0; i < s->candidates_n; i++) {
        uint32_t server = s->candidate[i].server;
        bool counted = server == POOL_NONE;

        for (size_t j = 0; j < i; j++)
            counted |= s->candidate[j].server == server;
        if (counted)
            continue;
        servers[server].sessions++;
        servers[server].failed_sessions += verdict_is_failure(s->verdict);
        if (verdict_is_failure(s->verdict))
            failed_at(&servers[server], s->started);
        servers[server].ok_sessions += s->verdict == VERDICT_OK;
        servers[server].blamed += s->server == server && !for_want(s->cause);
        servers[server].proven += s->server == server && s->confidence == CONFIDENCE_PROVEN && s->cause == CAUSE_BAD_CANDIDATE;
    }
    if (for_want(s->cause) && s->server != POOL_NONE)
        add_for_want(servers, s);
}

void server_conclude(struct server_finding *f)
{
    if (f->contradicted || f->proven)
        f->verdict = SERVER_BAD;
    else if (f->suspected || f->blamed)
        f->verdict = SERVER_SUSPECT;
    else if (f->responses == 0)
        f->verdict = SERVER_SILENT;
    else if (f->confirmed || f->ok_sessions)
        f->verdict = SERVER_GOOD;
    else
        f->verdict = SERVER_UNKNOWN;
}
