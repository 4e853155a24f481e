/* What the files of the JSON report share and nobody else sees. */
#ifndef RW_OUT_JSON_PRIVATE_H
#define RW_OUT_JSON_PRIVATE_H

#include <cjson/cJSON.h>

#include "out/out.h"
#include "verdict/path.h"

/* ---- json.c: members of an object; text from the network is made safe ---- */

void put_text(cJSON *o, const char *name, const char *s);
void put_sentence(cJSON *o, const char *name, const char *s); /* made safe when it was made */
void put_text_or_null(cJSON *o, const char *name, const char *s);
void put_count(cJSON *o, const char *name, uint64_t n);
void put_time(cJSON *o, const char *name, int64_t ns, bool known);
void put_frame(const struct out_report *r, cJSON *o, const char *name, uint64_t frame);
void put_addr(cJSON *o, const char *name, const struct addr *a);
void put_server(const struct out_report *r, cJSON *o, const char *name, uint32_t server);
const char *json_party(const struct session_finding *f, enum party p); /* "caller", "a" */

/* ---- json_path.c, json_dtls.c: parts of a session ---- */

/* Adds `linked` and `path` to the object of a session, by its number in the report. */
void json_links(const struct out_report *r, uint32_t session, cJSON *o);
/* The DTLS handshake of a session, a new object of the caller's; null where none was seen. */
cJSON *json_dtls(const struct out_report *r, const struct session_finding *f);

/* ---- json_capture.c: what is told once for the capture ---- */

void json_server_history(const struct out_report *r, const struct server_finding *f, cJSON *row);
cJSON *json_shared_factor(const struct out_report *r, size_t i);
cJSON *json_dns_row(const struct out_report *r, const struct dns_finding *f);

/* json.c: what the report and the events tell alike. cJSON_Delete() frees. */
cJSON *json_session(const struct out_report *r, const struct session_finding *f); /* without `linked` and `path` */
cJSON *json_server(const struct out_report *r, const struct server_finding *f);
cJSON *json_evidence(const struct out_report *r, const struct session_finding *f);
cJSON *json_input(const struct capture_input *in);
cJSON *json_summary(const struct out_report *r);
cJSON *json_faults(const struct out_report *r);
cJSON *json_fault(const struct out_report *r, enum fault_id i); /* one of them */
cJSON *json_generator(const struct out_report *r);

#endif
