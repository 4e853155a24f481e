/*
 * RFC 5424 §6:
 *
 *   <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [meta sequenceId="7"][rtpwatch@32473 name="value" ...] text
 *
 * and for the local socket, where journald and rsyslog's imuxsock expect what syslog(3) writes and take the time from the socket:
 *
 *   <PRI>rtpwatch[PID]: text [rtpwatch@32473 msgid="alert" sequenceId="7" name="value" ...]
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "out/syslog_private.h"

#define REPLACED "\xef\xbf\xbd" /* U+FFFD */
#define CUT      "…"
#define BOM      "\xef\xbb\xbf"

enum { HOST_MOST = 255, APP_MOST = 48, ID_MOST = 32, NAME_MOST = 32 }; /* RFC 5424 §6 */
enum { OMITTED_ROOM = sizeof " omitted=\"18446744073709551615\"" };

/* ---- characters ---- */

/* At most `most` bytes of what is there, in whole characters, then "…"; `escape` is put in front of ", \ and ] (§6.3.3). */
static void add_text(struct strbuf *b, struct span s, size_t most, const char *escape)
{
    size_t used = 0;

    while (s.n) {
        bool printable;
        size_t n = utf8_take(s, &printable);
        struct span piece = printable ? span_part(s, 0, n) : SPAN(REPLACED);

        if (used + piece.n > most) {
            strbuf_add(b, CUT);
            return;
        }
        if (n == 1 && (*s.p == '"' || *s.p == '\\' || *s.p == ']'))
            strbuf_add(b, escape);
        strbuf_span(b, piece);
        used += piece.n;
        s = span_part(s, n, s.n);
    }
}

/* PRINTUSASCII, and none of `but`; "-" where there is nothing (§6, NILVALUE). */
static void add_word(struct strbuf *b, const char *word, size_t most, const char *but)
{
    size_t n = word ? strnlen(word, most) : 0;

    if (n == 0)
        strbuf_add(b, "-");
    for (size_t i = 0; i < n; i++) {
        bool stays = word[i] > 32 && word[i] < 127 && !strchr(but, word[i]);

        strbuf_span(b, stays ? (struct span){ (const uint8_t *)word + i, 1 } : SPAN("_"));
    }
}

/* name@number, so that it cannot be "meta", which is there already. */
bool syslog_sd_id_fits(const char *id)
{
    struct span name = span_str(id), number;
    uint64_t any;
    size_t at = span_find(name, '@');

    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= 32 || name.p[i] >= 127 || strchr("=]\"", name.p[i]))
            return false;
    number = span_part(name, at + 1, name.n); /* an enterprise's number, or with what it added (RFC 5424 §7.2.2) */
    number = span_part(number, 0, span_find(number, '.'));
    return at > 0 && name.n <= NAME_MOST && span_u64(number, UINT32_MAX, &any);
}

static bool is_ascii(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 0x80)
            return false;
    return true;
}

static struct span of(const struct strbuf *b)
{
    return (struct span){ (const uint8_t *)b->p, b->n };
}

/* ---- parts ---- */

static void add_pri(struct strbuf *b, const struct syslog_message *m)
{
    unsigned facility = m->facility < SYSLOG_FACILITIES ? m->facility : SYSLOG_DAEMON;

    strbuf_fmt(b, "<%u>", facility * 8 + ((unsigned)m->severity & 7));
}

