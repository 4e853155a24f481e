/*
 * Stories of a B2BUA: the capture is taken at a PBX, which is callee of an agent's call and caller of a carrier's. The agent and the
 * carrier are elsewhere, and all addresses are public ones.
 */
#ifndef RW_TESTS_PBX_H
#define RW_TESTS_PBX_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "support/story.h"
#include "verdict/path.h"

#define PBX     "203.0.113.10"
#define AGENT   "198.51.100.20"
#define CARRIER "192.0.2.80"

#define PBX_SIP     PBX ":5060"
#define AGENT_SIP   AGENT ":5060"
#define CARRIER_SIP CARRIER ":5060"

#define AGENT_RTP   AGENT ":40000"
#define CARRIER_RTP CARRIER ":50000"
#define PBX_IN      PBX ":10000" /* towards the agent */
#define PBX_OUT     PBX ":12000" /* towards the carrier */

#define LEG_IN  "leg-1@agent"
#define LEG_OUT "leg-2@pbx"

struct pbx {
    struct story *s;
    struct report report;
    struct path path;
};

static struct pbx pbx;

static inline void pbx_open(void)
{
    pbx.s = story_new(PBX);
}

static inline void pbx_close(void)
{
    path_done(&pbx.path);
    report_done(&pbx.report);
    story_free(pbx.s);
}

/* The next call; its messages carry `header`, unless that is NULL. */
static inline void pbx_call(const char *call_id, const char *caller, const char *callee, const char *header, const char *value)
{
    story_call(pbx.s, call_id, caller, callee);
    pbx.s->via[CALLER] = caller;
    pbx.s->via[CALLEE] = callee;
    pbx.s->header[0].name = header;
    pbx.s->header[0].value = value;
}

static inline void agent_calls(const char *header, const char *value)
{
    pbx_call(LEG_IN, AGENT_SIP, PBX_SIP, header, value);
    story_up(pbx.s, SAYS(AGENT_RTP), SAYS(PBX_IN));
}

static inline void pbx_calls_carrier(const char *header, const char *value)
{
    pbx_call(LEG_OUT, PBX_SIP, CARRIER_SIP, header, value);
    story_up(pbx.s, SAYS(PBX_OUT), SAYS(CARRIER_RTP));
}

/* Both legs, joined by X-Call-ID. */
static inline void both_legs(void)
{
    agent_calls(NULL, NULL);
    pbx_calls_carrier("X-Call-ID", LEG_IN);
}

/* RTP of 10 s with reports of the far party, who hears it or not. */
static inline void voice_of(const char *from, const char *to, uint32_t ssrc)
{
    story_play(pbx.s, from, to, ssrc);
}

static inline void pbx_judge(void)
{
    struct vantage_input in = { .name = "pbx", .track = pbx.s->track, .now_ns = pbx.s->now_ns };

    cr_assert(report_make(&pbx.report, &in, 1));
}

static inline const struct path *pbx_path(uint32_t session)
{
    path_done(&pbx.path);
    path_make(&pbx.report, session, &pbx.path);
    return &pbx.path;
}

static inline const struct link *link_of(uint32_t session)
{
    return link_first(&pbx.report.links, session);
}

static inline size_t links_of(uint32_t session)
{
    size_t n = 0;

    for (const struct link *k = link_of(session); k; k = link_next(&pbx.report.links, k))
        n++;
    return n;
}

#endif
