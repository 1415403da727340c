"""schema.py - does what miredoctl --json says keep to the shipped schemas?

The schema is the one that its "schema" member names, as installed:
"miredo.status/1" is status-1.json. A number in a string, a word in the place
of a null and a member that is missing are errors; members that the schema
does not have are none to a reader, but here: what we print we also describe.
"""
import glob
import json
import os

import jsonschema

from lab import OURS


def load(name):
    """The schema "miredo.status/1"."""
    base = name.partition(".")[2].replace("/", "-") + ".json"
    paths = glob.glob(f"{OURS}/usr/**/share/miredo/schema/{base}",
                      recursive=True)
    assert len(paths) == 1, f"{base}: installed {len(paths)} times"
    with open(paths[0], encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft7Validator.check_schema(schema)
    return schema


def parts(schema):
    """The schema and what it adds under conditions."""
    return [schema, *(p.get("then", {}) for p in schema.get("allOf", []))]


def undescribed(value, schemas, path=""):
    """Members that none of the schemas names."""
    if isinstance(value, list):
        items = [s.get("items", {}) for s in schemas]
        return [e for i, v in enumerate(value)
                for e in undescribed(v, items, f"{path}[{i}]")]
    if not isinstance(value, dict) or any("additionalProperties" in s
                                          for s in schemas):
        return []
    found = []
    for name, v in value.items():
        known = [p["properties"][name] for s in schemas for p in parts(s)
                 if name in p.get("properties", {})]
        found += (undescribed(v, known, f"{path}.{name}") if known
                  else [f"{path}.{name}"])
    return found


def errors(text):
    """What is wrong with this text, in words; empty: nothing."""
    value = json.loads(text)
    schema = load(value["schema"])
    found = [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e
             in jsonschema.Draft7Validator(schema).iter_errors(value)]
    return found + [f"{name}: not in the schema" for name
                    in undescribed(value, [schema])]
