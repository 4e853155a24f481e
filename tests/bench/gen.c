/*
 * Makes a capture of many calls, the same for the same options on every run, and the truth about each of them.
 *
 * The vantage is the dialers' own network: dialers 10.0.N.10 behind a 1:1 NAT (outside 203.0.113.N) call webphones
 * (198.51.100.N) through a proxy. Before each call the dialer's RTP and RTCP sockets ask a STUN server. The honest
 * one gives the outside address; in a bad call the dialer asks the lying one, puts the lie into its SDP, and the
 * webphone's RTP goes there and is never seen. The webphone's RTCP goes back to where the dialer's comes from
 * (symmetric RTCP), so its reports do arrive: the dialer's own direction is received, the call is one_way.
 * Bad calls do not use ICE: with it such a call ends in other ways, which the golden captures show.
 *
 * No random state: every choice is a hash of the seed, the call and what is chosen, so the order of events does not matter.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "gen_call.h"

enum { CALLS_MAX = 10 * 1000 * 1000 };
#define MEDIA_DUE_NS (1 * (int64_t)SECOND) /* calls up to this are over before their media is missed */

/* ---- events ---- */

static bool sooner(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->serial < b->serial;
}

void schedule(struct gen *g, int64_t at, uint32_t call, uint32_t step)
{
    const struct event e = { at, g->scheduled++, call, step };
    size_t i = g->events++;

    if (i == g->room) {
        g->room = g->room ? 2 * g->room : 1024;
        g->heap = realloc(g->heap, g->room * sizeof *g->heap);
        if (!g->heap)
            abort();
    }
    for (; i && sooner(&e, &g->heap[(i - 1) / 2]); i = (i - 1) / 2)
        g->heap[i] = g->heap[(i - 1) / 2];
    g->heap[i] = e;
}

static struct event next_event(struct gen *g)
{
    const struct event first = g->heap[0], last = g->heap[--g->events];
    size_t i = 0;

    for (size_t kid = 1; kid < g->events; kid = 2 * i + 1) {
        if (kid + 1 < g->events && sooner(&g->heap[kid + 1], &g->heap[kid]))
            kid++;
        if (!sooner(&g->heap[kid], &last))
            break;
        g->heap[i] = g->heap[kid];
        i = kid;
    }
    g->heap[i] = last;
    return first;
}

static void run(struct gen *g)
{
    while (g->events) {
        const struct event e = next_event(g);

        call_play(g, &e);
    }
}

/* ---- the truth ---- */

static void truth_server(FILE *f, const struct server *s)
{
    char ip[IP_TEXT];

    (void)fprintf(f, "{\"address\": \"%s:%u\", \"name\": \"%s\"}", ip_text(s->sock.ip, ip), s->sock.port, s->name);
}

static void truth_call(FILE *f, const struct gen *g, uint32_t id)
{
    const struct call *c = &g->calls[id];
    const char *silent = g->opt.duration_ns < MEDIA_DUE_NS ? "unknown" : "no_media";
    const char *verdict = g->opt.no_media ? silent : c->bad ? "one_way" : "ok";
    char id_text[CALL_ID_TEXT];

    (void)fprintf(f,
                  "  {\"call_id\": \"%s\", \"verdict\": \"%s\", \"ice\": %s, \"sent_packets\": %" PRIu32
                  ", \"received_packets\": %" PRIu32,
                  call_id(g, id, id_text), verdict, c->ice ? "true" : "false", c->stream[DIALER].sent,
                  c->stream[WEBPHONE].sent - c->stream[WEBPHONE].lost);
    (void)fprintf(f, ", \"server\": ");
    if (c->bad)
        truth_server(f, &liar);
    else
        (void)fprintf(f, "null");
    (void)fprintf(f, "}%s\n", id + 1 < g->opt.calls ? "," : "");
}

