/*
 * A mark-and-compact sweep over the tables. Three steps, since records name one another by slot: what stays is marked
 * (compact_mark.c); lists are led past what goes, in the old numbers; the records move together, and every number in them is replaced by
 * the new one.
 */
#include "track/compact.h"

#include <stdlib.h>

#include "track/track_private.h"

/* ---- lists, in the old numbers ---- */

/* Leads the list whose members stay or go past those that go: in each member that stays, and in its head. */
#define LEAD(s, pool, field, type, next) ((field) = COMPACT_STAYING(s, pool, field, type, next))

static void lead_sockets(const struct sweep *s)
{
    for (uint32_t i = 0; i < s->t->sockets.used; i++) {
        struct socket *k = track_socket(s->t, i);

        if (!s->keep_sockets[i])
            continue;
        LEAD(s, flows, k->flows_out, flow, next_out);
        LEAD(s, flows, k->flows_in, flow, next_in);
        LEAD(s, stun_txs, k->asked, stun_tx, next_asked);
        LEAD(s, stun_txs, k->claimed, stun_tx, next_claimed);
        LEAD(s, stun_txs, k->latest_of_host, stun_tx, older_of_host);
    }
}

static void lead_flows(const struct sweep *s)
{
    for (uint32_t i = 0; i < s->t->flows.used; i++) {
        struct flow *f = track_flow_at(s->t, i);

        if (!s->keep_flows[i])
            continue;
        LEAD(s, flows, f->next_out, flow, next_out);
        LEAD(s, flows, f->next_in, flow, next_in);
        LEAD(s, streams, f->streams, stream, next);
        LEAD(s, rtcps, f->rtcps, rtcp_sender, next);
    }
}

static void lead_answers(const struct sweep *s)
{
    for (uint32_t i = 0; i < s->t->stun_txs.used; i++) {
        struct stun_tx *x = track_tx_at(s->t, i);

        if (!s->keep_stun_txs[i])
            continue;
        LEAD(s, stun_txs, x->next_asked, stun_tx, next_asked);
        LEAD(s, stun_txs, x->next_claimed, stun_tx, next_claimed);
        LEAD(s, stun_txs, x->older_of_host, stun_tx, older_of_host);
        LEAD(s, stun_txs, x->newer_of_host, stun_tx, newer_of_host);
    }
}

/* Only from what stays: each run of what goes is walked once, by who stands before it, and not by each of its own. */
static void lead_lists(const struct sweep *s)
{
    const struct track *t = s->t;

    lead_sockets(s);
    lead_flows(s);
    lead_answers(s);
    for (uint32_t i = 0; i < t->streams.used; i++)
        if (s->keep_streams[i])
            LEAD(s, streams, track_stream_at(t, i)->next, stream, next);
    for (uint32_t i = 0; i < t->rtcps.used; i++)
        if (s->keep_rtcps[i])
            LEAD(s, rtcps, track_rtcp_at(t, i)->next, rtcp_sender, next);
    for (uint32_t i = 0; i < t->dtls.used; i++)
        if (s->keep_dtls[i])
            LEAD(s, dtls, track_dtls_at(t, i)->older, dtls_assoc, older);
}

/* ---- the new numbers ---- */

static void number(uint32_t *slot, const uint32_t *to)
{
    if (*slot != POOL_NONE)
        *slot = to[*slot];
}

static void number_sockets(const struct sweep *s)
{
    const struct track *t = s->t;

    for (uint32_t i = 0; i < t->sockets.used; i++) {
        struct socket *k = track_socket(t, i);
        uint32_t call = k->described_in.gen ? k->described_in.slot : POOL_NONE;

        number(&k->flows_out, s->to_flows);
        number(&k->flows_in, s->to_flows);
        number(&k->asked, s->to_stun_txs);
        number(&k->claimed, s->to_stun_txs);
        number(&k->latest_of_host, s->to_stun_txs);
        number(&k->relay, s->to_allocs);
        k->closed_below = 0; /* it is found again at the next split */
        number(&call, s->to_calls);
        k->described_in = call == POOL_NONE ? (struct id){ 0 } : pool_id(&t->calls, call);
    }
}

