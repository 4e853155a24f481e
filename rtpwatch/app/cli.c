#include "app/cli.h"

#include <getopt.h>
#include <stdlib.h>

#include "capture/dump.h"

enum {
    OPT_FORMAT = 256,
    OPT_LOCAL,
    OPT_FILTER,
    OPT_COLOUR,
    OPT_DUMP,
    OPT_VERSION,
    OPT_VANTAGE,
    OPT_LINK_HEADER,
    OPT_LABEL,
    OPT_SESSION,
    OPT_WRITE_SIZE,
    OPT_WRITE_FILES,
    OPT_WRITE_AUDIO
};

static const struct option options[] = {
    { "format", required_argument, NULL, OPT_FORMAT },
    { "local", required_argument, NULL, OPT_LOCAL },
    { "filter", required_argument, NULL, OPT_FILTER },
    { "color", required_argument, NULL, OPT_COLOUR },
    { "dump-facts", no_argument, NULL, OPT_DUMP },
    { "read", required_argument, NULL, 'r' },
    { "version", no_argument, NULL, OPT_VERSION },
    { "help", no_argument, NULL, 'h' },
    { "vantage", required_argument, NULL, OPT_VANTAGE },
    { "link-header", required_argument, NULL, OPT_LINK_HEADER },
    { "label", required_argument, NULL, OPT_LABEL },
    { "write", required_argument, NULL, 'w' },
    { "session", required_argument, NULL, OPT_SESSION },
    { "write-size", required_argument, NULL, OPT_WRITE_SIZE },
    { "write-files", required_argument, NULL, OPT_WRITE_FILES },
    { "write-audio", no_argument, NULL, OPT_WRITE_AUDIO },
    { NULL, 0, NULL, 0 },
};

void cli_help(FILE *to)
{
    fputs("usage: rtpwatch [options] FILE...\n"
          "\n"
          "Reads captures (pcap, pcapng; '-' is standard input) as one stream in time order and says which calls lost\n"
          "their media, in which direction, why, and which STUN server supplied a bad candidate.\n"
          "\n"
          "  -r, --read FILE       the same as FILE\n"
          "      --format FORMAT   text (default) or json\n"
          "      --local ADDR/LEN  these hosts are at the place of the capture (again for more; default: inferred)\n"
          "      --vantage NAME=FILE  read FILE, captured at the place NAME; files of other places are kept apart\n"
          "                        (default: told apart by their local hosts)\n"
          "      --link-header NAME  a SIP header that joins a B2BUA's legs: one value in both, or the other's Call-ID\n"
          "                        (again for more; X-Call-ID, X-CID and others are known)\n"
          "      --label HEADER    a SIP header, such as X-Campaign: do the calls that fail share its value? (again for\n"
          "                        more)\n"
          "      --filter EXPR     only packets that this BPF expression takes (pcap-filter(7))\n"
          "  -w, --write FILE      write the packets of failed sessions there (pcap), voice without what is said\n"
          "      --session ID      with -w: the packets of the session with this Call-ID instead\n"
          "      --write-size MIB  a file that would be larger becomes FILE.1, and so on (default: 100)\n"
          "      --write-files N   so many files at most, the oldest is removed (default: 10)\n"
          "      --write-audio     with -w: whole RTP, with what is said\n"
          "      --color WHEN      auto (default), always or never; NO_COLOR is respected\n"
          "      --dump-facts      instead of a report: every message and stream, one JSON object a line\n"
          "  -h, --help            this text\n"
          "      --version         the version\n"
          "\n"
          "Exit status: 0 nothing failed, 1 a session failed, 2 the command line or an input was unusable (what could\n"
          "be read is still reported).\n",
          to);
}

static bool fail(char *error, const char *what, const char *value, const char *expected)
{
    snprintf(error, CLI_ERROR, "%s '%s': expected %s", what, value, expected);
    return false;
}

/* ADDR or ADDR/LEN; an IPv4 length counts from the mapped form's 96 bits. */
static bool parse_local(struct cli *c, const char *text, char *error)
{
    struct span rest = span_str(text), ip = span_until(&rest, '/');
    bool has_bits = span_find(span_str(text), '/') < strlen(text);
    struct local_net *n = &c->local[c->locals];
    uint64_t bits = 0, most;

    if (c->locals == CLI_LOCALS)
        return fail(error, "--local", text, "no more than 64 of them");
    if (!addr_parse_ip(ip, 0, &n->net))
        return fail(error, "--local", text, "an address such as 172.31.16.10, or a network such as 10.0.0.0/8");
    most = addr_is_v4(&n->net) ? 32 : 128;
    bits = most;
    if (has_bits && !span_u64(rest, most, &bits))
        return fail(error, "--local", text, "a prefix length of 0 to 32 (IPv4) or 0 to 128 (IPv6)");
    n->bits = (unsigned)(bits + 128 - most);
    c->locals++;
    return true;
}

/* NAME=FILE; the name is a copy, freed with the list. */
static bool parse_vantage(struct cli *c, const char *text, char *error)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text || !equals[1])
        return fail(error, "--vantage", text, "NAME=FILE, such as dialer=eth0.pcap");
    c->vantage[c->files_n] = strndup(text, (size_t)(equals - text));
    c->files[c->files_n++] = equals + 1;
    return true;
}

