/* What is announced (ahead.c, track_ahead() in track.c) is looked for and not recorded, whether there is such a thing or not. */
#include "messages.h"

TestSuite(ahead, .init = setup, .fini = teardown);

#define ASKER  "192.0.2.10:10000"
#define SERVER "74.125.250.129:19302"

Test(ahead, messages_known_and_unknown)
{
    struct addr asker = addr_of(ASKER);
    struct stun_msg question = stun_of(STUN_REQUEST, 1), check = stun_of(STUN_REQUEST, 2), other = stun_of(STUN_REQUEST, 3);
    struct message_ahead m[] = {
        { .name = SPAN("5f3c@192.0.2.10") },
        { .name = SPAN("nobody's") },
        { .name = { question.tid, STUN_TID }, .asker = &asker },
        { .name = { check.tid, STUN_TID }, .asker = &asker },
        { .name = { other.tid, STUN_TID }, .asker = &asker },
    };
    size_t n = sizeof m / sizeof *m, bytes;

    track_ahead_messages(t, m, n); /* of an empty notebook */
    cr_assert_eq(track_memory(t, NULL, NULL), sizeof *t);
    answered_call();
    check.username = SPAN("bbbb:aaaa");
    cr_assert_eq(stun_between(ASKER, SERVER, question), STUN_OF_SERVER);
    cr_assert_eq(stun_between(ASKER, SERVER, check), STUN_OF_CHECK);
    bytes = track_memory(t, NULL, NULL);
    track_ahead_messages(t, m, n);
    cr_assert_eq(track_memory(t, NULL, NULL), bytes);
    cr_assert_eq(t->calls.live, 1);
    cr_assert_eq(t->stun_txs.live, 1);
    cr_assert_eq(t->checks.live, 1);
}

/* However many come together, each is told its own flow: every second one has none. */
Test(ahead, flows_known_and_unknown)
{
    struct addr src[TRACK_AHEAD], dst = addr_of(SERVER);
    struct flow_ahead a[TRACK_AHEAD];
    struct flow *f[TRACK_AHEAD] = { NULL };
    size_t bytes;

    for (size_t i = 0; i < TRACK_AHEAD; i++) {
        src[i] = addr_with_port(addr_of(ASKER), (uint16_t)(10000 + i));
        if (i % 2 == 0)
            f[i] = track_flow(t, &(struct datagram){ .at = { SECONDS(1), i + 1 }, .src = src[i], .dst = dst });
    }
    bytes = track_memory(t, NULL, NULL);
    for (size_t n = 0; n <= TRACK_AHEAD; n++) {
        for (size_t i = 0; i < TRACK_AHEAD; i++)
            a[i] = (struct flow_ahead){ .src = &src[i], .dst = &dst };
        track_ahead(t, a, n);
        for (size_t i = 0; i < n; i++)
            cr_assert_eq(a[i].likely, f[i], "%zu of %zu", i, n);
        cr_assert(n == TRACK_AHEAD || !a[n].hash);
    }
    cr_assert_eq(track_memory(t, NULL, NULL), bytes);
}
