/*
 * Where things stand in a JSON text, and why a text is no JSON: what cJSON does not tell. Strict as RFC 8259.
 */
#ifndef RW_RULE_PLACE_H
#define RW_RULE_PLACE_H

#include <cjson/cJSON.h>

#include "base/strbuf.h"

enum { PLACE_DEPTH = 32 };

struct place {
    size_t key, value; /* byte offsets: of the member's name (of the value where it has none), of the value */
};

struct place_error {
    size_t at;
    const char *expected; /* static text */
};

/* Is `text` JSON, no deeper than PLACE_DEPTH? False: *e says where not. */
bool place_check(struct span text, struct place_error *e);

/*
 * The place of `item` in the text that `root` was parsed from. cJSON keeps members in the order of the text, so the n-th value of the
 * tree is the n-th of the text. `path` (may be NULL) gets its name, such as "rules[3].where.glob".
 */
struct place place_of(struct span text, const cJSON *root, const cJSON *item, struct strbuf *path);

/* Line and column of a byte, both from 1; columns are characters. */
void place_line(struct span text, size_t at, unsigned *line, unsigned *column);

#endif
