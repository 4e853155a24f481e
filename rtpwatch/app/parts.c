#include "app/parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "app/part.h"

struct part {
    const char *path; /* of the reduced capture */
    struct reduced *file;
    unsigned base; /* its first input among all */
    int64_t first_ns, last_ns;
    uint64_t packets;
};

struct parts {
    struct cli cli; /* with the captures in place of the parts */
    struct part *part;
    size_t n;
    const struct reduced_input **input;
    size_t inputs;
};

_Static_assert((int)LOCALS_KEPT <= (int)REDUCED_HOSTS, "a reduced capture has room for the hosts of a place");

/* ---- opening ---- */

static const char *why_not_read(const struct cli *c)
{
    if (c->filter || window_given(&c->window))
        return "--filter, --since and --until belong to --reduce: packets that it packed cannot be left out";
    if (c->tls_keylogs)
        return "it was packed without what is inside TLS: give the captures themselves with --tls-keylog";
    if (c->format == FORMAT_NDJSON || c->rules || c->dump_facts || c->explain_rule || c->write)
        return "events, rules, -w and --dump-facts need every packet: give the captures themselves";
    return NULL;
}

static bool all_reduced(const struct cli *c, size_t *n, char error[CAPTURE_ERROR])
{
    const char *reduced = NULL, *other = NULL, *why;

    for (size_t i = 0; i < c->files_n; i++)
        *(reduced_is(c->files[i]) ? &reduced : &other) = c->files[i];
    why = reduced ? why_not_read(c) : NULL;
    if (reduced && !why && other)
        snprintf(error, CAPTURE_ERROR, "%.100s is reduced and %.100s is not: reduce that one as well", reduced, other);
    else if (why)
        snprintf(error, CAPTURE_ERROR, "%.100s: %.200s", reduced, why);
    *n = reduced ? c->files_n : 0;
    return reduced && !*error;
}

static void extent_add(struct part *p, const struct capture_input *in)
{
    if (!in->packets)
        return;
    if (!p->packets || in->first_ns < p->first_ns)
        p->first_ns = in->first_ns;
    if (!p->packets || in->last_ns > p->last_ns)
        p->last_ns = in->last_ns;
    p->packets += in->packets;
}

/* A name of its own for each part's place: given here, or when the part was reduced. */
static bool input_add(struct parts *p, const struct cli *c, size_t part, const struct reduced_input *in)
{
    const char *given = c->vantage[part] ? c->vantage[part] : in->place;
    char *name = *given ? strdup(given) : NULL;

    if (*given && !name)
        return false;
    p->input[p->inputs++] = in;
    extent_add(&p->part[part], &in->told);
    return cli_file_add(&p->cli, in->told.path, name);
}

static bool part_open(struct parts *p, const struct cli *c, size_t i, char error[CAPTURE_ERROR])
{
    struct part *part = &p->part[i];
    const struct reduced_whole *w;
    char why[CAPTURE_ERROR] = "";

    *part = (struct part){ .path = c->files[i], .base = (unsigned)p->inputs, .file = reduced_open(c->files[i], why) };
    p->n++;
    w = part->file ? reduced_whole(part->file) : NULL;
    if (!w)
        snprintf(error, CAPTURE_ERROR, "%.100s: %.200s", part->path, why);
    else if (w->inputs > CAPTURE_INPUTS - p->inputs)
        snprintf(error, CAPTURE_ERROR, "more than %d captures in all; read the rest in another run", CAPTURE_INPUTS);
    for (size_t k = 0; !*error && k < w->inputs; k++)
        if (!input_add(p, c, i, &w->input[k]))
            snprintf(error, CAPTURE_ERROR, "not enough memory");
    return !*error;
}

struct parts *parts_open(const struct cli *c, char error[CAPTURE_ERROR])
{
    struct parts *p;
    size_t n;

    if (!all_reduced(c, &n, error))
        return NULL;
    p = calloc(1, sizeof *p);
    if (p) {
        p->cli = *c;
        p->cli.files = NULL;
        p->cli.vantage = NULL;
        p->cli.files_n = 0;
        p->part = calloc(n, sizeof *p->part);
        p->input = calloc(CAPTURE_INPUTS, sizeof(const struct reduced_input *));
    }
    if (!p || !p->part || !p->input)
        snprintf(error, CAPTURE_ERROR, "not enough memory");
    for (size_t i = 0; !*error && i < n; i++)
        (void)part_open(p, c, i, error);
    if (!*error)
        return p;
    parts_close(p);
    return NULL;
}

