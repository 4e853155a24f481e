/*
 * Which inputs were captured at one place. Several files of one place are a rotated set and are read as one; files of different places
 * see the same call from two sides, and must not be mixed (SPEC §2, "vantage").
 */
#ifndef RW_APP_VANTAGES_H
#define RW_APP_VANTAGES_H

#include "app/cli.h"
#include "capture/capture.h"
#include "verdict/report.h"

enum { VANTAGE_NAME = 64 };

struct vantages {
    size_t n;
    bool too_many;
    const char *name[VANTAGES_KEPT]; /* as given, or after the first file: "dialer" for captures/dialer.pcap */
    char short_name[VANTAGES_KEPT][VANTAGE_NAME];
    unsigned char of_input[CAPTURE_INPUTS];
};

/*
 * Named ones first (--vantage NAME=FILE). The rest are told apart by looking at the first packets of each file: the hosts that are local
 * there. Files with local hosts in common are one place. Those in which nobody is local (between routers, outside a NAT) are one more. A
 * file without datagrams, and a pipe, which cannot be looked at beforehand, belong to the first place.
 */
/* False: the files are of more places than VANTAGES_KEPT. `v` stays where it is: names point into it. */
bool vantages_find(struct vantages *v, const struct cli *c);
/* How many of the first `files_n` inputs are of that place. */
size_t vantages_files(const struct vantages *v, size_t files_n, size_t vantage);

#endif
