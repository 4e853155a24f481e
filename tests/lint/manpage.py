#!/usr/bin/env python3
"""manpage.py RTPWATCH MANPAGE VERDICTS_DEF: holds the man page against the program and its words.

Every option that `rtpwatch --help` lists has its entry in the page, and the page names no other; every word of verdicts.def has its
place there, and the lists of verdicts and causes hold no other. Exit status: 0 all is well, 1 something is not, 2 cannot be run.
"""
import re
import subprocess
import sys

MACRO = re.compile(r"[A-Z][a-z]")


def options_of_help(text):
    """{"-r", "--read", ...} from the lines that begin with an option."""
    found = set()
    for line in text.splitlines():
        head = re.match(r"\s+((?:-\w, +)?--[a-z-]+|-\w)(?=\s)", line)
        if head:
            found.update(re.findall(r"--?[a-zA-Z][a-z-]*", head.group(1)))
    return found


def options_of_macros(line):
    """What stands after Fl in one mdoc line, up to the next macro: `.It Fl r Ar file , Fl \\-read Ar file`."""
    found, in_flag = set(), False
    for word in line.lstrip(".").split():
        if MACRO.fullmatch(word):
            in_flag = word == "Fl"
        elif in_flag and re.fullmatch(r"\\-[a-z-]+|[a-zA-Z]", word):
            found.add("-" + word.replace("\\", ""))
    return found


def options_of_page(lines):
    """(those that have an entry, all that are named anywhere)"""
    entries, named = set(), set()
    for line in lines:
        if line.startswith("."):
            named |= options_of_macros(line)
        if line.startswith(".It Fl"):
            entries |= options_of_macros(line)
        if "rtpwatch" in line:
            named |= {"--" + name for name in re.findall(r"(?<!\S)\\-\\-([a-z-]+)", line)}
    return entries, named


def words_of_definitions(text):
    """The words of each list: {"CAUSES": {"bad_candidate", ...}, ...}"""
    lists = {}
    for name, word in re.findall(r'^([A-Z_]+)\([A-Z_]+, "([a-z_]+)"', text, re.MULTILINE):
        lists.setdefault(name, set()).add(word)
    return lists


def words_of_page(lines):
    """(section: words that have an entry, all words that are marked as such)"""
    entries, marked, section = {}, set(), ""
    for line in lines:
        if line.startswith(".Sh "):
            section = line[4:]
        for word in re.findall(r"\bCm ([a-z_]+)", line):
            marked.add(word)
            if line.startswith(".It Cm"):
                entries.setdefault(section, set()).add(word)
    return entries, marked


def check_options(told, lines):
    entries, named = options_of_page(lines)
    for option in sorted(told - entries):
        yield f"option {option}: in --help, without an entry in the page"
    for option in sorted((entries | named) - told):
        yield f"option {option}: in the page, not in --help"


def check_words(lists, lines):
    entries, marked = words_of_page(lines)
    for name in sorted(lists):
        for word in sorted(lists[name] - marked):
            yield f"{name} {word}: not in the page"
    causes, others = lists["CAUSES"], set().union(*(lists[name] for name in lists if name != "CAUSES"))
    for word in sorted(causes - entries.get("CAUSES", set())):
        yield f"CAUSES {word}: without an entry under CAUSES"
    for section, known in (("CAUSES", causes), ("VERDICTS", others)):
        for word in sorted(entries.get(section, set()) - known):
            yield f"{word}: under {section} in the page, not in verdicts.def"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    if len(sys.argv) != 4:
        print(__doc__.splitlines()[0], file=sys.stderr)
        return 2
    told = options_of_help(subprocess.run([sys.argv[1], "--help"], capture_output=True, text=True, check=True, timeout=60).stdout)
    lines = read(sys.argv[2]).splitlines()
    lists = words_of_definitions(read(sys.argv[3]))
    if not told or "CAUSES" not in lists:
        print("manpage.py: --help lists no option, or verdicts.def no cause", file=sys.stderr)
        return 2
    wrong = [*check_options(told, lines), *check_words(lists, lines)]
    for line in wrong:
        print(f"{sys.argv[2]}: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, subprocess.SubprocessError) as problem:
        sys.exit(print(f"manpage.py: {problem}", file=sys.stderr) or 2)
