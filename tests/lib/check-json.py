#!/usr/bin/env python3
"""check-json.py SCHEMA FILE -- is each line of FILE a JSON value as the JSON
Schema says?  The keywords that docs/formats/ uses, and an error for others:
a rule that is not checked would be no rule."""
import json
import re
import sys

KNOWN = {"$schema", "title", "type", "required", "additionalProperties",
         "properties", "pattern", "minLength", "minimum", "maximum", "enum",
         "const", "items"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int}


def check(schema, value, where):
    unknown = set(schema) - KNOWN
    assert not unknown, f"the schema at {where} has {unknown}"
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or
                 isinstance(value, bool)):
        yield f"{where}: not of type {kind}: {value!r}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r} is not {schema['const']!r}"
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{where}: {value!r} does not match {schema['pattern']}"
        if len(value) < schema.get("minLength", 0):
            yield f"{where}: too short"
    if isinstance(value, int):
        if not schema.get("minimum", value) <= value <= schema.get(
                "maximum", value):
            yield f"{where}: {value} is out of range"
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from check(schema.get("items", {}), item, f"{where}/{i}")
    if isinstance(value, dict):
        yield from members(schema, value, where)


def members(schema, value, where):
    for name in schema.get("required", []):
        if name not in value:
            yield f"{where}: no {name}"
    rest = schema.get("additionalProperties", {})
    for name, item in value.items():
        if name in schema.get("properties", {}):
            yield from check(schema["properties"][name], item,
                             f"{where}/{name}")
        elif rest is False:
            yield f"{where}: {name} is not in the schema"
        else:
            yield from check(rest, item, f"{where}/{name}")


with open(sys.argv[1], encoding="utf-8") as file:
    rules = json.load(file)
lines = 0
bad = []
with open(sys.argv[2], encoding="utf-8") as file:
    for line in file:
        lines += 1
        bad += check(rules, json.loads(line), f"line {lines}: ")
print("\n".join(bad[:20]) or f"{lines} lines are as the schema says")
sys.exit(1 if bad or lines == 0 else 0)
