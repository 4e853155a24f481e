#include "capture/live.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/prefilter.h"

enum {
    SNAP = 262144,
    RETIRE_MS = 100, /* how long the kernel may hold packets back to fill a block */
    LIVE_SHORT = 128 /* bytes: voice that is cut, with tags and a header extension */
};

struct interface {
    struct capture_input told;
    pcap_t *pcap; /* NULL: gone or down, tried again */
    int link;
    uint64_t number;
    uint64_t dropped_before; /* by earlier openings */
    int64_t from_ns;         /* packets before that were caught without the filter, and are thrown away */
    bool lost;               /* broke since the last look */
    bool away;               /* gone or down, as was told */
    char why[CAPTURE_ERROR];
};

/* Frames that are given on together. The ring's own bytes may be gone with the next packet, so short frames are copied. */
struct batch {
    size_t n;
    struct frame frame[LIVE_FRAMES];
    unsigned char bytes[LIVE_FRAMES][LIVE_SHORT];
};

struct live {
    struct live_options options;
    struct batch batch;
    size_t n;
    struct interface interface[LIVE_INTERFACES];
};

static int64_t wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- opening ---- */

static bool say(struct interface *in, const char *doing, const char *why)
{
    snprintf(in->why, sizeof in->why, "%.64s: %s: %.180s", in->told.path, doing, why);
    return false;
}

/* libpcap runs a program itself that the kernel refused, and then whole packets are copied. */
static bool runs_in_kernel(pcap_t *p, unsigned instructions)
{
    socklen_t n = 0; /* asked with no room it tells how many there are */

    return getsockopt(pcap_fileno(p), SOL_SOCKET, SO_GET_FILTER, NULL, &n) == 0 && n == instructions;
}

/* Frees the program. False: why not was told. */
static bool set_cut(struct interface *in, struct bpf_program *cut)
{
    unsigned n = cut->bf_len;
    bool fine = pcap_setfilter(in->pcap, cut) == 0;

    prefilter_free(cut);
    if (!fine)
        return say(in, "filter", pcap_geterr(in->pcap));
    return runs_in_kernel(in->pcap, n) || say(in, "filter",
                                              "the kernel does not take it together with the one that cuts the voice; "
                                              "a shorter one, a larger net.core.optmem_max or --full-packets will do");
}