static void number_flows(const struct sweep *s)
{
    const struct track *t = s->t;

    for (uint32_t i = 0; i < t->flows.used; i++) {
        struct flow *f = track_flow_at(t, i);

        f->slot = i;
        number(&f->hot, s->to_streams);
        number(&f->streams, s->to_streams);
        number(&f->rtcps, s->to_rtcps);
        number(&f->checks, s->to_checks);
        number(&f->icmp, s->to_icmps);
        number(&f->alloc, s->to_allocs);
        number(&f->src_socket, s->to_sockets);
        number(&f->dst_socket, s->to_sockets);
        number(&f->next_out, s->to_flows);
        number(&f->next_in, s->to_flows);
    }
}

static void number_media(const struct sweep *s)
{
    const struct track *t = s->t;

    for (uint32_t i = 0; i < t->streams.used; i++) {
        struct stream *x = track_stream_at(t, i);

        number(&x->flow, s->to_flows);
        number(&x->next, s->to_streams);
        number(&x->ids, s->to_stream_ids);
    }
    for (uint32_t i = 0; i < t->rtcps.used; i++) {
        struct rtcp_sender *r = track_rtcp_at(t, i);

        number(&r->flow, s->to_flows);
        number(&r->next, s->to_rtcps);
        number(&r->reports, s->to_abouts);
    }
    for (uint32_t i = 0; i < t->abouts.used; i++)
        number(&track_about_at(t, i)->next, s->to_abouts);
    for (uint32_t i = 0; i < t->icmps.used; i++)
        number(&track_icmp_at(t, i)->flow, s->to_flows);
    for (uint32_t i = 0; i < t->checks.used; i++)
        number(&track_check_at(t, i)->flow, s->to_flows);
    for (uint32_t i = 0; i < t->restarts.used; i++)
        number(&((struct ice_restart *)pool_at(&t->restarts, i))->check, s->to_checks);
}

static void number_servers(const struct sweep *s)
{
    const struct track *t = s->t;

    for (uint32_t i = 0; i < t->stun_txs.used; i++) {
        struct stun_tx *x = track_tx_at(t, i);

        number(&x->socket, s->to_sockets);
        number(&x->server, s->to_servers);
        number(&x->next_asked, s->to_stun_txs);
        number(&x->next_claimed, s->to_stun_txs);
        number(&x->older_of_host, s->to_stun_txs);
        number(&x->newer_of_host, s->to_stun_txs);
    }
    for (uint32_t i = 0; i < t->allocs.used; i++) {
        number(&track_alloc_at(t, i)->server, s->to_servers);
        number(&track_alloc_at(t, i)->peers, s->to_turn_peers);
    }
    for (uint32_t i = 0; i < t->turn_peers.used; i++) {
        struct turn_peer *p = track_turn_peer_at(t, i);

        number(&p->next, s->to_turn_peers);
        number(&p->tx[0], s->to_stun_txs);
        number(&p->tx[1], s->to_stun_txs);
    }
}

static void number_rest(const struct sweep *s)
{
    const struct track *t = s->t;

    for (uint32_t i = 0; i < t->dtls.used; i++) {
        struct dtls_assoc *a = track_dtls_at(t, i);

        number(&a->older, s->to_dtls);
        for (unsigned k = 0; k < 2; k++) {
            number(&a->end[k].certificate, s->to_certificates);
            number(&a->end[k].join, s->to_dtls_joins);
        }
    }
    for (uint32_t i = 0; i < t->calls.used; i++)
        track_call_at(t, i)->id = pool_id(&t->calls, i);
}

static uint32_t map_to(const void *self, uint32_t slot)
{
    uint32_t to = ((const uint32_t *)self)[slot];

    return to == POOL_NONE ? HMAP_NONE : to;
}

static void number_maps(const struct sweep *s)
{
    struct track *t = s->t;
    const struct {
        struct hmap *map;
        const uint32_t *to;
    } maps[] = { { &t->by_socket, s->to_sockets },          { &t->by_flow, s->to_flows }, { &t->by_call_id, s->to_calls },
                 { &t->by_server, s->to_servers },          { &t->by_name, s->to_names }, { &t->by_outside, s->to_outsides },
                 { &t->by_ufrag, s->to_passwords },         { &t->by_conn, s->to_conns }, { &t->by_dtls, s->to_dtls },
                 { &t->by_certificate, s->to_certificates } };

    tids_renumber(t, s->to_stun_txs, s->to_checks);
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        hmap_renumber(maps[i].map, map_to, maps[i].to);
}

