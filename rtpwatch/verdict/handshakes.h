/*
 * The DTLS handshakes of a call, gathered over all pairs of addresses that it used: ICE may move a handshake from one pair to another in
 * its midst (RFC 8842 §4.1), and it may be begun anew.
 */
#ifndef RW_VERDICT_HANDSHAKES_H
#define RW_VERDICT_HANDSHAKES_H

#include "verdict/verdict_private.h"

enum { HANDSHAKE_PAIRS_KEPT = 16 };

/* What one party sent. */
struct handshake_party {
    struct tally datagrams, client_hello, server_hello, verify, key_exchange, finished, application, again;
    struct dtls_alert alert;
    uint32_t largest;
};

struct handshakes {
    const struct scene *s;
    struct handshake_party of[PARTIES];
    enum party client;
    const struct dtls_end *certificate[PARTIES]; /* who showed the party's certificate last; NULL: it was not seen */
    struct addr from, to;                        /* of the client's first ClientHello */
    struct seen began;                           /* the first ClientHello; frame 0: none */
    struct seen first;                           /* the first DTLS of all */
    bool cut;     /* not all of it is known: the snap length hides some, or there are too many pairs, or one of nobody */
    bool earlier; /* the same two addresses had DTLS before the call */
    bool reports; /* SRTCP flows between the two: they have keys */
    uint16_t version, profile;
    size_t pairs_n;
    const struct dtls_assoc *pair[HANDSHAKE_PAIRS_KEPT];
};

/*
 * Whose checks run between `own`, an address of that party, and `other`? One socket may serve many sessions. Without ICE, and where the
 * other party named `other`, the pair is the session's.
 */
enum pair_owner { PAIR_OF_SESSION, PAIR_OF_ANOTHER, PAIR_OF_NOBODY /* no checks were seen */ };
enum pair_owner pair_owner(const struct scene *s, enum party p, const struct addr *own, const struct addr *other);

void handshakes_gather(struct handshakes *h, const struct scene *s);
bool handshakes_complete(const struct handshakes *h);
/* The client sent more than its ClientHello: the server's flight has come. */
bool handshakes_client_went_on(const struct handshakes *h);
/* Both sent what is encrypted under the handshake's keys: in DTLS 1.2 their Finished. */
bool handshakes_flights_of_both(const struct handshakes *h);
/* The client goes on although no answer is seen: the other direction does not pass here. */
bool handshakes_one_way(const struct handshakes *h);
/* The certificate that the party showed is not the one that its description names (RFC 8122 §6.2). `out`: its fingerprint. */
bool handshakes_mismatch(const struct handshakes *h, enum party p, char out[DTLS_FINGERPRINT_ROOM]);
bool alert_is_fatal(const struct dtls_alert *a); /* fatal and in the clear */

#endif
