#include "app/vantages.h"

#include <stdlib.h>

#include "app/pipeline.h"

enum { LOOK_PACKETS = 20000 };

struct look {
    bool known;
    struct view view;
};

/* The hosts that are local in the first packets of a file. */
static void look_at(const char *path, const struct cli *c, struct look *out)
{
    const char *paths[] = { path };
    struct capture *cap = strcmp(path, "-") == 0 ? NULL : capture_open_files(paths, 1, NULL, (char[CAPTURE_ERROR]){ 0 });
    struct pipeline *p = cap ? pipeline_new() : NULL;
    struct view_options options = { .locals = c->local, .locals_n = c->locals };
    struct frame f;

    for (unsigned n = 0; p && n < LOOK_PACKETS && capture_next(cap, &f); n++)
        pipeline_frame(p, &f);
    if (p) {
        view_make(&out->view, p->track, &options, p->clock.now_ns);
        out->view.t = NULL; /* gone with the pipeline; only the list of hosts is used */
        out->known = out->view.locals_n > 0;
    }
    pipeline_free(p);
    capture_close(cap);
}

static bool same_place(const struct look *a, const struct look *b)
{
    for (size_t i = 0; i < a->view.locals_n; i++)
        if (view_is_local(&b->view, &a->view.local[i]))
            return true;
    return false;
}

static unsigned char vantage_add(struct vantages *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->name[i], name) == 0)
            return (unsigned char)i;
    if (v->n == VANTAGES_KEPT) {
        v->too_many = true;
        return 0;
    }
    v->name[v->n] = name;
    return (unsigned char)v->n++;
}

static void tell_apart(struct vantages *v, const struct cli *c, struct look *looks)
{
    for (size_t i = 0; i < c->files_n && i < CAPTURE_INPUTS; i++) {
        size_t same = i;

        if (c->vantage[i])
            continue;
        look_at(c->files[i], c, &looks[i]);
        for (size_t j = 0; looks[i].known && j < i && same == i; j++)
            if (looks[j].known && same_place(&looks[i], &looks[j]))
                same = j;
        if (!looks[i].known && v->n)
            v->of_input[i] = 0;
        else
            v->of_input[i] = same < i ? v->of_input[same] : vantage_add(v, c->files[i]);
    }
}

bool vantages_find(struct vantages *v, const struct cli *c)
{
    struct look *looks = calloc(c->files_n + 1, sizeof *looks);

    *v = (struct vantages){ 0 };
    for (size_t i = 0; i < c->files_n && i < CAPTURE_INPUTS; i++)
        if (c->vantage[i])
            v->of_input[i] = vantage_add(v, c->vantage[i]);
    if (looks && c->files_n > 1)
        tell_apart(v, c, looks);
    if (!v->n)
        vantage_add(v, c->files[0]);
    free(looks);
    return !v->too_many;
}
