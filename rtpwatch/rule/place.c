#include "rule/place.h"

#include <string.h>

/* ---- the text ---- */

struct scan {
    const uint8_t *p;
    size_t n, at;
    size_t values, want; /* values met so far; the number of the one that is looked for */
    struct place found;
    unsigned depth;
    struct place_error *error;
};

static bool scan_value(struct scan *s, size_t key_at);

static bool fail(struct scan *s, const char *expected)
{
    if (s->error && !s->error->expected)
        *s->error = (struct place_error){ s->at, expected };
    return false;
}

static int peek(const struct scan *s)
{
    return s->at < s->n ? s->p[s->at] : -1;
}

static void blanks(struct scan *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
        s->at++;
}

/* Behind \u. */
static bool hex4(struct scan *s, unsigned *out)
{
    unsigned value = 0;

    for (unsigned i = 0; i < 4; i++, s->at++) {
        int c = peek(s), lower = c | 0x20;

        if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'f'))
            return fail(s, "four hexadecimal digits after \\u");
        value = value << 4 | (unsigned)(c <= '9' ? c - '0' : lower - 'a' + 10);
    }
    *out = value;
    return value != 0 || fail(s, "a character other than \\u0000");
}

/* A character beyond U+FFFF is two halves (RFC 8259 §7); a half alone is none. */
static bool scan_escaped(struct scan *s)
{
    struct span rest;
    unsigned value, low;

    if (!hex4(s, &value))
        return false;
    if (value < 0xd800 || value > 0xdfff)
        return true;
    rest = (struct span){ s->p + s->at, s->n - s->at };
    if (value < 0xdc00 && span_starts(rest, SPAN("\\u"))) {
        s->at += 2;
        if (!hex4(s, &low))
            return false;
        if (low >= 0xdc00 && low <= 0xdfff)
            return true;
    }
    return fail(s, "both halves of a character beyond U+FFFF, such as \\ud83c\\udfa7");
}

static bool scan_string(struct scan *s)
{
    for (s->at++;; s->at++) {
        int c = peek(s);

        if (c < 0x20)
            return fail(s,
                        c < 0 || c == '\n' ? "a closing double quote" : "an escape such as \\t instead of a control character");
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c != '\\')
            continue;
        s->at++;
        if (peek(s) == 'u') {
            s->at++;
            if (!scan_escaped(s))
                return false;
            s->at--;
        } else if (peek(s) < 0 || !strchr("\"\\/bfnrt", peek(s)) || !peek(s)) {
            return fail(s, "one of \" \\ / b f n r t u after a backslash");
        }
    }
}

static bool digits(struct scan *s)
{
    size_t from = s->at;

    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > from || fail(s, "a digit");
}

static bool scan_number(struct scan *s)
{
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0')
        s->at++;
    else if (!digits(s))
        return false;
    if (peek(s) == '.') {
        s->at++;
        if (!digits(s))
            return false;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        return digits(s);
    }
    return true;
}

static bool scan_word(struct scan *s)
{
    static const char *const words[] = { "true", "false", "null" };
    struct span rest = { s->p + s->at, s->n - s->at };

    for (unsigned i = 0; i < 3; i++)
        if (span_starts(rest, span_str(words[i]))) {
            s->at += strlen(words[i]);
            return true;
        }
    switch (peek(s)) {
    case '/':
    case '#': return fail(s, "a value (JSON has no comments; use \"description\")");
    case '\'': return fail(s, "a value (strings stand in double quotes)");
    case ']':
    case '}': return fail(s, "a value (no comma may stand before a closing bracket)");
    default: return fail(s, "a value: an object, a list, a string, a number, true, false or null");
    }
}

static bool scan_name(struct scan *s)
{
    if (peek(s) == '"')
        return scan_string(s);
    switch (peek(s)) {
    case '/':
    case '#': return fail(s, "a field name (JSON has no comments; use \"description\")");
    case '}': return fail(s, "a field name (no comma may stand before a closing bracket)");
    default: return fail(s, "a field name in double quotes");
    }
}

static bool scan_member(struct scan *s)
{
    size_t key_at = s->at;

    if (!scan_name(s))
        return false;
    blanks(s);
    if (peek(s) != ':')
        return fail(s, "a colon after the field name");
    s->at++;
    blanks(s);
    return scan_value(s, key_at);
}

/* Objects and lists alike: items between commas. */
static bool scan_items(struct scan *s, char close)
{
    s->at++;
    blanks(s);
    if (peek(s) == close) {
        s->at++;
        return true;
    }
    for (;;) {
        if (!(close == '}' ? scan_member(s) : scan_value(s, s->at)))
            return false;
        blanks(s);
        if (peek(s) == close) {
            s->at++;
            return true;
        }
        if (peek(s) != ',')
            return fail(s, close == '}' ? "a comma or a closing }" : "a comma or a closing ]");
        s->at++;
        blanks(s);
    }
}

static bool scan_value(struct scan *s, size_t key_at)
{
    bool fine;
    int c = peek(s);

    if (s->values++ == s->want)
        s->found = (struct place){ key_at, s->at };
    if (c == '"')
        return scan_string(s);
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(s);
    if (c != '{' && c != '[')
        return scan_word(s);
    if (s->depth == PLACE_DEPTH)
        return fail(s, "fewer levels of brackets: at most 32");
    s->depth++;
    fine = scan_items(s, c == '{' ? '}' : ']');
    s->depth--;
    return fine;
}

static bool scan_text(struct scan *s)
{
    if (span_starts((struct span){ s->p, s->n }, SPAN("\xef\xbb\xbf"))) /* a byte order mark, as some editors write */
        s->at = 3;
    blanks(s);
    if (!scan_value(s, s->at))
        return false;
    blanks(s);
    return s->at == s->n || fail(s, "the end of the file: one object is all");
}

bool place_check(struct span text, struct place_error *e)
{
    struct scan s = { .p = text.p, .n = text.n, .want = SIZE_MAX, .error = e };

    *e = (struct place_error){ 0 };
    return scan_text(&s);
}

/* ---- the tree ---- */

/* Counts the values before `item`; true when it was found below `at`. */
static bool number_of(const cJSON *at, const cJSON *item, size_t *number, struct strbuf *path)
{
    size_t stays = path ? path->n : 0, i = 0;

    if (at == item)
        return true;
    for (const cJSON *kid = at->child; kid; kid = kid->next, i++) {
        ++*number;
        if (path && cJSON_IsArray(at)) {
            strbuf_fmt(path, "[%zu]", i);
        } else if (path && kid->string) {
            strbuf_add(path, path->n ? "." : "");
            strbuf_safe(path, span_str(kid->string), 64);
        }
        if (number_of(kid, item, number, path))
            return true;
        if (path && path->p)
            path->p[path->n = stays] = 0;
    }
    return false;
}

struct place place_of(struct span text, const cJSON *root, const cJSON *item, struct strbuf *path)
{
    struct scan s = { .p = text.p, .n = text.n };

    if (number_of(root, item, &s.want, path))
        scan_text(&s);
    return s.found;
}

void place_line(struct span text, size_t at, unsigned *line, unsigned *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < at && i < text.n; i++) {
        if (text.p[i] == '\n') {
            ++*line;
            *column = 1;
        } else if ((text.p[i] & 0xc0) != 0x80) { /* not a UTF-8 continuation */
            ++*column;
        }
    }
}
