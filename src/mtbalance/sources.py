"""The source files that a run's numbers depend on: what its modules import, followed through the package.

Snakemake takes them as inputs of a training job, so that an edit re-runs exactly the runs that use the file; a record
holds their checksum. Configuration is left out on purpose: a job is given its values, checked and complete.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from mtbalance.config import RunConfig

PACKAGE = "mtbalance"
NOT_FOLLOWED = (f"{PACKAGE}.config", f"{PACKAGE}.combinations")


def of_run(config: RunConfig) -> list[Path]:
    """Files behind one run: the training loop, and its own problem, backbone, level, rule, manipulation, optimiser."""
    balancer = config.balancer.options
    manipulation = getattr(balancer, "manipulation", "none")
    return closure(
        [
            f"{PACKAGE}.training.run",
            f"{PACKAGE}.problems.{config.model.problem}",
            f"{PACKAGE}.backbones.{config.backbone.options.kind}",
            f"{PACKAGE}.levels.{balancer.level}",
            f"{PACKAGE}.rules.{balancer.rule}",
            f"{PACKAGE}.optimizers.{config.training.optimizer.name}",
            *([f"{PACKAGE}.manipulations.{manipulation}"] if manipulation != "none" else []),
        ]
    )


def closure(modules: Iterable[str]) -> list[Path]:
    """Files of ``modules`` and of all modules of this package that they import, directly or not; sorted."""
    found: dict[str, Path] = {}
    stack = [module for name in modules for module in _with_parents(name)]
    while stack:
        module = stack.pop()
        path = None if module in found or module.startswith(NOT_FOLLOWED) else _path(module)
        if path is not None:
            found[module] = path
            stack += [parent for name in _imports(path) for parent in _with_parents(name)]
    return sorted(found.values())


def checksum(files: Iterable[Path]) -> str:
    """SHA-256 over the contents of files, in their order."""
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()


def _imports(path: Path) -> set[str]:
    """Names that a file imports from this package: modules, or things in modules."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.split(".")[0] == PACKAGE}


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
    root = Path(find_spec(PACKAGE).origin).resolve().parent  # as the working directory is
    return root.joinpath(*names)


def relative(files: Iterable[Path]) -> list[str]:
    """Paths relative to the working directory, which is the project's: the same in every clone."""
    return [os.path.relpath(path) for path in files]
