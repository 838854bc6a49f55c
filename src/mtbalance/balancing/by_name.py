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

from mtbalance.blocks import Fault

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


def names_in(options: Mapping[str, Any]) -> list[str]:
    """The options whose value has names of tasks."""
    return [name for name, value in options.items() if isinstance(value, dict) or (name, type(value)) == (TARGET, str)]


def of_any_tasks(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options in the rule's form, for tasks in the order in which a mapping happens to name them."""
    values = {name: list(value.values()) if isinstance(value, dict) else value for name, value in options.items()}
    return values | ({TARGET: 0} if isinstance(values.get(TARGET), str) else {})


def of_tasks(options: Mapping[str, Any], tasks: Sequence[str]) -> dict[str, Any]:
    """The options in the rule's form, for the tasks of a run, in their order. Names must be those of the tasks."""
    found = {
        name: [value[task] for task in tasks] if isinstance(value, dict) else value for name, value in options.items()
    }
    return found | ({TARGET: tasks.index(found[TARGET])} if isinstance(found.get(TARGET), str) else {})


def name_faults(options: Mapping[str, Any], tasks: Sequence[str]) -> Iterator[Fault]:
    """Names that are not those of the tasks, and tasks without a value."""
    there = ", ".join(tasks)
    for name, value in options.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", f"is no task; there are {there}") for key in value if key not in tasks)
            if missing := [task for task in tasks if task not in value]:
                yield name, f"has no value for {', '.join(missing)}; there are {there}"
        elif name == TARGET and isinstance(value, str) and value not in tasks:
            yield name, f"{value!r} is no task; there are {there}"
