/* A file that the operator names, read whole. */
#ifndef RW_RULE_FILE_H
#define RW_RULE_FILE_H

#include <stddef.h>

/*
 * Its bytes, *n of them and at most `most`, for free(). Only of a regular file, and so without waiting for anybody: rules are read while
 * packets are captured, and a FIFO there would end that. NULL: *why (static, or valid until the next call) says why, and errno is ENOENT
 * where there is no such file.
 */
char *file_read(const char *path, size_t most, size_t *n, const char **why);

#endif
