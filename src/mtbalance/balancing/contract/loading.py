"""The rule in a file outside the package."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mtbalance.balancing.contract.verdicts import Subject, told
from mtbalance.balancing.rules import Rule
from mtbalance.blocks import Block, extended
from mtbalance.errors import UserError
from mtbalance.faults import fault_lines
from mtbalance.registry import read_declaration, suggestion


def load(place: str, options: Iterable[str] = ()) -> Subject:
    """The rule at ``path.py``, or at ``path.py:ClassName`` if the file defines several; ``options`` are NAME=VALUE.

    Raises ``UserError`` if there is no such file or class, for a file that cannot be imported, and for an option that
    the rule does not have or a value that it does not allow.
    """
    path, _, name = place.partition(".py:")
    file = Path(path if not name else f"{path}.py").resolve()
    rule = _chosen(_rules(file), name, file)
    return Subject(rule, file, _checked(dict(map(_option, options)), rule, file))


def _rules(file: Path) -> dict[str, type[Rule]]:
    """The rules that a file defines, by name."""
    if not file.is_file() or file.suffix != ".py":
        raise UserError(f"{file} is not a Python file: name the file of a rule, such as my_rule.py")
    specification = importlib.util.spec_from_file_location(f"rule_in_{file.stem}", file)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"{file} cannot be imported: {told(error, file)}") from error
    members = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Rule)]
    return {each.__name__: each for each in members if each.__module__ == module.__name__}


def _chosen(found: dict[str, type[Rule]], name: str, file: Path) -> type[Rule]:
    if name and name not in found:
        known = suggestion(name, list(found)) if found else "no rule"
        raise UserError(f"{file} defines no rule {name}; it defines {known}")
    if name:
        return found[name]
    if not found:
        raise UserError(f"{file} defines no rule: write a class with the base LossRule, GramRule or RowRule")
    if len(found) > 1:
        raise UserError(f"{file} defines {', '.join(found)}: name one of them, as in {file.name}:{next(iter(found))}")
    return next(iter(found.values()))


def _checked(given: dict[str, Any], rule: type[Rule], file: Path) -> dict[str, Any]:
    """The given options, as the types of the constructor's arguments have them."""
    if not given:  # a constructor that cannot be read is found by a check
        return given
    schema = extended(Block, rule.__name__, read_declaration(file, rule.__name__).options)
    try:
        return schema.model_validate(given).model_dump(include=set(given))
    except ValidationError as error:
        raise UserError("\n".join(f"--option {line}" for line in fault_lines(error, given))) from None


def _option(text: str) -> tuple[str, Any]:
    """NAME=VALUE, the value as JSON or else as text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"--option {text}: write NAME=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
