#include "app/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "app/options.h"
#include "base/file.h"

struct reading {
    struct cli *c;
    const char *path;
    FILE *wrong;
    unsigned line, mistakes;
    unsigned said_in[OPTIONS_MAX]; /* the line in which an option stood first; 0: in none */
};

__attribute__((format(printf, 2, 3))) static void complain(struct reading *r, const char *fmt, ...)
{
    va_list args;

    r->mistakes++;
    fprintf(r->wrong, "rtpwatch: %s:%u: ", r->path, r->line);
    va_start(args, fmt);
    vfprintf(r->wrong, fmt, args);
    va_end(args);
    fputc('\n', r->wrong);
}

/* From a `#` that nothing or a blank precedes; within quotes it is a letter like others. */
static struct span without_comment(struct span s)
{
    bool quoted = false;

    for (size_t i = 0; i < s.n; i++) {
        quoted ^= s.p[i] == '"';
        if (s.p[i] == '#' && !quoted && (i == 0 || s.p[i - 1] == ' ' || s.p[i - 1] == '\t'))
            return span_part(s, 0, i);
    }
    return s;
}

static struct span unquoted(struct span s)
{
    return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? span_part(s, 1, s.n - 2) : s;
}

static void unknown(struct reading *r, const char *name)
{
    struct strbuf safe = { 0 };
    const char *near = options_nearest(name);

    strbuf_safe(&safe, span_str(name), 64);
    if (near)
        complain(r, "'%s' is no option; did you mean '%s'?", strbuf_str(&safe), near);
    else
        complain(r, "'%s' is no option; 'rtpwatch --help' lists them", strbuf_str(&safe));
    strbuf_done(&safe);
}

static void take(struct reading *r, const struct option_row *o, const char *value)
{
    unsigned *said_in = &r->said_in[o - options_row(0)];
    char error[CLI_ERROR] = "";

    if (o->command_line_only)
        complain(r, "'%s' has no place in a file: give it on the command line", o->name);
    else if (!o->repeats && *said_in)
        complain(r, "'%s' stands in line %u already", o->name, *said_in);
    else if (!value && o->value)
        complain(r, "'%s' needs a value: %s = %s", o->name, o->name, o->value);
    else if (!o->take(r->c, o, value, error))
        complain(r, "%s", error + (strncmp(error, "--", 2) == 0 ? 2 : 0));
    if (!*said_in)
        *said_in = r->line;
}

static void line(struct reading *r, struct span s)
{
    struct span rest = span_trim(without_comment(s)), name;
    bool has_value = span_find(rest, '=') < rest.n;
    const struct option_row *o;
    const char *text;

    if (!rest.n)
        return;
    name = span_trim(span_until(&rest, '='));
    text = arena_str(&r->c->strings, name);
    o = options_find(text);
    if (o)
        take(r, o, has_value ? arena_str(&r->c->strings, unquoted(span_trim(rest))) : NULL);
    else
        unknown(r, text);
}

bool config_read(struct cli *c, const char *path, FILE *wrong, char error[CLI_ERROR])
{
    struct reading r = { .c = c, .path = path, .wrong = wrong };
    const char *why = NULL;
    FILE *f = file_open(path, &why);
    char *text = NULL;
    size_t room = 0;
    ssize_t n = -1;

    while (f && (n = getline(&text, &room, f)) >= 0) {
        r.line++;
        if (memchr(text, '\0', (size_t)n))
            complain(&r, "a NUL byte: this is no text file");
        else
            line(&r, (struct span){ (const uint8_t *)text, (size_t)n });
    }
    if (!f || ferror(f))
        snprintf(error, CLI_ERROR, "%.200s: cannot be read: %s", path, f ? strerror(errno) : why);
    else if (r.mistakes)
        snprintf(error, CLI_ERROR, "%.200s: %u %s", path, r.mistakes, r.mistakes == 1 ? "line is wrong" : "lines are wrong");
    n = f && !ferror(f) && !r.mistakes;
    free(text);
    if (f)
        fclose(f);
    return n > 0;
}
