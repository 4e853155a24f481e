#include "app/window.h"

#include "base/clock.h"
#include "base/span.h"
#include "capture/capture.h"

enum { DAY_S = 86400, MINUTE_S = 60, HOUR_S = 3600 };
#define DAY_NS SECONDS(DAY_S)

/* Exactly `digits` digits, at most `most`, taken off the front. */
static bool number(struct span *s, size_t digits, uint64_t most, int64_t *out)
{
    uint64_t v = 0;

    if (s->n < digits || !span_u64(span_part(*s, 0, digits), most, &v))
        return false;
    *s = span_part(*s, digits, s->n - digits);
    *out = (int64_t)v;
    return true;
}

static bool letter(struct span *s, const char *any)
{
    if (!s->n || !s->p[0] || !strchr(any, s->p[0]))
        return false;
    *s = span_part(*s, 1, s->n - 1);
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar, with years that begin in March so that the leap day is their last. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;

    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static bool date(struct span *s, int64_t *out_days)
{
    static const uint8_t lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t year, month, day;

    if (!number(s, 4, 9999, &year) || !letter(s, "-") || !number(s, 2, 12, &month) || !letter(s, "-") || !number(s, 2, 31, &day))
        return false;
    if (year < 1970 || month < 1 || day < 1 || day > lengths[month - 1])
        return false;
    *out_days = days(year, month, day);
    return month != 2 || day < 29 || days(year, 3, 1) - days(year, 2, 28) == 2;
}

/* HH:MM, and :SS where it is there or has to be. */
static bool time_of_day(struct span *s, bool seconds_needed, int64_t *out_s)
{
    int64_t hour, minute, second = 0;

    if (!number(s, 2, 23, &hour) || !letter(s, ":") || !number(s, 2, 59, &minute))
        return false;
    if (letter(s, ":")) {
        if (!number(s, 2, 60, &second))
            return false;
    } else if (seconds_needed) {
        return false;
    }
    *out_s = hour * HOUR_S + minute * MINUTE_S + second;
    return true;
}

/* ".5": what is finer than nanoseconds is left out. */
static bool fraction(struct span *s, int64_t *out_ns)
{
    int64_t digit, scale = NS_PER_S / 10;

    *out_ns = 0;
    if (!letter(s, "."))
        return true;
    if (!number(s, 1, 9, &digit))
        return false;
    do {
        *out_ns += digit * scale;
        scale /= 10;
    } while (number(s, 1, 9, &digit));
    return true;
}

/* "Z" or "+02:00": what to take off. */
static bool offset(struct span *s, int64_t *out_s)
{
    bool west;

    *out_s = 0;
    if (letter(s, "Zz"))
        return true;
    west = s->n && s->p[0] == '-';
    if (!letter(s, "+-") || !time_of_day(s, false, out_s))
        return false;
    *out_s = west ? -*out_s : *out_s;
    return true;
}

bool window_parse(const char *text, struct window_end *out)
{
    struct span all = span_str(text), s = all;
    int64_t day, second, ns, west;

    *out = (struct window_end){ .given = true };
    if (time_of_day(&s, false, &second) && !s.n) {
        out->time_of_day = true;
        out->ns = SECONDS(second);
        return true;
    }
    s = all;
    if (!date(&s, &day) || !letter(&s, "Tt ") || !time_of_day(&s, true, &second) || !fraction(&s, &ns) || !offset(&s, &west) ||
        s.n)
        return false;
    if (day > INT64_MAX / DAY_NS - 2)
        return false; /* in 2262 */
    out->ns = day * DAY_NS + SECONDS(second - west) + ns;
    return true;
}

static void settle_end(struct window_end *e, int64_t first_ns)
{
    if (e->given && e->time_of_day)
        e->ns += first_ns - first_ns % DAY_NS;
    e->time_of_day = false;
}

bool window_settle(struct window *w, int64_t first_ns)
{
    bool next_day = w->until.time_of_day;

    settle_end(&w->since, first_ns);
    settle_end(&w->until, first_ns);
    if (next_day && w->until.ns <= (w->since.given ? w->since.ns : first_ns))
        w->until.ns += DAY_NS;
    return !w->since.given || !w->until.given || w->since.ns < w->until.ns;
}

bool window_holds(const struct window *w, int64_t ns)
{
    return !(w->since.given && ns < w->since.ns) && !(w->until.given && ns >= w->until.ns);
}

size_t window_keep(const struct window *w, struct frame *f, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (window_holds(w, f[i].ts_ns))
            f[kept++] = f[i];
    return kept;
}