/* The user's program and ours as one; ours alone, or the user's alone, or nothing, as far as the link type allows. */
static bool set_filter(struct interface *in, const struct live_options *o)
{
    struct bpf_program given = { 0, NULL }, cut, *user = o->filter ? &given : NULL;
    bool fine;

    if (user && pcap_compile(in->pcap, user, o->filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return say(in, "filter", pcap_geterr(in->pcap));
    if (o->full_packets || !prefilter_build(in->link, NULL, true, &cut)) {
        fine = !user || pcap_setfilter(in->pcap, user) == 0 || say(in, "filter", pcap_geterr(in->pcap));
    } else {
        prefilter_free(&cut);
        fine = prefilter_build(in->link, user, true, &cut)
                   ? set_cut(in, &cut)
                   : say(in, "filter", "too long to be put before the one that cuts the voice");
    }
    pcap_freecode(&given);
    return fine;
}

static bool configure(pcap_t *p, const struct live_options *o)
{
    size_t buffer = o->buffer_bytes ? o->buffer_bytes : LIVE_BUFFER_DEFAULT;

    (void)pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
    return pcap_set_snaplen(p, SNAP) == 0 && pcap_set_timeout(p, RETIRE_MS) == 0 && pcap_set_buffer_size(p, (int)buffer) == 0 &&
           pcap_set_promisc(p, o->promiscuous) == 0;
}

/* `down`: told where the interface is there and merely down. */
static bool interface_open(struct interface *in, const struct live_options *o, bool *down)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    int status;

    *down = false;
    in->pcap = pcap_create(in->told.path, why);
    if (!in->pcap)
        return say(in, "cannot be captured", why);
    status = configure(in->pcap, o) ? pcap_activate(in->pcap) : PCAP_ERROR;
    *down = status == PCAP_ERROR_IFACE_NOT_UP;
    if (status < 0)
        say(in,
            status == PCAP_ERROR_PERM_DENIED ? "not allowed (run as root, or give the program CAP_NET_RAW)"
                                             : "cannot be captured",
            *pcap_geterr(in->pcap) ? pcap_geterr(in->pcap) : pcap_statustostr(status));
    in->link = status < 0 ? 0 : pcap_datalink(in->pcap);
    if (status >= 0 && set_filter(in, o) && pcap_setnonblock(in->pcap, 1, why) == 0) {
        in->from_ns = wall_ns();
        return true;
    }
    pcap_close(in->pcap);
    in->pcap = NULL;
    return false;
}

struct live *live_open(const struct live_options *o, char error[CAPTURE_ERROR])
{
    struct live *l = calloc(1, sizeof *l);
    bool down;

    snprintf(error, CAPTURE_ERROR, "%s", l ? "" : "not enough memory");
    if (!l)
        return NULL;
    l->options = *o;
    for (size_t i = 0; i < o->n; i++) {
        struct interface *in = &l->interface[l->n];

        if (l->n == LIVE_INTERFACES) {
            snprintf(error, CAPTURE_ERROR, "more than %d interfaces; name fewer, or use 'any'", LIVE_INTERFACES);
            live_close(l);
            return NULL;
        }
        l->n++;
        in->told.path = o->interfaces[i];
        if (!interface_open(in, o, &down) && !down) {
            memcpy(error, in->why, CAPTURE_ERROR);
            live_close(l);
            return NULL;
        }
    }
    return l;
}

void live_close(struct live *l)
{
    for (size_t i = 0; l && i < l->n; i++)
        if (l->interface[i].pcap)
            pcap_close(l->interface[i].pcap);
    free(l);
}

/* ---- reading ---- */

size_t live_descriptors(const struct live *l, int fds[LIVE_INTERFACES])
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        if (l->interface[i].pcap)
            fds[n++] = pcap_get_selectable_fd(l->interface[i].pcap);
    return n;
}

struct reading {
    struct interface *in;
    unsigned index;
    struct batch *batch;
    void (*each)(void *self, const struct frame *f, size_t n);
    void *self;
};

static void give_batch(struct reading *r)
{
    if (r->batch->n)
        r->each(r->self, r->batch->frame, r->batch->n);
    r->batch->n = 0;
}

static void give(struct reading *r, struct frame f)
{
    struct batch *b = r->batch;

    if (f.bytes.n > LIVE_SHORT) {
        give_batch(r);
        r->each(r->self, &f, 1);
        return;
    }
    memcpy(b->bytes[b->n], f.bytes.p, f.bytes.n);
    f.bytes.p = b->bytes[b->n];
    b->frame[b->n++] = f;
    if (b->n == LIVE_FRAMES)
        give_batch(r);
}

static void count(struct capture_input *told, int64_t ts_ns, size_t wire)
{
    if (told->packets++ == 0)
        told->first_ns = told->last_ns = ts_ns;
    told->last_ns = ts_ns > told->last_ns ? ts_ns : told->last_ns;
    told->bytes += wire;
}

static void packet(u_char *self, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct reading *r = (struct reading *)(void *)self;
    struct frame f = { .ts_ns = (int64_t)h->ts.tv_sec * NS_PER_S + h->ts.tv_usec,
                       .link = r->in->link,
                       .bytes = { bytes, h->caplen },
                       .wire = h->len < h->caplen ? h->caplen : h->len };

    if (f.ts_ns < r->in->from_ns)
        return;
    f.id = frame_id(r->index, ++r->in->number);
    count(&r->in->told, f.ts_ns, f.wire);
    give(r, f);
}

static void drops(struct interface *in)
{
    struct pcap_stat s;

    if (in->pcap && pcap_stats(in->pcap, &s) == 0)
        in->told.dropped = in->dropped_before + s.ps_drop + s.ps_ifdrop;
}

static void lose(struct interface *in)
{
    say(in, "lost", pcap_geterr(in->pcap));
    drops(in);
    in->dropped_before = in->told.dropped;
    pcap_close(in->pcap);
    in->pcap = NULL;
    in->lost = true;
}

