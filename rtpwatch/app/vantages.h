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

/* What the first packets of a file tell of its place. */
struct vantage_look {
    bool looked; /* it has UDP datagrams to look at */
    bool known;  /* some host is local there */
    size_t hosts_n;
    struct addr host[LOCALS_KEPT]; /* these are */
};
void vantage_look_at(const char *path, struct vantage_look *out); /* `out`: zeroed */

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
/* The same, when the files without a name were looked at before: `looks` has one of each file; NULL tells nothing of any. */
bool vantages_of(struct vantages *v, const struct cli *c, const struct vantage_look *looks);
/* How many of the first `files_n` inputs are of that place. */
size_t vantages_files(const struct vantages *v, size_t files_n, size_t vantage);

#endif
