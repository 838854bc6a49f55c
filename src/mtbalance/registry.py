"""A folder is a registry: each file in it is an entry, and the file's name is the entry's name in ``params.yaml``.

``balancing/rules/min_norm.py`` holds the rule ``min_norm``. There is no list of entries, so adding a file changes no
other file, and a run depends only on the files that it uses. Levels and manipulations are the exception:
``balancing/options.py`` names them. Names that begin with ``_`` are helpers, not entries. A folder with an
``__init__.py`` is an entry, too.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from mtbalance.errors import UserError, quoted, shortened

PACKAGE = "mtbalance"
Base = TypeVar("Base")
LISTED = 20
"""Largest number of known names that are all listed beside the one that was probably meant."""


def available(package: str) -> list[str]:
    """Names of the entries of a package, such as ``mtbalance.balancing.rules``; nothing is imported."""
    folder = _folder(package)
    return list(_listed(folder, folder.stat().st_mtime_ns)) if folder.is_dir() else []


@cache
def _listed(folder: Path, _changed: int) -> tuple[str, ...]:
    """The entries of a folder since it was last changed."""
    modules = [path.stem for path in folder.glob("*.py")]
    packages = [path.parent.name for path in folder.glob("*/__init__.py")]
    return tuple(sorted(name for name in [*modules, *packages] if not name.startswith("_")))


def module(package: str, name: str) -> ModuleType:
    """The module of entry ``name``. Raises ``UserError`` if there is none."""
    _require(package, name)
    return importlib.import_module(f"{package}.{name}")


def entry(package: str, name: str, base: type[Base]) -> type[Base]:
    """The class of entry ``name``: the one subclass of ``base`` that its file defines.

    Raises ``UserError`` if there is no such file, and for a file that defines none or several.
    """
    file = module(package, name)
    found = [
        member
        for member in vars(file).values()
        if isinstance(member, type) and issubclass(member, base) and member.__module__ == file.__name__
    ]
    if len(found) != 1:
        raise UserError(_not_one(package, name, base.__name__, [member.__name__ for member in found]))
    return found[0]


def function(package: str, name: str, called: str) -> Callable[..., Any]:
    """The function ``called`` of entry ``name``. Raises ``UserError`` if there is no such file or function."""
    found: Callable[..., Any] | None = getattr(module(package, name), called, None)
    if not callable(found):
        raise UserError(f"{_file(package, name)} defines no function `{called}`")
    return found


@dataclass(frozen=True)
class Declaration:
    """The facts about an entry that can be read from the text of its file."""

    summary: str
    """The first line of the class's docstring, or of the file's if it defines no class of its own."""
    options: Mapping[str, tuple[Any, Any]]
    """Type and default (``...``: none) of each keyword-only argument of the class's constructor."""
    constants: Mapping[str, Any]
    """Class attributes that are plain values."""


@cache
def declaration(package: str, name: str) -> Declaration:
    """Read the file of entry ``name`` without importing it, so that its options are known without torch.

    The class is the last one of the file whose name does not begin with ``_``. Types of options use names that the file
    imports; only the modules of these names are imported. Defaults of options are plain values. Raises ``UserError`` if
    there is no such file, and for an option that cannot be read.
    """
    _require(package, name)
    return read_declaration(_file(package, name))


def read_declaration(file: Path, name: str = "") -> Declaration:
    """As :func:`declaration`, for any file; the class is the one called ``name``, if that is given."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    classes = [node for node in classes if name in ("", node.name)]
    described = classes[-1] if classes else tree
    summary = (ast.get_docstring(described) or "").partition("\n")[0]
    return Declaration(summary, _options(described, tree, file), _constants(described))


def _options(node: ast.AST, tree: ast.Module, file: Path) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for method in getattr(node, "body", []):
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            for argument, default in zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True):
                where = f"{file}: option {argument.arg}"
                found[argument.arg] = (_type(argument, tree, where), ... if default is None else _value(default, where))
    return found


def _type(argument: ast.arg, tree: ast.Module, where: str) -> Any:
    if argument.annotation is None:
        raise UserError(f"{where} has no type")
    names = {node.id for node in ast.walk(argument.annotation) if isinstance(node, ast.Name)}
    scope = {name: value for name in names if (value := _imported(name, tree)) is not None}
    try:
        return eval(compile(ast.Expression(argument.annotation), where, "eval"), scope)
    except NameError as error:
        raise UserError(f"{where}: its type must use names that the file imports ({error})") from None


def _imported(name: str, tree: ast.Module) -> Any:
    """The object that the file imports under that name, or None."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and any(alias.name == name for alias in node.names):
            return getattr(importlib.import_module(node.module), name)
    return None


def _value(default: ast.expr, where: str) -> Any:
    try:
        return ast.literal_eval(default)
    except ValueError:
        raise UserError(f"{where}: its default `{ast.unparse(default)}` must be a plain value") from None


def _constants(node: ast.AST) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in getattr(node, "body", []):
        if isinstance(line, ast.Assign | ast.AnnAssign) and isinstance(line.value, ast.Constant):
            targets = line.targets if isinstance(line, ast.Assign) else [line.target]
            found |= {target.id: line.value.value for target in targets if isinstance(target, ast.Name)}
    return found


def unknown(what: str, name: str, known: list[str]) -> str:
    """The message about an unknown name, with the known names and the one that was probably meant."""
    return f"no {what} {quoted(name)}; there are {suggestion(name, known)}"


def suggestion(name: str, known: list[str]) -> str:
    """The known names as text, and the one that ``name`` is probably a misspelling of.

    Of more than :data:`LISTED` names, only those like ``name`` are listed, if there are any.
    """
    near = get_close_matches(shortened(name), known)
    if not near:
        return ", ".join(map(shortened, known))
    listed = known if len(known) <= LISTED else [*near, f"{len(known) - len(near)} others"]
    return f"{', '.join(listed)} (did you mean {near[0]}?)"


def _require(package: str, name: str) -> None:
    if name not in (known := available(package)):
        raise UserError(unknown(package.removeprefix(f"{PACKAGE}."), name, known))


def _not_one(package: str, name: str, base: str, found: list[str]) -> str:
    return (
        f"{_file(package, name)} must define one subclass of {base}, the entry {name!r}; it defines "
        + (f"{len(found)}: {', '.join(found)}" if found else "none")
        + ". A helper of several entries belongs in a file whose name begins with `_`"
    )


def _folder(package: str) -> Path:
    return resolved(__file__).parent.joinpath(*package.split(".")[1:])


@cache
def resolved(file: str) -> Path:
    """The path of a module's file, without symbolic links, as the working directory is."""
    return Path(file).resolve()


def _file(package: str, name: str) -> Path:
    place = _folder(package) / name
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
