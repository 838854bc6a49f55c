"""Positions: the lines of a YAML file that its keys stand in, and the keys that stand in it twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml


class Positions:
    """The keys of one YAML file.

    Raises ``yaml.YAMLError`` for text that is no YAML.
    """

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._root = yaml.compose(text, yaml.SafeLoader)

    def located(self, fault: str) -> str:
        """A fault that begins with the path of its key, with the file and the line of the key before it."""
        node, line = self._root, None
        for key in fault.partition(": ")[0].split("."):
            found = _entries(node).get(key)
            if found is None:
                break
            marked, node = found
            line = marked.start_mark.line + 1
        return f"{self._path}:{line}: {fault}" if line else f"{self._path}: {fault}"

    def twice(self) -> Iterator[str]:
        """A fault for each key that a block has more than once; YAML would take the last one in silence."""
        yield from _twice(self._root, ())


def _entries(node: yaml.Node | None) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """The key's and the value's node of each entry of a block or of a list, by key or place."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): (key, value) for key, value in node.value}
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
        yield from _twice(value, (*path, name))
