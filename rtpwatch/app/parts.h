/* Reduced captures (app/reduce.h) in place of captures: a run over them gives the report of a run over what they were made of. */
#ifndef RW_APP_PARTS_H
#define RW_APP_PARTS_H

#include "app/cli.h"
#include "app/pipeline.h"
#include "app/vantages.h"

struct parts;

/* Opens what the command line names, if it is reduced. NULL: nothing of it is, or `error` says what is wrong. */
struct parts *parts_open(const struct cli *c, char error[CAPTURE_ERROR]);
void parts_close(struct parts *p); /* NULL: nothing */
/* The command line as it would be with the captures themselves; the parts'. */
const struct cli *parts_cli(const struct parts *p);
const struct capture_input *parts_input(const struct parts *p, size_t i); /* as many as the command line has files */
/* As vantages_find(). False as well, and `error` says it, where parts of one place overlap or one part is of several places. */
bool parts_vantages(struct parts *p, struct vantages *v, char error[CAPTURE_ERROR]);
/* Reads all into the pipelines of their places. False: `error` names the file and says why. */
bool parts_read(struct parts *p, const struct vantages *v, struct pipeline *const *pipeline, char error[CAPTURE_ERROR]);

#endif
