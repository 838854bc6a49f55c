"""Options with a value for each task, or with the number of a task, given by the tasks' names instead.

A rule's constructor has ``list[float]``, or ``target: int``. In ``params.yaml``, where tasks have names, the option
may be a mapping of the tasks' names, or a name. It is brought to the rule's form where the tasks of a run are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from types import GenericAlias, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from mtbalance.balancing.options import RULES
from mtbalance.blocks import Fault
from mtbalance.registry import declaration

TARGET = "target"
"""The option of a rule that is the number of a task."""


def allowing_names(options: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """The options of a rule, {name: (type, default)}, with types that allow names as well."""
    return {name: (_type(name, kind), default) for name, (kind, default) in options.items()}


def _type(name: str, kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        inner, *described = get_args(kind)
        return Annotated[_type(name, inner), *described]
    if name == TARGET:
        return kind | str
    parts = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    mappings = [GenericAlias(dict, (str, *get_args(part))) for part in parts if get_origin(part) is list]
    return reduce(or_, [*parts, *mappings])


def named(rule: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a rule's options that are given by names. An option that the rule itself declares a mapping is none."""
    declared = declaration(RULES, rule).options
    found = {name: options[name] for name, (kind, _) in declared.items() if _type(name, kind) != kind}
    return {name: value for name, value in found.items() if isinstance(value, str | dict)}


def of_any_tasks(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given by names in the rule's form, for tasks in the order in which it happens to name them."""
    return {name: list(value.values()) if isinstance(value, dict) else 0 for name, value in given.items()}


def of_tasks(given: Mapping[str, Any], tasks: Sequence[str]) -> dict[str, Any]:
    """What is given by names in the rule's form, for the tasks of a run, in their order. All names must be theirs."""
    return {
        name: [value[task] for task in tasks] if isinstance(value, dict) else tasks.index(value)
        for name, value in given.items()
    }


def name_faults(given: Mapping[str, Any], tasks: Sequence[str]) -> Iterator[Fault]:
    """Names that are not those of the tasks, and tasks without a value."""
    there = ", ".join(tasks)
    for name, value in given.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", f"is no task; there are {there}") for key in value if key not in tasks)
            if missing := [task for task in tasks if task not in value]:
                yield name, f"has no value for {', '.join(missing)}; there are {there}"
        elif value not in tasks:
            yield name, f"{value!r} is no task; there are {there}"
