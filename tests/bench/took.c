/*
 * took SECONDS COMMAND ARGUMENT...: runs a command for at most so long, throws its output away, and tells in one line what it took:
 *
 *   CPU seconds, user and system · seconds by the clock · peak of resident memory, kB · exit status, or 128 and the signal that ended it
 *
 * A small program of its own, since a process's peak begins with that of the one it was started from.
 */
#define _DEFAULT_SOURCE /* wait4() */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CANNOT_RUN = 127, SIGNALLED = 128 };

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void become(unsigned limit_s, char **command)
{
    int null = open("/dev/null", O_RDWR);

    for (int fd = 0; fd <= 2; fd++)
        (void)dup2(null, fd);
    (void)alarm(limit_s); /* SIGALRM ends it: an alarm outlives the exec */
    (void)execvp(command[0], command);
    _exit(CANNOT_RUN);
}

int main(int argc, char **argv)
{
    double begin = now();
    struct rusage used;
    pid_t child;
    int status;

    if (argc < 3)
        return 2;
    child = fork();
    if (child == 0)
        become((unsigned)strtoul(argv[1], NULL, 10), argv + 2);
    if (child < 0 || wait4(child, &status, 0, &used) != child)
        return 2;
    (void)printf("%.6f %.6f %ld %d\n", seconds(used.ru_utime) + seconds(used.ru_stime), now() - begin, used.ru_maxrss,
                 WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status));
    return 0;
}
