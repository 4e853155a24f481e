#!/usr/bin/env python3
"""faults.py FAULT_DEF FAULTS_MD: every key of fault.def is explained once in FAULTS.md, and nothing else is.

Exit status: 0 all is well, 1 something is missing or too much, 2 cannot be run.
"""
import collections
import re
import sys


def keys_of_definitions(text):
    return re.findall(r'^X\([A-Z0-9_]+,\s*"([^"]+)"', text, re.MULTILINE)


def keys_of_page(text):
    """(key, meaning) of the table rows that begin with a key."""
    return re.findall(r"^\| `([^`]*)` \| *([^|]*?) *\|", text, re.MULTILINE)


def check(defined, rows):
    explained = collections.Counter(key for key, _ in rows)
    for key in defined:
        if key not in explained:
            yield f"{key}: not explained"
    for key, times in explained.items():
        if key not in defined:
            yield f"{key}: no such fault"
        if times > 1:
            yield f"{key}: explained {times} times"
    for key, meaning in rows:
        if not meaning:
            yield f"{key}: without a meaning"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    if len(sys.argv) != 3:
        print(__doc__.splitlines()[0], file=sys.stderr)
        return 2
    defined = keys_of_definitions(read(sys.argv[1]))
    if not defined:
        print(f"faults.py: {sys.argv[1]}: no fault is defined there", file=sys.stderr)
        return 2
    wrong = list(check(defined, keys_of_page(read(sys.argv[2]))))
    for line in wrong:
        print(f"{sys.argv[2]}: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as problem:
        sys.exit(print(f"faults.py: {problem}", file=sys.stderr) or 2)
