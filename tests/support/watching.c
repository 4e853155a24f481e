#include "support/watching.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void hear(void *self, const struct event *e)
{
    struct watching *w = self;
    struct heard *h = &w->heard[w->n];

    cr_assert(w->n < HEARD, "too many events");
    w->n++;
    *h = (struct heard){ .kind = e->kind, .at_ns = e->at_ns };
    if (e->server)
        h->server = *e->server;
    if (e->tx != POOL_NONE)
        h->frame = track_tx_at(w->s->track, e->tx)->requests.first.frame;
    if (e->dns) {
        h->name = e->dns->fact;
        h->changed_from = e->dns->changed_from;
    }
    if (e->other)
        h->other = e->other->fact;
    if (e->use)
        h->use = *e->use;
    if (e->icmp)
        h->icmp = *e->icmp;
}

struct watching *watching_new(void)
{
    struct watching *w = calloc(1, sizeof *w);

    cr_assert(w);
    w->s = story_new(D_HOST);
    cr_assert(monitor_init(&w->m, NULL));
    return w;
}

void watching_free(struct watching *w)
{
    monitor_done(&w->m);
    story_free(w->s);
    free(w);
}

static void look(struct watching *w, bool last)
{
    struct view v;

    view_make(&v, w->s->track, &w->s->options, w->s->now_ns);
    (last ? monitor_finish : monitor_tick)(&w->m, &v, hear, w);
}

void watch_pass(struct watching *w, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        story_pass(w->s, 1000);
        look(w, false);
    }
}

void watch_end(struct watching *w)
{
    look(w, true);
}

void watch_compact(struct watching *w)
{
    cr_assert(track_compact(w->s->track, w->s->now_ns));
    monitor_renumbered(&w->m);
}

void watch_dns(struct watching *w, const char *name, const char *ip, const char *resolver, uint32_t ttl_s)
{
    struct dns_msg *m = calloc(1, sizeof *m);
    struct datagram d;

    cr_assert(m);
    story_packet(w->s, resolver, D_HOST ":53211", 120, &d);
    m->response = true;
    m->questions = m->records = m->answers = 1;
    m->question[0] = (struct dns_question){ name, DNS_A };
    m->record[0] = (struct dns_record){ .name = name, .type = DNS_A, .ttl_s = ttl_s };
    cr_assert(addr_parse_ip(span_str(ip), 0, &m->record[0].addr));
    track_dns(w->s->track, &d, m);
    free(m);
    story_pass(w->s, 20);
}

unsigned heard_count(const struct watching *w, enum event_kind kind)
{
    unsigned n = 0;

    for (size_t i = 0; i < w->n; i++)
        n += w->heard[i].kind == kind;
    return n;
}

const struct heard *heard_nth(const struct watching *w, enum event_kind kind, unsigned n)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->heard[i].kind == kind && n-- == 0)
            return &w->heard[i];
    cr_assert_fail("%s was not told so often", event_word(kind));
    return NULL;
}
