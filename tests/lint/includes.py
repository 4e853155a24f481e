#!/usr/bin/env python3
"""includes.py [ROOT]: data flows one way, so each folder may include only what stands before it (the table below).

Looks at every #include of rtpwatch/, dissectors/ and tests/, and at what the CMake modules declare. Prints what, where and what to
do. Exit status: 0 all is well, 1 something is not, 2 cannot be run.
"""
import pathlib
import re
import sys

# capture -> net -> classify -> dissectors -> track -> verdict -> rule -> out; only app knows them all.
MAY_INCLUDE = {
    "base": set(),
    "dissectors": {"base"},
    "capture": {"base"},
    "net": {"base", "capture"},
    "classify": {"base", "net", "dissectors"},
    "tls": {"base", "dissectors"},
    "track": {"base", "net", "dissectors"},
    "verdict": {"base", "track"},
    "rule": {"base"},
    "out": {"base", "capture", "track", "verdict", "rule"},
    "app": {"base", "dissectors", "capture", "net", "classify", "tls", "track", "verdict", "rule", "out"},
}
# What a folder shows to others. Folders that are not named here show X/X.h alone.
SHOWN = {
    "base": None,  # all
    "dissectors": None,
    "capture": {"capture/capture.h", "capture/live.h", "capture/dump.h", "capture/reduced.h"},
    "tls": {"tls/tls.h", "tls/keylog.h"},
    "track": {"track/track.h", "track/facts.h", "track/run.h"},
    "verdict": {
        "verdict/verdict.h",
        "verdict/report.h",
        "verdict/path.h",
        "verdict/monitor.h",
        "verdict/selection.h",
        "verdict/verdicts.def",
    },
    "out": {"out/out.h", "out/facts.h", "out/event.h", "out/syslog.h"},
}
# Nothing but types and inline functions: whoever includes it links nothing of its folder.
HEADERS_ALONE = {"capture/capture.h"}
# One place knows a library; the path is a pattern.
LIBRARY_ONLY_IN = {
    r"pcap": ("rtpwatch/capture/*",),
    r"ndpi": ("rtpwatch/classify/ndpi.c",),
    r"cjson|cJSON": ("rtpwatch/out/*", "rtpwatch/rule/*", "rtpwatch/app/*"),
    r"openssl": ("dissectors/*_crypto.c", "rtpwatch/tls/*", "rtpwatch/out/syslog_tls.c"),
}
LINKS_ONLY_IN = {
    "PCAP": {"capture", "app"},
    "NDPI": {"classify"},
    "CJSON": {"out", "rule", "app"},
    "CRYPTO": {"dissectors", "tls"},
    "SSL": {"out"},
}
# A dissector has no memory, no clock and no log of its own.
NEVER_IN_DISSECTORS = re.compile(r"stdlib\.h|time\.h|stdio\.h|malloc\.h|errno\.h|unistd\.h|sys/|syslog\.h")
MODULE_FOLDER = {
    "syslog": "out",
    "outlet": "app",
    **dict.fromkeys(("pipeline", "vantages", "options", "confine", "notify", "drops", "window", "progress", "run", "keep", "parts"), "app"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def folder_of(path):
    """Of a path below the root: its folder in the table, "" for others."""
    parts = path.parts
    if parts[0] == "dissectors":
        return "dissectors"
    return parts[1] if parts[0] == "rtpwatch" and len(parts) > 2 else ""


def sources(root, top):
    return sorted(p for p in (root / top).rglob("*") if p.suffix in (".c", ".h", ".def"))


def includes(path):
    """(line, quoted name or None, <name> or None) of each include."""
    text = path.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(1) if match[1] else match.start(2)) + 1, match[1], match[2]


def resolve(root, source, name):
    """The file that a quoted include means, below the root; None where it is none of ours."""
    for base in (source.parent, root / "rtpwatch", root, root / "tests"):
        found = (base / name).resolve()
        if found.is_file() and found.is_relative_to(root):
            return found.relative_to(root)
    return None


def shown(target):
    folder = folder_of(target)
    name = "/".join(target.parts[-2:])
    allowed = SHOWN.get(folder, {f"{folder}/{folder}.h"})
    return allowed is None or name in allowed


def library_place(path, name):
    for library, places in LIBRARY_ONLY_IN.items():
        if re.match(library, name) and not any(path.match(place) for place in places):
            return f"<{name}> is included only in {' and '.join(places)}: ask that code instead"
    return None


def system_problem(path, name):
    if folder_of(path) == "dissectors" and NEVER_IN_DISSECTORS.match(name):
        return f"<{name}> has no place in a dissector: it takes bytes and gives a struct, without memory, clock or log"
    return library_place(path, name)


def ours_problem(path, target):
    mine, other = folder_of(path), folder_of(target)
    if not mine or not other or mine == other:
        return None
    if other not in MAY_INCLUDE.get(mine, set()):
        return f'{mine} may not include {other} ("{target}"): pass what it needs, or move the code to where it may'
    if not shown(target):
        return f'"{target}" is private to {other}: move what is needed to its public header'
    return None


def private_in_test(path, target):
    """A test may look behind its own folder's public header only."""
    other = folder_of(target)
    if target.stem.endswith("_private") and path.parts[:3] != ("tests", "unit", other):
        return f'"{target}" is private to {other}: test it in tests/unit/{other}'
    return None


def check_includes(root):
    for top in ("rtpwatch", "dissectors", "tests"):
        for source in sources(root, top):
            path = source.relative_to(root)
            for line, quoted, system in includes(source):
                target = resolve(root, source, quoted) if quoted else None
                if top == "tests":
                    problem = private_in_test(path, target) if target else None
                elif system:
                    problem = system_problem(path, system)
                elif not target:
                    problem = library_place(path, quoted) or f'"{quoted}" is no file of ours: use <> for those of the system'
                else:
                    problem = ours_problem(path, target)
                if problem:
                    yield f"{path}:{line}: {problem}"


def modules(text):
    """(name, sources, uses, libraries) of each rw_module() in a CMake file."""
    for body in re.findall(r"rw_module\(([^)]*)\)", re.sub(r"#.*", "", text)):
        words, key = body.split(), "NAME"
        parts = {"NAME": [], "SRC": [], "USES": [], "LIBS": []}
        for word in words:
            if word in parts:
                key = word
            else:
                parts[key].append(word)
        yield parts["NAME"][0], parts["SRC"], set(parts["USES"]), {lib.split("::")[-1] for lib in parts["LIBS"]}


def closure(name, uses):
    """All modules that come with `name`."""
    known, todo = set(), {name}
    while todo:
        known |= todo
        todo = {use for module in todo for use in uses.get(module, ())} - known
    return known


def check_declared(root, cmake, found, uses):
    """What a module declares is allowed, and what its sources include is declared."""
    for name, files, declared, libs in found:
        folder = MODULE_FOLDER.get(name, name)
        for use in sorted(u for u in declared if MODULE_FOLDER.get(u, u) not in MAY_INCLUDE.get(folder, set()) | {folder}):
            yield f"{cmake}: rw_module({name}) USES {use}: {folder} may not use it"
        for lib in sorted(libs):
            if folder not in LINKS_ONLY_IN.get(lib, {folder}):
                yield f"{cmake}: rw_module({name}) links {lib}, which is for {' and '.join(sorted(LINKS_ONLY_IN[lib]))} only"
        reach = {MODULE_FOLDER.get(module, module) for module in closure(name, uses)}
        for file in files:
            source = root / cmake.parent / file
            if not source.is_file():
                yield f"{cmake}: rw_module({name}) names {file}, which is not there"
                continue
            for line, quoted, _ in includes(source):
                target = resolve(root, source, quoted) if quoted else None
                other = folder_of(target) if target else ""
                if other and other not in reach and "/".join(target.parts[-2:]) not in HEADERS_ALONE:
                    yield f"{source.relative_to(root)}:{line}: includes {other}, which rw_module({name}) does not declare: add it to USES"


def check_cmake(root):
    found, text = {}, {}
    for cmake in (pathlib.Path("rtpwatch/CMakeLists.txt"), pathlib.Path("dissectors/CMakeLists.txt")):
        text[cmake] = (root / cmake).read_text(encoding="utf-8")
        found[cmake] = list(modules(text[cmake]))
    uses = {name: declared for rows in found.values() for name, _, declared, _ in rows}
    for cmake, rows in found.items():
        yield from check_declared(root, cmake, rows, uses)
        for source in sources(root, cmake.parent):
            name = source.relative_to(root / cmake.parent).as_posix()
            if source.suffix == ".c" and not re.search(rf"(?<![\w/]){re.escape(name)}(?!\w)", text[cmake]):
                yield f"{source.relative_to(root)}: not built: name it in {cmake}, or delete it"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
    wrong = [*check_includes(root), *check_cmake(root)]
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as problem:
        sys.exit(print(f"includes.py: {problem}", file=sys.stderr) or 2)
