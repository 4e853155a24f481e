/* The reference of every measurement: a libpcap loop that only counts the packets of a file. */
#define _DEFAULT_SOURCE /* pcap.h uses u_char and its like */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include <pcap.h>

static void one_more(u_char *count, const struct pcap_pkthdr *header, const u_char *bytes)
{
    (void)header;
    (void)bytes;
    ++*(uint64_t *)(void *)count;
}

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE] = "usage: count FILE";
    pcap_t *file = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
    uint64_t count = 0;
    int rc;

    if (!file) {
        (void)fprintf(stderr, "count: %s\n", why);
        return 2;
    }
    rc = pcap_loop(file, -1, one_more, (u_char *)&count);
    if (rc == PCAP_ERROR)
        (void)fprintf(stderr, "count: %s\n", pcap_geterr(file));
    pcap_close(file);
    (void)printf("%" PRIu64 "\n", count);
    return rc == PCAP_ERROR ? 1 : 0;
}
