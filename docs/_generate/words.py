"""Types, defaults and sentences of options, as a reader takes them in."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from mtbalance.blocks import Block

PLAIN = {int: "whole number", float: "number", str: "text", bool: "`true` or `false`", type(None): "`null`"}
LIMITS = {
    "ge": "at least {}",
    "gt": "above {}",
    "le": "at most {}",
    "lt": "below {}",
    "multiple_of": "a multiple of {}",
    "max_length": "of length {} at most",
}
ROLE = re.compile(r":\w+:`~?([\w.]+\.)?(\w+)`")


def sentence(text: str | None) -> str:
    """A docstring's text as Markdown: one paragraph, with names as code."""
    return " ".join(ROLE.sub(r"`\2`", text or "").split())


def type_of(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """A type in words, with its limits: ``whole number, at least 1``."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return type_of(inner, [*metadata, *more])
    return ", ".join([_plain(annotation), *_limits(metadata)])


def _plain(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in PLAIN:
        return PLAIN[annotation]
    if origin is Literal:
        return _either([f"`{value}`" for value in arguments])
    if origin in (Union, types.UnionType):
        return _either([type_of(one) for one in arguments if one is not type(None)])
    if origin is list or (origin is tuple and arguments[-1] is ...) or origin is Sequence:
        return f"list of {_plural(type_of(arguments[0])).replace(', ', ', each ', 1)}"
    if origin in (dict, Mapping):
        return f"by name: {_plural(type_of(arguments[1]))}"
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return "block"
    raise TypeError(f"the reference has no words for the type {annotation}")


def _either(choices: Sequence[str]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}" if first else last


def _plural(words: str) -> str:
    for noun in ("whole number", "number", "text", "block", "list"):
        if words.startswith(noun):
            return words.replace(noun, f"{noun}s", 1)
    return words


def _limits(metadata: Iterable[Any]) -> list[str]:
    parts = [part for given in metadata for part in (given.metadata if isinstance(given, FieldInfo) else [given])]
    filled = ["not empty"] if any(getattr(part, "min_length", None) for part in parts) else []
    return filled + [
        words.format(_number(getattr(part, name)))
        for part in parts
        for name, words in LIMITS.items()
        if getattr(part, name, None) is not None
    ]


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def default_of(value: Any) -> str:
    """A default in words; ``...`` says that there is none."""
    if value is ...:
        return "required"
    if value is None or isinstance(value, Block):
        return "may be left out"
    plain = isinstance(value, str) and value.isidentifier()
    return f"default `{value if plain else json.dumps(value, ensure_ascii=False)}`"


def option(name: str, annotation: Any, metadata: Iterable[Any], default: Any, text: str | None) -> str:
    """One entry of a definition list: the name, its type and default, then the sentence."""
    said = sentence(text) or "—"
    return f"`{name}` ({type_of(annotation, metadata)}; {default_of(default)})\n: {said}\n"