void parts_close(struct parts *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        reduced_free(p->part[i].file);
    for (size_t i = 0; i < p->cli.files_n; i++)
        free(p->cli.vantage[i]);
    free(p->cli.files);
    free(p->cli.vantage);
    free(p->part);
    free(p->input);
    free(p);
}

const struct cli *parts_cli(const struct parts *p)
{
    return &p->cli;
}

const struct capture_input *parts_input(const struct parts *p, size_t i)
{
    return &p->input[i]->told;
}

/* ---- places ---- */

/* As the captures would be merged: by time, and at the same time in the order in which they were given. */
static int by_time(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return x->base < y->base ? -1 : x->base > y->base;
}

static bool overlap(const struct part *a, const struct part *b)
{
    return a->last_ns > b->first_ns || (a->last_ns == b->first_ns && a->base > b->base);
}

static bool one_place(const struct part *part, const struct vantages *v)
{
    const struct reduced_whole *w = reduced_whole(part->file);

    for (size_t i = 1; i < w->inputs; i++)
        if (v->of_input[part->base + i] != v->of_input[part->base])
            return false;
    return true;
}

/* Packets of one time are taken in the order in which their captures were given: parts that only touch may stand in the wrong one. */
static bool refuse_overlap(const struct part *a, const struct part *b, char error[CAPTURE_ERROR])
{
    int64_t us = (a->last_ns - b->first_ns + NS_PER_US - 1) / NS_PER_US;

    if (us)
        snprintf(error, CAPTURE_ERROR,
                 "%.90s and %.90s are of one place and overlap by %" PRId64 ".%06" PRId64
                 " s: reduce the captures of both together, with one --reduce",
                 a->path, b->path, us / 1000000, us % 1000000);
    else
        snprintf(error, CAPTURE_ERROR, "%.120s ends in the moment in which %.120s begins: name it before that one", a->path,
                 b->path);
    return false;
}

/* Of parts that are sorted by time. */
static bool in_order(const struct parts *p, const struct vantages *v, char error[CAPTURE_ERROR])
{
    const struct part *before[VANTAGES_KEPT] = { NULL };

    for (size_t i = 0; i < p->n; i++) {
        const struct part *part = &p->part[i], **last = &before[v->of_input[part->base]];

        if (!one_place(part, v)) {
            snprintf(error, CAPTURE_ERROR, "%.200s holds captures of several places: reduce those of each place apart",
                     part->path);
            return false;
        }
        if (!part->packets)
            continue;
        if (*last && overlap(*last, part))
            return refuse_overlap(*last, part, error);
        if (!*last || part->last_ns >= (*last)->last_ns)
            *last = part;
    }
    return true;
}

bool parts_vantages(struct parts *p, struct vantages *v, char error[CAPTURE_ERROR])
{
    struct vantage_look *looks = calloc(p->inputs, sizeof *looks);
    bool fine;

    for (size_t i = 0; looks && i < p->inputs; i++) {
        looks[i].looked = p->input[i]->looked;
        looks[i].known = p->input[i]->known;
        looks[i].hosts_n = p->input[i]->hosts_n;
        memcpy(looks[i].host, p->input[i]->host, p->input[i]->hosts_n * sizeof *looks[i].host);
    }
    fine = vantages_of(v, &p->cli, looks);
    free(looks);
    qsort(p->part, p->n, sizeof *p->part, by_time);
    return fine && in_order(p, v, error);
}

bool parts_read(struct parts *p, const struct vantages *v, struct pipeline *const *pipeline, char error[CAPTURE_ERROR])
{
    for (size_t i = 0; i < p->n; i++) {
        char why[CAPTURE_ERROR];

        if (!part_read(p->part[i].file, p->part[i].base, pipeline[v->of_input[p->part[i].base]], why)) {
            snprintf(error, CAPTURE_ERROR, "%.80s: %.230s", p->part[i].path, why);
            return false;
        }
    }
    return true;
}
