#include "app/cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config.h"
#include "app/options.h"

enum { HELP_COLUMN = 27, LONG_ONLY = 256 /* what getopt returns for row i without a letter: LONG_ONLY + i */ };

/* ---- the help ---- */

static void help_row(FILE *to, const struct option_row *o)
{
    char head[64];
    const char *rest = o->help;
    int n = snprintf(head, sizeof head, "  %c%c%c --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                     o->letter ? ',' : ' ', o->name, o->value ? " " : "", o->value ? o->value : "");

    fprintf(to, n + 2 <= HELP_COLUMN ? "%-*s" : "%-*s  ", HELP_COLUMN, head);
    for (size_t end; *rest; rest += end + (rest[end] != '\0')) {
        end = strcspn(rest, "\n");
        if (rest != o->help)
            fprintf(to, "%*s", HELP_COLUMN, "");
        fprintf(to, "%.*s\n", (int)end, rest);
    }
}

void cli_help(FILE *to)
{
    fputs("usage: rtpwatch [options] FILE...\n"
          "       rtpwatch -i INTERFACE [options] [BPF filter]\n"
          "\n"
          "Reads captures (pcap, pcapng; '-' is standard input) as one stream in time order, or packets as they pass, and\n"
          "says which calls lost their media, in which direction, why, and which STUN server supplied a bad candidate.\n"
          "\n",
          to);
    for (size_t i = 0; i < options_count(); i++)
        help_row(to, options_row(i));
    fputs("\n"
          "Exit status: 0 nothing failed, 1 a session failed, 2 the command line or an input was unusable (what could\n"
          "be read is still reported).\n",
          to);
}

/* ---- the command line ---- */

static void getopt_tables(struct option longs[OPTIONS_MAX + 1], char shorts[2 * OPTIONS_MAX + 2])
{
    size_t n = 0;

    shorts[n++] = ':';
    for (size_t i = 0; i < options_count(); i++) {
        const struct option_row *o = options_row(i);

        longs[i] = (struct option){ o->name, o->value ? required_argument : no_argument, NULL, LONG_ONLY + (int)i };
        if (o->letter)
            shorts[n++] = o->letter;
        if (o->letter && o->value)
            shorts[n++] = ':';
    }
    longs[options_count()] = (struct option){ 0 };
    shorts[n] = '\0';
}

static bool unknown(const char *word, char *error)
{
    const char *near = strncmp(word, "--", 2) == 0 ? options_nearest(word + 2) : NULL;

    if (near)
        snprintf(error, CLI_ERROR, "unknown option '%.160s': did you mean '--%s'?", word, near);
    else
        snprintf(error, CLI_ERROR, "unknown option '%.160s': expected one that 'rtpwatch --help' lists", word);
    return false;
}

/* Goes through all options; `only`: takes that one alone, and minds no others. */
static bool options_take(struct cli *c, int argc, char **argv, const struct option_row *only, char *error)
{
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 2];
    int got;

    getopt_tables(longs, shorts);
    optind = 0; /* begin anew, with glibc */
    opterr = 0;
    while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct option_row *o = got >= LONG_ONLY ? options_row((size_t)(got - LONG_ONLY)) : options_of_letter((char)got);

        if (got == '?' && !only)
            return unknown(argv[optind - 1], error);
        if (got == ':' && !only)
            return snprintf(error, CLI_ERROR, "option '%.160s': expected a value after it", argv[optind - 1]) < 0;
        if (o && (!only || o == only) && !o->take(c, o, optarg, error))
            return false;
    }
    return true;
}

/* With interfaces what follows the options is a filter, as tcpdump has it; else these are files. */
static bool operands_take(struct cli *c, char **operand, size_t n, char *error)
{
    struct strbuf b = { 0 };

    for (size_t i = 0; i < n && !c->interfaces; i++)
        if (!cli_file_add(c, operand[i], NULL))
            return snprintf(error, CLI_ERROR, "not enough memory") < 0;
    if (!c->interfaces || !n)
        return true;
    if (c->filter)
        strbuf_fmt(&b, "(%s) and (", c->filter);
    for (size_t i = 0; i < n; i++)
        strbuf_fmt(&b, i ? " %s" : "%s", operand[i]);
    if (c->filter)
        strbuf_add(&b, ")");
    c->filter = arena_str(&c->strings, span_str(strbuf_str(&b)));
    strbuf_done(&b);
    return true;
}

/* What its configuration names by default, as far as it is there. */
static void rules_of_the_service(struct cli *c)
{
    c->rule[c->rules++] = RW_RULES;
    if (access(RW_OWN_RULES, F_OK) == 0)
        c->rule[c->rules++] = RW_OWN_RULES;
}

/* --reduce packs packets and judges nothing. */
static const char *why_not_reduced(const struct cli *c)
{
    if (c->interfaces)
        return "--reduce is for capture files";
    if (c->format != FORMAT_TEXT || c->output || c->write || c->dump_facts || c->rules || c->explain_rule || c->locals ||
        c->public_ips || c->link_headers || c->labels)
        return "with --reduce go --vantage, --filter, --since and --until alone; all else belongs to the run that reads its file";
    if (c->tls_keylogs)
        return "--reduce reads no TLS: give --tls-keylog, and the captures themselves, to a run that reports";
    if (c->window.since.time_of_day || c->window.until.time_of_day)
        return "with --reduce, --since and --until need their date: a part does not tell on which day the set begins";
    return NULL;
}

