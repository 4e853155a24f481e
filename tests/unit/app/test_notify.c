/* The service manager's end of sd_notify(3): a socket that is read, or not. */
#include "app/notify.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_S = 20, MORE_THAN_A_QUEUE = 20000 };

static int manager(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0), n;
    char name[64];

    alarm(PATIENCE_S);
    n = snprintf(name, sizeof name, "@rtpwatch-test-%d", (int)getpid());
    memcpy(at.sun_path + 1, name + 1, (size_t)n - 1);
    cr_assert_eq(bind(fd, (struct sockaddr *)&at, (socklen_t)(sizeof at.sun_family + (size_t)n)), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static const char *heard(int fd)
{
    static char text[512];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

Test(notify, what_is_told)
{
    int fd = manager();

    notify_ready();
    cr_expect_str_eq(heard(fd), "READY=1");
    notify_status("all is well");
    cr_expect_str_eq(heard(fd), "STATUS=all is well");
    notify_alive();
    cr_expect_str_eq(heard(fd), "WATCHDOG=1");
    notify_stopping();
    cr_expect_str_eq(heard(fd), "STOPPING=1");
    notify_reloading();
    cr_expect_eq(strncmp(heard(fd), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    cr_expect_str_eq(heard(fd), "");
}

/* Its queue is full after a few; what waited for it would wait for ever, and the alarm would end the test. */
Test(notify, a_manager_that_does_not_read_stops_nobody)
{
    int fd = manager();

    for (unsigned i = 0; i < MORE_THAN_A_QUEUE; i++)
        notify_alive();
    notify_stopping();
    cr_expect_str_eq(heard(fd), "WATCHDOG=1");
}

Test(notify, no_manager_and_one_that_is_none)
{
    static const char *const odd[] = { "", "@", "relative", "vsock:2:1", "/no/such/socket" };
    char longer[200];

    unsetenv("NOTIFY_SOCKET");
    notify_ready();
    for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
        setenv("NOTIFY_SOCKET", odd[i], 1);
        notify_ready();
    }
    memset(longer, 'x', sizeof longer - 1);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    setenv("NOTIFY_SOCKET", longer, 1);
    notify_ready();
}
