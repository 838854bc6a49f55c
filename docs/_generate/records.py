"""The records of runs, timings and references, from their JSON schema."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from pydantic import TypeAdapter

from _generate.words import sentence

MODULE = "mtbalance.records"
RECORDS = {
    "RunRecord": "The run record",
    "TimingRecord": "The timing record",
    "ReferenceRecord": "The reference record",
}
WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}


def markdown() -> str:
    """A section for each record and for each block in it. Raises ``AttributeError`` where a record is not defined."""
    if find_spec(MODULE) is None:
        return "The record has no schema in this version.\n"
    module = importlib.import_module(MODULE)
    shown: set[str] = set()
    return "\n".join(line for name, title in RECORDS.items() for line in _record(getattr(module, name), title, shown))


def _record(record: Any, title: str, shown: set[str]) -> Iterator[str]:
    schema = TypeAdapter(record).json_schema(mode="serialization")
    yield from _block(title, schema, 2)
    for name, block in schema.get("$defs", {}).items():
        if name not in shown and "properties" in block:
            shown.add(name)
            yield f"({_label(name)})="
            yield from _block(f"`{name}`", block, 3)


def _block(title: str, schema: Mapping[str, Any], depth: int) -> Iterator[str]:
    said = "\n\n".join(sentence(part) for part in schema.get("description", "").split("\n\n"))
    yield f"{'#' * depth} {title}\n\n{said}\n"
    for key, field in schema.get("properties", {}).items():
        yield f"`{key}` ({_type(field)})\n: {sentence(field.get('description')) or '—'}\n"


def _label(name: str) -> str:
    return f"record-{name.lower()}"


def _type(field: Mapping[str, Any]) -> str:
    """A JSON schema's type in words."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[`{name}`](#{_label(name)})"
    if "const" in field or "enum" in field:
        return " or ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if "anyOf" in field:
        found = [_type(one) for one in field["anyOf"] if one.get("type") != "null"]
        null = ", may be `null`" if len(found) < len(field["anyOf"]) else ""
        return " or ".join(f"({one})" if ":" in one and len(found) > 1 else one for one in found) + null
    kind = field.get("type")
    if kind == "array":
        inner = field.get("items") or next(iter(field.get("prefixItems", [])), None)
        return f"list: {_type(inner)}" if inner else "list"
    if kind == "object":
        values = field.get("additionalProperties")
        return f"by name: {_type(values)}" if isinstance(values, Mapping) and values else "block"
    return WORDS.get(str(kind), "any value")