size_t live_read(struct live *l, size_t most, void (*each)(void *self, const struct frame *f, size_t n), void *self)
{
    size_t all = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct reading r = { &l->interface[i], (unsigned)i, &l->batch, each, self };
        int got = r.in->pcap ? pcap_dispatch(r.in->pcap, (int)most, packet, (u_char *)&r) : 0;

        give_batch(&r);
        if (got == PCAP_ERROR)
            lose(r.in);
        else if (got > 0)
            all += (size_t)got;
    }
    return all;
}

/* ---- once a second ---- */

/* libpcap waits for an interface that is down without a word. What cannot be asked ("any") counts as up. */
static bool is_up(int socket_fd, const char *name)
{
    struct ifreq r = { 0 };

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    return ioctl(socket_fd, SIOCGIFFLAGS, &r) != 0 || r.ifr_flags & IFF_UP;
}

static enum live_change look(struct live *l, struct interface *in, int socket_fd)
{
    bool ignored, here = in->pcap != NULL, up;

    if (in->lost && !in->away) { /* told first, tried again a second later */
        in->lost = false;
        in->away = true;
        return LIVE_WENT;
    }
    in->lost = false;
    if (here)
        drops(in);
    else
        here = interface_open(in, &l->options, &ignored);
    up = here && is_up(socket_fd, in->told.path);
    if (up == !in->away)
        return LIVE_SAME;
    if (here)
        snprintf(in->why, sizeof in->why, "%.64s: %s", in->told.path, up ? "captured again" : "is down");
    in->away = !up;
    return up ? LIVE_CAME_BACK : LIVE_WENT;
}

void live_tend(struct live *l, void (*told)(void *self, size_t interface, enum live_change change, const char *text), void *self)
{
    int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    for (size_t i = 0; i < l->n; i++) {
        enum live_change change = look(l, &l->interface[i], socket_fd);

        if (change != LIVE_SAME)
            told(self, i, change, l->interface[i].why);
    }
    if (socket_fd >= 0)
        close(socket_fd);
}

/* ---- looking ---- */

size_t live_inputs(const struct live *l)
{
    return l->n;
}

const struct capture_input *live_input(const struct live *l, size_t i)
{
    return &l->interface[i].told;
}

static bool is_captured(const struct live *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->interface[i].told.path, "any") == 0 || strcmp(l->interface[i].told.path, name) == 0)
            return true;
    return false;
}

/* Link-local addresses and those of the loopback are local everywhere, and tell nothing; media uses them nowhere. */
static bool take_address(const struct sockaddr *a, struct addr *out)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (a && a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, text, sizeof text);
    else if (a && a->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, text, sizeof text);
    return *text && strncmp(text, "fe80", 4) != 0 && addr_parse_ip(span_str(text), 0, out);
}

/* Asked of the system itself: libpcap would look for USB and Bluetooth devices as well, which a confined process must not. */
size_t live_addresses(const struct live *l, struct addr out[LIVE_ADDRESSES])
{
    struct ifaddrs *all = NULL;
    size_t n = 0;

    if (getifaddrs(&all) != 0)
        return 0;
    for (const struct ifaddrs *a = all; a && n < LIVE_ADDRESSES; a = a->ifa_next)
        n += is_captured(l, a->ifa_name) && take_address(a->ifa_addr, &out[n]);
    freeifaddrs(all);
    return n;
}

bool live_list(void (*line)(void *self, const char *text), void *self, char error[CAPTURE_ERROR])
{
    char why[PCAP_ERRBUF_SIZE], text[160];
    pcap_if_t *all = NULL;

    if (pcap_findalldevs(&all, why) != 0) {
        snprintf(error, CAPTURE_ERROR, "interfaces cannot be listed: %.200s", why);
        return false;
    }
    for (const pcap_if_t *d = all; d; d = d->next) {
        snprintf(text, sizeof text, "%-16s %-4s %.100s", d->name, d->flags & PCAP_IF_UP ? "up" : "down",
                 d->description ? d->description : "");
        line(self, text);
    }
    pcap_freealldevs(all);
    return true;
}
