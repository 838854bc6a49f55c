"""How the workflow and the repository are written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from workflow_tree import PROJECT, Tree, project_files

TARGETS = {"all", "bench", "data", "toy"}
ONE_ENVIRONMENT = "Specify a conda environment or container for each rule."
"""The one finding of the linter that is not followed: a project in one language has one locked environment."""

ABSOLUTE = re.compile(
    r"(?<![\w.:/~$})*-])/(?:home|root|Users|tmp|var|mnt|work|opt|usr/(?!bin/env|sbin|local/sbin|lib/postgresql))[\w./-]*"
)


def rules() -> dict[str, str]:
    """The text of every rule of the workflow."""
    files = [PROJECT / "Snakefile", *(PROJECT / "workflow").rglob("*.smk")]
    text = "\n".join(path.read_text() for path in files)
    found = re.findall(r"^rule (\w+):\n((?:[ ]+.*\n|\n)+)", text, re.MULTILINE)
    assert {name for name, _ in found} >= TARGETS
    return dict(found)


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "workflow"],
    ],
    ids=" ".join,
)
def test_formatting(command: list[str]):
    tool = Path(sys.executable).with_name(command[0])
    done = subprocess.run([tool, *command[1:]], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_snakemakes_linter_finds_nothing_but_the_one_environment(finished: Tree):
    said = finished.snakemake("--lint", expect=1)
    titles = set(re.findall(r"^    \* (.*?):?$", said, re.MULTILINE))
    assert titles == {ONE_ENVIRONMENT}, said


@pytest.mark.parametrize("rule", sorted(set(rules()) - TARGETS))
def test_a_rule_writes_its_log(rule: str):
    text = rules()[rule]
    assert "    log:\n" in text
    assert re.search(r"\{log(:q)?\}", text.partition("    shell:\n")[2])


def test_no_file_of_the_project_holds_an_absolute_path():
    found = {}
    for name in set(project_files()) - {Path(__file__).relative_to(PROJECT).as_posix()}:
        if not name.endswith((".gitignore", "Containerfile")):  # their paths are those of their own folder, or image
            found[name] = ABSOLUTE.findall((PROJECT / name).read_text(errors="replace"))
    assert {name: paths for name, paths in found.items() if paths} == {}


def test_the_readme_names_only_targets_that_make_has():
    readme = PROJECT / "README.md"
    if not readme.exists():
        pytest.skip("no README.md yet")
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", readme.read_text(), re.MULTILINE))
    assert named
    assert named <= set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
