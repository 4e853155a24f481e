#include "app/options.h"

#include <stdlib.h>

#include "capture/dump.h"

#include "out/syslog.h"

static bool fail(char *error, const struct option_row *o, const char *value, const char *expected)
{
    snprintf(error, CLI_ERROR, "--%s '%.160s': expected %s", o->name, value, expected);
    return false;
}

static bool choose(const char *value, const char *const *names, unsigned n, unsigned *out)
{
    for (unsigned i = 0; i < n; i++)
        if (strcmp(value, names[i]) == 0) {
            *out = i;
            return true;
        }
    return false;
}

/* ---- takers that serve several rows ---- */

static bool take_text(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    if (!*value)
        return fail(error, o, value, o->value);
    *(const char **)(void *)((char *)c + o->at) = value;
    return true;
}

/* On the command line a switch has no value; in a file it may say yes or no. */
static bool take_switch(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    static const char *const words[] = { "no", "yes" };
    unsigned on = 1;

    if (value && !choose(value, words, 2, &on))
        return fail(error, o, value, "yes or no");
    *(bool *)((char *)c + o->at) = on;
    return true;
}

static bool take_number(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    uint64_t n = 0;
    char expected[64];

    snprintf(expected, sizeof expected, "a number from %u to %u", o->least, o->most);
    if (!span_u64(span_str(value), o->most, &n) || n < o->least)
        return fail(error, o, value, expected);
    *(unsigned *)(void *)((char *)c + o->at) = (unsigned)n;
    return true;
}

static bool take_action(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    (void)value;
    error[0] = '\0'; /* nothing can be wrong */
    c->action = (enum cli_action)o->least;
    return true;
}

/* ---- takers of one row each ---- */

static bool take_format(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    static const char *const words[] = { "text", "json", "ndjson" };
    unsigned which = 0;

    if (!choose(value, words, 3, &which))
        return fail(error, o, value, "text, json or ndjson");
    c->format = (enum cli_format)which;
    return true;
}

static bool take_colour(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    static const char *const words[] = { "auto", "always", "never" };
    unsigned which = 0;

    if (!choose(value, words, 3, &which))
        return fail(error, o, value, "auto, always or never");
    c->colour = (enum cli_colour)which;
    return true;
}

static bool take_file(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    return cli_file_add(c, value, NULL) || fail(error, o, value, "enough memory");
}

/* NAME=FILE; the name is a copy, freed with the list. */
static bool take_vantage(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    const char *equals = strchr(value, '=');
    char *name;

    if (!equals || equals == value || !equals[1])
        return fail(error, o, value, "NAME=FILE, such as dialer=eth0.pcap");
    name = strndup(value, (size_t)(equals - value));
    return (name && cli_file_add(c, equals + 1, name)) || fail(error, o, value, "enough memory");
}

/* ADDR or ADDR/LEN; an IPv4 length counts from the mapped form's 96 bits. */
static bool take_local(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    struct span rest = span_str(value), ip = span_until(&rest, '/');
    bool has_bits = span_find(span_str(value), '/') < strlen(value);
    struct local_net *n = &c->local[c->locals];
    uint64_t bits = 0, most;

    if (c->locals == CLI_LOCALS)
        return fail(error, o, value, "no more than 64 of them");
    if (!addr_parse_ip(ip, 0, &n->net))
        return fail(error, o, value, "an address such as 172.31.16.10, or a network such as 10.0.0.0/8");
    most = addr_is_v4(&n->net) ? 32 : 128;
    bits = most;
    if (has_bits && !span_u64(rest, most, &bits))
        return fail(error, o, value, "a prefix length of 0 to 32 (IPv4) or 0 to 128 (IPv6)");
    n->bits = (unsigned)(bits + 128 - most);
    c->locals++;
    return true;
}

