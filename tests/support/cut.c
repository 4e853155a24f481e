/*
 * Writes a capture as the kernel would have given it: each packet cut to what the prefilter returns for it.
 *
 *   cut IN.pcap OUT.pcap
 */
#include <pcap/pcap.h>
#include <stdio.h>

#include "capture/prefilter.h"

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "cut: %s: %s\n", what, why);
    return 2;
}

static int copy(pcap_t *in, pcap_dumper_t *out, const struct bpf_program *program)
{
    struct pcap_pkthdr *h;
    const u_char *bytes;

    while (pcap_next_ex(in, &h, &bytes) == 1) {
        struct pcap_pkthdr kept = *h;
        u_int n = bpf_filter(program->bf_insns, bytes, h->len, h->caplen);

        if (n == 0)
            return fail("a packet", "refused, though everything should be taken");
        kept.caplen = n < h->caplen ? n : h->caplen;
        pcap_dump((u_char *)out, &kept, bytes);
    }
    return pcap_dump_flush(out) == 0 ? 0 : fail("output", pcap_geterr(in));
}

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE];
    struct bpf_program program;
    pcap_t *in = argc == 3 ? pcap_open_offline_with_tstamp_precision(argv[1], PCAP_TSTAMP_PRECISION_NANO, why) : NULL;
    pcap_dumper_t *out = in ? pcap_dump_open(in, argv[2]) : NULL;
    int status;

    if (!in)
        return fail(argc == 3 ? argv[1] : "usage", argc == 3 ? why : "cut IN.pcap OUT.pcap");
    if (!out)
        return fail(argv[2], pcap_geterr(in));
    if (!prefilter_build(pcap_datalink(in), NULL, false, &program))
        return fail(argv[1], "no program for that link type");
    status = copy(in, out, &program);
    prefilter_free(&program);
    pcap_dump_close(out);
    pcap_close(in);
    return status;
}
