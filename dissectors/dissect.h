/*
 * The contract of every dissector: bytes in, a plain struct of numbers and spans out. No allocation,
 * no state, no clock, no log, no other dissector's state.
 *
 * `*in` moves only on DIS_OK. `*out` means something on DIS_OK and DIS_CUT (what came before the cut).
 * Spans in `*out` point into the input and live as long as it does. A bad field in a sound frame is a
 * fault and still DIS_OK: for a diagnostic tool broken packets are the interesting ones.
 */
#ifndef RW_DISSECT_H
#define RW_DISSECT_H

#include "base/addr.h"
#include "base/fault.h"
#include "base/rd.h"
#include "base/span.h"

enum dis {
    DIS_OK,       /* one message decoded; *in moved past it */
    DIS_NOT_MINE, /* another protocol; ask the next dissector */
    DIS_SHORT,    /* input ends first: wait if a stream, a fault if a datagram */
    DIS_CUT,      /* the snap length removed bytes; *out holds what came before */
    DIS_BAD,      /* framing lost; the faults say why */
};

#endif
