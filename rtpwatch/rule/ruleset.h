/* Rules as they were read: what parse.c writes and eval.c reads. It lives in the set's arena and, but for their state, stays as it is. */
#ifndef RW_RULE_RULESET_H
#define RW_RULE_RULESET_H

#include <cjson/cJSON.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "rule/rule.h"

enum {
    RULE_FILES = 256,
    RULE_FILE_BYTES = 1 << 20,
    RULES_MAX = 256,
    RULE_NAME = 64,
    RULE_TEXT = 2000,  /* bytes of a string */
    RULE_CONDS = 256,  /* of one rule */
    RULE_WORDS = 4096, /* entries of a list */
    RULE_LISTS = 64,
    RULE_COUNT = 1000, /* the most that `count` may ask for */
    PATH_ALTS = 4,
    PATH_STEPS = 8,
    GROUPS_PER_RULE = 4096,
};

/* ---- fields ---- */

struct step {
    const char *name;
    bool each; /* [*]: every item of a list */
};

struct path_alt {
    size_t n;
    struct step step[PATH_STEPS];
};

/* "a.b[*].c|d": the first alternative that holds a value counts. */
struct path {
    const char *text; /* as written */
    size_t n;
    struct path_alt alt[PATH_ALTS];
};

/* False: *why (static text) says what is wrong with it. `text` must live as long as `a`. */
bool path_parse(struct path *p, const char *text, struct arena *a, const char **why);
/* Gives each value of the first alternative that has one (null is none), until `each` returns true; returns that. */
bool path_walk(const struct path *p, const cJSON *event, bool (*each)(void *self, const cJSON *value), void *self);
const cJSON *path_first(const struct path *p, const cJSON *event); /* NULL: none */
/* A value as text: strings as they are, numbers in decimal; "-" for none, lists and objects. */
void value_text(const cJSON *value, struct strbuf *out);

/* A network's text on one line: no control characters, no broken UTF-8. What was made safe before stays as it is. */
void put_safe(struct strbuf *out, const char *text, size_t max);
const char *safe_copy(struct arena *arena, const char *text, size_t max); /* the same, into an arena; NULL without memory */

/* ---- known names ---- */

bool event_pattern_is_known(const char *glob);            /* some event matches it */
bool event_nearest(const char *word, struct strbuf *out); /* or the nearest pattern; false, and nothing in *out: none is near */
/* Does some event that matches `glob` have a field of this name, or fields below it? */
bool event_has(const char *glob, const char *name);
/* Is this one alternative of a path, with [*] where lists are, a field of some event? */
bool field_is_known(const char *path);
const char *field_nearest(const char *path);
/* May this field be this string? Those whose words are not listed may be any. */
bool field_may_be(const char *path, const char *word);
void field_words(const char *path, struct strbuf *out); /* appends what it may be */

/* The one of `words` (NULL at the end) that differs least from `word`; NULL: none is near enough to be meant. */
const char *nearest(const char *word, const char *const *words);

/* ---- conditions ---- */

#define OPS(X)                                                                                                                   \
    X(EQUALS, "equals")                                                                                                          \
    X(ONE_OF, "one_of")                                                                                                          \
    X(GLOB, "glob")                                                                                                              \
    X(CIDR, "cidr")                                                                                                              \
    X(LISTED, "listed")                                                                                                          \
    X(LT, "lt")                                                                                                                  \
    X(LE, "le")                                                                                                                  \
    X(GT, "gt")                                                                                                                  \
    X(GE, "ge")                                                                                                                  \
    X(EXISTS, "exists")

#define X(id, word) OP_##id,
enum op { OPS(X) OPS_N };
#undef X
const char *op_word(enum op o);

struct net {
    struct addr addr;
    unsigned bits; /* of 128; 0 to 128. `none`: an entry that is no network */
    bool none;
};

/* One thing to compare with: a string, a number, true or false. */
struct literal {
    const char *text; /* NULL: a number, true or false */
    double number;
    bool is_bool;
    struct net net; /* what the text is as a network */
};

struct list {
    const char *name;
    size_t n;
    struct literal *v;
    const char *text; /* as JSON, to tell whether it changed */
};

struct test {
    enum op op;
    struct test *next;
    size_t n; /* literals; one for the comparisons */
    const struct literal *v;
    const char *list_name; /* or the name of a list, and that list once all files are read */
    const struct list *list;
};

enum cond_kind { COND_FIELD, COND_AND, COND_OR, COND_NOT };

struct cond {
    enum cond_kind kind;
    struct cond *next, *child; /* next: beside it; child: the first inside */
    struct path path;
    struct test *tests; /* all must hold, of one and the same value */
};

/* What is told of each step; NULL: nothing. */
struct trace {
    rules_say *say;
    void *self;
};
__attribute__((format(printf, 3, 4))) void trace_line(const struct trace *t, unsigned depth, const char *fmt, ...);

/* Does it hold? NULL does. With a trace, every part is told, also those that no longer matter. */
bool cond_holds(const struct cond *c, const cJSON *event, const struct trace *t, unsigned depth);
bool glob_match(const char *pattern, const char *text); /* * and ?, without regard to case */
bool net_parse(const char *text, struct net *out);      /* "198.51.100.0/24", "2001:db8::/32", or one address */

/* ---- rules ---- */

struct listen {
    size_t n; /* 0: to nothing */
    const char **on;
    struct cond *where;
};

bool listens(const struct listen *l, const char *event);

struct piece {
    const char *text; /* literal, where path.n is 0 */
    struct path path;
};

struct rule {
    const char *name, *description, *file;
    unsigned line, column; /* where it was last described */
    bool enabled, recovers;
    struct listen on, of, over; /* of: what a share is of; over: recover_on */
    unsigned count;
    int64_t within_ns, cooldown_ns, update_ns, quiet_ns; /* 0: none */
    double percent;                                      /* of the events in `of`; 0: no share asked for */
    unsigned max_per_minute;
    size_t group_n;
    struct path group[ALERT_GROUP];
    size_t needs_n; /* lists that must have entries */
    const char **needs;
    bool resting; /* one of them has none */
    enum severity severity;
    unsigned facility;
    size_t pieces_n;
    struct piece *pieces; /* the message */
    const char *text;     /* as JSON, to tell whether it changed */
    struct run *run;      /* its state, once it is in force */
};

struct ruleset {
    struct arena arena;
    size_t n, lists_n;
    struct rule rule[RULES_MAX];
    struct list list[RULE_LISTS];
};

struct rule *ruleset_find(struct ruleset *s, const char *name);
struct list *ruleset_list(struct ruleset *s, const char *name);
void ruleset_free(struct ruleset *s);

/* Who is told of mistakes, and how many there were. */
struct problems {
    rules_say *say;
    void *self;
    unsigned n;
};
enum { PROBLEMS_TOLD = 20 };
__attribute__((format(printf, 2, 3))) void problem(struct problems *p, const char *fmt, ...);

/* All files into one set; NULL and problems told. */
struct ruleset *ruleset_read(const char *const *paths, size_t n, struct problems *p);
/* One text of a file into the set. */
void ruleset_parse(struct ruleset *s, const char *file, struct span text, struct problems *p);
/* After the last file: lists are looked up, and rules without those that they need rest. */
void ruleset_link(struct ruleset *s, struct problems *p);

/* rules_load() and rules_restore() of a text that is in no file; `name`: what mistakes call it. */
bool rules_load_text(struct rules *r, const char *name, struct span text, rules_say *say, void *self);
bool rules_restore_text(struct rules *r, const char *name, struct span text, int64_t now_ns, rules_say *say, void *self);

#endif
