#!/usr/bin/env python3
"""rules.py: the shipped rules against their schema, the events they are tested with against theirs, and a section of the page for each.

Exit status: 0 all is well, 1 something is not, 2 cannot be run, 77 python3-jsonschema is missing.
"""
import json
import pathlib
import re
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    sys.exit(print("rules.py: python3-jsonschema is not installed") or 77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = ROOT / "rtpwatch" / "doc"
REPORT = "report.schema.json"


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def pointing_within(schema):
    """The schema with references to the report's turned into references to a copy of its definitions."""
    if isinstance(schema, dict):
        return {key: within(value) if key == "$ref" else pointing_within(value) for key, value in schema.items()}
    return [pointing_within(item) for item in schema] if isinstance(schema, list) else schema


def within(reference):
    return reference.replace(f"{REPORT}#/$defs/", "#/$defs/report/")


def events_schema():
    report = json.loads(json.dumps(load(DOC / REPORT)["$defs"]).replace('"#/$defs/', '"#/$defs/report/'))
    events = pointing_within(load(DOC / "events.schema.json"))
    events["$defs"]["report"] = report
    return events


def by_event(schema):
    """A validator for each event word: what is wrong is then told of that kind, not of all."""
    for kind in schema["oneOf"]:
        about = schema["$defs"][kind["$ref"].rsplit("/", 1)[1]]["properties"]["event"]
        for word in about.get("enum") or [about["const"]]:
            if word != "summary":  # told when all is over: rules do not listen to it
                yield word, Draft202012Validator({**schema, "oneOf": [kind]})


def laid_over(event, change):
    both = isinstance(event, dict) and isinstance(change, dict)
    return {**event, **{key: laid_over(event.get(key), value) for key, value in change.items()}} if both else change


def tested_events(cases):
    for event in cases["base"].values():
        yield "base", event
    for name, case in [*cases["rules"].items(), ("healthy", {"healthy": cases["healthy"]})]:
        for events in case.values():
            for event in events if isinstance(events, list) else []:
                yield name, laid_over(cases["base"][event["like"]], event.get("with", {}))


def innermost(error):
    return innermost(error.context[0]) if error.context else error


def check_rules():
    schema = load(DOC / "rules.schema.json")
    Draft202012Validator.check_schema(schema)
    names = []
    for path in sorted((ROOT / "rules").glob("*.json")):
        rules = load(path)
        names += [rule["name"] for rule in rules.get("rules", [])]
        for error in Draft202012Validator(schema).iter_errors(rules):
            yield f"{path.relative_to(ROOT)}: {error.json_path}: {innermost(error).message[:200]}"
    sections = re.findall(r"^### ([a-z0-9-]+)$", (ROOT / "rules" / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    for name in sorted(set(names) ^ set(sections)):
        yield f"rules/README.md: {name}: " + ("no such rule" if name in sections else "no section")


def check_words():
    """The editor's list of events is that of the events' own schema."""
    offered = set(load(DOC / "rules.schema.json")["$defs"]["event"]["anyOf"][0]["enum"])
    there = {word for word, _ in by_event(events_schema())} - {"rule.alert"}
    for word in sorted(offered ^ there):
        yield f"rtpwatch/doc/rules.schema.json: {word}: " + ("no such event" if word in offered else "missing")


def check_events():
    schema = events_schema()
    Draft202012Validator.check_schema(schema)
    validators = dict(by_event(schema))
    for name, event in tested_events(load(ROOT / "tests" / "unit" / "rule" / "shipped.json")):
        for error in validators[event["event"]].iter_errors(event):
            yield f"shipped.json: {name}: {event['event']}: {innermost(error).json_path}: {innermost(error).message[:200]}"


def main():
    wrong = [*check_rules(), *check_words(), *check_events()]
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError) as problem:
        sys.exit(print(f"rules.py: {problem!r}", file=sys.stderr) or 2)
