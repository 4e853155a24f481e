/*
 * confined FOLDER [USER]: gives up privileges as the service does, with FOLDER as the only one to write in, then tries what must not be
 * possible any more, and what must be. One line for each that is not as it should be. Exit status: 0 all is, 1 something is not, 77 this
 * kernel or this user cannot try it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/confine.h"

static unsigned wrong;

static void expect(const char *what, bool as_it_should_be)
{
    if (as_it_should_be)
        return;
    wrong++;
    printf("%s (%s)\n", what, strerror(errno));
}

/* Refused by seccomp: none of these is on its list. */
static void calls(void)
{
    char *const none[] = { NULL };

    errno = 0;
    expect("ran a program", syscall(SYS_execve, "/bin/true", none, none) == -1 && errno == EPERM);
    errno = 0;
    expect("made a process", syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) == -1 && errno == EPERM);
    errno = 0;
    expect("traced", syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) == -1 && errno == EPERM);
    errno = 0;
    expect("mounted", mount("none", "/tmp", "tmpfs", 0, NULL) == -1 && errno == EPERM);
    errno = 0;
    expect("left its namespace", unshare(CLONE_NEWUSER) == -1 && errno == EPERM);
    errno = 0;
    expect("killed", kill(1, 0) == -1 && errno == EPERM);
    errno = 0;
    expect("loaded a program into the kernel", syscall(SYS_bpf, 0, NULL, 0) == -1 && errno == EPERM);
    errno = 0;
    expect("listened", listen(0, 1) == -1 && errno == EPERM);
    errno = 0;
    expect("changed a file's mode", chmod("/tmp", 0777) == -1 && errno == EPERM);
    errno = 0;
    expect("opened a Bluetooth socket", socket(AF_BLUETOOTH, SOCK_RAW, 0) == -1 && errno == EPERM);
}

static void capabilities(void)
{
    cap_t have = cap_get_proc();
    cap_flag_value_t on;

    for (cap_value_t c = 0; have && c < CAP_LAST_CAP; c++)
        if (c != CAP_NET_RAW && cap_get_flag(have, c, CAP_PERMITTED, &on) == 0)
            expect("kept a capability", on == CAP_CLEAR);
    cap_free(have);
    expect("can gain privileges by running a program", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0 || errno == EPERM);
    expect("became root again", geteuid() == 0 || (setuid(0) == -1 && geteuid() != 0));
}

static bool can_open(const char *folder, const char *name, int flags)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, flags, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void files(const char *folder, bool landlock)
{
    char from[512], to[512];

    expect("cannot write where it may", can_open(folder, "report.new", O_WRONLY | O_CREAT));
    snprintf(from, sizeof from, "%s/report.new", folder);
    snprintf(to, sizeof to, "%s/report", folder);
    expect("cannot rename where it may", rename(from, to) == 0);
    expect("cannot read /etc/passwd", can_open("/etc", "passwd", O_RDONLY));
    if (!landlock)
        return;
    expect("wrote in /tmp", !can_open("/tmp", "confined-was-here", O_WRONLY | O_CREAT));
    expect("wrote in /etc", !can_open("/etc", "confined-was-here", O_WRONLY | O_CREAT));
    expect("read the folder of users' homes", !can_open("/root", "", O_RDONLY | O_DIRECTORY));
    expect("read a program", !can_open("/bin", "true", O_RDONLY));
}

/* What a service goes on doing: an interface that comes back is opened again. */
static void service(bool raw)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    void *ring = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect("cannot open a datagram socket", fd >= 0);
    expect("cannot map memory", ring != MAP_FAILED);
    close(fd);
    fd = raw ? socket(AF_PACKET, SOCK_RAW, 0) : 0;
    expect("cannot open a packet socket", fd >= 0);
}

int main(int argc, char **argv)
{
    struct confine want = { .user = argc > 2 ? argv[2] : NULL, .read = { "/etc", "/sys", "/proc" } };
    struct confined done;
    char error[CONFINE_ERROR];
    bool root = geteuid() == 0;

    if (argc < 2)
        return 2;
    want.write[0] = argv[1];
    if (!confine(&want, &done, error)) {
        printf("confine: %s\n", error);
        return root ? 1 : 77;
    }
    expect("did not become the user", !want.user || !root || geteuid() != 0);
    expect("did not restrict calls", done.seccomp && done.capabilities && done.no_new_privileges);
    calls();
    capabilities();
    files(argv[1], done.landlock);
    service(root);
    printf("Landlock: %s, user %u\n", done.landlock ? "yes" : "not in this kernel", (unsigned)geteuid());
    return wrong ? 1 : 0;
}