/* RFC 5424 §6.2.3: UTC, microseconds. */
static void add_time(struct strbuf *b, int64_t at_ns)
{
    int64_t us = at_ns / NS_PER_US - (at_ns % NS_PER_US < 0);
    int64_t part = us % 1000000 < 0 ? us % 1000000 + 1000000 : us % 1000000;
    time_t seconds = (time_t)((us - part) / 1000000);
    char text[40];
    struct tm tm;

    if (gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
        strbuf_fmt(b, "%s.%06" PRId64 "Z", text, part);
    else
        strbuf_add(b, "-");
}

static void add_param(struct strbuf *b, const char *name, struct span value)
{
    strbuf_add(b, " ");
    add_word(b, name, NAME_MOST, "=]\"");
    strbuf_add(b, "=\"");
    add_text(b, value, SYSLOG_VALUE, "\\");
    strbuf_add(b, "\"");
}

/* As many as fit into `room`, in order; then how many did not. */
static void add_params(struct strbuf *b, const struct syslog_message *m, size_t room)
{
    struct strbuf one = { 0 };
    size_t omitted = 0, until = b->n + (room > OMITTED_ROOM ? room - OMITTED_ROOM : 0);

    for (size_t i = 0; i < m->n; i++) {
        strbuf_clear(&one);
        add_param(&one, m->params[i].name, m->params[i].value);
        if (b->n + one.n > until)
            omitted++;
        else
            strbuf_span(b, of(&one));
    }
    if (omitted)
        strbuf_fmt(b, " omitted=\"%zu\"", omitted);
    b->failed = b->failed || one.failed;
    strbuf_done(&one);
}

/* ---- whole ---- */

static void format_5424(const struct syslog_form *f, const struct syslog_message *m, uint32_t sequence, int64_t at_ns,
                        struct span text, struct strbuf *b)
{
    const char *before = text.n == 0 ? "" : is_ascii(text) ? " " : " " BOM; /* §6.4 */

    add_pri(b, m);
    strbuf_add(b, "1 ");
    add_time(b, at_ns);
    strbuf_add(b, " ");
    add_word(b, f->host, HOST_MOST, "");
    strbuf_add(b, " ");
    add_word(b, f->app, APP_MOST, "");
    strbuf_fmt(b, f->pid ? " %" PRIu32 " " : " - ", f->pid);
    add_word(b, m->id, ID_MOST, "");
    strbuf_add(b, " ");
    if (sequence)
        strbuf_fmt(b, "[meta sequenceId=\"%" PRIu32 "\"]", sequence);
    else if (m->n == 0)
        strbuf_add(b, "-");
    if (m->n) {
        size_t behind = 1 + strlen(before) + text.n;

        strbuf_add(b, "[");
        add_word(b, f->sd_id, NAME_MOST, "=]\"");
        add_params(b, m, f->most > b->n + behind ? f->most - b->n - behind : 0);
        strbuf_add(b, "]");
    }
    strbuf_add(b, before);
    strbuf_span(b, text);
}

static void format_local(const struct syslog_form *f, const struct syslog_message *m, uint32_t sequence, struct span text,
                         struct strbuf *b)
{
    add_pri(b, m);
    add_word(b, f->app, APP_MOST, ":[]");
    strbuf_fmt(b, f->pid ? "[%" PRIu32 "]: " : ": ", f->pid);
    strbuf_span(b, text);
    strbuf_add(b, text.n ? " [" : "[");
    add_word(b, f->sd_id, NAME_MOST, "=]\"");
    strbuf_add(b, " msgid=\"");
    add_word(b, m->id, ID_MOST, "]\"\\");
    strbuf_fmt(b, "\" sequenceId=\"%" PRIu32 "\"", sequence);
    add_params(b, m, f->most > b->n + 1 ? f->most - b->n - 1 : 0);
    strbuf_add(b, "]");
}

void syslog_format(const struct syslog_form *f, const struct syslog_message *m, uint32_t sequence, int64_t at_ns,
                   struct strbuf *out)
{
    size_t text_most = f->most / 2 < SYSLOG_TEXT ? f->most / 2 : SYSLOG_TEXT;
    struct strbuf text = { 0 }, message = { 0 };

    add_text(&text, m->text, text_most, "");
    if (f->local)
        format_local(f, m, sequence, of(&text), &message);
    else
        format_5424(f, m, sequence, at_ns, of(&text), &message);
    if (f->counted)
        strbuf_fmt(out, "%zu ", message.n);
    strbuf_span(out, of(&message));
    out->failed = out->failed || text.failed || message.failed;
    strbuf_done(&text);
    strbuf_done(&message);
}
