/* What the files of the events share and nobody else sees. */
#ifndef RW_OUT_EVENT_PRIVATE_H
#define RW_OUT_EVENT_PRIVATE_H

#include "out/event.h"
#include "out/json_private.h"

/* event_details.c: adds what the event tells beside its session or its server. */
void event_details(const struct out_report *r, const struct event *e, cJSON *o);

#endif
