/* What the files of the text report share and nobody else sees. */
#ifndef RW_OUT_TEXT_PRIVATE_H
#define RW_OUT_TEXT_PRIVATE_H

#include "out/out.h"
#include "verdict/path.h"

/* The report as it grows. Escape sequences in these texts are ours alone: what came from the network was made safe before. */
struct text {
    const struct out_report *r;
    struct strbuf out;
    size_t width;
    bool colour;
    bool with_day;                     /* the capture spans midnight, so that a time needs its date */
    const char *remedy_told[CAUSES_N]; /* what was said last of each: once, not for each call */
    uint32_t session;                  /* the one that is being told */
    bool path_told;                    /* with the leg just before it */
};

/* ---- text_write.c: words, lines and tables ---- */

#define HARD_BLANK "\x01" /* a blank at which no line is broken; text from the network cannot hold it */

enum text_ink { INK_FAILED, INK_WARNING, INK_BOLD };

void text_ink(const struct text *t, struct strbuf *b, enum text_ink ink, const char *s);
size_t text_columns(const char *s);             /* as a terminal shows it: without escape sequences, UTF-8 counted once */
void text_number(struct strbuf *b, uint64_t n); /* "1,219" */
/* "1 call", "1,219 calls". `many` NULL: `one` with an s. */
void text_count(struct strbuf *b, uint64_t n, const char *one, const char *many);
void text_duration(struct strbuf *b, int64_t ns); /* "0.4 s", "12 s", "3 min 5 s", "2 h 4 min", "3 d 1 h" */
/* "13:05:12 UTC", with the date where the capture needs it. */
void text_clock(const struct text *t, struct strbuf *b, int64_t ns);
/* An identifier from the network, safe, and not much longer than `max`: "5f3c86867d...@172.31.16.10". */
void text_shortened(struct strbuf *b, const char *id, size_t max);

/* `lead`, then `body` wrapped at the width with a hanging indent. Never a blank at the end of a line. */
void text_paragraph(struct text *t, const char *lead, size_t indent, const char *body);
void text_line_empty(struct text *t);

enum { TABLE_COLUMNS = 12, TABLE_ROWS = 96 };

struct text_column {
    const char *title;
    bool right;      /* numbers */
    bool zero_hides; /* not shown where every cell is empty or "0" */
    uint8_t drop;    /* where the table is too wide the columns with the lowest go first; 0: never */
};

/* Cells are added row by row; the last column wraps. */
struct text_table {
    const struct text_column *column;
    size_t columns, cells;
    const char *cell[TABLE_ROWS][TABLE_COLUMNS];
    struct arena arena;
};

void table_begin(struct text_table *x, const struct text_column *column, size_t columns);
bool table_full(const struct text_table *x);
void table_cell(struct text_table *x, const char *s);    /* copied */
void table_take(struct text_table *x, struct strbuf *b); /* copied and freed */
void table_number(struct text_table *x, uint64_t n);
/* An empty line, the titles and the rows; nothing where there is no row. Frees the cells. */
void table_print(struct text *t, struct text_table *x, size_t indent);

/* ---- text_session.c: one call ---- */

void text_session(struct text *t, struct session_finding *f); /* all of a call that failed */
void text_session_table(struct text_table *x);                /* begins a table with a line for each of them */
void text_session_row(const struct text *t, struct session_finding *f, struct text_table *x);
void text_session_warnings(struct text *t, struct session_finding *f);
/* What people say for a cause: "bad candidate". */
void text_cause_words(struct strbuf *b, enum cause c);

/* ---- text_path.c: a call's way over several legs ---- */

void text_path(struct text *t); /* of t->session; nothing where it is no leg of a path */
/* The other legs of the session's path that failed; their number. */
size_t text_path_failed(const struct text *t, uint32_t session, uint32_t out[PATH_LEGS]);
/* ---- text_shared.c: the whole capture ---- */

void text_shared(struct text *t);         /* what failing calls share; nothing where nothing is claimed */
void text_server_history(struct text *t); /* below the servers' table: onset, end, suspicion */
void text_dns(struct text *t);            /* what is odd about the names of STUN servers */

/* ---- text_alerts.c ---- */

void text_alerts(struct text *t); /* what rules would have told; nothing where none were asked for */

#endif
