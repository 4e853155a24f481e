/*
 * Which inputs were captured at one place. Several files of one place are a rotated set and are read as one; files of different places
 * see the same call from two sides, and must not be mixed (SPEC §2, "vantage").
 */
#ifndef RW_APP_VANTAGES_H
#define RW_APP_VANTAGES_H

#include "app/cli.h"
#include "capture/capture.h"
#include "verdict/report.h"

struct vantages {
    size_t n;
    bool too_many;
    const char *name[VANTAGES_KEPT];
    unsigned char of_input[CAPTURE_INPUTS];
};

/*
 * Named ones first (--vantage NAME=FILE). The rest are told apart by looking at the first packets of each file: the hosts that are local
 * there. Files with local hosts in common are one place; a file that tells of none, or standard input, belongs to the first.
 */
/* False: the files are of more places than VANTAGES_KEPT. */
bool vantages_find(struct vantages *v, const struct cli *c);

#endif
