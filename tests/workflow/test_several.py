"""Several runs a job: the same records, and a run that fails costs the others nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mtbalance import places
from workflow_tree import Tree, numbers

BREAKS = "BREAK"
"""A file whose presence ends a run when it begins."""


@pytest.fixture
def several(finished: Tree, tmp_path: Path) -> Tree:
    """The tiny experiment without results, two runs a job; the runs of PUB with seed 0 fail where a file says so."""
    tree = finished.copy(tmp_path / "tree")
    shutil.rmtree(tree.root / "results")
    tree.set("experiments.tiny.runs_per_job", 2)
    first = "    refuse_unwritable(output, checkpoint"
    fails = f'chosen.seed == 0 and chosen.balancer.name == "pub" and Path("{BREAKS}").exists()'
    fault = f"    if {fails}:\n        raise SystemExit(9)\n"
    tree.edit("src/mtbalance/cli/runs.py", lambda text: text.replace(first, fault + first, 1))
    return tree


@pytest.mark.long
def test_records_are_those_of_one_run_a_job(finished: Tree, several: Tree):
    chosen = [run for run in several.parameters().runs("tiny") if run.balancer.name in ("nashmtl", "pub")]
    targets = [places.RECORD.format(**run.wildcards) for run in chosen]
    said = several.snakemake(*targets)
    assert said.count("rule train_tiny_from_0:") == len(targets) / 2 and "rule train:" not in said
    found, expected = several.records(), finished.records()
    assert len(found) == len(targets) and all(numbers(found[cell]) == numbers(expected[cell]) for cell in found)
    kept = [path.relative_to(several.root) for path in several.root.glob("results/runs/**/*.predictions.parquet")]
    assert len(kept) == len(targets)
    assert all((several.root / path).read_bytes() == (finished.root / path).read_bytes() for path in kept)
    assert not list(several.root.glob("results/checkpoints/**/*.pt"))
    assert "mean_auc" in several.read("logs/train/tiny/synthetic_a/mmoe/pub/seed-1.log")
    assert several.due(*targets) == set()
    several.set("balancers.pub.every", 3)
    assert several.due(*targets) == {"train_tiny_from_0 tiny/synthetic_a/mmoe/pub"}


def test_a_run_that_fails_costs_the_others_nothing(finished: Tree, several: Tree):
    cell = {"experiment": "tiny", "dataset": "synthetic_a", "backbone": "mmoe", "balancer": "pub"}
    failing, other = (places.RECORD.format(**cell, seed=seed) for seed in (0, 1))
    (several.root / BREAKS).touch()
    several.snakemake(failing, expect=1)
    assert "1 of 2 runs failed; their logs: logs/train/tiny/synthetic_a/mmoe/pub/seed-0.log" in several.read(
        "logs/train_tiny_from_0/tiny/synthetic_a/mmoe/pub.log"
    )
    assert not (several.root / other).exists(), "Snakemake deletes the files of a job that failed"
    (several.root / BREAKS).unlink()
    several.snakemake(failing)
    assert "goes on after epoch 1 of 1" in several.read("logs/train/tiny/synthetic_a/mmoe/pub/seed-1.log")
    assert "goes on" not in several.read("logs/train/tiny/synthetic_a/mmoe/pub/seed-0.log")
    found, expected = several.records(), finished.records()
    assert all(numbers(found[name]) == numbers(expected[name]) for name in found) and len(found) == 2
