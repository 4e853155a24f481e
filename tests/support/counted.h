/* Do a finding that is told and the one that is only counted say the same to all that counts (report.c's count_all)? */
#ifndef RW_TESTS_COUNTED_H
#define RW_TESTS_COUNTED_H

#include "verdict/verdict.h"

/* `servers`: of the track that both were found in. */
void expect_counted_alike(uint32_t servers, const struct session_finding *told, const struct session_finding *counted);

#endif
