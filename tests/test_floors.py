"""Who may know whom: imports go down the floors of the house, never up and never round."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import mtbalance

PACKAGE = Path(mtbalance.__file__).parent
FLOORS = (
    {"", "errors", "described", "blocks", "canonical", "registry", "faults", "writing"},
    {"balancing", "records", "places"},
    {"config"},
    {"data", "models", "tasks"},
    {"problems"},
    {"training", "inference", "studies", "reporting", "sources"},
    {"workflow", "tracking", "planning", "reproduce", "verification", "cli", "forkserver", "__main__"},
)
"""Parts of the package from the ground up. A part imports from the floors below it, and from its own part."""
BESIDE = {
    ("registry", "errors"),
    ("blocks", "described"),
    ("faults", "blocks"),
    ("faults", "errors"),
    ("faults", "registry"),
    ("training", "sources"),
    ("__main__", "forkserver"),
    ("cli", "forkserver"),
    ("cli", "workflow"),
    ("cli", "tracking"),
    ("cli", "planning"),
    ("cli", "reproduce"),
    ("cli", "verification"),
    ("verification", "workflow"),
    ("reproduce", "planning"),
}
"""Imports between two parts of one floor that are meant; none of them has a counterpart."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its name, without the package's own."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, wherever in it, for type checking too; only those that exist."""
    known = modules()
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    inside = {name.removeprefix("mtbalance").lstrip(".") for name in names if name.split(".")[0] == "mtbalance"}
    found = {name for name in inside & known.keys() if name}
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)}


def part(module: str) -> str:
    return module.split(".")[0]


def floor(module: str) -> int:
    return next(number for number, parts in enumerate(FLOORS) if part(module) in parts)


def test_every_import_beside_is_still_there():
    used = {(part(module), part(other)) for module, path in modules().items() for other in imports(path)}
    assert used >= BESIDE
    assert not any((second, first) in used for first, second in BESIDE)


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_go_down(module: str):
    for other in imports(modules()[module]):
        if part(other) != part(module):
            beside = (part(module), part(other)) in BESIDE
            assert floor(other) < floor(module) or beside, f"{module} imports {other}: up, or to its neighbor"


def test_no_import_goes_round():
    graph = {module: imports(path) for module, path in modules().items()}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, f"a circle of imports: {' -> '.join((*way[way.index(module) :], module))}"
        if module not in done:
            for other in graph[module]:
                visit(other, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_the_library_knows_nothing_of_the_other_wings():
    inside = [module for module in modules() if part(module) == "balancing"]
    assert inside
    for module in inside:
        others = {part(other) for other in imports(modules()[module])} - {"balancing"}
        assert others <= FLOORS[0], module


def test_reporting_knows_nothing_of_training():
    files = {path for module, path in modules().items() if part(module) == "reporting"}
    used = {part(other) for path in files for other in imports(path)}
    assert used <= FLOORS[0] | {"config", "places", "records", "reporting"}


def test_no_file_is_longer_than_a_reader_takes_in():
    long = {name: lines for name, path in modules().items() if (lines := len(path.read_text().splitlines())) > 250}
    assert long == {}


PARSES = """
import sys
from pathlib import Path
from mtbalance.config.reading import read_parameters
parameters = read_parameters(Path(sys.argv[1]))
assert parameters.runs("demo") and parameters.runs("demo_scenes")
print(*sorted({"torch", "cvxpy", "mlflow", "pandas", "matplotlib", "sklearn"} & sys.modules.keys()))
"""


def test_parameters_are_read_without_torch():
    """Every Snakemake process reads them: what takes seconds to import must not be waited for."""
    file = PACKAGE.parents[1] / "params.yaml"
    done = subprocess.run([sys.executable, "-c", PARSES, str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
