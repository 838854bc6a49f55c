"""Positions: the lines of a YAML file that its keys stand in, the keys that stand in it twice, and its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

MERGE = "<<"
"""The key whose value's entries a block takes over."""
MOST_VALUES = 200_000
"""Keys and values of a file, with those that aliases (``*name``) repeat. A few lines of aliases can repeat billions."""


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A loader that names the line of a value that cannot be made, such as a date in month 13."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node."""
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from None


class Positions:
    """The keys of one YAML file.

    Raises ``yaml.YAMLError`` for text that is no YAML, or whose aliases repeat too much.
    """

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._root = yaml.compose(text, yaml.SafeLoader)
        _refuse_many(self._root)
        self.content: Any = yaml.load(text, Loader)

    def located(self, faults: Iterable[str]) -> list[str]:
        """Faults that begin with the path of their key, with the file and the line of the key before them.

        A line that several blocks refer to (``*anchor``, ``<<``) has its fault once.
        """
        found: dict[tuple[int, str, str], list[str]] = {}
        for fault in faults:
            path, _, reason = fault.partition(": ")
            found.setdefault((self._line(path), path.rpartition(".")[2], reason), []).append(fault)
        lines = []
        for (line, _, _), (first, *others) in found.items():
            also = f"; and for {len(others)} more that refer to this line" if others else ""
            lines.append(f"{self._path}:{line}: {first}{also}")
        return lines

    def _line(self, path: str) -> int:
        """The line of the key with that path, or of the last key of it that stands in the file."""
        node, line, keys = self._root, 1, path.split(".")
        while keys:
            entries = _entries(node)
            name = next((name for name in _beginnings(keys) if name in entries), None)
            if name is None:
                break
            marked, node = entries[name]
            line, keys = marked.start_mark.line + 1, keys[name.count(".") + 1 :]
        return line

    def twice(self) -> Iterator[str]:
        """A fault for each key that a block has more than once; YAML would take the last one in silence."""
        yield from _twice(self._root, ())


def _refuse_many(root: yaml.Node | None) -> None:
    """Raise ``yaml.YAMLError`` for a node with very many values below it, or with itself."""
    counts: dict[int, float] = {}

    def count(node: yaml.Node) -> float:
        if id(node) not in counts:
            counts[id(node)] = float("inf")  # it is, if it is below itself
            pairs = isinstance(node, yaml.MappingNode)
            below = [part for pair in node.value for part in pair] if pairs else node.value
            counts[id(node)] = 1 + sum(map(count, below if isinstance(below, list) else ()))
        if counts[id(node)] > MOST_VALUES:
            raise yaml.MarkedYAMLError(None, None, "its aliases (*name) repeat too much", node.start_mark)
        return counts[id(node)]

    if root is not None:
        count(root)


def _beginnings(keys: list[str]) -> Iterator[str]:
    """The key that a path begins with: the first part of it, or more where a key itself has points."""
    return (".".join(keys[:count]) for count in range(1, len(keys) + 1))


def _entries(node: yaml.Node | None) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """The key's and the value's node of each entry of a block or of a list, by key or place."""
    if isinstance(node, yaml.MappingNode):
        own = {str(key.value): (key, value) for key, value in node.value}
        merged = own[MERGE][1] if MERGE in own else None
        parts = merged.value if isinstance(merged, yaml.SequenceNode) else [merged]
        return {name: entry for part in reversed(parts) for name, entry in _entries(part).items()} | own
    if isinstance(node, yaml.SequenceNode):
        return {str(place): (value, value) for place, value in enumerate(node.value)}
    return {}


def _twice(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[str]:
    lines: dict[str, int] = {}
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        name, line = str(key.value), key.start_mark.line + 1
        if name in lines:
            yield f"{'.'.join((*path, name))}: stands here and in line {lines[name]}: keep one of the two"
        lines.setdefault(name, line)
    for name, (_, value) in _entries(node).items():
        yield from _twice(value, (*path, name)) if name != MERGE else ()
