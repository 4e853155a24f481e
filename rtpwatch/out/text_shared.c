/* What is told once for the whole capture: what failing calls share, when STUN servers were wrong, and what is odd about DNS. */
#include "out/text_private.h"

enum { BODY = 9, DNS_TOLD = 8 };
#define WORTH_A_LINE_NS SECONDS(60) /* wrong for less than that is told by the calls themselves */

void text_shared(struct text *t)
{
    const struct factors *fs = &t->r->report->factors;

    if (fs->shared_n)
        text_line_empty(t);
    for (size_t i = 0; i < fs->shared_n; i++)
        text_paragraph(t, i ? "" : "Shared", BODY, fs->shared[i].text);
}

/* ---- STUN servers ---- */

static void put_span(const struct text *t, int64_t from, int64_t to, struct strbuf *b)
{
    strbuf_add(b, to - from < NS_PER_S ? " at " : " from ");
    text_clock(t, b, from);
    if (to - from < NS_PER_S)
        return;
    strbuf_add(b, " to ");
    text_clock(t, b, to);
}

/* "right until 02:13:10 UTC, wrong from 02:13:40 UTC to 09:40:02 UTC, right since 09:41:00 UTC" */
static void put_history(const struct text *t, const struct server_finding *f, struct strbuf *b)
{
    if (f->right_before.frame) {
        strbuf_add(b, "right until ");
        text_clock(t, b, f->right_before.ns);
        strbuf_add(b, ", ");
    }
    strbuf_add(b, "wrong");
    put_span(t, f->first_bad.ns, f->last_bad.ns, b);
    if (f->healed.frame) {
        strbuf_add(b, ", right since ");
        text_clock(t, b, f->healed.ns);
    }
    strbuf_add(b, ".");
}

static void put_turned(const struct text *t, const struct mapping_change *c, struct strbuf *b)
{
    char socket[ADDR_TEXT], from[ADDR_TEXT], to[ADDR_TEXT];

    strbuf_fmt(b, " It told %s first %s (frame" HARD_BLANK, addr_text(&c->socket, socket), addr_text(&c->from, from));
    out_frame(t->r, c->before.frame, b);
    strbuf_fmt(b, "), then %s (frame" HARD_BLANK, addr_text(&c->to, to));
    out_frame(t->r, c->at.frame, b);
    strbuf_add(b, ").");
}

static bool worth_a_line(const struct server_finding *f)
{
    return f->right_before.frame || f->healed.frame || f->turned.at.frame || f->last_bad.ns - f->first_bad.ns >= WORTH_A_LINE_NS;
}

static void history(struct text *t, uint32_t row)
{
    const struct server_finding *f = &t->r->report->server[row];
    struct strbuf b = { 0 };

    if (f->peer || !(f->suspicion || (f->first_bad.frame && worth_a_line(f))))
        return;
    report_server_text(t->r->report, row, &b);
    strbuf_add(&b, ": ");
    if (f->first_bad.frame)
        put_history(t, f, &b);
    if (f->turned.at.frame)
        put_turned(t, &f->turned, &b);
    if (f->suspicion)
        strbuf_add(&b, f->suspicion);
    if (f->failed_sessions > 1) {
        strbuf_add(&b, " Calls with its candidates that failed began");
        put_span(t, f->first_failed.ns, f->last_failed.ns, &b);
        strbuf_add(&b, ".");
    }
    text_paragraph(t, "", 2, strbuf_str(&b));
    strbuf_done(&b);
}

void text_server_history(struct text *t)
{
    for (uint32_t i = 0; i < t->r->report->servers; i++)
        history(t, i);
}

/* ---- DNS ---- */

static void put_answer(const struct text *t, const struct dns_fact *n, struct strbuf *b)
{
    char buf[ADDR_TEXT];

    strbuf_fmt(b, "%s (resolver ", addr_ip_text(&n->addr, buf));
    strbuf_fmt(b, "%s, frame" HARD_BLANK, addr_ip_text(&n->resolver, buf));
    out_frame(t->r, n->at.frame, b);
    strbuf_add(b, ")");
}

static bool odd(const struct text *t, const struct dns_finding *f, struct strbuf *b)
{
    strbuf_safe(b, span_str(f->fact->name), 128);
    strbuf_add(b, ": ");
    if (f->stale && f->used_as_stun_server) {
        put_answer(t, f->fact, b);
        strbuf_add(b, " was asked as STUN server ");
        text_duration(b, f->age_ns);
        strbuf_fmt(b, " after that answer, whose TTL is %u s.", f->fact->ttl_s);
    } else if (f->changed_from && f->of_failing_server) {
        strbuf_add(b, "changed from ");
        put_answer(t, f->changed_from, b);
        strbuf_add(b, " to ");
        put_answer(t, f->fact, b);
        strbuf_add(b, " at ");
        text_clock(t, b, f->fact->at.ns);
        strbuf_add(b, ".");
    } else if (f->disagrees_with && f->used_as_stun_server) {
        strbuf_add(b, "two resolvers have no address in common, ");
        put_answer(t, f->fact, b);
        strbuf_add(b, " and ");
        put_answer(t, f->disagrees_with, b);
        strbuf_add(b, ". Large names often answer each client differently.");
    } else {
        return false;
    }
    return true;
}

/* One line for a name; only what is odd about an address that was used. */
void text_dns(struct text *t)
{
    const struct report *r = t->r->report;
    const char *told[DNS_TOLD];
    size_t n = 0;

    for (size_t i = 0; i < r->dns_n && n < DNS_TOLD; i++) {
        struct strbuf b = { 0 };
        bool again = r->dns[i].folded;

        for (size_t k = 0; k < n; k++)
            again |= strcmp(told[k], r->dns[i].fact->name) == 0;
        if (!again && odd(t, &r->dns[i], &b)) {
            if (n == 0)
                text_line_empty(t);
            text_paragraph(t, n ? "" : "DNS", BODY, strbuf_str(&b));
            told[n++] = r->dns[i].fact->name;
        }
        strbuf_done(&b);
    }
}
