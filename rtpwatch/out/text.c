/* The report as text, for people: what failed first, then what is odd, then the rest in few words. */
#include <stdlib.h>

#include "out/text_private.h"

enum {
    WIDTH = 100,
    WIDTH_LEAST = 40,
    TOLD_FULLY = 5,
    TOLD_BRIEFLY = 50,
    WARNINGS_TOLD = 10,
    SERVERS_TOLD = 20,
    CLOCKS_APART_MS = 100
};

/* ---- the first line ---- */

static void put_path(struct strbuf *b, const char *path)
{
    const char *slash = strrchr(path, '/');

    strbuf_safe(b, strcmp(path, "-") == 0 ? SPAN("standard input") : span_str(slash ? slash + 1 : path), 200);
}

static void put_inputs(const struct out_report *r, struct strbuf *b)
{
    if (!r->inputs_n)
        return;
    put_path(b, r->inputs[0]->path);
    if (r->inputs_n == 2) {
        strbuf_add(b, " and ");
        put_path(b, r->inputs[1]->path);
    } else if (r->inputs_n > 2) {
        strbuf_add(b, " and ");
        text_count(b, r->inputs_n - 1, "more", "more");
    }
    strbuf_add(b, ": ");
}

struct extent {
    uint64_t packets;
    int64_t first_ns, last_ns;
};

static struct extent extent_of(const struct out_report *r)
{
    struct extent e = { 0 };

    for (size_t i = 0; i < r->inputs_n; i++) {
        const struct capture_input *in = r->inputs[i];
        int64_t ahead = vantage_clock_ns(&r->report->vantage[r->vantage_of ? r->vantage_of[i] : 0]);

        if (!in->packets)
            continue;
        if (!e.packets || in->first_ns - ahead < e.first_ns)
            e.first_ns = in->first_ns - ahead;
        if (!e.packets || in->last_ns - ahead > e.last_ns)
            e.last_ns = in->last_ns - ahead;
        e.packets += in->packets;
    }
    return e;
}

static uint64_t failures(const struct report *r)
{
    uint64_t n = 0;

    for (unsigned v = 0; v < VERDICTS_N; v++)
        n += verdict_is_failure((enum verdict)v) ? r->by_verdict[v] : 0;
    return n;
}

/* What to call those of which not all are calls. */
static const char *session_word(const struct report *r)
{
    return r->sessions > r->sip_sessions ? "session" : "call";
}

/* "1 call", "2 calls and 1 session without signalling". */
static void put_sessions(const struct report *r, struct strbuf *b)
{
    uint32_t calls = r->sip_sessions;

    if (calls)
        text_count(b, calls, "call", NULL);
    else if (!r->sessions)
        strbuf_add(b, "no call");
    if (r->sessions > calls) {
        strbuf_add(b, calls ? " and " : "");
        text_count(b, r->sessions - calls, "session", NULL);
        strbuf_add(b, " without signalling");
    }
}

static void first_line(struct text *t, const struct extent *e)
{
    const struct report *r = t->r->report;
    struct strbuf b = { 0 };

    put_inputs(t->r, &b);
    text_count(&b, e->packets, "packet", NULL);
    strbuf_add(&b, ", ");
    if (e->packets) {
        text_duration(&b, e->last_ns - e->first_ns);
        strbuf_add(&b, ", ");
    }
    put_sessions(r, &b);
    if (failures(r)) {
        strbuf_add(&b, ", ");
        text_number(&b, failures(r));
        strbuf_add(&b, " without audio");
    } else if (r->sessions && !r->by_verdict[VERDICT_UNKNOWN]) {
        strbuf_add(&b, ", none without audio");
    }
    text_paragraph(t, "", 0, strbuf_str(&b));
    strbuf_done(&b);
}