static bool take_public_ip(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    struct addr *a = &c->public_ip[c->public_ips];

    if (c->public_ips == CLI_PUBLIC_IPS)
        return fail(error, o, value, "no more than 64 of them");
    if (!addr_parse_ip(span_str(value), 0, a) || addr_is_unroutable(a))
        return fail(error, o, value, "a public address, such as 203.0.113.10");
    c->public_ips++;
    return true;
}

/* A header's name is a token (RFC 3261 §25.1). */
static bool is_token(const char *name)
{
    return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")];
}

static bool take_link_header(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    if (c->link_headers == TRACK_LINK_HEADERS)
        return fail(error, o, value, "no more than 16 of them");
    if (!is_token(value))
        return fail(error, o, value, "the name of a SIP header, such as X-Call-ID");
    c->link_header[c->link_headers++] = value;
    return true;
}

static bool take_label(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    if (c->labels == TRACK_LABELS)
        return fail(error, o, value, "no more than 8 of them");
    if (!is_token(value))
        return fail(error, o, value, "the name of a SIP header, such as X-Campaign");
    c->label[c->labels++] = value;
    return true;
}

static bool take_tls_keylog(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    if (c->tls_keylogs == KEYLOG_FILES)
        return fail(error, o, value, "no more than 16 of them");
    if (!*value)
        return fail(error, o, value, "a file of TLS secrets, as SSLKEYLOGFILE makes them");
    c->tls_keylog[c->tls_keylogs++] = value;
    return true;
}

static bool take_window(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    if (!window_parse(value, (struct window_end *)(void *)((char *)c + o->at)))
        return fail(error, o, value, "a time such as 2026-11-02T09:15:00Z, or 09:15 or 09:15:30 in UTC");
    return true;
}

static bool take_interface(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    if (c->interfaces_of_file)
        c->interfaces = 0;
    c->interfaces_of_file = false;
    if (c->interfaces == LIVE_INTERFACES)
        return fail(error, o, value, "no more than 16 of them; 'any' is all");
    if (!*value)
        return fail(error, o, value, "the name of an interface, or 'any'; -D lists them");
    c->interface[c->interfaces++] = value;
    return true;
}

static bool take_rules(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    if (c->rules == CLI_RULES)
        return fail(error, o, value, "no more than 32 of them; a folder may hold many files");
    if (!*value)
        return fail(error, o, value, "a file of rules, or a folder of them");
    c->rule[c->rules++] = value;
    return true;
}

static bool take_syslog(struct cli *c, const struct option_row *o, const char *value, char *error)
{
    char why[SYSLOG_ERROR];

    if (c->syslogs == CLI_SYSLOGS)
        return fail(error, o, value, "no more than 8 of them");
    if (!syslog_target_check(value, why)) {
        snprintf(error, CLI_ERROR, "--%s: %.350s", o->name, why);
        return false;
    }
    c->syslog[c->syslogs++] = value;
    return true;
}

/* ---- the table ---- */

#define IN_CLI(member) .at = offsetof(struct cli, member)

