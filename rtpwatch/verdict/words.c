#include "verdict/verdict.h"

#define TABLE(fn, type, LIST_WORDS, count)                                                                                       \
    const char *fn(enum type v)                                                                                                  \
    {                                                                                                                            \
        return (unsigned)v < (unsigned)count ? LIST_WORDS[v] : "unknown";                                                        \
    }

static const char *const verdicts[] = {
#define VERDICTS(id, word) word,
#include "verdict/verdicts.def"
#undef VERDICTS
};
static const char *const directions[] = {
#define DIRECTIONS(id, word) word,
#include "verdict/verdicts.def"
#undef DIRECTIONS
};
static const char *const confidences[] = {
#define CONFIDENCES(id, word) word,
#include "verdict/verdicts.def"
#undef CONFIDENCES
};
static const char *const statuses[] = {
#define STATUSES(id, word) word,
#include "verdict/verdicts.def"
#undef STATUSES
};
static const char *const servers[] = {
#define SERVER_VERDICTS(id, word) word,
#include "verdict/verdicts.def"
#undef SERVER_VERDICTS
};
static const struct {
    const char *word, *remedy;
} causes[] = {
#define CAUSES(id, word, remedy) { word, remedy },
#include "verdict/verdicts.def"
#undef CAUSES
};

TABLE(verdict_word, verdict, verdicts, VERDICTS_N)
TABLE(dir_verdict_word, dir_verdict, directions, DIRECTIONS_N)
TABLE(confidence_word, confidence, confidences, CONFIDENCES_N)
TABLE(candidate_status_word, candidate_status, statuses, STATUSES_N)
TABLE(server_verdict_word, server_verdict, servers, SERVER_VERDICTS_N)

const char *cause_word(enum cause c)
{
    return (unsigned)c < CAUSES_N ? causes[c].word : "unknown";
}

const char *cause_remedy(enum cause c)
{
    return (unsigned)c < CAUSES_N ? causes[c].remedy : "";
}

bool verdict_is_failure(enum verdict v)
{
    return v == VERDICT_ONE_WAY || v == VERDICT_NO_MEDIA || v == VERDICT_SETUP_FAILED;
}
