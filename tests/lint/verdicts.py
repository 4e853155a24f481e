#!/usr/bin/env python3
"""verdicts.py [ROOT]: rtpwatch/doc/VERDICTS.md is held to its word.

Every test that it names (`suite::test`) exists; every verdict, direction's verdict, server's verdict and cause of verdicts.def, and every
warning that the code can raise, has a row, and the rows of causes and warnings name a test. Exit status: 0 all is well, 1 something
is not."""
import pathlib
import re
import sys

LISTS = ("VERDICTS", "DIRECTIONS", "SERVER_VERDICTS", "CAUSES")


def tests_of(root):
    found = set()
    for path in (root / "tests").rglob("*.c"):
        found.update(re.findall(r"^(?:Test|ParameterizedTest)\((?:[^,()]*\*\w+, )?(\w+),\s*(\w+)", path.read_text(encoding="utf-8"), re.M))
    return {f"{suite}::{name}" for suite, name in found}


def words_of(root):
    text = (root / "rtpwatch/verdict/verdicts.def").read_text(encoding="utf-8")
    for name in LISTS:
        for ident, word in re.findall(rf'^{name}\((\w+), "(\w+)"', text, re.M):
            if ident != "NONE":
                yield name, word


def warnings_of(root):
    found = set()
    for path in (root / "rtpwatch/verdict").glob("*.c"):
        found.update(re.findall(r'warn_add\(\w+, "(\w+)"', path.read_text(encoding="utf-8")))
    return found


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    page = (root / "rtpwatch/doc/VERDICTS.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    tests = tests_of(root)
    named = set(re.findall(r"`(\w+::\w+)`", page)) - {"suite::test"}
    wrong = [f"names the test {name}, which does not exist" for name in sorted(named - tests)]
    for kind, word in words_of(root):
        mine = [row for row in rows if f"`{word}`" in row.split("|")[1]]
        if not mine:
            wrong.append(f"has no row for `{word}` ({kind.lower()})")
        elif kind == "CAUSES" and not any(re.search(r"`\w+::\w+`", row) for row in mine):
            wrong.append(f"names no test for the cause `{word}`")
    for word in sorted(warnings_of(root)):
        mine = [row for row in rows if f"`{word}`" in row.split("|")[1] and re.search(r"`\w+::\w+`", row)]
        if not mine:
            wrong.append(f"has no row with a test for the warning `{word}`")
    for line in wrong:
        print(f"rtpwatch/doc/VERDICTS.md: {line}")
    print(f"{len(named)} tests are named, {len(wrong)} findings")
    return 1 if wrong or not named else 0


if __name__ == "__main__":
    sys.exit(main())
