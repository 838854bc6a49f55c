"""The reference of the command ``mtbalance``: its commands, arguments and options, from the program itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from mtbalance.cli import app

PROGRAM = "mtbalance"
WORDS = {str: "text", list[str]: "text", Path: "path", list[Path]: "path", int: "whole number"}
WORDS |= {float: "number", bool: "switch"}


def markdown() -> str:
    """A section for each command."""
    return "\n".join(line for name, command in commands() for line in _section(name, command))


def commands() -> list[tuple[str, Any]]:
    """All commands by their full names, such as ``mtbalance toy run``."""
    return list(_below(PROGRAM, typer.main.get_command(app)))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for key, one in inner.items():
        yield from _below(f"{name} {key}", one)


def _section(name: str, command: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    required = [f"{one.opts[0]} {_kind(one).upper()}" for one in options if one.required]
    more = ["[OPTIONS]"] if len(required) < len(options) else []
    yield f"## `{name}`\n\n{' '.join((command.help or '').split())}\n"
    yield f"```text\n{' '.join([name, *map(_usage, arguments), *required, *more])}\n```\n"
    yield "".join(map(_line, options))


def _line(option: Any) -> str:
    said = f": {option.help}" if option.help else ""
    return f"- `{' / '.join([*option.opts, *option.secondary_opts])}` ({_facts(option)}){said}\n"


def _usage(argument: Any) -> str:
    name = argument.name.upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _kind(option: Any) -> str:
    return WORDS[option.type_descriptor.annotation]


def _facts(option: Any) -> str:
    if option.required:
        return f"{_kind(option)}, required"
    many = ", may be given again" if option.multiple else ""
    known = option.default not in (None, "", [])
    return _kind(option) + many + (f", default `{option.default}`" if known and not option.is_flag else "")
