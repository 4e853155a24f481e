/* TURN in the stories (support/story.h): what a client asks of its server, and what goes through its relay. */
#ifndef RW_TESTS_STORY_TURN_H
#define RW_TESTS_STORY_TURN_H

#include "support/story.h"

#define TURN    "192.0.2.90:3478"
#define TURN2   "192.0.2.91:3478"
#define RELAYED "192.0.2.90:49152" /* D's address at the relay */

/* One request of a TURN client and its answer. */
struct turns {
    uint16_t method; /* enum stun_method */
    const char *from, *server;
    bool credentials;         /* it is authenticated */
    const char *relayed;      /* Allocate: what is given */
    const char *peer, *peer2; /* CreatePermission, ChannelBind: for whom */
    uint16_t channel;
    bool has_lifetime; /* Allocate, Refresh: the answer grants this much */
    unsigned lifetime_s;
    uint16_t error; /* it is refused */
    const char *alternate;
    unsigned silent; /* nobody answers, and it is sent so often, one second apart */
};

void story_turn_ask(struct story *s, const struct turns *a);
/* The usual way to a relay: a challenge (401), then `relayed` for 600 s. */
void story_allocate(struct story *s, const char *from, const char *server, const char *relayed);
/* The client that holds RELAYED at TURN asks for a permission, for five minutes, and has it. */
void story_permit(struct story *s, const char *peer);
void story_refresh(struct story *s, unsigned lifetime_s);

/*
 * Where the story is told at the host of a TURN client, what goes between its relayed address and a peer is seen inside what it exchanges
 * with its server. False: these two are not such.
 */
bool story_relayed(struct story *s, const struct addr *from, const struct addr *to, size_t size, struct datagram *inner);

#endif
