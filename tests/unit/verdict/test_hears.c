/* Is a host still reached, whatever one server does? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/story.h"
#include "verdict/verdict_private.h"

#define TURN    "192.0.2.90:3478"
#define AUDIBLE D_HOST ":20000"

static struct story *s;

/* A socket of D asked a STUN server, and for a second something comes to it. */
static void setup(void)
{
    struct act *act;

    s = story_new(D_HOST);
    story_stun(s, &(struct asks){ .from = AUDIBLE, .server = HONEST, .mapped = D_OUT ":20000" });
    act = story_play(s, STRANGER ":50000", AUDIBLE, 77);
    story_pass(s, 1000);
    act->over = true;
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(hears, .init = setup, .fini = teardown);

/* In the last `ms`, from anybody but that server. */
static bool hears(const char *but, unsigned ms)
{
    static const struct call nobody;
    struct scene scene = { .v = &s->view, .call = s->track->calls.used ? track_call_at(s->track, 0) : &nobody };
    struct addr host, server;

    cr_assert(addr_parse(SPAN(D_HOST), &host) && addr_parse(span_str(but), &server));
    view_make(&s->view, s->track, &s->options, s->now_ns);
    return host_hears(&scene, &host, &server, s->now_ns - ms * (int64_t)NS_PER_MS);
}

Test(hears, what_comes_to_a_socket_that_asked)
{
    story_pass(s, 5000);
    cr_expect(hears(TURN, 5500));
    cr_expect_not(hears(TURN, 4000), "it came before");
}

Test(hears, not_the_server_itself)
{
    cr_expect_not(hears(STRANGER ":3478", 500), "whatever its port");
}

Test(hears, what_comes_to_its_signalling)
{
    story_pass(s, 5000);
    story_request(s, CALLER, SIP_INVITE, NULL);
    cr_expect_not(hears(TURN, 4000), "it is the one who sends");
    story_reply(s, 180, NULL);
    cr_expect(hears(TURN, 4000));
}

/* A host of very many: the newest sockets tell, and here they are silent. */
Test(hears, not_all_sockets_are_looked_at)
{
    char from[64];

    for (unsigned i = 0; i < 1100; i++) {
        snprintf(from, sizeof from, D_HOST ":%u", 30000 + i);
        story_stun(s, &(struct asks){ .from = from, .server = LIAR });
    }
    cr_expect_not(hears(TURN, 3600 * 1000));
}
