/* The only place that ends the program. */
#include "app/alerts.h"
#include "app/complain.h"
#include "app/config.h"
#include "app/offline.h"
#include "app/reduce.h"
#include "app/watch.h"

static void interface_line(void *self, const char *text)
{
    (void)self;
    puts(text);
}

static int interfaces_list(void)
{
    char error[CAPTURE_ERROR];

    return live_list(interface_line, NULL, error) ? EXIT_FINE : complain(error);
}

/* A file that was named has been read with the command line, and is right. */
static int config_check(struct cli *c)
{
    const char *path = c->config ? c->config : CLI_CONFIG;
    char error[CLI_ERROR];

    if (!c->config && !config_read(c, path, stderr, error))
        return complain(error);
    printf("%s: nothing is wrong\n", path);
    return EXIT_FINE;
}

static int act(struct cli *c, int argc, char **argv)
{
    switch (c->action) {
    case ACTION_HELP: cli_help(stdout); return EXIT_FINE;
    case ACTION_VERSION: puts("rtpwatch " RW_VERSION); return EXIT_FINE;
    case ACTION_INTERFACES: return interfaces_list();
    case ACTION_CHECK_CONFIG: return config_check(c);
    case ACTION_CHECK_RULES: return alerts_check(c);
    default: break;
    }
    if (c->reduce)
        return reduce_run(c);
    return c->interfaces ? watch_run(c, argc, argv) : offline_run(c);
}

int main(int argc, char **argv)
{
    struct cli c;
    char error[CLI_ERROR];
    int status = cli_parse(&c, argc, argv, error) ? act(&c, argc, argv) : complain(error);

    cli_done(&c);
    return status;
}
