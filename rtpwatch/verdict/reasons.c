#include "verdict/reasons.h"

const char *reason_of(const struct session_finding *f)
{
    for (size_t i = 0; i < f->evidence_n; i++)
        if (strcmp(f->evidence[i].kind, "note") == 0)
            return f->evidence[i].text;
    for (size_t i = 0; i < f->directions_n; i++)
        if (f->direction[i].verdict == DIR_UNKNOWN)
            return f->direction[i].why;
    return "this vantage cannot tell";
}

void reasons_add(struct reasons *all, const struct session_finding *f)
{
    const char *text = reason_of(f);
    size_t i = 0;

    while (i < all->n && strcmp(all->text[i], text) != 0)
        i++;
    if (i == REASONS_KEPT) {
        all->others++;
        return;
    }
    if (i == all->n)
        all->text[all->n++] = arena_str(&all->arena, span_str(text));
    all->count[i]++;
}

void reasons_done(struct reasons *all)
{
    arena_done(&all->arena);
    *all = (struct reasons){ 0 };
}
