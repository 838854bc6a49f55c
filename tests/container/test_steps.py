"""What Containerfile makes runs the workflow, with its locked versions and nothing of this environment."""

from __future__ import annotations

import subprocess
from importlib.metadata import distributions
from pathlib import Path

import pytest

from container.steps import PROJECT, build, steps
from workflow_tree import new_tree

INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "CMD"}


def test_every_file_that_is_copied_is_there_and_reaches_the_build():
    text = (PROJECT / "Containerfile").read_text()
    copied = {name for kind, rest in steps(text) if kind == "COPY" for name in rest.split()[:-1]}
    let_in = {line.removeprefix("!") for line in (PROJECT / ".containerignore").read_text().splitlines() if "!" in line}
    assert copied == let_in
    assert all((PROJECT / name).exists() for name in copied)
    assert {kind for kind, _ in steps(text)} <= INSTRUCTIONS


@pytest.mark.long
def test_its_steps_make_an_environment_that_runs_the_workflow(tmp_path: Path):
    """It takes minutes, half an hour beside training, and 2.5 GB; and it needs a package index."""
    environment = build(tmp_path / "root")
    (site,) = (tmp_path / "root/venv/lib").glob("python*/site-packages")
    versions = {_name(found.name): found.version.partition("+")[0] for found in distributions(path=[str(site)])}
    locked = [line.split("==") for line in (PROJECT / "requirements.lock").read_text().splitlines() if "==" in line]
    assert {_name(name): version for name, version in locked}.items() <= versions.items()
    tree = new_tree(tmp_path / "root/project", tmp_path / "cache")
    said = subprocess.run(
        ["snakemake", "--cores", "2", "--nocolor", "results/audit.md", "data/processed/synthetic_a/schema.json"],
        cwd=tree.root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert tree.read("results/audit.md")


def _name(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
