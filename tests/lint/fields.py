#!/usr/bin/env python3
"""fields.py [--write] EVENTS_SCHEMA FIELDS_DEF: the events and fields that rules may name are those of the schemas.

FIELDS_DEF (rtpwatch/rule/fields.def) is a table of the program, so that a misspelt field is a mistake and not a rule that never fires.
--write makes it anew. Exit status: 0 all is well, 1 something is missing or too much, 2 cannot be run.
"""
import json
import pathlib
import sys

HEAD = """\
/*
 * The events that rules may listen to, with the names at their top, and every field that one of them has; made from
 * doc/events.schema.json and report.schema.json by tests/lint/fields.py --write. [*] stands for each item of a list, a last * for any
 * name. Some fields have one of a few words, or none.
 */
"""
# What a rule itself knows: for its message only.
OWN_FIELDS = ("alert.rule", "alert.count", "alert.within", "alert.first")
OWN_EVENTS = ("rule.alert",)
# Told when all is over: rules do not listen to it.
UNHEARD = "summary"


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


class Schemas:
    def __init__(self, path):
        self.folder, self.documents = path.parent, {path.name: load(path)}
        self.first = path.name

    def resolve(self, name, reference):
        """(document name, what is meant) of a $ref."""
        file, _, pointer = reference.partition("#")
        name = file or name
        if name not in self.documents:
            self.documents[name] = load(self.folder / name)
        at = self.documents[name]
        for key in filter(None, pointer.split("/")):
            at = at[key]
        return name, at

    def fields(self, name, schema, prefix):
        if "$ref" in schema:
            yield from self.fields(*self.resolve(name, schema["$ref"]), prefix)
        for inner in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
            yield from self.fields(name, inner, prefix)
        if "items" in schema:
            yield prefix + "[*]"
            yield from self.fields(name, schema["items"], prefix + "[*]")
        for key, value in schema.get("properties", {}).items():
            path = f"{prefix}.{key}" if prefix else key
            yield path
            yield from self.fields(name, value, path)
        if isinstance(schema.get("additionalProperties"), dict) and prefix:
            yield prefix + ".*"

    def words(self, name, schema):
        """The strings that it may be, where they are listed; None: any."""
        if "$ref" in schema:
            return self.words(*self.resolve(name, schema["$ref"]))
        listed = schema.get("enum") or [schema["const"]] if "enum" in schema or "const" in schema else None
        if listed or schema.get("type") == "null":
            return {word for word in listed or [] if isinstance(word, str)}
        inner = [self.words(name, one) for one in [*schema.get("anyOf", []), *schema.get("oneOf", [])]]
        return None if not inner or None in inner else set().union(*inner)

    def worded(self, name, schema, prefix):
        """(field, its words) of all below."""
        if "$ref" in schema:
            yield from self.worded(*self.resolve(name, schema["$ref"]), prefix)
        for inner in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
            yield from self.worded(name, inner, prefix)
        below = [(f"{prefix}.{key}" if prefix else key, value) for key, value in schema.get("properties", {}).items()]
        for path, value in [*below, *([(prefix + "[*]", schema["items"])] if "items" in schema else [])]:
            yield path, self.words(name, value)
            yield from self.worded(name, value, path)

    def events(self):
        """(words, schema) of each kind of event."""
        for kind in self.documents[self.first]["oneOf"]:
            _, schema = self.resolve(self.first, kind["$ref"])
            about = schema["properties"]["event"]
            if about.get("const") != UNHEARD:
                yield about.get("enum") or [about["const"]], schema


def definitions(path):
    schemas, events, fields, words_of = Schemas(path), {}, set(OWN_FIELDS), {}
    for words, schema in schemas.events():
        if words == list(OWN_EVENTS):
            continue
        events |= {word: " ".join(schema["properties"]) for word in words}
        fields |= set(schemas.fields(schemas.first, schema, ""))
        for field, some in schemas.worded(schemas.first, schema, ""):
            before = words_of.setdefault(field, set())
            words_of[field] = None if before is None or some is None else before | some
    return [f'EVENT("{word}", "{names}")' for word, names in events.items()] + [f'FIELD("{field}")' for field in sorted(fields)] + [
        f'WORD("{field}", "{word}")' for field, some in sorted(words_of.items()) for word in sorted(some or ())]


def main():
    write = "--write" in sys.argv[1:]
    paths = [pathlib.Path(word) for word in sys.argv[1:] if word != "--write"]
    if len(paths) != 2:
        print(__doc__.splitlines()[0], file=sys.stderr)
        return 2
    wanted = definitions(paths[0])
    if write:
        paths[1].write_text(HEAD + "\n".join(wanted) + "\n", encoding="utf-8")
        return 0
    there = [line for line in paths[1].read_text(encoding="utf-8").splitlines() if line.startswith(("EVENT(", "FIELD(", "WORD("))]
    wrong = [f"{line}: missing" for line in wanted if line not in there]
    wrong += [f"{line}: no event has it" for line in there if line not in wanted]
    for line in wrong:
        print(f"{paths[1]}: {line}")
    if wrong:
        print(f"run: tests/lint/fields.py --write {paths[0]} {paths[1]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError) as problem:
        sys.exit(print(f"fields.py: {problem!r}", file=sys.stderr) or 2)
