/* What the files of the JSON report share and nobody else sees. */
#ifndef RW_OUT_JSON_PRIVATE_H
#define RW_OUT_JSON_PRIVATE_H

#include <cjson/cJSON.h>

#include "out/out.h"
#include "verdict/path.h"

/* json_path.c: adds `linked` and `path` to the object of a session, by its number in the report. */
void json_links(const struct out_report *r, uint32_t session, cJSON *o);

#endif
