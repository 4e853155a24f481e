/* What the JSON format's files share and nobody else sees. */
#ifndef RW_OUT_JSON_PRIVATE_H
#define RW_OUT_JSON_PRIVATE_H

#include <cjson/cJSON.h>

#include "out/out.h"

const char *json_party(const struct session_finding *f, enum party p); /* "caller", "a" */
/* json_dtls.c: the DTLS handshake of a session, a new object of the caller's; null where none was seen. */
cJSON *json_dtls(const struct out_report *r, const struct session_finding *f);

#endif
