/* The calls that are generated: who takes part in each, and what is on the wire when. */
#ifndef BENCH_GEN_CALL_H
#define BENCH_GEN_CALL_H

#include "gen_sip.h"
#include "gen_wire.h"

enum { MS = 1000 * 1000, SECOND = 1000 * MS };

struct options {
    uint32_t calls;
    int64_t duration_ns;
    double rate, bad, loss, ice;
    uint64_t seed;
    enum pcap_format format;
    bool no_media;
    const char *out, *truth;
};

enum side { DIALER, WEBPHONE };

/* What one side has put on the wire, and what of it was lost on the way to the other. */
struct stream {
    uint32_t sent, lost, lost_at_report, sent_at_report;
};

struct call {
    bool bad, ice;
    uint32_t checks; /* connectivity checks so far; numbers their transactions */
    struct stream stream[2];
};

struct event {
    int64_t at;
    uint64_t serial; /* ties are played in the order they were scheduled */
    uint32_t call;
    uint32_t step; /* the first of a call is 0 */
};

struct gen {
    struct options opt;
    struct pcap_out out;
    struct call *calls;
    struct event *heap;
    size_t events, room;
    uint64_t scheduled;
    uint8_t voice[64][PCMU_BYTES];
};

struct server {
    struct sock sock;
    const char *name;
};
extern const struct server honest, liar;

/* Decides what every call is, and schedules the first. False without memory. */
bool calls_prepare(struct gen *g);
/* Writes the event's packets and schedules what follows from it, the next call with it. */
void call_play(struct gen *g, const struct event *e);
const char *call_id(const struct gen *g, uint32_t id, char buf[CALL_ID_TEXT]);

/* Of the event queue. */
void schedule(struct gen *g, int64_t at, uint32_t call, uint32_t step);

#endif
