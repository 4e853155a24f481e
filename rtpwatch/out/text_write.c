/* Words, wrapped lines and tables of the text report. */
#include "out/text_private.h"

enum { GAP = 2, WRAPPED_MIN = 24 };

/* ---- words ---- */

void text_ink(const struct text *t, struct strbuf *b, enum text_ink ink, const char *s)
{
    static const char *const codes[] = { [INK_FAILED] = "\x1b[1;31m", [INK_WARNING] = "\x1b[33m", [INK_BOLD] = "\x1b[1m" };

    if (!t->colour || !*s) {
        strbuf_add(b, s);
        return;
    }
    strbuf_add(b, codes[ink]);
    strbuf_add(b, s);
    strbuf_add(b, "\x1b[0m");
}

static size_t columns_of(struct span s)
{
    size_t columns = 0;

    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == 0x1b)
            while (i < s.n && s.p[i] != 'm')
                i++;
        else
            columns += (s.p[i] & 0xc0) != 0x80; /* not a continuation byte (RFC 3629 §3) */
    return columns;
}

size_t text_columns(const char *s)
{
    return columns_of(span_str(s));
}

void text_number(struct strbuf *b, uint64_t n)
{
    if (n >= 1000) {
        text_number(b, n / 1000);
        strbuf_fmt(b, ",%03u", (unsigned)(n % 1000));
    } else {
        strbuf_fmt(b, "%u", (unsigned)n);
    }
}

void text_count(struct strbuf *b, uint64_t n, const char *one, const char *many)
{
    text_number(b, n);
    strbuf_fmt(b, HARD_BLANK "%s%s", n == 1 || !many ? one : many, n == 1 || many ? "" : "s");
}

void text_duration(struct strbuf *b, int64_t ns)
{
    static const struct {
        unsigned long long seconds, part;
        const char *unit, *part_unit;
    } scales[] = { { 86400, 3600, "d", "h" }, { 3600, 60, "h", "min" }, { 60, 1, "min", "s" } };
    unsigned long long tenths = ns < 0 ? 0 : (unsigned long long)ns / (NS_PER_S / 10), s = (tenths + 5) / 10;

    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
        if (s >= scales[i].seconds) {
            strbuf_fmt(b, "%llu" HARD_BLANK "%s", s / scales[i].seconds, scales[i].unit);
            if (s % scales[i].seconds / scales[i].part)
                strbuf_fmt(b, HARD_BLANK "%llu" HARD_BLANK "%s", s % scales[i].seconds / scales[i].part, scales[i].part_unit);
            return;
        }
    if (tenths < 10)
        strbuf_fmt(b, "0.%llu" HARD_BLANK "s", tenths);
    else
        strbuf_fmt(b, "%llu" HARD_BLANK "s", s);
}

void text_clock(const struct text *t, struct strbuf *b, int64_t ns)
{
    char buf[OUT_TIME];
    struct span s = span_str(out_time(ns, buf)); /* "2026-11-21T13:05:12.000000Z" */

    if (t->with_day) {
        strbuf_span(b, span_part(s, 0, 10));
        strbuf_add(b, HARD_BLANK);
    }
    strbuf_span(b, span_part(s, 11, 8));
    strbuf_add(b, HARD_BLANK "UTC");
}

void text_shortened(struct strbuf *b, const char *id, size_t max)
{
    struct span s = span_str(id), host;
    size_t at = span_find(s, '@');

    if (s.n <= max) {
        strbuf_safe(b, s, 4 * max + 4);
        return;
    }
    host = span_part(s, at, s.n);
    if (host.n > max * 2 / 3)
        host = SPAN_NONE;
    strbuf_safe(b, span_part(s, 0, max - 3 - host.n), 4 * max + 4);
    strbuf_add(b, "...");
    strbuf_safe(b, host, 4 * max + 4);
}

/* ---- lines ---- */

static void blanks(struct strbuf *b, size_t n)
{
    strbuf_fmt(b, "%*s", (int)n, "");
}

static void pad(struct strbuf *b, size_t from, size_t to)
{
    if (to > from)
        blanks(b, to - from);
}

/* The hard blanks become blanks. */
static void put_word(struct strbuf *b, struct span word)
{
    while (word.n) {
        strbuf_span(b, span_until(&word, (uint8_t)HARD_BLANK[0]));
        strbuf_add(b, word.n ? " " : "");
    }
}

void text_paragraph(struct text *t, const char *lead, size_t indent, const char *body)
{
    size_t column = text_columns(lead);
    bool fresh = true; /* no word stands on this line yet */

    put_word(&t->out, span_str(lead));
    while (*body) {
        size_t gap = strspn(body, " "), n = strcspn(body + gap, " ");
        struct span word = { (const uint8_t *)body + gap, n };
        size_t wide = columns_of(word);

        body += gap + n;
        if (!n)
            break;
        if (!fresh && column + gap + wide > t->width) {
            strbuf_add(&t->out, "\n");
            column = 0;
            fresh = true;
        }
        gap = !fresh ? gap : column < indent ? indent - column : column ? GAP : 0;
        blanks(&t->out, gap);
        put_word(&t->out, word);
        column += gap + wide;
        fresh = false;
    }
    strbuf_add(&t->out, "\n");
}

