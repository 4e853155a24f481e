/* Shared by the files that read rules: values of a JSON tree, and mistakes with their place. */
#ifndef RW_RULE_PARSE_PRIVATE_H
#define RW_RULE_PARSE_PRIVATE_H

#include "rule/place.h"
#include "rule/ruleset.h"

/* One file while it is read. */
struct reader {
    const char *file;
    struct span text;
    const cJSON *root;
    struct ruleset *set;
    struct problems *problems;
    unsigned conds; /* of the rule that is read */
};

enum about { ABOUT_VALUE, ABOUT_NAME };

/* Tells "FILE:LINE:COLUMN: FIELD: ..." of an item; returns false. */
__attribute__((format(printf, 4, 5))) bool wrong(struct reader *r, const cJSON *item, enum about about, const char *fmt, ...);

/*
 * Members of an object, by a table. Tells of names that are not in it (with the nearest one), of those given twice, and of what is no
 * object.
 */
struct member {
    const char *name;
    bool (*read)(struct reader *r, const cJSON *value, void *into); /* false: it told what is wrong */
    bool nullable;                                                  /* null is given to `read`: back to the default */
};
bool read_object(struct reader *r, const cJSON *object, const struct member *members, size_t n, void *into);
bool given_before(const cJSON *object, const cJSON *item); /* is there an earlier member of that name? */

/* Each false: told. */
bool read_string(struct reader *r, const cJSON *value, size_t max, const char **out); /* into the arena */
bool read_number(struct reader *r, const cJSON *value, double least, double most, double *out);
bool read_whole(struct reader *r, const cJSON *value, unsigned least, unsigned most, unsigned *out);
bool read_bool(struct reader *r, const cJSON *value, bool *out);
bool read_duration(struct reader *r, const cJSON *value, int64_t *out_ns); /* null: 0 */
bool read_path(struct reader *r, const cJSON *value, struct path *out);
/* A list of strings, or one string. */
bool read_names(struct reader *r, const cJSON *value, size_t max, const char ***out, size_t *n);
bool check_word(struct reader *r, const cJSON *at, const struct path *p); /* may the field be this string? Others may */
bool check_path(struct reader *r, const cJSON *at, const struct path *p); /* are all its fields known? */
bool check_name(struct reader *r, const cJSON *at, enum about about, const char *name); /* of a rule or a list */

bool read_where(struct reader *r, const cJSON *value, struct cond **out); /* parse_where.c; null: no condition */
bool read_literal(struct reader *r, const cJSON *value, struct literal *out);
bool read_listen(struct reader *r, const cJSON *on, struct listen *out);

#endif
