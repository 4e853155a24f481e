/* The way of a call over its legs, told once with the first leg that failed. */
#include "out/text_private.h"

enum { PATH_BODY = 9, PATH_CALL_ID = 32 };

static void put_way(const struct path *p, struct strbuf *b)
{
    for (size_t i = 0; i <= p->legs; i++)
        strbuf_fmt(b, "%s%s", i ? " -> " : "", p->node[i]);
    strbuf_add(b, p->losses ? ":" : ".");
    for (size_t i = 0; i < p->losses; i++)
        strbuf_fmt(b, " %s", p->lost[i].text);
}

static const struct link *link_to(const struct links *l, uint32_t a, uint32_t b)
{
    const struct link *k = link_first(l, a);

    while (k && k->other != b)
        k = link_next(l, k);
    return k;
}

/* By what leg `i` is known to belong to the one before it. */
static void put_link(const struct text *t, const struct path *p, size_t i, struct strbuf *b)
{
    const struct link *k = i ? link_to(&t->r->report->links, p->leg[i - 1].session, p->leg[i].session) : NULL;

    if (!k)
        return;
    if (k->by == LINK_BY_HEADER) {
        strbuf_add(b, " by ");
        strbuf_safe(b, span_str(k->header), 64);
    } else {
        strbuf_add(b, k->by == LINK_BY_CALL_ID      ? " by its Call-ID"
                      : k->by == LINK_BY_SESSION_ID ? " by Session-ID"
                                                    : " by its media");
    }
    strbuf_add(b, ", frame" HARD_BLANK);
    out_frame(t->r, k->at.frame, b);
}

static void put_legs(const struct text *t, const struct path *p, struct strbuf *b)
{
    const char *id;

    for (size_t i = 0; i < p->legs; i++) {
        id = report_any_call(t->r->report, p->leg[i].session)->call_id;
        strbuf_add(b, i == 0 ? "Legs: " : i + 1 == p->legs ? " and " : ", ");
        if (id && *id)
            text_shortened(b, id, PATH_CALL_ID);
        else
            strbuf_add(b, "a session without signalling");
        strbuf_fmt(b, " (%s", verdict_word((enum verdict)t->r->report->verdict[p->leg[i].session]));
        put_link(t, p, i, b);
        strbuf_add(b, ")");
    }
    strbuf_add(b, ".");
}

size_t text_path_failed(const struct text *t, uint32_t session, uint32_t out[PATH_LEGS])
{
    const struct report *r = t->r->report;
    struct path p;
    size_t n = 0;

    path_make(r, session, &p);
    for (size_t i = 0; i < p.legs; i++)
        if (p.leg[i].session != session && verdict_is_failure((enum verdict)r->verdict[p.leg[i].session]))
            out[n++] = p.leg[i].session;
    path_done(&p);
    return n;
}

void text_path(struct text *t)
{
    struct strbuf b = { 0 };
    struct path p;

    path_make(t->r->report, t->session, &p);
    if (p.legs > 1 && t->path_told) {
        text_paragraph(t, "  Path", PATH_BODY, "As said above.");
    } else if (p.legs > 1) {
        put_way(&p, &b);
        text_paragraph(t, "  Path", PATH_BODY, strbuf_str(&b));
        strbuf_clear(&b);
        put_legs(t, &p, &b);
        text_paragraph(t, "", PATH_BODY, strbuf_str(&b));
    }
    path_done(&p);
    strbuf_done(&b);
}
