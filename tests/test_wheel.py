"""The library alone: the wheel beside what it declares to need, and nothing of the workflow."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from documents import blocks
from workflow_tree import PROJECT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--wheel-dir", str(folder), str(PROJECT)]
    subprocess.run(command, check=True, cwd=folder)
    (built,) = folder.glob("mtbalance-*.whl")
    return built


@pytest.fixture(scope="module")
def library(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel and, linked from this environment, all that it declares to need."""
    root = tmp_path_factory.mktemp("environment")
    venv.create(root, with_pip=False)
    (packages,) = root.glob("lib/python*/site-packages")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*install, "--target", str(packages), str(wheel)], check=True)
    (metadata,) = packages.glob("mtbalance-*.dist-info")
    for needed in closure(Distribution.at(metadata)):
        link(needed, packages)
    return root / "bin/python"


def closure(wanted: Distribution) -> Iterator[Distribution]:
    """The distributions that one needs without extras, and those that they need."""
    found: dict[str, Distribution] = {}
    waiting = [wanted]
    while waiting:
        for text in waiting.pop().requires or []:
            needed = Requirement(text)
            if needed.name not in found and (not needed.marker or needed.marker.evaluate({"extra": ""})):
                found[needed.name] = distribution(needed.name)
                waiting.append(found[needed.name])
    yield from found.values()


def link(found: Distribution, packages: Path) -> None:
    for top in {Path(file.parts[0]) for file in found.files or [] if file.parts[0] not in ("..", "__pycache__")}:
        source = Path(str(found.locate_file(top)))
        if source.exists() and not (packages / top).exists():
            (packages / top).symlink_to(source)


def run(python: Path, code: str, folder: Path) -> str:
    done = subprocess.run([python, "-I", "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readmes_example_needs_the_library_alone(library: Path, tmp_path: Path):
    (example,) = blocks("README.md", "python")
    said = run(library, f"{example}\nprint(report.weights.sum())", tmp_path)
    assert float(said) == pytest.approx(2)


def test_nothing_of_the_workflow_is_there(library: Path, tmp_path: Path):
    code = "import importlib.util as u; print([n for n in ('typer', 'snakemake', 'pandas', 'cvxpy') if u.find_spec(n)])"
    assert run(library, code, tmp_path).strip() == "[]"


def test_the_command_says_what_it_needs(library: Path, tmp_path: Path):
    done = subprocess.run([library, "-I", "-m", "mtbalance"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'mtbalance[workflow]'" in done.stderr and "Traceback" not in done.stderr


def test_types_come_with_the_wheel(library: Path, tmp_path: Path):
    code = "import mtbalance, pathlib; print((pathlib.Path(mtbalance.__file__).parent / 'py.typed').exists())"
    assert run(library, code, tmp_path).strip() == "True"
