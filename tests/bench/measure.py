"""Runs programs and tells what they took. Part of run-bench."""
import signal
import subprocess

TIME_LIMIT_S = 900
CANNOT_RUN = 127


class CannotRun(Exception):
    pass


class Cost:
    """What a run took: CPU seconds (user and system), seconds by the clock, and the peak of resident memory in kB."""

    def __init__(self, cpu_s, wall_s, peak_kb):
        self.cpu_s, self.wall_s, self.peak_kb = cpu_s, wall_s, peak_kb

    def memory(self):
        return f"{self.peak_kb / 1024:.1f} MB"


class Meter:
    """`took`: the program of that name (took.c)."""

    def __init__(self, took):
        self.took = took

    def __call__(self, command, allowed=(0,), limit_s=TIME_LIMIT_S):
        """The cost of a command whose output is thrown away."""
        done = subprocess.run([self.took, str(limit_s), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              check=True)
        cpu_s, wall_s, peak_kb, status = done.stdout.split()
        if int(status) == 128 + signal.SIGALRM:
            raise CannotRun(f"{command[0]}: not done in {limit_s} s")
        if int(status) not in allowed:
            raise CannotRun(f"{' '.join(command)}: " + ("cannot be run" if int(status) == CANNOT_RUN else f"ended with {status}"))
        return Cost(float(cpu_s), float(wall_s), int(peak_kb))


def first_line(command, otherwise="unknown"):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return otherwise
    return next((line.strip() for line in done.stdout.splitlines() if line.strip()), otherwise)
