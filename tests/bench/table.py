"""The figures as Markdown. Part of run-bench."""
import os
import re
import statistics

import others
from measure import first_line

LIBRARIES = {"libpcap": "libpcap", "nDPI": "libndpi"}


class Row:
    """A case: nanoseconds a packet of counting and of rtpwatch, the ratios of the pairs, rtpwatch's largest run."""

    def __init__(self, name, packets, counting_ns, ours_ns, ratios, cost):
        self.name, self.packets, self.counting_ns, self.ours_ns = name, packets, counting_ns, ours_ns
        self.ratios, self.cost = ratios, cost
        self.forgetful = None  # the cost with --forget

    def ratio(self):
        return statistics.median(self.ratios)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        return next((line.partition(": ")[2].strip() for line in info if line.startswith("model name")), "unknown processor")


def system():
    try:
        with open("/etc/os-release", encoding="utf-8") as release:
            names = dict(line.rstrip("\n").split("=", 1) for line in release if "=" in line)
    except OSError:
        names = {}
    return names.get("PRETTY_NAME", "unknown system").strip('"')


def versions(args):
    libraries = [f"{name} {first_line(['pkg-config', '--modversion', module])}" for name, module in LIBRARIES.items()]
    compiler = re.sub(r" \(.*\)", "", first_line(["cc", "--version"]))
    return [first_line([args.rtpwatch, "--version"]), *libraries, compiler, *others.installed()]


def write_rows(rows):
    print("\n| case | packets | counting, ns | rtpwatch, ns | ratio (least to most) | peak memory |")
    print("| --- | --- | --- | --- | --- | --- |")
    for r in rows:
        print(f"| `{r.name}` | {r.packets:,} | {r.counting_ns:.0f} | {r.ours_ns:.0f} | {r.ratio():.2f} "
              f"({min(r.ratios):.2f} to {max(r.ratios):.2f}) | {r.cost.memory()} |")
    forgetful = [f"`{r.name}` {r.forgetful.memory()}, {r.forgetful.cpu_s / r.cost.cpu_s:.1f} times the CPU time"
                 for r in rows if r.forgetful]
    if forgetful:
        print(f"\nPeak memory with --forget: {'; '.join(forgetful)}.")


def write_tools(tools):
    for case, (packets, rows) in tools.items():
        print(f"\n| `{case}`, {packets:,} packets | CPU time a packet, ns | by the clock, s | peak memory |")
        print("| --- | --- | --- | --- |")
        for name, ns, wall_s, memory in rows:
            print(f"| {name} | {'' if ns is None else f'{ns:,.0f}'} | {'' if ns is None else f'{wall_s:.2f}'} | {memory} |")


def write_memory(m):
    print(f"\nMemory of a call with eight candidates and two streams: {m['call']:,.0f} bytes with its report, of which each stream "
          f"{m['stream']:,.0f} ({m['calls']:,} calls at once, less the {m['empty'] / 2**20:.1f} MB of an empty capture). "
          f"A capture of one call takes {m['start_s'] * 1000:.0f} ms.")


def write(args):
    print(f"\n{os.cpu_count()} cores of {processor()}, {system()}, Linux {os.uname().release}; {', '.join(versions(args))}."
          f"{' Smaller captures (--quick).' if args.quick else ''}")
    if args.rows:
        write_rows(args.rows)
    if args.tools:
        write_tools(args.tools)
        if others.missing():
            print(f"\nNot installed, so left out: {', '.join(others.missing())}.")
    if args.memory:
        write_memory(args.memory)
