#include "app/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 256 };

static const struct timeval patience = { .tv_sec = 1 };

/* The address is a path, or abstract behind an '@' (sd_notify(3)). 0: there is no manager, or none that can be reached so. */
static socklen_t manager(struct sockaddr_un *to)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t n = path ? strlen(path) : 0;

    *to = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (n < 2 || n >= sizeof to->sun_path || (path[0] != '/' && path[0] != '@'))
        return 0;
    memcpy(to->sun_path, path, n);
    if (path[0] == '@')
        to->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

/* A manager that stands still must not stop the packets: what comes again a second later is not waited for, the rest for a second. */
static void tell(const char *text, int flags)
{
    struct sockaddr_un to;
    socklen_t n = manager(&to);
    int fd = n ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

    if (fd < 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL | flags, (const struct sockaddr *)&to, n);
    close(fd);
}

void notify_ready(void)
{
    tell("READY=1", 0);
}

void notify_reloading(void)
{
    struct timespec t;
    char text[TEXT];

    clock_gettime(CLOCK_MONOTONIC, &t);
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
    tell(text, 0);
}

void notify_stopping(void)
{
    tell("STOPPING=1", 0);
}

void notify_alive(void)
{
    tell("WATCHDOG=1", MSG_DONTWAIT);
}

void notify_status(const char *status)
{
    char text[TEXT];

    snprintf(text, sizeof text, "STATUS=%s", status);
    tell(text, MSG_DONTWAIT);
}
