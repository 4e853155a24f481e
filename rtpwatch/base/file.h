/*
 * Files that the operator names: configuration, rules, certificates. They are read again while packets are captured, so only a regular file
 * will do: a FIFO in its place would end capture until somebody writes to it.
 */
#ifndef RW_BASE_FILE_H
#define RW_BASE_FILE_H

#include <stddef.h>
#include <stdio.h>

/* For reading and fclose(), without waiting for anybody. NULL: *why (static, or valid until the next call) and errno, as file_read(). */
FILE *file_open(const char *path, const char **why);
/*
 * Its bytes, *n of them and at most `most`, for free(). NULL: *why (static, or valid until the next call) says why, and errno is ENOENT
 * where there is no such file.
 */
char *file_read(const char *path, size_t most, size_t *n, const char **why);

#endif
