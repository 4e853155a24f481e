/*
 * What flowed between the addresses of calls that go is not taken for a session that nobody announced. Very many of them may have had one
 * address (a media server's): so it is gathered first when each address was used, and then each flow of it is looked at once.
 */
#include <stdlib.h>

#include "track/compact.h"
#include "track/track_private.h"

#define AFTER_NS SECONDS(32) /* what comes after the end of a call is still its own (verdict/owner.c) */

/* When calls that go used a socket. */
struct use {
    uint32_t socket;
    int64_t from_ns, to_ns;
};

struct uses {
    struct use *v;
    size_t n, room;
    bool failed; /* without memory */
};

static bool uses_grow(struct uses *u)
{
    size_t room = u->room ? 2 * u->room : 64;
    struct use *more = realloc(u->v, room * sizeof *more);

    if (!more)
        return false;
    u->v = more;
    u->room = room;
    return true;
}

static void use_add(struct uses *u, const struct sweep *s, const struct addr *a, const struct call *c)
{
    uint32_t socket = socket_find(s->t, a);

    if (socket == POOL_NONE)
        return;
    u->failed |= u->n == u->room && !uses_grow(u);
    if (!u->failed)
        u->v[u->n++] = (struct use){ socket, c->started.ns, c->ended.ns + AFTER_NS };
}

static void call_add(struct uses *u, const struct sweep *s, const struct call *c)
{
    for (const struct sdp_fact *d = c->sdps; d; d = d->next) {
        for (size_t i = 0; i < d->medias; i++) {
            struct addr beside = addr_with_port(d->from, d->media[i].addr.port);

            use_add(u, s, &d->media[i].addr, c);
            use_add(u, s, &beside, c);
        }
        for (size_t i = 0; i < d->cands; i++) {
            use_add(u, s, &d->cand[i].addr, c);
            use_add(u, s, &d->cand[i].raddr, c);
        }
    }
}

static int by_socket_and_time(const void *a, const void *b)
{
    const struct use *x = a, *y = b;

    if (x->socket != y->socket)
        return x->socket < y->socket ? -1 : 1;
    return (x->from_ns > y->from_ns) - (x->from_ns < y->from_ns);
}

/* Sorted, and what overlaps made one: of each socket they follow each other, with time between them. */
static void uses_join(struct uses *u)
{
    size_t n = 0;

    if (u->n)
        qsort(u->v, u->n, sizeof *u->v, by_socket_and_time);
    for (size_t i = 0; i < u->n; i++) {
        struct use *last = n ? &u->v[n - 1] : NULL;

        if (!last || last->socket != u->v[i].socket || last->to_ns < u->v[i].from_ns)
            u->v[n++] = u->v[i];
        else if (last->to_ns < u->v[i].to_ns)
            last->to_ns = u->v[i].to_ns;
    }
    u->n = n;
}

/* Was it used at that time, or begun to be within `early_ns` after it? `u`: all of one socket. */
static bool used_at(const struct use *u, size_t n, int64_t ns, int64_t early_ns)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (u[middle].from_ns <= ns + early_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low && ns <= u[low - 1].to_ns;
}

static void give_up_flow(const struct sweep *s, const struct flow *f, const struct use *u, size_t n)
{
    struct check *k = track_check_at(s->t, f->checks);
    struct stream *x;

    for (uint32_t i = f->streams; (x = track_stream_at(s->t, i)) != NULL; i = x->next)
        x->given_up |= used_at(u, n, x->packets.first.ns, 0);
    if (k)
        k->given_up |= used_at(u, n, k->requests.first.ns, AFTER_NS);
}

static void give_up_socket(const struct sweep *s, const struct use *u, size_t n)
{
    const struct socket *k = track_socket(s->t, u->socket);
    const struct flow *f;

    for (uint32_t i = k->flows_out; (f = track_flow_at(s->t, i)) != NULL; i = f->next_out)
        give_up_flow(s, f, u, n);
    for (uint32_t i = k->flows_in; (f = track_flow_at(s->t, i)) != NULL; i = f->next_in)
        give_up_flow(s, f, u, n);
}

bool compact_give_up(const struct sweep *s)
{
    struct uses u = { 0 };

    for (uint32_t i = 0; i < s->t->calls.used; i++)
        if (!s->keep_calls[i])
            call_add(&u, s, track_call_at(s->t, i));
    uses_join(&u);
    for (size_t i = 0, n; i < u.n; i += n) {
        for (n = 1; i + n < u.n && u.v[i + n].socket == u.v[i].socket; n++)
            ;
        give_up_socket(s, &u.v[i], n);
    }
    free(u.v);
    return !u.failed;
}
