#include "verdict/report.h"

#include <stdlib.h>

bool report_make(struct report *r, const struct track *t, const struct view_options *options, int64_t now_ns)
{
    struct session_finding *f = malloc(sizeof *f);

    *r = (struct report){ .calls = t->calls.used };
    r->call = calloc(r->calls + 1u, sizeof *r->call);
    r->servers = calloc(t->servers.used + 1u, sizeof *r->servers);
    if (!f || !r->call || !r->servers) {
        free(f);
        report_done(r);
        return false;
    }
    view_make(&r->view, t, options, now_ns);
    judge_servers(&r->view, r->servers);
    for (uint32_t i = 0; i < r->calls; i++) {
        judge_call(&r->view, track_call_at(t, i), f);
        r->call[i] = (struct brief){ (uint8_t)f->verdict, (uint8_t)f->cause, (uint8_t)f->confidence, f->server };
        r->by_verdict[f->verdict]++;
        r->by_cause[f->cause]++;
        server_add_session(r->servers, f);
        session_finding_done(f);
    }
    for (uint32_t i = 0; i < t->servers.used; i++)
        server_conclude(&r->view, &r->servers[i]);
    free(f);
    return true;
}

void report_done(struct report *r)
{
    free(r->call);
    free(r->servers);
    *r = (struct report){ 0 };
}
