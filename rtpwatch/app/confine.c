#include "app/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool fail(char *error, const char *what)
{
    snprintf(error, CONFINE_ERROR, "%s: %s", what, strerror(errno));
    return false;
}

/* ---- the user ---- */

static bool become(const char *name, char *error)
{
    const struct passwd *p;

    errno = 0;
    p = getpwnam(name);
    if (!p) {
        snprintf(error, CONFINE_ERROR, "user %.64s: %s", name,
                 errno ? strerror(errno) : "there is no such user; name one with --user");
        return false;
    }
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgroups(0, NULL) != 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) != 0 ||
        setresuid(p->pw_uid, p->pw_uid, p->pw_uid) != 0)
        return fail(error, "becoming another user");
    return true;
}

/* ---- capabilities(7) ---- */

static bool drop_bounds(char *error)
{
    for (cap_value_t c = 0; c <= cap_max_bits() && CAP_IS_SUPPORTED(c); c++)
        if (c != CAP_NET_RAW && cap_drop_bound(c) != 0 &&
            errno != EPERM) /* without CAP_SETPCAP it cannot be, and nothing can be gained */
            return fail(error, "dropping a capability from the bounding set");
    return true;
}

static bool keep_net_raw(char *error)
{
    static const cap_value_t kept[] = { CAP_NET_RAW };
    cap_t have = cap_get_proc(), want = cap_init();
    cap_flag_value_t had = CAP_CLEAR;
    bool fine = have && want && cap_get_flag(have, CAP_NET_RAW, CAP_PERMITTED, &had) == 0;

    if (fine && had == CAP_SET)
        fine =
            cap_set_flag(want, CAP_PERMITTED, 1, kept, CAP_SET) == 0 && cap_set_flag(want, CAP_EFFECTIVE, 1, kept, CAP_SET) == 0;
    fine = fine && cap_set_proc(want) == 0;
    if (!fine)
        fail(error, "dropping capabilities");
    cap_free(have);
    cap_free(want);
    return fine;
}

/* ---- landlock(7) ---- */

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES                                                                                                                   \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* since ABI 3 */
#endif

/* All that the first version of Landlock knows, and what later ones added, as far as the kernel has it. */
static uint64_t known_to(int abi)
{
    uint64_t all = (1ULL << 13) - 1;

    if (abi >= 2)
        all |= 1ULL << 13; /* linking and renaming between folders */
    if (abi >= 3)
        all |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return all;
}

static bool allow(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr beneath = { .parent_fd = open(path, O_PATH | O_CLOEXEC) };
    struct stat st;
    bool fine;

    if (beneath.parent_fd < 0)
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
    if (fstat(beneath.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        access &= OF_FILES;
    beneath.allowed_access = access;
    fine = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
    close(beneath.parent_fd);
    return fine;
}

static bool restrict_files(const struct confine *c, struct confined *done, char *error)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct landlock_ruleset_attr all;
    int rules;
    bool fine = true;

    if (abi < 1)
        return true;
    done->landlock_abi = (int)abi;
    all = (struct landlock_ruleset_attr){ .handled_access_fs = known_to((int)abi) };
    rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all.handled_access_fs, 0);
    if (rules < 0)
        return fail(error, "making a Landlock rule set");
    for (size_t i = 0; fine && i < CONFINE_PATHS && c->read[i]; i++)
        fine = allow(rules, c->read[i], READS);
    for (size_t i = 0; fine && i < CONFINE_PATHS && c->write[i]; i++)
        fine = allow(rules, c->write[i], (READS | WRITES) & known_to((int)abi));
    fine = fine && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    if (!fine)
        fail(error, "restricting the file system with Landlock");
    close(rules);
    done->landlock = fine;
    return fine;
}

/* ---- seccomp(2) ---- */

/* What capture, timers, files, sockets and the C library need. No program is ever run, no thread or process made. */
static const int calls[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(close),
    SCMP_SYS(stat),
    SCMP_SYS(fstat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fcntl),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(pipe2),
    SCMP_SYS(ioctl),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(signalfd4),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrlimit),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(bind),
    SCMP_SYS(connect),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};
/* Packets, the log, names and servers, the list of interfaces. */
static const int families[] = { AF_PACKET, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

static bool add_rules(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) != 0)
            return false;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        scmp_datum_t family = (scmp_datum_t)families[i];

        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, family, 0)) != 0)
            return false;
    }
    /* Reading its own limits is fine, setting another process's is not. */
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0, 0)) == 0;
}

static bool restrict_calls(char *error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool fine = filter && add_rules(filter) && seccomp_load(filter) == 0;

    seccomp_release(filter);
    if (!fine)
        snprintf(error, CONFINE_ERROR, "restricting system calls with seccomp: not possible with this kernel or library");
    return fine;
}

bool confine(const struct confine *c, struct confined *done, char error[CONFINE_ERROR])
{
    *done = (struct confined){ 0 };
    if (!drop_bounds(error))
        return false;
    if (geteuid() == 0 && c->user && !(done->user = become(c->user, error)))
        return false;
    if (!(done->capabilities = keep_net_raw(error)))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail(error, "giving up new privileges");
    done->no_new_privileges = true;
    return restrict_files(c, done, error) && (done->seccomp = restrict_calls(error));
}