/* `verdict` "unknown": there is no media, and the call is too short to miss it. Packets are RTP as seen at the dialers. */
static bool write_truth(const struct gen *g)
{
    FILE *f;

    if (!g->opt.truth)
        return true;
    f = fopen(g->opt.truth, "w");
    if (!f)
        return false;
    (void)fprintf(f, "{\n \"packets\": %" PRIu64 ",\n \"honest\": ", g->out.packets);
    truth_server(f, &honest);
    (void)fprintf(f, ",\n \"liar\": ");
    truth_server(f, &liar);
    (void)fprintf(f, ",\n \"calls\": [\n");
    for (uint32_t id = 0; id < g->opt.calls; id++)
        truth_call(f, g, id);
    (void)fprintf(f, " ]\n}\n");
    return !ferror(f) && fclose(f) == 0;
}

/* ---- options ---- */

static const char usage[] =
    "usage: gen [--calls N] [--duration S] [--rate CALLS_PER_S] [--bad SHARE] [--ice SHARE] [--loss SHARE] [--seed N]\n"
    "           [--no-media] [--micro | --pcapng] [--truth FILE] -o FILE\n";

static const struct option names[] = {
    { "calls", required_argument, NULL, 'c' }, { "duration", required_argument, NULL, 'd' },
    { "rate", required_argument, NULL, 'r' },  { "bad", required_argument, NULL, 'b' },
    { "ice", required_argument, NULL, 'i' },   { "loss", required_argument, NULL, 'l' },
    { "seed", required_argument, NULL, 's' },  { "truth", required_argument, NULL, 't' },
    { "micro", no_argument, NULL, 'u' },       { "no-media", no_argument, NULL, 'n' },
    { "pcapng", no_argument, NULL, 'p' },      { NULL, 0, NULL, 0 },
};

static double number(const char *text, double low, double high)
{
    char *rest;
    const double v = strtod(text, &rest);

    if (rest == text || *rest || !(v >= low && v <= high)) {
        (void)fprintf(stderr, "gen: '%s' is no number from %g to %g\n", text, low, high);
        exit(2);
    }
    return v;
}

static struct options parse(int argc, char **argv)
{
    struct options o = { .calls = 100, .duration_ns = 10 * (int64_t)SECOND, .rate = 10, .bad = 0.1, .ice = 0.3, .seed = 1 };
    int c;

    while ((c = getopt_long(argc, argv, "o:", names, NULL)) != -1)
        switch (c) {
        case 'c': o.calls = (uint32_t)number(optarg, 1, CALLS_MAX); break;
        case 'd': o.duration_ns = (int64_t)(number(optarg, 0.1, 86400) * SECOND); break;
        case 'r': o.rate = number(optarg, 0.001, 1e6); break;
        case 'b': o.bad = number(optarg, 0, 1); break;
        case 'i': o.ice = number(optarg, 0, 1); break;
        case 'l': o.loss = number(optarg, 0, 1); break;
        case 's': o.seed = (uint64_t)number(optarg, 0, 9007199254740992.0); break;
        case 't': o.truth = optarg; break;
        case 'u': o.format = PCAP_MICROSECONDS; break;
        case 'p': o.format = PCAPNG; break;
        case 'n': o.no_media = true; break;
        case 'o': o.out = optarg; break;
        default: (void)fputs(usage, stderr); exit(2);
        }
    if (!o.out || optind != argc) {
        (void)fputs(usage, stderr);
        exit(2);
    }
    return o;
}

int main(int argc, char **argv)
{
    struct gen g = { .opt = parse(argc, argv) };
    bool good = pcap_open(&g.out, g.opt.out, g.opt.format) && calls_prepare(&g);

    if (good)
        run(&g);
    good = good && pcap_finish(&g.out) && write_truth(&g);
    if (!good)
        (void)fprintf(stderr, "gen: cannot write %s or %s\n", g.opt.out, g.opt.truth ? g.opt.truth : "the truth");
    free(g.calls);
    free(g.heap);
    return good ? 0 : 1;
}
