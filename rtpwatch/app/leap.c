#include "app/leap.h"

enum leapt leap_look(struct leap *l, int64_t now_ns, int64_t steady_ns, int64_t wall_ns)
{
    bool ahead = l->steady_ns && now_ns - l->now_ns > steady_ns - l->steady_ns + LEAP_NS;
    bool behind = now_ns - wall_ns > LEAP_NS, back = behind && !l->behind;

    l->now_ns = now_ns;
    l->steady_ns = steady_ns;
    l->behind = behind;
    if (ahead || behind)
        l->doubt_until_ns = now_ns + LEAP_DOUBT_NS;
    return back ? LEAP_BACK : ahead ? LEAP_AHEAD : LEAP_NONE;
}
