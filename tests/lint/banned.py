#!/usr/bin/env python3
"""banned.py [ROOT]: what no file of this repository may hold.

Functions that cannot be used safely, tabs, blanks at line ends, lines and files that are too long, paths of the machine it was
written on. Prints what, where and what to do. Exit status: 0 all is well, 1 something is not, 2 cannot be run.
"""
import pathlib
import re
import sys

COLUMNS, LINES = 140, 600
# Longer than LINES, each with its reason.
LONG_FILES = {}
# What may start a program: measuring one is what it is for.
RUNNERS = {"tests/bench/took.c"}
SKIPPED = {".git", "build", "seeds"}  # seeds: messages as on the wire
C_SUFFIXES = {".c", ".h", ".def"}

BANNED = {
    r"v?sprintf": "has no bound: use snprintf, or strbuf_fmt",
    r"strcpy|stpcpy|strcat|wcscpy": "has no bound: use a span, or strbuf_add",
    r"strncpy|strncat": "may leave out the NUL: use a span, or strbuf_span",
    r"strtok|strtok_r": "writes into its input: use span_until",
    r"atoi|atol|atoll|atof": "cannot tell an error from 0: use span_u64",
    r"gets": "has no bound: use fgets",
    r"alloca": "overflows the stack on hostile input: use a named cap, or an arena",
    r"system|popen|exec[lv][pe]*": "starts another program: a diagnostic tool has no need to",
    r"setjmp|longjmp|_longjmp|siglongjmp": "jumps over what must be freed",
    r"rand|srand": "is not the same everywhere: write the few lines of a named generator",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
# Comments and literals, which may name what code may not call.
NO_CODE = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
HOME = re.compile(r"(?<![\w.$}/-])(?:/home/\w|/Users/\w|/root[/]|[A-Z]:\\\\?Users)")
# Where a checkout may lie without its path being a word of its own.
COMMON_PARENTS = {"/", "/usr", "/usr/src", "/usr/local", "/opt", "/tmp", "/var", "/var/tmp", "/src", "/mnt", "/srv"}


def blanked(match):
    """As many line ends as before, so that line numbers stay."""
    return " " + "\n" * match[0].count("\n")


def why_banned(name):
    return next(why for names, why in BANNED.items() if re.fullmatch(names, name))


def check_calls(text, may_run):
    code = NO_CODE.sub(blanked, text)
    for match in CALL.finditer(code):
        if not (may_run and match[1].startswith("exec")):
            yield code.count("\n", 0, match.start()) + 1, f"{match[1]}() {why_banned(match[1])}"


def check_lines(text, is_code):
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip(" \t\r"):
            yield number, "blanks (or a carriage return) at the end of the line: remove them"
        if is_code and "\t" in line:
            yield number, "a tab: indent with four spaces, write \\t in a literal"
        if is_code and len(line) > COLUMNS:
            yield number, f"{len(line)} columns, {COLUMNS} are allowed: break the line, or name a part of it"


def check_length(path, text):
    lines = text.count("\n")
    listed = path.as_posix() in LONG_FILES
    if lines > LINES and not listed:
        yield lines, f"{lines} lines, {LINES} are allowed: split by concept, or list it in banned.py with the reason"
    if listed and lines <= LINES:
        yield lines, "no longer too long: take it off the list in banned.py"


def check_paths(text, machine):
    for number, line in enumerate(text.split("\n"), 1):
        found = HOME.search(line) or (machine.search(line) if machine else None)
        if found:
            yield number, f"a path of one machine ({found[0]}): name it relative to the repository"


def check(path, text, machine):
    is_c = path.suffix in C_SUFFIXES
    is_code = is_c or path.suffix == ".py" or text.startswith("#!")
    yield from check_lines(text, is_code)
    yield from check_paths(text, machine)
    if is_code:
        yield from check_length(path, text)
    if is_c:
        yield from check_calls(text, path.as_posix() in RUNNERS)
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no line end at the end of the file: add it"


def machine_path(root):
    """Where this checkout lies, and what lies beside it: nobody else has that."""
    parent = root.parent.as_posix()
    here = re.escape(root.as_posix() if parent in COMMON_PARENTS else parent)
    return None if root.as_posix() == "/" else re.compile(rf"(?<![\w.$}}/-]){here}(?![\w-])")


def files(root):
    for path in sorted(root.rglob("*")):
        if path.is_file() and not SKIPPED & set(path.relative_to(root).parts):
            yield path


def text_of(path):
    """None for what is no text (captures, pictures)."""
    data = path.read_bytes()
    try:
        return None if b"\0" in data else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
    machine = machine_path(root)
    wrong = 0
    for file in files(root):
        path, text = file.relative_to(root), text_of(file)
        if text is None:
            if file.suffix in C_SUFFIXES:
                print(f"{path}:1: no UTF-8 text")
                wrong += 1
            continue
        for line, problem in sorted(check(path, text, machine)):
            print(f"{path}:{line}: {problem}")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as problem:
        sys.exit(print(f"banned.py: {problem}", file=sys.stderr) or 2)
