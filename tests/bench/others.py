"""Other programs that read calls from captures, as far as they are installed. Part of run-bench."""
import re
import shutil
import statistics

from measure import CannotRun, first_line

LIMIT_S = 60
RUNS = 3

# By case and program: what reads from the capture what rtpwatch reads. sngrep takes calls up to a number; -N -q is without a terminal.
COMMANDS = {
    "tools-rtp": {
        "tshark": "tshark -n -q -r {} -z rtp,streams",
        "sngrep": "sngrep -F -N -q -r -l 1000000 -I {}",
        "ndpiReader": "ndpiReader -q -i {}",
    },
    "tools-signalling": {
        "tshark": "tshark -n -q -r {} -z sip,stat",
        "sngrep": "sngrep -F -N -q -l 1000000 -I {}",
        "ndpiReader": "ndpiReader -q -i {}",
    },
}
VERSIONS = {"tshark": ["tshark", "--version"], "sngrep": ["sngrep", "-V"], "ndpiReader": ["ndpiReader", "-h"]}


def version(name):
    found = re.search(r"\d+(\.\d+)+", first_line(VERSIONS[name], ""))
    return f"{name} {found.group(0)}" if found else name


def missing():
    return [name for name in VERSIONS if not shutil.which(name)]


def installed():
    return [version(name) for name in VERSIONS if shutil.which(name)]



def compare(args, case, capture, packets, report):
    """Each program on the capture, in turn; a row is its name and the median of its CPU time a packet, clock and memory."""
    rows = []
    commands = {"counting": [args.count, capture], "rtpwatch": [args.rtpwatch, capture]}
    commands.update((name, command.format(capture).split()) for name, command in COMMANDS[case].items() if shutil.which(name))
    costs = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            try:
                if costs[name] is not None:
                    costs[name].append(args.measure(command, (0, 1) if name == "rtpwatch" else (0,), LIMIT_S))
            except CannotRun as why:
                report(f"  {why}")
                costs[name] = None
    for name, runs in costs.items():
        if not runs:
            rows.append((name, None, None, f"not done in {LIMIT_S} s, or failed"))
            continue
        cpu = statistics.median(run.cpu_s for run in runs)
        wall = statistics.median(run.wall_s for run in runs)
        rows.append((name, cpu / packets * 1e9, wall, max(runs, key=lambda run: run.peak_kb).memory()))
        report(f"  {name:<10} {cpu:8.3f} s  {cpu / packets * 1e9:8.1f} ns/packet  {wall:6.2f} s by the clock  {rows[-1][3]:>10}")
    return rows
