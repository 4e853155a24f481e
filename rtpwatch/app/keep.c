#include "app/keep.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "app/pick.h"
#include "app/twice.h"

enum { TOLD = 50 /* sessions */, TOLD_ID = 80, LOCALS_TOLD = 8 };

/* A frame that is written, and how much of it. */
struct mark {
    uint64_t frame;
    struct kept keep;
};

struct kept_session {
    uint32_t row; /* of the report */
    uint64_t frames;
};

/* One place of capture. */
struct place_kept {
    struct keep *k;
    char path[DUMP_NAME];
    struct dump *dump;
    struct messages messages;
    struct selection selection;
    struct pick *pick;
    struct twice *twice; /* NULL: a single input */
};

struct keep {
    struct keep_options o;
    struct place_kept place[VANTAGES_KEPT];
    struct kept_session *session;
    size_t sessions;
    struct mark *mark;
    size_t marks, room;
    bool failed; /* no memory */
};

static bool fail(char error[CAPTURE_ERROR], const char *what, const char *why)
{
    snprintf(error, CAPTURE_ERROR, "%.120s: %.180s", what, why);
    return false;
}

/* ---- before ---- */

/* What is not there at all is told by the capture. */
static bool can_be_read_again(const char *path)
{
    struct stat s;

    return strcmp(path, "-") != 0 && (stat(path, &s) != 0 || S_ISREG(s.st_mode));
}

static bool place_open(struct keep *k, size_t i, char error[CAPTURE_ERROR])
{
    struct place_kept *p = &k->place[i];
    struct dump_options o = { .path = p->path,
                              .max_bytes = (uint64_t)k->o.mib << 20,
                              .files = k->o.files,
                              .inputs = k->o.inputs,
                              .inputs_n = k->o.inputs_n };
    size_t inputs = 0;

    p->k = k;
    for (size_t n = 0; n < k->o.inputs_n && n < CAPTURE_INPUTS; n++)
        inputs += k->o.vantage_of[n] == i;
    if (k->o.vantages > 1 ? !dump_name(k->o.path, k->o.vantage[i], p->path)
                          : snprintf(p->path, DUMP_NAME, "%s", k->o.path) >= DUMP_NAME)
        return fail(error, k->o.path, "its name is too long");
    p->twice = inputs > 1 ? twice_new() : NULL;
    p->dump = dump_open(&o, error);
    return p->dump != NULL;
}

struct keep *keep_open(const struct keep_options *o, char error[CAPTURE_ERROR])
{
    struct keep *k = calloc(1, sizeof *k);
    bool fine = k || fail(error, o->path, "there is not enough memory");

    if (k)
        k->o = *o;
    for (size_t i = 0; fine && i < o->inputs_n; i++)
        if (!can_be_read_again(o->inputs[i]))
            fine = fail(error, o->inputs[i], "it can be read only once, and -w reads it again; save it to a file first");
    for (size_t i = 0; fine && i < o->vantages; i++)
        fine = place_open(k, i, error);
    if (fine)
        return k;
    keep_close(k);
    return NULL;
}

struct messages *keep_messages(struct keep *k, size_t vantage)
{
    return &k->place[vantage].messages;
}

/* ---- whose packets ---- */

static bool session_add(struct keep *k, uint32_t row)
{
    k->session[k->sessions++] = (struct kept_session){ row, 0 };
    return true;
}

static bool id_begins(const struct report *r, uint32_t row, const char *id, bool all)
{
    const struct call *c = report_any_call(r, row);

    if (!c || c->kind != SESSION_SIP)
        return false;
    return all ? strcmp(c->call_id, id) == 0 : span_starts(span_str(c->call_id), span_str(id));
}

