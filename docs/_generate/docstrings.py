"""Docstrings as Sphinx reads them."""

from __future__ import annotations

import inspect
import re
from typing import Any

CODE = re.compile(r"(``.*?``|:\w+:`[^`]*`|`[^`]*`)")


def as_restructured_text(app: Any, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
    """Formulas stay as they are: ``|g|`` is a norm and ``*shape`` a shape, an indented block is one line a line."""
    made: list[str] = []
    for index, line in enumerate(lines):
        if _begins_formula(lines, index):
            made += ["::", ""]
        made.append(line if line.startswith("    ") else _escaped(line))
    lines[:] = made


def _begins_formula(lines: list[str], index: int) -> bool:
    before = lines[index - 1] if index else ""
    above = [line for line in lines[:index] if line.strip()]
    return lines[index].startswith("    ") and not before.strip() and bool(above) and not above[-1].startswith("    ")


def _escaped(line: str) -> str:
    parts = CODE.split(line)
    return "".join(part if index % 2 else re.sub(r"([*|])", r"\\\1", part) for index, part in enumerate(parts))


def without_types_of_options(
    app: Any, what: str, name: str, of: Any, options: Any, signature: str, returns: str
) -> tuple[str, str | None] | None:
    """A rule's constructor as it is called, and no constructor of a report.

    The reference of options has the types and sentences of a rule's options.
    """
    if name.endswith(".StepReport"):
        return "", None
    if what != "class" or not name.startswith("mtbalance.balancing.rules."):
        return None
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in inspect.signature(of).parameters.values()]
    return str(inspect.Signature(plain)), None