/* "client's clock is 3.2 s ahead of dialer's." Where it was corrected, since else frames and times do not fit together. */
static void clocks_lines(struct text *t)
{
    const struct report *r = t->r->report;

    for (size_t i = 1; i < r->vantages; i++) {
        const struct offset *o = &r->vantage[i].offset;
        int64_t ns = o->ns < 0 ? -o->ns : o->ns;
        struct strbuf b = { 0 };

        if (!offset_counts(o) || ns <= CLOCKS_APART_MS * NS_PER_MS)
            continue;
        strbuf_safe(&b, span_str(r->vantage[i].name), 64);
        strbuf_add(&b, "'s clock is ");
        if (ns < SECONDS(60))
            strbuf_fmt(&b, "%.1f" HARD_BLANK "s", (double)ns / NS_PER_S);
        else
            text_duration(&b, ns);
        strbuf_add(&b, o->ns > 0 ? " ahead of " : " behind ");
        strbuf_safe(&b, span_str(r->vantage[0].name), 64);
        strbuf_add(&b, "'s (from ");
        text_count(&b, o->pairs, "packet", NULL);
        strbuf_add(&b, " that both saw); times are by ");
        strbuf_safe(&b, span_str(r->vantage[0].name), 64);
        strbuf_add(&b, "'s.");
        text_paragraph(t, "Clocks:", 8, strbuf_str(&b));
        strbuf_done(&b);
    }
}

static void causes_line(struct text *t)
{
    struct strbuf b = { 0 };

    if (failures(t->r->report) < 2)
        return;
    for (unsigned c = CAUSE_NONE + 1; c < CAUSES_N; c++) {
        if (!t->r->report->by_cause[c])
            continue;
        strbuf_add(&b, b.n ? ", " : "");
        text_number(&b, t->r->report->by_cause[c]);
        strbuf_add(&b, " ");
        text_cause_words(&b, (enum cause)c);
    }
    text_paragraph(t, "Causes:", 8, strbuf_str(&b));
    strbuf_done(&b);
}

/* ---- calls ---- */

static void and_more(struct text *t, uint64_t n, const char *what)
{
    struct strbuf b = { 0 };

    if (!n)
        return;
    strbuf_add(&b, "and ");
    text_number(&b, n);
    strbuf_fmt(&b, " more%s", what);
    text_paragraph(t, "", 2, strbuf_str(&b));
    strbuf_done(&b);
}

struct failed {
    struct session_finding *f;
    struct text_table x; /* those that get a line */
    size_t n;
    uint32_t told[TOLD_FULLY + TOLD_BRIEFLY];
};

static void failed_call(struct text *t, struct failed *all, uint32_t i)
{
    for (size_t k = 0; k < all->n; k++)
        if (all->told[k] == i)
            return;
    if (all->n == TOLD_FULLY + TOLD_BRIEFLY)
        return;
    report_judge(t->r->report, i, all->f);
    t->session = i;
    if (all->n < TOLD_FULLY)
        text_session(t, all->f);
    else
        text_session_row(t, all->f, &all->x);
    all->told[all->n++] = i;
    session_finding_done(all->f);
}

/* The legs of one path stand together. */
static void failed_calls(struct text *t, struct session_finding *f)
{
    const struct report *r = t->r->report;
    struct failed all = { .f = f };
    uint32_t legs[PATH_LEGS];

    text_session_table(&all.x);
    for (uint32_t i = 0; i < r->sessions && all.n < TOLD_FULLY + TOLD_BRIEFLY; i++) {
        size_t n = verdict_is_failure((enum verdict)r->verdict[i]) ? text_path_failed(t, i, legs) : 0;

        if (!verdict_is_failure((enum verdict)r->verdict[i]))
            continue;
        t->path_told = false;
        failed_call(t, &all, i);
        t->path_told = true;
        for (size_t k = 0; k < n; k++)
            failed_call(t, &all, legs[k]);
    }
    table_print(t, &all.x, 0);
    and_more(t, failures(r) - all.n, " failed");
}

/* Why calls are unknown: said once for each reason, not once for each call. */
static void reasons_tell(struct text *t)
{
    const struct reasons *all = &t->r->report->unknown;
    const char *word = session_word(t->r->report);
    struct strbuf b = { 0 };

    for (size_t i = 0; i < all->n; i++) {
        struct span s = span_str(all->text[i]);

        strbuf_clear(&b);
        text_count(&b, all->count[i], word, NULL);
        strbuf_add(&b, " unknown: ");
        strbuf_span(&b, span_part(s, 0, s.n - (s.p[s.n - 1] == '.')));
        strbuf_add(&b, ".");
        text_paragraph(t, "", 0, strbuf_str(&b));
    }
    if (all->others) {
        strbuf_clear(&b);
        text_count(&b, all->others, word, NULL);
        strbuf_add(&b, " unknown for other reasons.");
        text_paragraph(t, "", 0, strbuf_str(&b));
    }
    strbuf_done(&b);
}