static const struct option_row rows[] = {
    { "read", "FILE", 'r', .repeats = true, .take = take_file, .help = "the same as FILE" },
    { "interface", "NAME", 'i', .repeats = true, .take = take_interface,
      .help = "capture live on that interface, or on 'any' (again for more)" },
    { "list-interfaces", NULL, 'D', .command_line_only = true, .take = take_action, .least = ACTION_INTERFACES,
      .help = "list the interfaces that can be captured" },
    { "format", "FORMAT", .take = take_format, .help = "text (default), json, or ndjson: events as they happen, one a line" },
    { "output", "FILE", 'o', .take = take_text, IN_CLI(output),
      .help = "write reports and events there (events are added to it)" },
    { "local", "ADDR/LEN", .repeats = true, .take = take_local,
      .help = "these hosts are at the place of the capture (again for more; default: inferred,\n"
              "and live from the interface)" },
    { "public-ip", "ADDR", .repeats = true, .take = take_public_ip,
      .help = "the local hosts are seen from outside at this address, by a 1:1 NAT such as EC2's\n"
              "(again for more)" },
    { "vantage", "NAME=FILE", .repeats = true, .take = take_vantage,
      .help = "read FILE, captured at the place NAME; files of other places are kept apart\n"
              "(default: told apart by their local hosts)" },
    { "link-header", "NAME", .repeats = true, .take = take_link_header,
      .help = "a SIP header that joins a B2BUA's legs: one value in both, or the other's Call-ID\n"
              "(again for more; X-Call-ID, X-CID and others are known)" },
    { "label", "HEADER", .repeats = true, .take = take_label,
      .help = "a SIP header, such as X-Campaign: do the calls that fail share its value? (again\n"
              "for more)" },
    { "tls-keylog", "FILE", .repeats = true, .take = take_tls_keylog,
      .help = "read what is inside TLS, with the secrets in that file (SSLKEYLOGFILE; again for more);\n"
              "live it may grow" },
    { "filter", "EXPR", .take = take_text, IN_CLI(filter),
      .help = "only packets that this BPF expression takes (pcap-filter(7))" },
    { "write", "FILE", 'w', .take = take_text, IN_CLI(write),
      .help = "write the packets of failed sessions there (pcap), voice without what is said" },
    { "session", "ID", .command_line_only = true, .take = take_text, IN_CLI(session),
      .help = "with -w: the packets of the session with this Call-ID instead" },
    { "write-size", "MIB", .take = take_number, IN_CLI(write_mib), .least = 1, .most = 1 << 20,
      .help = "a file that would be larger becomes FILE.1, and so on (default 100)" },
    { "write-files", "N", .take = take_number, IN_CLI(write_files), .least = 1, .most = DUMP_FILES_MAX,
      .help = "so many files at most, the oldest is removed (default 10)" },
    { "write-audio", NULL, .take = take_switch, IN_CLI(write_audio), .help = "with -w: whole RTP, with what is said" },
    { "reduce", "OUT", .command_line_only = true, .take = take_text, IN_CLI(reduce),
      .help = "instead of a report: write FILE to OUT, small, with the voice packed; a later run reads OUT in\n"
              "place of FILE and reports the same" },
    { "since", "TIME", .take = take_window, IN_CLI(window.since),
      .help = "of files, look only at packets from TIME on: 2026-11-02T09:15:00Z, or 09:15[:30] in UTC\n"
              "on the day of the first packet" },
    { "until", "TIME", .take = take_window, IN_CLI(window.until),
      .help = "and only at packets before TIME; the others are counted" },
    { "forget", NULL, .take = take_switch, IN_CLI(forget),
      .help = "of long files: tell what is found as it happens and keep no calls that are over, so\n"
              "that memory does not grow" },
    { "grace", "SECONDS", .take = take_number, IN_CLI(grace_s), .least = 1, .most = 600,
      .help = "for events: how long after the answer media may be missing (default 5)" },
    { "rules", "FILE", .repeats = true, .take = take_rules,
      .help = "alerts by the rules in that file, or in the *.json of that folder (again for more; a\n"
              "later one may change rules of an earlier one)" },
    { "syslog", "TARGET", .repeats = true, .take = take_syslog,
      .help = "send alerts to local, udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT (again for\n"
              "more)" },
    { "syslog-ca", "FILE", .take = take_text, IN_CLI(syslog_ca),
      .help = "for tls: who may vouch for the log server (default: the system's authorities)" },
    { "syslog-cert", "FILE", .take = take_text, IN_CLI(syslog_cert), .help = "for tls: the certificate of this client, PEM" },
    { "syslog-key", "FILE", .take = take_text, IN_CLI(syslog_key), .help = "for tls: its key, PEM" },
    { "syslog-insecure", NULL, .take = take_switch, IN_CLI(syslog_insecure),
      .help = "for tls: whoever answers is trusted; said in the log" },
    { "syslog-sd-id", "ID", .take = take_text, IN_CLI(syslog_sd_id),
      .help = "what the fields of alerts are called, by your enterprise number (default\n"
              "rtpwatch@32473)" },
    { "state", "FILE", .take = take_text, IN_CLI(state),
      .help = "keep incidents there, so that a restart does not tell them again" },
    { "check-rules", NULL, .command_line_only = true, .take = take_action, .least = ACTION_CHECK_RULES,
      .help = "only say whether the rules are right (default: the service's)" },
    { "explain-rule", "NAME", .command_line_only = true, .take = take_text, IN_CLI(explain_rule),
      .help = "instead of a report: what that rule does with FILE, step by step" },
    { "snapshot", "FILE", .take = take_text, IN_CLI(snapshot),
      .help = "live: where SIGUSR1 writes a JSON report (default: the output)" },
    { "buffer", "MIB", 'B', .take = take_number, IN_CLI(buffer_mib), .least = 1, .most = 2000,
      .help = "live: the ring that packets wait in, for each interface (default 32)" },
    { "full-packets", NULL, .take = take_switch, IN_CLI(full_packets),
      .help = "live: copy voice as well, which else is cut to its headers in the kernel" },
    { "promiscuous", NULL, .take = take_switch, IN_CLI(promiscuous), .help = "live: frames to other hosts too (a mirror port)" },
    { "user", "NAME", .take = take_text, IN_CLI(user),
      .help = "live, as root: whom to become once the interfaces are open (default: " CLI_USER ",\nwhere there is one)" },
    { "no-confine", NULL, .take = take_switch, IN_CLI(no_confine), .help = "live: keep all privileges; for finding faults" },
    { "nice", "N", .take = take_number, IN_CLI(nice), .most = 19,
      .help = "live: how far to stand back for other programs, 0 to 19 (default 5)" },
    { "config", "FILE", .command_line_only = true, .take = take_text, IN_CLI(config),
      .help = "read options from FILE: lines of NAME = VALUE, by the long names here" },
    { "check-config", NULL, .command_line_only = true, .take = take_action, .least = ACTION_CHECK_CONFIG,
      .help = "only say whether that file is right (default " CLI_CONFIG ")" },
    { "color", "WHEN", .take = take_colour, .help = "auto (default), always or never; NO_COLOR is respected" },
    { "dump-facts", NULL, .take = take_switch, IN_CLI(dump_facts),
      .help = "instead of a report: every message and stream, one JSON object a line" },
    { "help", NULL, 'h', .command_line_only = true, .take = take_action, .least = ACTION_HELP, .help = "this text" },
    { "version", NULL, .command_line_only = true, .take = take_action, .least = ACTION_VERSION, .help = "the version" },
};

