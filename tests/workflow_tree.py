"""A copy of the project with a tiny experiment, and what its real commands say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from built_once import once, ready
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import read_parameters

PROJECT = Path(__file__).parents[1]
MADE_HERE = ("results/", "dvc.lock", "tests/", "docs/", "bench/")
"""What a copy does without: results and the lock of another experiment, and what no command of the workflow reads."""

TINY = yaml.safe_load("""
preset: tiny
presets: {tiny: [tiny]}
experiments:
  tiny:
    title: Tiny grid on synthetic data
    datasets: [synthetic_a]
    grid:
      shared_bottom: [ls]
      mmoe: [ls, nashmtl, pub]
    seeds: [0, 1]
    model: {embedding: 4, expert: [8], tower: [8], dropout: 0.1, batch_norm: false}
    training: {epochs: 1, batch_size: 256, optimizer: {lr: 0.001}, device: cpu}
    timing: {blocks: 2, steps: 2}
balancers:
  ls: {level: loss, rule: equal}
  mgda: {level: gradient, rule: min_norm}
  nashmtl: {level: gradient, rule: nash, every: 2}
  pub: {level: update, rule: nash, every: 2}
backbones:
  shared_bottom: {kind: shared_bottom}
  mmoe: {kind: mmoe, experts: 2}
datasets:
  synthetic_a: {adapter: synthetic, train_rows: 3000, test_rows: 2000, click_rate: 0.3, conversion_rate: 0.1}
  synthetic_b: {adapter: synthetic, train_rows: 3000, test_rows: 2000, click_rate: 0.3, conversion_rate: 0.1, seed: 1}
  synthetic_rooms: {adapter: synthetic_scenes, train_scenes: 4, test_scenes: 2, height: 32, width: 32}
  nyuv2: {adapter: nyuv2, height: 32, width: 32, train_images: 4, test_images: 2}
tables: {baseline: ls}
""")


class Tree:
    """A copy of the project in a folder of its own; its commands use its own source files."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root, self.cache = root, cache

    @property
    def environment(self) -> dict[str, str]:
        """Variables of the tree's commands: its own package, and no file outside the tests' folders."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "GIT_", "PYTHON"))
        }
        return inherited | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(self.root / "src"),
            "XDG_CACHE_HOME": str(self.cache),
            "DVC_SITE_CACHE_DIR": str(self.cache / "dvc"),
            "DVC_GLOBAL_CONFIG_DIR": str(self.cache / "dvc-global"),
            "DVC_SYSTEM_CONFIG_DIR": str(self.cache / "dvc-system"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def call(self, *command: str, expect: int = 0, **variables: str) -> str:
        """Run a command in the tree, with more variables, and return all it prints; ``expect`` is its exit status."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == expect, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def snakemake(self, *options: str, expect: int = 0) -> str:
        """Run `snakemake`, two jobs at once."""
        return self.call("snakemake", "--cores", "2", "--nocolor", *options, expect=expect)

    def due(self, *options: str) -> set[str]:
        """The jobs that `snakemake` would run: the rule's name and the wildcards' values; targets are left out."""
        text = _warm().dry_run(self, *options)
        jobs = list(re.finditer(r"^(?:local)?rule (\w+):\n((?:    .*\n)+)", text, re.MULTILINE))
        found = {f"{job[1]} {_wildcards(job[2])}" for job in jobs if job[1] not in ("all", "data")}
        assert bool(jobs) != ("Nothing to be done" in text), text
        return found

    def read(self, path: str) -> str:
        """Text of a file."""
        return (self.root / path).read_text()

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        """Change the text of a file; the change must be one."""
        before = self.read(path)
        after = change(before)
        assert after != before, f"the edit of {path} changes nothing"
        (self.root / path).write_text(after)

    def set(self, key: str, value: Any) -> None:
        """Change one value of params.yaml; ``key`` is its path, with dots."""
        *parents, last = key.split(".")
        content = block = yaml.safe_load(self.read("params.yaml"))
        for parent in parents:
            block = block[parent]
        block[last] = value
        self.edit("params.yaml", lambda _: yaml.safe_dump(content, sort_keys=False))

    def parameters(self) -> Parameters:
        """The tree's parameters."""
        return read_parameters(self.root / "params.yaml")

    def records(self) -> dict[str, dict[str, Any]]:
        """The records, by their cell."""
        folder = self.root / "results/runs"
        return {
            path.relative_to(folder).with_suffix("").as_posix(): json.loads(path.read_text())
            for path in sorted(folder.rglob("*.json"))
            if not path.name.endswith(".schema.json")
        }

    def copy(self, root: Path) -> Tree:
        """A copy of the tree, with its modification times."""
        shutil.copytree(self.root, root)
        return Tree(root, self.cache)


class WarmSnakemake:
    """A process that has imported Snakemake, for dry runs (:mod:`warm_snakemake`)."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("warm_snakemake.py"))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def dry_run(self, tree: Tree, *options: str) -> str:
        """All that `snakemake --dry-run` prints in a tree."""
        with tempfile.NamedTemporaryFile("r") as output:
            command = ["--cores", "2", "--nocolor", "--dry-run", *options]
            job = {"folder": str(tree.root), "environment": tree.environment, "options": command, "output": output.name}
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            status, said = self.process.stdout.readline().strip(), output.read()
        assert status == "0", f"snakemake {' '.join(command)} ended with {status}:\n{said}"
        return said


@cache
def _warm() -> WarmSnakemake:
    """One such process for each process of the tests; it ends with it."""
    return WarmSnakemake()


def project_files() -> list[str]:
    """The project's files, those that git has or would take; relative to the project."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("only in a git checkout is it known which files are the project's")
    return [name for name in listed.stdout.split("\0") if name and (PROJECT / name).is_file()]


def new_tree(root: Path, cache: Path, parameters: Mapping[str, Any] = TINY) -> Tree:
    """Copy the project's files, and give them other parameters."""
    for name in project_files():
        if not name.startswith(MADE_HERE):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, root / name)
    (root / "params.yaml").write_text(yaml.safe_dump(dict(parameters), sort_keys=False))
    return Tree(root, cache)


def finished_tree(base: Path) -> Tree:
    """The tiny experiment, run from data to tables by the first of the tests' processes; not to be changed."""
    with once(base, "workflow") as folder:
        cache = folder / "cache"
        root = ready(folder, "finished", lambda partial: new_tree(partial, cache).snakemake())
    return Tree(root, cache)


def numbers(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the same run must repeat to the last bit: all of a record but times, memory and the machine."""
    changing = ("started", "ended", "speed", "peak_memory_mb", "environment", "checksum")
    kept = {key: value for key, value in record.items() if key not in changing}
    epochs = [{key: value for key, value in epoch.items() if key != "seconds"} for epoch in record["epochs"]]
    return kept | {"epochs": epochs}


def _wildcards(block: str) -> str:
    line = re.search(r"^    wildcards: (.*)$", block, re.MULTILINE)
    return "/".join(pair.split("=", 1)[1] for pair in line[1].split(", ")) if line else ""
