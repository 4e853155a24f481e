/*
 * send TARGET [--host H] [--ca FILE] [--cert FILE] [--key FILE] [--insecure] [--messages N]: the syslog output as a program, for
 * tests/syslog/run. Reads commands, one a line, values in hexadecimal:
 *
 *   message ID TEXT [NAME=VALUE ...]
 *   stats
 *   reopen
 *
 * Each answers with a line of JSON but `message`. At the end of input it sends what waits and says what was not sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "out/syslog.h"

enum { PARAMS = 64, DRAIN_MS = 5000, ERROR_ESCAPED = 3 * SYSLOG_ERROR };

struct sender {
    struct syslog *log;
    struct strbuf input;
    int64_t slowest_ns; /* the longest that a call took */
};

static int64_t wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void took(struct sender *s, int64_t since_ns)
{
    int64_t ns = wall_ns() - since_ns;

    if (ns > s->slowest_ns)
        s->slowest_ns = ns;
}

static void run(struct sender *s)
{
    int64_t now = wall_ns();

    syslog_run(s->log, now);
    took(s, now);
}

/* ---- commands ---- */

static uint8_t digit(uint8_t c)
{
    return (uint8_t)(c >= 'a' ? c - 'a' + 10 : c - '0');
}

/* Decodes where it stands. */
static struct span from_hex(char *text, size_t n)
{
    uint8_t *bytes = (uint8_t *)text;

    for (size_t i = 0; i + 1 < n; i += 2)
        bytes[i / 2] = (uint8_t)(digit(bytes[i]) << 4 | digit(bytes[i + 1]));
    return (struct span){ bytes, n / 2 };
}

static char *next_word(char **rest)
{
    char *word = *rest, *blank = strchr(word, ' ');

    *rest = blank ? blank + 1 : word + strlen(word);
    if (blank)
        *blank = 0;
    return *word ? word : NULL;
}

static void message(struct sender *s, char *rest)
{
    struct syslog_param params[PARAMS];
    struct syslog_message m = { .severity = SYSLOG_WARNING, .facility = SYSLOG_LOCAL0, .params = params };
    int64_t now = wall_ns();
    char *text, *word;

    m.id = next_word(&rest);
    text = next_word(&rest);
    m.text = text ? from_hex(text, strlen(text)) : SPAN_NONE;
    while (m.n < PARAMS && (word = next_word(&rest))) {
        char *value = strchr(word, '=');

        if (!value)
            continue;
        *value++ = 0;
        params[m.n++] = (struct syslog_param){ word, from_hex(value, strlen(value)) };
    }
    syslog_send(s->log, &m, now);
    took(s, now);
    run(s);
}

static void say(const char *key, const char *value)
{
    printf("\"%s\": \"", key);
    for (; *value; value++)
        printf(*value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
    printf("\"}\n");
    fflush(stdout);
}

static void stats(struct sender *s)
{
    struct syslog_stats st;

    run(s);
    syslog_stats(s->log, &st);
    printf("{\"up\": %s, \"accepted\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"again\": %" PRIu64 ", \"lost\": %" PRIu64,
           st.up ? "true" : "false", st.accepted, st.sent, st.again, st.lost);
    printf(", \"connections\": %" PRIu64 ", \"breaks\": %" PRIu64 ", \"queued\": %zu, \"held\": %zu, \"slowest_ms\": %" PRId64
           ", ",
           st.connections, st.breaks, st.queued, st.held, s->slowest_ns / NS_PER_MS);
    say("why", st.why);
}

static void command(struct sender *s, char *line)
{
    char *verb = next_word(&line), error[SYSLOG_ERROR];

    if (verb && strcmp(verb, "message") == 0)
        message(s, line);
    else if (verb && strcmp(verb, "stats") == 0)
        stats(s);
    else if (verb && strcmp(verb, "reopen") == 0)
        syslog_reopen(s->log, error), printf("{"), say("error", error);
}

/* False at the end of input. */
static bool read_commands(struct sender *s)
{
    char piece[65536], *line, *end;
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    size_t used = 0;

    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    strbuf_span(&s->input, (struct span){ (const uint8_t *)piece, (size_t)n });
    for (line = s->input.p; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        used = (size_t)(end + 1 - s->input.p);
        command(s, line);
    }
    memmove(s->input.p, s->input.p + used, s->input.n - used + 1);
    s->input.n -= used;
    return true;
}

/* ---- the loop ---- */

static int wait_ms(const struct sender *s)
{
    int64_t due = syslog_due(s->log), now = wall_ns();

    if (due <= now)
        return 0;
    return due - now > SECONDS(1) ? 1000 : (int)((due - now) / NS_PER_MS) + 1;
}

static void loop(struct sender *s)
{
    bool more = true;

    while (more) {
        struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = -1 } };

        p[1].fd = syslog_descriptor(s->log, &p[1].events);
        (void)poll(p, 2, wait_ms(s));
        if (p[0].revents)
            more = read_commands(s);
        run(s);
    }
}

static bool read_options(int argc, char **argv, struct syslog_options *o)
{
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        uint64_t number = 0;

        if (strcmp(argv[i], "--insecure") == 0) {
            o->tls.insecure = true;
            continue;
        }
        if (strcmp(argv[i], "--host") == 0)
            o->host = value;
        else if (strcmp(argv[i], "--ca") == 0)
            o->tls.ca_file = value;
        else if (strcmp(argv[i], "--cert") == 0)
            o->tls.cert_file = value;
        else if (strcmp(argv[i], "--key") == 0)
            o->tls.key_file = value;
        else if (strcmp(argv[i], "--messages") == 0 && span_u64(span_str(value), 100000, &number))
            o->messages = (size_t)number;
        else
            return false;
        i++;
    }
    return argc >= 2;
}

int main(int argc, char **argv)
{
    struct syslog_options options = { .pid = 4711 };
    struct sender s = { 0 };
    char error[SYSLOG_ERROR];

    if (!read_options(argc, argv, &options) || !(s.log = syslog_open(argv[1], &options, error))) {
        fprintf(stderr, "send: %s\n", argc < 2 ? "give a target" : error);
        return 2;
    }
    if (syslog_caution(s.log))
        fprintf(stderr, "send: %s\n", syslog_caution(s.log));
    loop(&s);
    printf("{\"unsent\": %zu}\n", syslog_close(s.log, DRAIN_MS, wall_ns));
    strbuf_done(&s.input);
    return 0;
}