/* "45 calls fine, 3 not answered, 2 with no media expected." */
static void sound_calls(struct text *t)
{
    const struct report *r = t->r->report;
    const struct {
        uint64_t n;
        const char *what;
    } parts[] = { { r->by_verdict[VERDICT_OK], " fine" },
                  { r->unanswered, " not answered" },
                  { r->by_verdict[VERDICT_NOT_EXPECTED] - r->unanswered, " with no media to expect" } };
    struct strbuf b = { 0 };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].n)
            continue;
        if (b.n) {
            strbuf_add(&b, ", ");
            text_number(&b, parts[i].n);
        } else {
            text_count(&b, parts[i].n, session_word(r), NULL);
        }
        strbuf_add(&b, parts[i].what);
    }
    if (b.n) {
        strbuf_add(&b, ".");
        text_paragraph(t, "", 0, strbuf_str(&b));
    }
    strbuf_done(&b);
}

/* Of what is not held any more, the numbers. */
static void forgotten_calls(struct text *t)
{
    const struct forgotten *f = t->r->forgotten;
    uint64_t failed = 0;
    struct strbuf b = { 0 };

    if (!f || !f->sessions)
        return;
    for (unsigned v = 0; v < VERDICTS_N; v++)
        failed += verdict_is_failure((enum verdict)v) ? f->by_verdict[v] : 0;
    text_line_empty(t);
    strbuf_add(&b, "Before these, ");
    text_count(&b, f->sessions, "session", NULL);
    strbuf_add(&b, " ended that are not held any more, ");
    text_number(&b, failed);
    strbuf_add(&b, " of them without audio.");
    text_paragraph(t, "", 0, strbuf_str(&b));
    strbuf_done(&b);
}

/* Those that did not fail are told one by one only where they carry a warning. */
static void other_calls(struct text *t, struct session_finding *f)
{
    const struct report *r = t->r->report;
    uint64_t warned = 0;

    if (r->sessions == failures(r))
        return;
    text_line_empty(t);
    for (uint32_t i = 0; i < r->sessions; i++) {
        if (verdict_is_failure((enum verdict)r->verdict[i]) || !r->warns[i] || warned++ >= WARNINGS_TOLD)
            continue;
        report_judge(r, i, f);
        text_session_warnings(t, f);
        session_finding_done(f);
    }
    and_more(t, warned > WARNINGS_TOLD ? warned - WARNINGS_TOLD : 0, " with warnings");
    sound_calls(t);
    reasons_tell(t);
}

/* ---- STUN servers ---- */

static void server_row(const struct server_finding *f, struct text_table *x)
{
    struct strbuf b = { 0 };
    char buf[ADDR_TEXT];

    addr_text(&f->addr, buf);
    if (f->name)
        strbuf_safe(&b, span_str(f->name->name), 64);
    else
        strbuf_add(&b, buf);
    table_take(x, &b);
    table_cell(x, f->name ? buf : "");
    table_number(x, f->requests);
    table_number(x, f->responses);
    table_number(x, f->errors);
    table_number(x, f->unanswered);
    table_number(x, f->allocations);
    table_number(x, f->refused);
    table_number(x, f->contradicted + f->suspected);
    if (f->sessions) {
        text_number(&b, f->failed_sessions);
        strbuf_add(&b, " of ");
        text_number(&b, f->sessions);
    }
    table_take(x, &b);
    table_cell(x, server_verdict_word(f->verdict));
}

static void servers(struct text *t)
{
    static const struct text_column columns[] = {
        { .title = "STUN server" },
        { .title = "address", .zero_hides = true, .drop = 1 },
        { .title = "asked", .right = true },
        { .title = "answered", .right = true },
        { .title = "errors", .right = true, .zero_hides = true },
        { .title = "unanswered", .right = true, .zero_hides = true },
        { .title = "relays", .right = true, .zero_hides = true },
        { .title = "refused", .right = true, .zero_hides = true },
        { .title = "wrong", .right = true },
        { .title = "failed calls", .right = true, .zero_hides = true },
        { .title = "verdict" },
    };
    static const enum server_verdict worst_first[] = { SERVER_BAD, SERVER_SUSPECT, SERVER_SILENT, SERVER_UNKNOWN, SERVER_GOOD };
    const struct report *r = t->r->report;
    struct text_table x;
    uint64_t more = 0;

    table_begin(&x, columns, sizeof columns / sizeof *columns);
    for (size_t v = 0; v < sizeof worst_first / sizeof *worst_first; v++)
        for (uint32_t i = 0; i < r->servers; i++) {
            if (r->server[i].peer || r->server[i].verdict != worst_first[v])
                continue;
            if (x.cells < SERVERS_TOLD * x.columns)
                server_row(&r->server[i], &x);
            else
                more++;
        }
    table_print(t, &x, 0);
    and_more(t, more, "");
}

