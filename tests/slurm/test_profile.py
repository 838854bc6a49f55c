"""The profile `slurm` on a real SLURM: the numbers of one machine, whatever happens to nodes and jobs meanwhile."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from one_machine import Cluster, until

from mtbalance import places
from workflow_tree import Tree, numbers

pytestmark = pytest.mark.long

SOON = ["--slurm-init-seconds-before-status-checks=1", "--seconds-between-status-checks=1", "--latency-wait=5"]
"""A cluster with other users should not be asked that often."""
WITHOUT_ACCOUNTS = ["--slurm-status-command=squeue", "--slurm-no-account"]
SLEEPS = "NAP"
"""The variable with the seconds that an epoch of a slow tree takes longer; its runs' numbers are the same."""
TABLE = "results/tables/tiny/auc.md"
LONG = 1200
"""Seconds after which a grid on a machine that is busy has surely ended."""


def submit(tree: Tree, slurm: Cluster, *options: str, **variables: str) -> str:
    """Run `snakemake` with the profile, and return what it prints."""
    command = ["snakemake", "--nocolor", "--profile", "profiles/slurm", *SOON, *WITHOUT_ACCOUNTS, *options]
    return tree.call(*command, **slurm.environment, **variables)


def all_numbers(tree: Tree) -> dict[str, Any]:
    return {cell: numbers(record) for cell, record in tree.records().items()}


def files(tree: Tree, pattern: str) -> dict[str, bytes]:
    return {path.relative_to(tree.root).as_posix(): path.read_bytes() for path in tree.root.glob(pattern)}


def test_a_grid_gives_the_numbers_of_one_machine(finished: Tree, slurm: Cluster, tmp_path: Path):
    tree = finished.copy(tmp_path / "tree")
    shutil.rmtree(tree.root / "results")
    said = submit(tree, slurm, *records_of(finished), TABLE)
    assert re.search(r"Submitted array job with Snakemake IDs (\d+,){7}\d+ ", said), said
    assert all_numbers(tree) == all_numbers(finished)
    for pattern in ("results/runs/**/*.predictions.parquet", "results/tables/tiny/auc.*"):
        assert files(tree, pattern) == files(finished, pattern) != {}
    assert tree.due(TABLE) == set()


def test_several_runs_a_job_give_the_same_numbers(finished: Tree, slurm: Cluster, tmp_path: Path):
    tree = finished.copy(tmp_path / "tree")
    shutil.rmtree(tree.root / "results")
    tree.set("experiments.tiny.runs_per_job", 2)
    said = submit(tree, slurm, *records_of(finished))
    assert re.search(r"Submitted array job with Snakemake IDs (\d+,){3}\d+ ", said), said
    assert all_numbers(tree) == all_numbers(finished)


@pytest.fixture(scope="module")
def slow(finished: Tree, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Runs of many epochs that are as slow as a variable says, finished here without it."""
    tree = finished.copy(tmp_path_factory.mktemp("slow") / "tree")
    shutil.rmtree(tree.root / "results")
    tree.set("experiments.tiny.training.epochs", 40)
    tree.set("experiments.tiny.training.patience", 40)
    tree.set("experiments.tiny.grid", {"mmoe": ["ls", "pub"]})
    printed = "self.console.print(epoch_line(history, self.epochs))\n"
    nap = f'{printed}        __import__("time").sleep(float(__import__("os").environ.get("{SLEEPS}", 0)))\n'
    tree.edit("src/mtbalance/training/progress.py", lambda text: text.replace(printed, nap))
    tree.snakemake(*records_of(tree))
    return tree


def records_of(tree: Tree) -> list[str]:
    """The records that its experiment asks for."""
    return [places.RECORD.format(**run.wildcards) for run in tree.parameters().runs("tiny")]


class Grid:
    """The slow runs while SLURM has them."""

    def __init__(self, tree: Tree, slurm: Cluster, end: Future[str]) -> None:
        self.tree, self.slurm, self.end = tree, slurm, end

    def running(self) -> dict[str, str]:
        """Jobs that run, when on every node there is one that has saved a checkpoint."""
        until(lambda: self.end.done() or self._saved() == len(self.slurm.jobs("running")) == 2, LONG)
        assert not self.end.done(), self.end.result()
        return self.slurm.jobs("running")

    def _saved(self) -> int:
        return len(list(self.tree.root.glob("results/checkpoints/**/seed-?.pt")))

    def resumed(self) -> list[int]:
        """The epochs after or in which runs went on from a checkpoint."""
        logs = "\n".join(path.read_text() for path in self.tree.root.glob("logs/train/**/*.log"))
        return [int(epoch) for epoch in re.findall(r"goes on (?:after|in) epoch (\d+) of 40", logs)]


@contextmanager
def submitted(slow: Tree, slurm: Cluster, root: Path, *options: str, nap: float = 0.5) -> Iterator[Grid]:
    """Send the slow runs to SLURM, do what the block does, and wait for all; their numbers must be as they were."""
    tree = slow.copy(root)
    shutil.rmtree(tree.root / "results")
    shutil.rmtree(tree.root / "logs")
    with ThreadPoolExecutor(1) as background:
        end = background.submit(submit, tree, slurm, *options, "--", *records_of(tree), **{SLEEPS: str(nap)})
        grid = Grid(tree, slurm, end)
        yield grid
        end.result(LONG)
    assert all_numbers(tree) == all_numbers(slow)


def test_a_drained_node_loses_nothing(slow: Tree, slurm: Cluster, tmp_path: Path):
    with submitted(slow, slurm, tmp_path / "tree") as grid:
        before = grid.running()
        slurm.say("scontrol", "update", "nodename=left", "state=drain", "reason=test")
    arrays = {id.split("_")[0] for id in before}
    after = {id: node for id, node in slurm.jobs("completed").items() if id.split("_")[0] in arrays}
    slurm.say("scontrol", "update", "nodename=left", "state=resume")
    assert sorted(before.values()) == ["left", "right"]
    assert before.items() <= after.items()
    assert {node for id, node in after.items() if id not in before} == {"right"}
    assert grid.resumed() == []


def test_runs_of_a_node_that_fails_go_on_elsewhere(slow: Tree, slurm: Cluster, tmp_path: Path):
    with submitted(slow, slurm, tmp_path / "tree") as grid:
        grid.running()
        slurm.say("scontrol", "update", "nodename=left", "state=down", "reason=test")
        until(lambda: slurm.state("left").startswith("down"))
    if slurm.state("left").startswith("down"):  # its slurmd brings it back when it reports next
        slurm.say("scontrol", "update", "nodename=left", "state=resume")
    assert len(grid.resumed()) == 1


def test_a_preempted_run_goes_on_from_its_checkpoint(slow: Tree, slurm: Cluster, tmp_path: Path):
    with submitted(slow, slurm, tmp_path / "tree") as grid:
        grid.running()
        options = ["--parsable", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=true"]
        urgent = slurm.say("sbatch", *options).strip()
        until(lambda: urgent in slurm.jobs("completed"), LONG)
    assert len(grid.resumed()) == 1


def test_a_run_over_its_time_goes_on_from_its_checkpoint(slow: Tree, slurm: Cluster, tmp_path: Path):
    """SLURM counts in minutes, and looks for jobs that are over their time every half minute.

    On a slow machine a job has little time left after its starts of Snakemake, so that a run needs many of them.
    """
    options = ["--set-resources", "train:runtime=1", "--retries=20"]
    with submitted(slow, slurm, tmp_path / "tree", *options, nap=2.5) as grid:
        pass
    assert len(grid.resumed()) == len(records_of(slow))
