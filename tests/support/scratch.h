/* A file of this test process's own. */
#ifndef RW_SUPPORT_SCRATCH_H
#define RW_SUPPORT_SCRATCH_H

const char *scratch_path(void);     /* nothing is there unless the test put it */
void scratch_put(const char *text); /* in place of what was there */
const char *scratch_get(void);      /* all that is there, up to the next call */
void scratch_remove(void);

#endif
