#include "app/vantages.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "app/pipeline.h"

enum { LOOK_PACKETS = 20000 };

/* What can be read twice. A pipe cannot: what is looked at would be lost to the analysis. */
static bool can_be_looked_at(const char *path)
{
    struct stat s;

    return strcmp(path, "-") != 0 && stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

/* The local hosts are inferred: --local may mean those of another file. */
void vantage_look_at(const char *path, struct vantage_look *out)
{
    const char *paths[] = { path };
    struct capture *cap = can_be_looked_at(path) ? capture_open_files(paths, 1, NULL, (char[CAPTURE_ERROR]){ 0 }) : NULL;
    struct pipeline *p = cap ? pipeline_new() : NULL;
    struct frame f;

    for (unsigned n = 0; p && n < LOOK_PACKETS && capture_next(cap, &f); n++)
        pipeline_frame(p, &f);
    if (p) {
        struct view view;

        view_make(&view, p->track, &(struct view_options){ 0 }, p->clock.now_ns);
        memcpy(out->host, view.local, sizeof out->host);
        out->hosts_n = view.locals_n;
        out->looked = p->track->flows.used > 0;
        out->known = out->hosts_n > 0;
    }
    pipeline_free(p);
    capture_close(cap);
}

/* Files that tell of nobody are taken for one place: a rotated set from a router or a proxy. */
static bool same_place(const struct vantage_look *a, const struct vantage_look *b)
{
    if (!a->looked || !b->looked || a->known != b->known)
        return false;
    for (size_t i = 0; i < a->hosts_n; i++)
        for (size_t k = 0; k < b->hosts_n; k++)
            if (addr_ip_eq(&a->host[i], &b->host[k]))
                return true;
    return !a->known;
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

static void tell_apart(struct vantages *v, const struct cli *c, const struct vantage_look *looks)
{
    for (size_t i = 0; i < c->files_n && i < CAPTURE_INPUTS; i++) {
        size_t same = 0;

        if (c->vantage[i])
            continue;
        while (same < i && !same_place(&looks[i], &looks[same]))
            same++;
        if (!looks[i].looked && v->n)
            v->of_input[i] = 0;
        else
            v->of_input[i] = same < i ? v->of_input[same] : vantage_add(v, c->files[i]);
    }
}

/* ---- what to call them ---- */

/* "captures/dialer.pcap" is the dialer. */
static void short_name(const char *path, char out[VANTAGE_NAME])
{
    static const char *const endings[] = { ".pcapng", ".pcap", ".cap" };
    const char *slash = strrchr(path, '/'), *name = slash && slash[1] ? slash + 1 : path;
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t ending = strlen(endings[i]);

        if (n > ending && strcmp(name + n - ending, endings[i]) == 0) {
            n -= ending;
            break;
        }
    }
    snprintf(out, VANTAGE_NAME, "%.*s", n < VANTAGE_NAME ? (int)n : VANTAGE_NAME - 1, name);
}

static bool named_by_user(const struct cli *c, const char *name)
{
    for (size_t i = 0; i < c->files_n; i++)
        if (c->vantage[i] == name)
            return true;
    return false;
}

/* A place without a name has that of its first file, shortened where that leaves all names different. */
static void names_shorten(struct vantages *v, const struct cli *c)
{
    bool clash = false;

    for (size_t i = 0; i < v->n; i++) {
        if (named_by_user(c, v->name[i]))
            snprintf(v->short_name[i], VANTAGE_NAME, "%s", v->name[i]);
        else
            short_name(v->name[i], v->short_name[i]);
        for (size_t j = 0; j < i; j++)
            clash |= strcmp(v->short_name[i], v->short_name[j]) == 0;
    }
    for (size_t i = 0; i < v->n && !clash; i++)
        v->name[i] = v->short_name[i];
}

bool vantages_of(struct vantages *v, const struct cli *c, const struct vantage_look *looks)
{
    *v = (struct vantages){ 0 };
    for (size_t i = 0; i < c->files_n && i < CAPTURE_INPUTS; i++)
        if (c->vantage[i])
            v->of_input[i] = vantage_add(v, c->vantage[i]);
    if (looks && c->files_n > 1)
        tell_apart(v, c, looks);
    if (!v->n)
        vantage_add(v, c->files[0]);
    names_shorten(v, c);
    return !v->too_many;
}

bool vantages_find(struct vantages *v, const struct cli *c)
{
    struct vantage_look *looks = c->files_n > 1 ? calloc(c->files_n, sizeof *looks) : NULL;
    bool fine;

    for (size_t i = 0; looks && i < c->files_n && i < CAPTURE_INPUTS; i++)
        if (!c->vantage[i])
            vantage_look_at(c->files[i], &looks[i]);
    fine = vantages_of(v, c, looks);
    free(looks);
    return fine;
}

size_t vantages_files(const struct vantages *v, size_t files_n, size_t vantage)
{
    size_t n = 0;

    for (size_t i = 0; i < files_n && i < CAPTURE_INPUTS; i++)
        n += v->of_input[i] == vantage;
    return n;
}
