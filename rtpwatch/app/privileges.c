#include "app/privileges.h"

#include <libgen.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/complain.h"
#include "app/confine.h"

/* The folder in which a file is made, renamed and opened again; NULL where there is no file. */
static const char *folder_of(const char *path, struct arena *a)
{
    char *copy = path ? (char *)arena_span(a, (struct span){ (const uint8_t *)path, strlen(path) + 1 }).p : NULL;

    return copy ? dirname(copy) : NULL;
}

static const char *user_of(const struct cli *c)
{
    if (c->user || geteuid() != 0)
        return c->user;
    if (getpwnam(CLI_USER))
        return CLI_USER;
    complain("there is no user '" CLI_USER "', so it stays root, without most of root's rights; --user names another");
    return NULL;
}

static void add(const char **list, size_t *n, const char *path)
{
    if (path && *n < CONFINE_PATHS - 1)
        list[(*n)++] = path;
}

/* What a reload reads again: rules and certificates. */
static void add_alerts(struct confine *want, size_t *reads, const struct cli *c, struct arena *paths)
{
    static const char *const of_log[] = { "/usr/lib/ssl", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates" };

    for (size_t i = 0; i < sizeof of_log / sizeof *of_log && c->syslogs; i++)
        add(want->read, reads, of_log[i]);
    add(want->read, reads, folder_of(c->syslog_ca, paths));
    add(want->read, reads, folder_of(c->syslog_cert, paths));
    add(want->read, reads, folder_of(c->syslog_key, paths));
    for (size_t i = 0; i < c->rules; i++) {
        struct stat st;
        bool folder = stat(c->rule[i], &st) == 0 && S_ISDIR(st.st_mode);

        add(want->read, reads, folder ? c->rule[i] : folder_of(c->rule[i], paths));
    }
}

bool privileges_drop(const struct cli *c, char *error)
{
    /* Names, users and time zones; what the kernel tells of interfaces. */
    struct confine want = { .user = NULL, .read = { "/etc", "/usr/share/zoneinfo", "/sys", "/proc" } };
    struct confined done;
    struct arena paths = { 0 };
    size_t reads = 4, writes = 0;
    char why[CONFINE_ERROR];
    bool fine;

    if (c->no_confine)
        return true;
    want.user = user_of(c);
    add(want.read, &reads, folder_of(c->config, &paths));
    add(want.write, &writes, folder_of(c->output, &paths));
    add(want.write, &writes, folder_of(c->snapshot, &paths));
    add(want.write, &writes, folder_of(c->state, &paths));
    add(want.write, &writes, folder_of(c->write, &paths));
    add_alerts(&want, &reads, c, &paths);
    fine = confine(&want, &done, why);
    if (!fine)
        snprintf(error, CAPTURE_ERROR, "%s", why);
    else if (!done.landlock)
        complain("this kernel has no Landlock: the file system is guarded by its permissions alone");
    arena_done(&paths);
    return fine;
}