/* The whole id; else what only one begins with. */
static bool session_find(struct keep *k, const struct report *r, char error[CAPTURE_ERROR])
{
    uint32_t found = 0;
    size_t n = 0;

    for (uint32_t i = 0; i < r->sessions; i++)
        if (id_begins(r, i, k->o.session, true))
            return session_add(k, i);
    for (uint32_t i = 0; i < r->sessions; i++)
        if (id_begins(r, i, k->o.session, false)) {
            found = i;
            n++;
        }
    if (n == 1)
        return session_add(k, found);
    return fail(error, "--session", n ? "several Call-IDs begin so; give more of it" : "no session has that Call-ID");
}

static bool sessions_choose(struct keep *k, const struct report *r, char error[CAPTURE_ERROR])
{
    k->session = calloc((size_t)r->sessions + 1, sizeof *k->session);
    if (!k->session)
        return fail(error, k->o.path, "there is not enough memory");
    if (k->o.session)
        return session_find(k, r, error);
    for (uint32_t i = 0; i < r->sessions; i++)
        if (verdict_is_failure((enum verdict)r->verdict[i]))
            session_add(k, i);
    return true;
}

/* The frames that its evidence cites, each at the place where it was captured. */
static void cite(struct keep *k, const struct report *r, struct session_finding *f, uint32_t session)
{
    report_judge(r, k->session[session].row, f);
    for (size_t i = 0; i < f->evidence_n; i++) {
        uint64_t frame = f->evidence[i].at.frame;

        if (frame && frame_input(frame) < k->o.inputs_n)
            selection_cite(&k->place[k->o.vantage_of[frame_input(frame)]].selection, frame, session);
    }
    session_finding_done(f);
}

static void place_select(struct keep *k, const struct report *r, size_t i)
{
    const struct vantage *v = &r->vantage[i];
    struct owners all;

    owners_make(&all, &v->view, &v->unsignalled);
    for (uint32_t s = 0; s < k->sessions; s++) {
        const struct call *c = report_call(r, k->session[s].row, i);

        if (c)
            selection_add(&k->place[i].selection, &v->view, &all, c, s);
    }
    owners_done(&all);
    selection_ready(&k->place[i].selection, &v->view);
}

/* ---- which frames ---- */

static void mark(void *self, uint64_t token, struct kept keep, const uint32_t *sessions, size_t n)
{
    struct keep *k = ((struct place_kept *)self)->k;

    if (k->marks == k->room) {
        size_t room = k->room ? k->room * 2 : 4096;
        struct mark *list = realloc(k->mark, room * sizeof *list);

        k->failed |= !list;
        if (!list)
            return;
        k->mark = list;
        k->room = room;
    }
    k->mark[k->marks++] = (struct mark){ token, keep };
    for (size_t i = 0; i < n; i++)
        k->session[sessions[i]].frames++;
}

static int by_frame(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;

    return (x->frame > y->frame) - (x->frame < y->frame);
}

static struct capture *read_again(const struct keep *k)
{
    return capture_open_files(k->o.inputs, k->o.inputs_n, k->o.filter, (char[CAPTURE_ERROR]){ 0 });
}

static bool frames_find(struct keep *k)
{
    struct capture *c = read_again(k);
    struct frame f;

    for (size_t i = 0; i < k->o.vantages; i++) {
        struct place_kept *p = &k->place[i];

        p->pick = pick_new(&(struct pick_options){ .audio = k->o.audio, .wanted = mark, .self = p });
        k->failed |= !p->pick || !pick_select(p->pick, &p->selection, &p->messages) || p->selection.failed;
    }
    while (c && !k->failed && capture_next(c, &f)) {
        struct place_kept *p = &k->place[k->o.vantage_of[frame_input(f.id)]];

        if (!p->twice || !twice_seen(p->twice, &f))
            pick_frame(p->pick, &f, f.id);
    }
    if (k->marks)
        qsort(k->mark, k->marks, sizeof *k->mark, by_frame);
    capture_close(c);
    return c && !k->failed;
}

/* ---- writing ---- */

