/* What the files of the JSON report share and nobody else sees. */
#ifndef RW_OUT_JSON_PRIVATE_H
#define RW_OUT_JSON_PRIVATE_H

#include <cjson/cJSON.h>

#include "out/out.h"
#include "verdict/path.h"

/* json_path.c: adds `linked` and `path` to the object of a session, by its number in the report. */
void json_links(const struct out_report *r, uint32_t session, cJSON *o);

/* json.c: what the report and the events tell alike. cJSON_Delete() frees. */
cJSON *json_session(const struct out_report *r, const struct session_finding *f); /* without `linked` and `path` */
cJSON *json_server(const struct server_finding *f);
cJSON *json_evidence(const struct out_report *r, const struct session_finding *f);
cJSON *json_input(const struct capture_input *in);
cJSON *json_summary(const struct out_report *r);
cJSON *json_faults(const struct out_report *r);
cJSON *json_generator(const struct out_report *r);

#endif