enum { ROWS = sizeof rows / sizeof *rows };
_Static_assert(sizeof rows / sizeof *rows <= OPTIONS_MAX, "more options than the command line's parser has room for");

size_t options_count(void)
{
    return ROWS;
}

const struct option_row *options_row(size_t i)
{
    return &rows[i];
}

const struct option_row *options_find(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

const struct option_row *options_of_letter(char letter)
{
    for (size_t i = 0; i < ROWS; i++)
        if (letter && rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

/* ---- what was meant ---- */

enum { NAME_MAX_COMPARED = 32 };

static unsigned least_of(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

/* How many letters must be added, left out or changed to make one of the other. */
static unsigned edits(const char *a, const char *b)
{
    unsigned row[NAME_MAX_COMPARED + 1];
    size_t n = strlen(b);

    if (n > NAME_MAX_COMPARED)
        return NAME_MAX_COMPARED;
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            unsigned above = row[j];

            row[j] = least_of(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

const char *options_nearest(const char *name)
{
    const char *best = NULL;
    unsigned fewest = strlen(name) < 5 ? 2 : 4; /* fewer than that many edits */

    for (size_t i = 0; i < ROWS && strlen(name) <= NAME_MAX_COMPARED; i++) {
        unsigned n = edits(name, rows[i].name);

        if (n < fewest) {
            fewest = n;
            best = rows[i].name;
        }
    }
    return best;
}