static bool frames_write(struct keep *k, char error[CAPTURE_ERROR])
{
    struct capture *c = read_again(k);
    struct frame f;
    bool fine = true;

    while (c && capture_next(c, &f)) {
        const struct mark *m =
            k->marks ? bsearch(&(struct mark){ .frame = f.id }, k->mark, k->marks, sizeof *k->mark, by_frame) : NULL;

        if (m)
            fine &= dump_frame(k->place[k->o.vantage_of[frame_input(f.id)]].dump, &f, m->keep);
    }
    capture_close(c);
    for (size_t i = 0; i < k->o.vantages; i++) {
        const char *why;

        fine &= dump_flush(k->place[i].dump);
        why = dump_error(k->place[i].dump);
        if (why)
            snprintf(error, CAPTURE_ERROR, "%s", why);
    }
    return c && fine;
}

bool keep_write(struct keep *k, const struct report *r, char error[CAPTURE_ERROR])
{
    struct session_finding *f = calloc(1, sizeof *f);
    bool fine = f && sessions_choose(k, r, error);

    if (!f)
        return fail(error, k->o.path, "there is not enough memory");
    for (uint32_t s = 0; fine && s < k->sessions; s++)
        cite(k, r, f, s);
    free(f);
    if (!fine)
        return false;
    for (size_t i = 0; i < k->o.vantages; i++)
        place_select(k, r, i);
    if (!frames_find(k))
        return fail(error, k->o.path, "there is not enough memory to find its packets");
    return frames_write(k, error);
}

/* ---- telling ---- */

static void tell_files(const struct place_kept *p, FILE *to)
{
    const struct dump_counts *n = dump_counts(p->dump);
    const char *name;

    for (size_t i = 0; (name = dump_file(p->dump, i)) != NULL; i++)
        fprintf(to, "%s%s", i ? ", " : "rtpwatch: ", name);
    fprintf(to, ": %llu frames written", (unsigned long long)n->frames);
    if (n->lost)
        fprintf(to, ", %llu could not be", (unsigned long long)n->lost);
    if (n->removed)
        fprintf(to, "; %llu full files were removed again, see --write-files", (unsigned long long)n->removed);
    fputs("\n", to);
}

/* With fewer packets it may be inferred otherwise who is local. */
static void tell_local(const struct place_kept *p, const struct view *v, FILE *to)
{
    char ip[ADDR_TEXT];

    if (!dump_counts(p->dump)->frames || !v->locals_n || v->locals_n > LOCALS_TOLD)
        return;
    fputs("rtpwatch:   local hosts, for --local when it is read:", to);
    for (size_t i = 0; i < v->locals_n; i++)
        fprintf(to, " %s", addr_ip_text(&v->local[i], ip));
    fputs("\n", to);
}

static void tell_session(const struct call *c, uint64_t frames, FILE *to)
{
    struct strbuf id = { 0 };

    if (c && c->kind == SESSION_SIP)
        strbuf_safe(&id, span_str(c->call_id), TOLD_ID);
    fprintf(to, "rtpwatch:   %llu of %s%s\n", (unsigned long long)frames, id.n ? "Call-ID " : "a session without signalling",
            strbuf_str(&id));
    strbuf_done(&id);
}

void keep_tell(const struct keep *k, const struct report *r, FILE *to)
{
    for (size_t i = 0; i < k->o.vantages; i++) {
        tell_files(&k->place[i], to);
        tell_local(&k->place[i], &r->vantage[i].view, to);
    }
    for (size_t i = 0; i < k->sessions && i < TOLD; i++)
        tell_session(report_any_call(r, k->session[i].row), k->session[i].frames, to);
    if (k->sessions > TOLD)
        fprintf(to, "rtpwatch:   and those of %zu more sessions\n", k->sessions - TOLD);
}

void keep_close(struct keep *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->o.vantages; i++) {
        (void)dump_close(k->place[i].dump);
        messages_done(&k->place[i].messages);
        selection_done(&k->place[i].selection);
        pick_free(k->place[i].pick);
        twice_free(k->place[i].twice);
    }
    free(k->session);
    free(k->mark);
    free(k);
}
