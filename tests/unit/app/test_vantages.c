/* Which files are of one place, and what the places are called: see rtpwatch/app/vantages.h. */
#include "app/vantages.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 4, PATH = 64, TTL_NEAR = 64, TTL_FAR = 57, RAW_IP = 101, PACKETS = 20 };

static char folder[] = "/tmp/rtpwatch-vantages-XXXXXX";
static struct cli cli;
static struct vantages found;
static char path[FILES][PATH];
static const char *files[FILES];
static char *names[FILES + 1];

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cli = (struct cli){ .files = files, .vantage = names };
}

static void teardown(void)
{
    for (size_t i = 0; i < cli.files_n; i++)
        unlink(path[i]);
    rmdir(folder);
}

TestSuite(vantages, .init = setup, .fini = teardown);

static FILE *file(const char *name)
{
    static const uint32_t header[] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, RAW_IP };
    char *p = path[cli.files_n];
    FILE *f;

    cr_assert_lt((size_t)snprintf(p, PATH, "%s/%s", folder, name), (size_t)PATH);
    files[cli.files_n++] = p;
    f = fopen(p, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(header, sizeof header, 1, f), 1);
    return f;
}

/* A datagram between 10.0.0.A and 10.0.0.B. */
static void packet(FILE *f, uint8_t a, uint8_t b, uint8_t ttl)
{
    const uint8_t ip[32] = {
        0x45, [3] = 32, [8] = ttl, [9] = 17, [12] = 10, [15] = a, [16] = 10, [19] = b, 0x9c, 0x40, [22] = 0x9c, 0x42, [25] = 12
    };
    const uint32_t record[] = { 1700000000, 0, sizeof ip, sizeof ip };

    cr_assert_eq(fwrite(record, sizeof record, 1, f), 1);
    cr_assert_eq(fwrite(ip, sizeof ip, 1, f), 1);
}

/* A capture on host `a`, which talks to `b`. */
static void capture_on(const char *name, uint8_t a, uint8_t b)
{
    FILE *f = file(name);

    for (int i = 0; i < PACKETS; i++) {
        packet(f, a, b, TTL_NEAR);
        packet(f, b, a, TTL_FAR);
    }
    fclose(f);
}

/* A capture between routers. */
static void capture_between(const char *name, uint8_t a, uint8_t b)
{
    FILE *f = file(name);

    for (int i = 0; i < PACKETS; i++) {
        packet(f, a, b, TTL_FAR);
        packet(f, b, a, TTL_FAR);
    }
    fclose(f);
}

Test(vantages, one_file)
{
    capture_on("dialer.pcap", 1, 2);
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 1);
    cr_expect_str_eq(found.name[0], "dialer");
}

Test(vantages, two_ends)
{
    capture_on("dialer.pcap", 1, 2);
    capture_on("client.pcapng", 2, 1);
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 2);
    cr_expect_eq(found.of_input[1], 1);
    cr_expect_str_eq(found.name[0], "dialer");
    cr_expect_str_eq(found.name[1], "client");
    cr_expect_eq(vantages_files(&found, 2, 0), 1);
}

Test(vantages, a_rotated_set)
{
    capture_on("dialer.pcap", 1, 2);
    capture_on("dialer.pcap1", 1, 3);
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 1);
    cr_expect_eq(vantages_files(&found, 2, 0), 2);
}

/* Outside a NAT nobody is local: a place of its own, and not one with the first. */
Test(vantages, a_place_between)
{
    capture_on("dialer.pcap", 1, 2);
    capture_between("natwan.pcap", 1, 2);
    capture_on("client.pcap", 2, 1);
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 3);
    cr_expect_eq(found.of_input[1], 1);
    cr_expect_str_eq(found.name[1], "natwan");
}

Test(vantages, a_rotated_set_between)
{
    capture_between("wan0.pcap", 1, 2);
    capture_between("wan1.pcap", 1, 3);
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 1);
}

/* Nothing to look at: it is of the first place. */
Test(vantages, an_empty_file)
{
    capture_on("dialer.pcap", 1, 2);
    fclose(file("empty.pcap"));
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 1);
}

/* A pipe is left alone: what is read of it to look at it would be lost. */
Test(vantages, a_pipe)
{
    capture_on("dialer.pcap", 1, 2);
    snprintf(path[1], PATH, "%s/pipe", folder);
    files[cli.files_n++] = path[1];
    cr_assert_eq(mkfifo(path[1], 0600), 0);
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 1);
}

/* Two networks of one host, captured each for itself, look like two places, until the user says otherwise. */
Test(vantages, two_interfaces_of_one_host)
{
    capture_on("eth0.pcap", 1, 2);
    capture_on("eth1.pcap", 5, 6);
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 2);
    names[0] = names[1] = "dialer";
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 1);
    cr_expect_str_eq(found.name[0], "dialer");
    names[0] = names[1] = NULL;
}

/* Two folders with files of one name: the names stay long enough to tell the places apart. */
Test(vantages, names_that_would_be_alike)
{
    capture_on("a.pcap", 1, 2);
    capture_on("a.pcapng", 2, 1);
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 2);
    cr_expect_str_eq(found.name[0], path[0]);
    cr_expect_str_eq(found.name[1], path[1]);
}

/* --local is of some place, and does not make one of all. */
Test(vantages, with_local_hosts_given)
{
    capture_on("dialer.pcap", 1, 2);
    capture_on("client.pcap", 2, 1);
    cli.locals = 1;
    cr_assert(addr_parse_ip(SPAN("10.0.0.1"), 0, &cli.local[0].net));
    cli.local[0].bits = 128;
    cr_assert(vantages_find(&found, &cli));
    cr_expect_eq(found.n, 2);
}