void text_line_empty(struct text *t)
{
    strbuf_add(&t->out, "\n");
}

/* ---- tables ---- */

void table_begin(struct text_table *x, const struct text_column *column, size_t columns)
{
    *x = (struct text_table){ .column = column, .columns = columns };
}

bool table_full(const struct text_table *x)
{
    return x->cells + x->columns > TABLE_ROWS * x->columns;
}

void table_cell(struct text_table *x, const char *s)
{
    if (x->cells == TABLE_ROWS * x->columns)
        return;
    x->cell[x->cells / x->columns][x->cells % x->columns] = arena_str(&x->arena, span_str(s));
    x->cells++;
}

void table_take(struct text_table *x, struct strbuf *b)
{
    table_cell(x, strbuf_str(b));
    strbuf_done(b);
}

void table_number(struct text_table *x, uint64_t n)
{
    struct strbuf b = { 0 };

    text_number(&b, n);
    table_take(x, &b);
}

struct layout {
    size_t indent;
    size_t width[TABLE_COLUMNS];
    bool hidden[TABLE_COLUMNS];
    size_t last; /* the last column that is shown */
};

static bool says_nothing(const char *s)
{
    return !*s || strcmp(s, "0") == 0;
}

static void measure(const struct text_table *x, size_t rows, struct layout *l)
{
    for (size_t c = 0; c < x->columns; c++) {
        l->width[c] = text_columns(x->column[c].title);
        l->hidden[c] = x->column[c].zero_hides;
        for (size_t r = 0; r < rows; r++) {
            size_t wide = text_columns(x->cell[r][c]);

            l->width[c] = wide > l->width[c] ? wide : l->width[c];
            l->hidden[c] &= says_nothing(x->cell[r][c]);
        }
    }
}

/* The columns that the table takes; of its last one only what it takes when it is wrapped. */
static size_t total(const struct text_table *x, struct layout *l)
{
    size_t sum = l->indent;

    for (size_t c = 0; c < x->columns; c++)
        if (!l->hidden[c])
            l->last = c;
    for (size_t c = 0; c <= l->last; c++)
        if (!l->hidden[c])
            sum += c < l->last ? l->width[c] + GAP : l->width[c] < WRAPPED_MIN ? l->width[c] : WRAPPED_MIN;
    return sum;
}

static bool drop_one(const struct text_table *x, struct layout *l)
{
    size_t least = x->columns;

    for (size_t c = 0; c < x->columns; c++)
        if (!l->hidden[c] && x->column[c].drop && (least == x->columns || x->column[c].drop < x->column[least].drop))
            least = c;
    if (least < x->columns)
        l->hidden[least] = true;
    return least < x->columns;
}

static void print_row(struct text *t, const struct text_table *x, const struct layout *l, const char *const *cell)
{
    struct strbuf b = { 0 };
    size_t start = l->indent, at = 0; /* of the column in hand; where the line is */

    for (size_t c = 0; c < l->last; c++) {
        size_t wide = text_columns(cell[c]), from = start + (x->column[c].right ? l->width[c] - wide : 0);

        if (l->hidden[c])
            continue;
        if (wide) { /* an empty cell leaves no blanks at the end of a line */
            pad(&b, at, from);
            strbuf_add(&b, cell[c]);
            at = from + wide;
        }
        start += l->width[c] + GAP;
    }
    text_paragraph(t, strbuf_str(&b), start, cell[l->last]);
    strbuf_done(&b);
}

static void print_titles(struct text *t, struct text_table *x, const struct layout *l)
{
    const char *title[TABLE_COLUMNS];
    struct strbuf b = { 0 };

    for (size_t c = 0; c < x->columns; c++) {
        strbuf_clear(&b);
        text_ink(t, &b, INK_BOLD, x->column[c].title);
        title[c] = arena_str(&x->arena, span_str(strbuf_str(&b)));
    }
    print_row(t, x, l, title);
    strbuf_done(&b);
}

void table_print(struct text *t, struct text_table *x, size_t indent)
{
    size_t rows = x->cells / x->columns;
    struct layout l = { .indent = indent };

    if (rows) {
        text_line_empty(t);
        measure(x, rows, &l);
        while (total(x, &l) > t->width && drop_one(x, &l))
            ;
        print_titles(t, x, &l);
        for (size_t r = 0; r < rows; r++)
            print_row(t, x, &l, x->cell[r]);
    }
    arena_done(&x->arena);
}