/* ---- what is odd about the capture, and the rest ---- */

static void input_problem(struct text *t, const struct capture_input *in)
{
    struct strbuf lead = { 0 }, b = { 0 };

    put_path(&b, in->path);
    strbuf_add(&b, ": ");
    if (in->truncated || *in->error)
        strbuf_safe(&b, *in->error ? span_str(in->error) : SPAN("ends before its end"), 2 * CAPTURE_ERROR);
    if (in->dropped) {
        strbuf_add(&b, in->truncated || *in->error ? "; " : "");
        text_count(&b, in->dropped, "packet", NULL);
        strbuf_add(&b, in->dropped == 1 ? " was" : " were");
        strbuf_add(&b, " lost while capturing");
    }
    text_ink(t, &lead, INK_WARNING, "WARNING");
    text_paragraph(t, strbuf_str(&lead), 9, strbuf_str(&b));
    strbuf_done(&lead);
    strbuf_done(&b);
}

static void input_problems(struct text *t)
{
    bool first = true;

    for (size_t i = 0; i < t->r->inputs_n; i++) {
        const struct capture_input *in = t->r->inputs[i];

        if (!in->truncated && !in->dropped && !*in->error)
            continue;
        if (first)
            text_line_empty(t);
        first = false;
        input_problem(t, in);
    }
}

static void faults(struct text *t)
{
    static const struct text_column columns[] = {
        { .title = "fault" }, { .title = "count", .right = true }, { .title = "first frame", .right = true }, { .title = "what" }
    };
    const struct fault_log *log = t->r->faults;
    struct text_table x;

    _Static_assert((int)FAULT_IDS <= (int)TABLE_ROWS, "each fault has its row");
    table_begin(&x, columns, sizeof columns / sizeof *columns);
    for (unsigned i = 0; i < FAULT_IDS; i++) {
        struct strbuf b = { 0 };

        if (!log->count[i])
            continue;
        table_cell(&x, fault_key((enum fault_id)i));
        table_number(&x, log->count[i]);
        if (log->first_frame[i])
            out_frame(t->r, log->first_frame[i], &b);
        table_take(&x, &b);
        table_cell(&x, fault_text((enum fault_id)i));
    }
    table_print(t, &x, 0);
}

static void counts(struct text *t, const char *lead, const char *intro, const struct out_count *c, size_t n)
{
    struct strbuf b = { 0 };

    for (size_t i = 0; i < n; i++) {
        if (!c[i].n)
            continue;
        strbuf_add(&b, b.n ? ", " : intro);
        text_number(&b, c[i].n);
        strbuf_add(&b, HARD_BLANK);
        strbuf_safe(&b, span_str(c[i].name), 64);
    }
    if (b.n)
        text_paragraph(t, lead, 9, strbuf_str(&b));
    strbuf_done(&b);
}

static bool same_day(const struct extent *e)
{
    int64_t day = SECONDS(86400);

    return !e->packets || e->first_ns / day == e->last_ns / day;
}

bool out_text(const struct out_report *r, const struct text_style *style, FILE *to)
{
    struct session_finding *f = malloc(sizeof *f);
    struct extent e = extent_of(r);
    struct text t = { .r = r, .width = style->width ? style->width : WIDTH, .colour = style->colour, .with_day = !same_day(&e) };
    bool written;

    if (!f)
        return false;
    if (t.width < WIDTH_LEAST)
        t.width = WIDTH_LEAST;
    first_line(&t, &e);
    clocks_lines(&t);
    causes_line(&t);
    failed_calls(&t, f);
    text_shared(&t);
    other_calls(&t, f);
    forgotten_calls(&t);
    free(f);
    servers(&t);
    text_server_history(&t);
    text_dns(&t);
    text_alerts(&t);
    input_problems(&t);
    faults(&t);
    text_line_empty(&t);
    counts(&t, "Packets:", "", r->packets, r->packets_n);
    counts(&t, "Hints:", "nDPI takes unexplained flows for ", r->hints, r->hints_n);
    written = !t.out.failed && fwrite(strbuf_str(&t.out), 1, t.out.n, to) == t.out.n;
    strbuf_done(&t.out);
    return fflush(to) == 0 && written && !ferror(to);
}