static bool sound(const struct cli *c, char *error)
{
    const char *wrong = NULL;

    if (c->interfaces && c->files_n)
        wrong = "both an interface and a capture file: give one of them";
    else if (!c->interfaces && !c->files_n)
        wrong = "no input: give a capture file, '-' for standard input, or an interface with -i; 'rtpwatch --help' tells more";
    else if (c->interfaces && (c->dump_facts || c->explain_rule))
        wrong = "--dump-facts and --explain-rule are for capture files";
    else if (c->interfaces && window_given(&c->window))
        wrong = "--since and --until are for capture files";
    else if (c->interfaces && c->forget)
        wrong = "--forget is for capture files; live capture always does";
    else if (c->forget && (c->write || c->dump_facts))
        wrong = "-w and --dump-facts need all that was seen: give them without --forget";
    else if (!c->rules && (c->syslogs || c->state))
        wrong = "--syslog and --state are for alerts, which rules make: give rules as well, such as --rules " RW_RULES;
    else if (!c->write && (c->session || c->write_mib || c->write_files || c->write_audio))
        wrong = "--session and --write-... are for -w FILE, which says where the packets go";
    else if (c->write && strcmp(c->write, "-") == 0)
        wrong = "-w needs the name of a file; standard output is the report's";
    else if (c->write && (c->dump_facts || c->explain_rule))
        wrong = "-w is for sessions that are judged: give it without --dump-facts and --explain-rule";
    else if (c->interfaces && c->session)
        wrong = "--session is for capture files; live, -w takes every session that fails";
    else if (c->reduce)
        wrong = why_not_reduced(c);
    snprintf(error, CLI_ERROR, "%s", wrong ? wrong : "");
    return !wrong;
}

bool cli_parse(struct cli *c, int argc, char **argv, char error[CLI_ERROR])
{
    return cli_parse_again(c, argc, argv, stderr, error);
}

bool cli_parse_again(struct cli *c, int argc, char **argv, FILE *wrong, char error[CLI_ERROR])
{
    *c = (struct cli){ .grace_s = 5, .nice = 5 };
    /* The file first: what stands on the command line holds against it, or adds to it. */
    if (!options_take(c, argc, argv, options_find("config"), error))
        return false;
    if (c->config && !config_read(c, c->config, wrong, error))
        return false;
    c->interfaces_of_file = c->interfaces > 0;
    if (!options_take(c, argc, argv, NULL, error))
        return false;
    if (!c->rules && (c->action == ACTION_CHECK_RULES || c->explain_rule))
        rules_of_the_service(c);
    if (c->action != ACTION_ANALYSE)
        return true;
    return operands_take(c, argv + optind, (size_t)(argc - optind), error) && sound(c, error);
}

bool cli_file_add(struct cli *c, const char *path, char *vantage)
{
    size_t n = c->files_n;
    const char **files = NULL;
    char **names = NULL;

    if ((n & (n - 1)) != 0 && n) { /* room is doubled when the count reaches a power of two */
        files = c->files;
        names = c->vantage;
    } else {
        size_t room = n ? 2 * n : 1;

        files = realloc(c->files, room * sizeof *files);
        c->files = files ? files : c->files;
        names = files ? realloc(c->vantage, room * sizeof *names) : NULL;
        c->vantage = names ? names : c->vantage;
    }
    if (!files || !names) {
        free(vantage);
        return false;
    }
    c->files[n] = path;
    c->vantage[n] = vantage;
    c->files_n++;
    return true;
}

void cli_done(struct cli *c)
{
    for (size_t i = 0; i < c->files_n; i++)
        free(c->vantage[i]);
    free(c->vantage);
    free(c->files);
    arena_done(&c->strings);
    *c = (struct cli){ 0 };
}

/* ---- while it runs ---- */

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool cli_needs_restart(const struct cli *a, const struct cli *b)
{
    bool differs = a->interfaces != b->interfaces || !same(a->filter, b->filter) || !same(a->user, b->user) ||
                   a->buffer_mib != b->buffer_mib || a->full_packets != b->full_packets || a->promiscuous != b->promiscuous ||
                   a->format != b->format || a->nice != b->nice || a->no_confine != b->no_confine || a->grace_s != b->grace_s ||
                   a->link_headers != b->link_headers || a->tls_keylogs != b->tls_keylogs || a->syslogs != b->syslogs ||
                   !same(a->state, b->state) || !same(a->syslog_ca, b->syslog_ca) || !same(a->syslog_cert, b->syslog_cert) ||
                   !same(a->syslog_key, b->syslog_key) || !same(a->syslog_sd_id, b->syslog_sd_id) ||
                   a->syslog_insecure != b->syslog_insecure;

    for (size_t i = 0; !differs && i < a->syslogs; i++)
        differs = !same(a->syslog[i], b->syslog[i]);
    for (size_t i = 0; !differs && i < a->interfaces; i++)
        differs = !same(a->interface[i], b->interface[i]);
    for (size_t i = 0; !differs && i < a->tls_keylogs; i++)
        differs = !same(a->tls_keylog[i], b->tls_keylog[i]);
    for (size_t i = 0; !differs && i < a->link_headers; i++)
        differs = !same(a->link_header[i], b->link_header[i]);
    return differs;
}