/* A header's name is a token (RFC 3261 §25.1). */
static bool is_token(const char *name)
{
    return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")];
}

static bool parse_link_header(struct cli *c, const char *name, char *error)
{
    if (c->link_headers == TRACK_LINK_HEADERS)
        return fail(error, "--link-header", name, "no more than 16 of them");
    if (!is_token(name))
        return fail(error, "--link-header", name, "the name of a SIP header, such as X-Call-ID");
    c->link_header[c->link_headers++] = name;
    return true;
}

static bool parse_label(struct cli *c, const char *name, char *error)
{
    if (c->labels == TRACK_LABELS)
        return fail(error, "--label", name, "no more than 8 of them");
    if (!is_token(name))
        return fail(error, "--label", name, "the name of a SIP header, such as X-Campaign");
    c->label[c->labels++] = name;
    return true;
}

static bool parse_number(const char *option, const char *text, unsigned most, unsigned *out, char *error)
{
    uint64_t n = 0;

    if (!span_u64(span_str(text), most, &n) || !n) {
        snprintf(error, CLI_ERROR, "%s '%s': expected a number from 1 to %u", option, text, most);
        return false;
    }
    *out = (unsigned)n;
    return true;
}

/* Options that only mean something together. */
static bool fits(const struct cli *c, char *error)
{
    if (!c->write && (c->session || c->write_mib || c->write_files || c->write_audio))
        return fail(error, "--session and --write-...", "", "-w FILE beside them, which says where the packets go");
    if (c->write && c->dump_facts)
        return fail(error, "-w", c->write, "no --dump-facts beside it, which judges nothing");
    if (c->write && (!*c->write || strcmp(c->write, "-") == 0))
        return fail(error, "-w", c->write, "the name of a file; standard output is the report's");
    return true;
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

static bool option(struct cli *c, int opt, const char *value, char *error)
{
    static const char *const formats[] = { "text", "json" }, *const colours[] = { "auto", "always", "never" };
    unsigned which = 0;

    switch (opt) {
    case OPT_FORMAT:
        if (!choose(value, formats, 2, &which))
            return fail(error, "--format", value, "text or json");
        c->format = (enum cli_format)which;
        return true;
    case OPT_COLOUR:
        if (!choose(value, colours, 3, &which))
            return fail(error, "--color", value, "auto, always or never");
        c->colour = (enum cli_colour)which;
        return true;
    case OPT_LOCAL: return parse_local(c, value, error);
    case OPT_VANTAGE: return parse_vantage(c, value, error);
    case OPT_LINK_HEADER: return parse_link_header(c, value, error);
    case OPT_LABEL: return parse_label(c, value, error);
    case OPT_FILTER: c->filter = value; return true;
    case 'w': c->write = value; return true;
    case OPT_SESSION: c->session = value; return true;
    case OPT_WRITE_SIZE: return parse_number("--write-size", value, 1 << 20, &c->write_mib, error);
    case OPT_WRITE_FILES: return parse_number("--write-files", value, DUMP_FILES_MAX, &c->write_files, error);
    case OPT_WRITE_AUDIO: c->write_audio = true; return true;
    case OPT_DUMP: c->dump_facts = true; return true;
    case OPT_VERSION: c->action = ACTION_VERSION; return true;
    case 'h': c->action = ACTION_HELP; return true;
    case 'r': c->files[c->files_n++] = value; return true;
    default: return fail(error, "option", "", "one that 'rtpwatch --help' lists");
    }
}

bool cli_parse(struct cli *c, int argc, char **argv, char error[CLI_ERROR])
{
    int opt, index = 0;

    *c = (struct cli){ .files = calloc((size_t)argc + 1, sizeof *c->files),
                       .vantage = calloc((size_t)argc + 1, sizeof *c->vantage) };
    if (!c->files || !c->vantage)
        return fail(error, "start", "rtpwatch", "enough memory");
    optind = 1;
    opterr = 0;
    while ((opt = getopt_long(argc, argv, ":r:w:h", options, &index)) != -1) {
        if (opt == '?')
            return fail(error, "unknown option", argv[optind - 1], "one that 'rtpwatch --help' lists");
        if (opt == ':')
            return fail(error, "option", argv[optind - 1], "a value after it");
        if (!option(c, opt, optarg, error))
            return false;
    }
    for (; optind < argc; optind++)
        c->files[c->files_n++] = argv[optind];
    if (c->action == ACTION_ANALYSE && !fits(c, error))
        return false;
    if (c->action == ACTION_ANALYSE && !c->files_n)
        return snprintf(error, CLI_ERROR,
                        "no input: give a capture file, or '-' for standard input; 'rtpwatch --help' tells more") < 0;
    return true;
}

void cli_done(struct cli *c)
{
    for (size_t i = 0; c->vantage && i < c->files_n; i++)
        free(c->vantage[i]);
    free(c->vantage);
    free(c->files);
    *c = (struct cli){ 0 };
}