/* ---- texts ---- */

static void move_text(struct arena *to, const char **text)
{
    *text = arena_str(to, span_str(*text));
}

static void move_more(struct arena *to, struct stun_tx *x)
{
    struct stun_more *more = x->more == &stun_no_more ? NULL : arena_take(to, sizeof *more);

    if (more)
        *more = *x->more;
    else
        x->mapped_differs = false; /* from what is not known */
    x->more = more ? more : &stun_no_more;
}

static void move_texts(struct track *t)
{
    struct arena old = t->arena;

    t->arena = (struct arena){ 0 };
    for (uint32_t i = 0; i < t->names.used; i++) {
        move_text(&t->arena, &((struct dns_fact *)pool_at(&t->names, i))->name);
        move_text(&t->arena, &((struct dns_fact *)pool_at(&t->names, i))->via);
    }
    for (uint32_t i = 0; i < t->servers.used; i++)
        move_text(&t->arena, &track_server_at(t, i)->software);
    for (uint32_t i = 0; i < t->stun_txs.used; i++)
        move_more(&t->arena, track_tx_at(t, i));
    for (uint32_t i = 0; i < t->checks.used; i++) {
        move_text(&t->arena, &track_check_at(t, i)->username);
        move_text(&t->arena, &track_check_at(t, i)->username_before);
    }
    for (uint32_t i = 0; i < t->restarts.used; i++) {
        move_text(&t->arena, &((struct ice_restart *)pool_at(&t->restarts, i))->before);
        move_text(&t->arena, &((struct ice_restart *)pool_at(&t->restarts, i))->after);
    }
    for (uint32_t i = 0; i < t->passwords.used; i++) {
        move_text(&t->arena, &((struct ice_password *)pool_at(&t->passwords, i))->ufrag);
        move_text(&t->arena, &((struct ice_password *)pool_at(&t->passwords, i))->pwd);
    }
    for (uint32_t i = 0; i < t->certificates.used; i++) {
        struct dtls_certificate *c = pool_at(&t->certificates, i);

        c->der = arena_span(&t->arena, c->der);
    }
    arena_done(&old);
}

/* ---- the whole ---- */

static bool sweep_begin(struct sweep *s)
{
    bool fine = (s->named_ns = calloc(s->t->sockets.used + 1u, sizeof *s->named_ns)) != NULL &&
                (s->asked_before = calloc(s->t->sockets.used + 1u, sizeof *s->asked_before)) != NULL;

    for (uint32_t i = 0; fine && i < s->t->sockets.used; i++)
        s->named_ns[i] = INT64_MAX;

#define X(name)                                                                                                                  \
    fine &= (s->keep_##name = calloc(s->t->name.used + 1u, sizeof *s->keep_##name)) != NULL &&                                   \
            (s->to_##name = calloc(s->t->name.used + 1u, sizeof *s->to_##name)) != NULL;
    COMPACT_POOLS(X)
#undef X
    return fine;
}

static void sweep_end(struct sweep *s)
{
    free(s->named_ns);
    free(s->asked_before);
#define X(name)                                                                                                                  \
    free(s->keep_##name);                                                                                                        \
    free(s->to_##name);
    COMPACT_POOLS(X)
#undef X
}

static void texts_free(struct track *t, struct call *c)
{
    arena_done(&c->arena);
    if (c->room != POOL_NONE)
        pool_free(&t->call_rooms, c->room);
}

static void move(struct sweep *s)
{
    for (uint32_t i = 0; i < s->t->calls.used; i++)
        if (!s->keep_calls[i])
            texts_free(s->t, track_call_at(s->t, i));
#define X(name) pool_compact(&s->t->name, s->keep_##name, s->to_##name);
    COMPACT_POOLS(X)
#undef X
}

bool track_compact(struct track *t, int64_t now_ns)
{
    struct sweep s = { .t = t, .now_ns = now_ns };
    bool fine = sweep_begin(&s) && compact_mark(&s);

    if (fine) {
        lead_lists(&s);
        move(&s);
        number_sockets(&s);
        number_flows(&s);
        number_media(&s);
        number_servers(&s);
        number_rest(&s);
        number_maps(&s);
        move_texts(t);
        wakes_done(&t->wakes);
    }
    sweep_end(&s);
    return fine;
}
