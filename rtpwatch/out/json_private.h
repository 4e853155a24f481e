/* What the files of the JSON report share. */
#ifndef RW_OUT_JSON_PRIVATE_H
#define RW_OUT_JSON_PRIVATE_H

#include <cjson/cJSON.h>

#include "out/out.h"
#include "verdict/path.h"

const char *json_party(const struct session_finding *f, enum party p); /* "caller", "a" */
/* json_path.c: adds `linked` and `path` to the object of a session, by its number in the report. */
void json_links(const struct out_report *r, uint32_t session, cJSON *o);
/* json_dtls.c: the DTLS handshake of a session, a new object of the caller's; null where none was seen. */
cJSON *json_dtls(const struct out_report *r, const struct session_finding *f);

#endif
