"""One line per fault that a check of options found, with the path of its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from mtbalance.blocks import Contradictions, UnknownKeys
from mtbalance.errors import quoted, shortened
from mtbalance.registry import suggestion

Location = tuple[int | str, ...]


def fault_lines(error: ValidationError, raw: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """One line per fault of pydantic's, each beginning with the path of the key in ``raw``."""
    for fault in error.errors():
        where = path + _keys_of(raw, fault["loc"])
        cause = fault.get("ctx", {}).get("error")
        if isinstance(cause, ValidationError):
            yield from fault_lines(cause, _at(raw, fault["loc"]), where)
        elif isinstance(cause, Contradictions):
            yield from (f"{'.'.join(filter(None, (*where, key)))}: {reason}" for key, reason in cause.faults)
        elif isinstance(cause, UnknownKeys):
            block = path + _keys_of(raw, fault["loc"], last=False)
            for key in cause.keys:
                yield f"{'.'.join((*block, _shown(key)))}: unknown key; allowed: {suggestion(str(key), cause.allowed)}"
        else:
            yield ": ".join(filter(None, (".".join(where), _message(fault))))


SHOWN = 5
"""Largest number of faults of one file that a message lists."""


def briefly(error: Exception, raw: Any = None) -> str:
    """What is wrong with a file that could not be read, in one line: pydantic's first faults, or the error's text."""
    if isinstance(error, ValidationError):
        lines = list(fault_lines(error, raw))
        more = [f"{len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        return "; ".join([*lines[:SHOWN], *more])
    return shortened(" ".join(str(error).split()))


WANTED = {
    "list_type": "a list is wanted, in brackets",
    "dict_type": "a block of keys and values is wanted",
    "model_type": "a block of keys and values is wanted",
    "int_parsing": "a whole number is wanted",
    "int_type": "a whole number is wanted",
    "int_from_float": "a whole number is wanted",
    "float_parsing": "a number is wanted",
    "float_type": "a number is wanted",
    "bool_parsing": "true or false is wanted",
    "bool_type": "true or false is wanted",
    "string_type": "a text is wanted",
}
"""What pydantic's most frequent faults ask for."""


OF_KEY = "[key]"
"""The end of a location of pydantic's where not a value but its key is wrong."""


def _message(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "missing":
        return "missing"
    message = WANTED.get(fault["type"]) or str(fault["msg"]).removeprefix("Value error, ")
    return message if isinstance(fault["input"], Mapping) else f"{message}, not {quoted(fault['input'])}"


def _keys_of(raw: Any, location: Location, last: bool = True) -> tuple[str, ...]:
    """``location`` as keys of ``raw``.

    pydantic adds the tags of unions to a location. These tags are not keys of ``raw`` and are dropped. A missing key is
    not in ``raw`` either, but is kept if it is the ``last``.
    """
    keys = []
    for position, key in enumerate(location):
        if key == OF_KEY:
            break
        inside = (isinstance(raw, Mapping) and key in raw) or (isinstance(raw, list) and isinstance(key, int))
        if inside:
            raw = raw[key]
        if inside or (last and position == len(location) - 1):
            keys.append(_shown(key))
    return tuple(keys)


def _shown(key: object) -> str:
    text = str(key)
    return shortened(text if text.isprintable() else repr(text))


def _at(raw: Any, location: Location) -> Any:
    for key in _keys_of(raw, location):
        raw = raw[int(key) if isinstance(raw, list) else key]
    return raw
