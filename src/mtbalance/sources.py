"""The source files that a run's numbers depend on: what its modules import, followed through the package.

Snakemake takes them as inputs of a training job, so that an edit re-runs exactly the runs that use the file; a record
holds their checksum. The modules of the configuration do not count, because a job receives checked and complete values.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mtbalance.config.run import RunConfig
from mtbalance.registry import PACKAGE, resolved

STATEMENT = re.compile(rf"^[ \t]*(?:import {PACKAGE}\b.*|from {PACKAGE}\b.* import (?:\([^)]*\)|.+))", re.MULTILINE)
"""A statement that imports from this package."""
NOT_FOLLOWED = tuple(
    f"{PACKAGE}.{name}"
    for name in (
        *("config", "blocks", "described", "faults"),
        *("balancing.options", "balancing.checking", "balancing.contradictions"),
    )
)
"""Modules that are neither followed nor counted. A job receives checked and complete values of its own options, so a
new option of one part must not re-run every job."""


def of_run(config: RunConfig) -> list[Path]:
    """Files that one run depends on: its modules, each with all that it imports."""
    return closure(modules_of(config))


def modules_of(config: RunConfig) -> tuple[str, ...]:
    """The training loop, and the run's own problem, backbone, level, rule, manipulation and optimizer."""
    balancer = config.balancer.options
    manipulation = getattr(balancer, "manipulation", "none")
    backbone = config.backbone.options
    return (
        f"{PACKAGE}.training.run",
        f"{PACKAGE}.problems.{config.model.problem}.problem",
        f"{backbone.package}.{backbone.kind}",
        f"{PACKAGE}.balancing.levels.{balancer.level}",
        f"{PACKAGE}.balancing.rules.{balancer.rule}",
        f"{PACKAGE}.balancing.optimizers.{config.training.optimizer.name}",
        *([f"{PACKAGE}.balancing.manipulations.{manipulation}"] if manipulation != "none" else []),
    )


def closure(modules: Iterable[str]) -> list[Path]:
    """Files of ``modules`` and of all modules of this package that they import, directly or not; sorted."""
    found: dict[str, Path] = {}
    seen: set[str] = set()
    stack = [module for name in modules for module in _with_parents(name)]
    while stack:
        module = stack.pop()
        path = None if module in seen or module.startswith(NOT_FOLLOWED) else _path(module)
        seen.add(module)
        if path is not None:
            found[module] = path
            stack += [parent for name in imports(path.read_text(encoding="utf-8")) for parent in _with_parents(name)]
    return sorted(found.values())


def checksum(files: Iterable[Path]) -> str:
    """SHA-256 over the contents of files, in their order."""
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()


@cache
def imports(text: str) -> frozenset[str]:
    """Names that a file imports from this package: modules, or things in modules.

    Every run asks for those of some hundred files, so the statements alone are parsed, which is six times faster.
    """
    names: set[str] = set()
    for statement in STATEMENT.findall(text):
        (node,) = ast.parse(statement.strip()).body
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(name for name in names if name.split(".")[0] == PACKAGE)


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _path(module: str) -> Path | None:
    """The module's file, or None for a name that is no module."""
    place = folder(*module.split(".")[1:])
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def folder(*names: str) -> Path:
    """A folder of this package."""
    return resolved(__file__).parent.joinpath(*names)


def relative(files: Iterable[Path]) -> list[str]:
    """Paths relative to the working directory, which is the project's: the same in every clone."""
    return [os.path.relpath(path) for path in files]
