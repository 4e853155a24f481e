/* The words that rules and events use, and the nearest of them to one that is none. */
#include <stdio.h>
#include <string.h>

#include "rule/ruleset.h"

enum { NEAR_BYTES = 96 };

const char *severity_word(enum severity s)
{
    static const char *const words[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" };

    return (unsigned)s < sizeof words / sizeof *words ? words[s] : "notice";
}

const char *facility_word(unsigned facility)
{
    static const char *const words[] = { "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",     "news",
                                         "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "console", "cron2",
                                         "local0", "local1", "local2",   "local3", "local4", "local5", "local6",  "local7" };

    return facility < sizeof words / sizeof *words ? words[facility] : "daemon";
}

const char *alert_kind_word(enum alert_kind k)
{
    static const char *const words[] = { "alert", "update", "recovery" };

    return words[k];
}

/* How many letters must be added, removed or changed (Levenshtein); NEAR_BYTES where a word is too long to be compared. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NEAR_BYTES + 1];
    size_t n = strlen(b);

    if (strlen(a) > NEAR_BYTES || n > NEAR_BYTES)
        return NEAR_BYTES;
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned corner = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            unsigned change = corner + (a[i - 1] != b[j - 1]), add = row[j - 1] + 1, drop = row[j] + 1;

            corner = row[j];
            row[j] = change < add ? (change < drop ? change : drop) : (add < drop ? add : drop);
        }
    }
    return row[n];
}

struct near {
    const char *word;
    unsigned limit; /* what differs as much is not what was meant, or something else is nearer */
};

static struct near near_to(const char *word)
{
    unsigned n = (unsigned)strlen(word), most = n < 3 ? 2 : 3 + n / 4;

    return (struct near){ word, most < n ? most : n };
}

static bool nearer(struct near *n, const char *other)
{
    unsigned d = distance(n->word, other);

    if (d >= n->limit)
        return false;
    n->limit = d;
    return true;
}

const char *nearest(const char *word, const char *const *words)
{
    struct near n = near_to(word);
    const char *found = NULL;

    for (; *words; words++)
        if (nearer(&n, *words))
            found = *words;
    return found;
}

/* ---- events and their fields ---- */

static const char *const events[] = {
#define EVENT(word, names) word,
#define FIELD(path)
#define WORD(path, word)
#include "rule/fields.def"
#undef EVENT
#undef FIELD
#undef WORD
    NULL,
};
static const char *const event_names[] = {
#define EVENT(word, names) names,
#define FIELD(path)
#define WORD(path, word)
#include "rule/fields.def"
#undef EVENT
#undef FIELD
#undef WORD
};
static const char *const fields[] = {
#define EVENT(word, names)
#define FIELD(path) path,
#define WORD(path, word)
#include "rule/fields.def"
#undef EVENT
#undef FIELD
#undef WORD
    NULL,
};
static const struct {
    const char *field, *word;
} worded[] = {
#define EVENT(word, names)
#define FIELD(path)
#define WORD(path, word) { path, word },
#include "rule/fields.def"
#undef EVENT
#undef FIELD
#undef WORD
};

bool event_pattern_is_known(const char *glob)
{
    for (const char *const *e = events; *e; e++)
        if (glob_match(glob, *e))
            return true;
    return false;
}

/* All events of one kind, such as session.*, and those of one name. */
static void patterns_of(const char *event, char out[2][NEAR_BYTES])
{
    size_t dot = strcspn(event, ".");

    snprintf(out[0], NEAR_BYTES, "%.*s.*", (int)dot, event);
    snprintf(out[1], NEAR_BYTES, "*%s", event + dot);
}

bool event_nearest(const char *word, struct strbuf *out)
{
    bool pattern = strpbrk(word, "*?") || !strchr(word, '.');
    struct near n = near_to(word);

    for (size_t i = 0; events[i]; i++) {
        char of[2][NEAR_BYTES];
        const char *each[] = { events[i], of[0], of[1] };

        patterns_of(events[i], of);
        for (size_t k = 0; k < (pattern ? 3 : 1); k++)
            if (nearer(&n, each[k])) {
                strbuf_clear(out);
                strbuf_fmt(out, "%s", each[k]);
            }
    }
    return out->n;
}

bool event_has(const char *glob, const char *name)
{
    for (size_t i = 0; events[i]; i++) {
        struct span rest = span_str(event_names[i]);

        while (rest.n && glob_match(glob, events[i]))
            if (span_eq(span_until(&rest, ' '), span_str(name)))
                return true;
    }
    return false;
}

/* An entry that ends in .* stands for names that nobody can know beforehand, such as those of labels. */
bool field_is_known(const char *path)
{
    for (const char *const *f = fields; *f; f++) {
        size_t n = strlen(*f);
        bool open = n > 2 && strcmp(*f + n - 2, ".*") == 0;

        if (open ? strncmp(path, *f, n - 1) == 0 : strcmp(path, *f) == 0)
            return true;
    }
    return false;
}

const char *field_nearest(const char *path)
{
    return nearest(path, fields);
}

bool field_may_be(const char *path, const char *word)
{
    bool listed = false;

    for (size_t i = 0; i < sizeof worded / sizeof *worded; i++) {
        bool here = strcmp(worded[i].field, path) == 0;

        if (here && strcmp(worded[i].word, word) == 0)
            return true;
        listed |= here;
    }
    return !listed;
}

void field_words(const char *path, struct strbuf *out)
{
    for (size_t i = 0; i < sizeof worded / sizeof *worded; i++)
        if (strcmp(worded[i].field, path) == 0)
            strbuf_fmt(out, "%s%s", out->n ? ", " : "", worded[i].word);
}
