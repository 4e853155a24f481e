#include "verdict/report.h"

#include <stdlib.h>

const struct call *report_session(const struct report *r, uint32_t i)
{
    uint32_t sip = r->view.t->calls.used;

    return i < sip ? track_call_at(r->view.t, i) : pool_at(&r->unsignalled.calls, i - sip);
}

static void session_judge(struct report *r, uint32_t i, struct session_finding *f)
{
    judge_call(&r->view, report_session(r, i), f);
    r->session[i] = (struct brief){ (uint8_t)f->verdict, (uint8_t)f->cause, (uint8_t)f->confidence, f->server };
    r->by_verdict[f->verdict]++;
    r->by_cause[f->cause]++;
    server_add_session(r->servers, f);
    session_finding_done(f);
}

bool report_make(struct report *r, const struct track *t, const struct view_options *options, int64_t now_ns)
{
    struct session_finding *f = malloc(sizeof *f);

    *r = (struct report){ 0 };
    view_make(&r->view, t, options, now_ns);
    unsignalled_make(&r->unsignalled, &r->view);
    r->sessions = t->calls.used + r->unsignalled.calls.used;
    r->session = calloc(r->sessions + 1u, sizeof *r->session);
    r->servers = calloc(t->servers.used + 1u, sizeof *r->servers);
    if (!f || !r->session || !r->servers) {
        free(f);
        report_done(r);
        return false;
    }
    judge_servers(&r->view, r->servers);
    for (uint32_t i = 0; i < r->sessions; i++)
        session_judge(r, i, f);
    for (uint32_t i = 0; i < t->servers.used; i++)
        server_conclude(&r->view, &r->servers[i]);
    free(f);
    return true;
}

void report_done(struct report *r)
{
    free(r->session);
    free(r->servers);
    unsignalled_done(&r->unsignalled);
    *r = (struct report){ 0 };
}
