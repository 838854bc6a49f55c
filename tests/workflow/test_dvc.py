"""Snakemake under DVC: results travel with their provenance, and no number outlives what it was made with."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from pathlib import Path

import pytest

from tracked_runs import current
from workflow_tree import Tree, numbers

PUB = {f"tiny/synthetic_a/mmoe/pub/seed-{seed}" for seed in (0, 1)}
EXTRA = {f"tiny/synthetic_a/shared_bottom/mgda/seed-{seed}" for seed in (0, 1)}
UP_TO_DATE = "Data and pipelines are up to date."


def texts(tree: Tree, folder: str = "results/runs") -> dict[str, str]:
    """The files of a folder, byte for byte."""
    root = tree.root / folder
    return {path.relative_to(root).with_suffix("").as_posix(): path.read_text() for path in root.rglob("*.json")}


def what_make_toy_leaves(tree: Tree) -> list[Path]:
    """Files, written here, where `make toy` leaves its report and Snakemake the provenance of what it made."""
    figures = [f"results/figures/toy.{kind}" for kind in ("png", "pdf", "svg", "csv")]
    made = [*figures, "results/toy/landscape.parquet", "results/toy/trajectories/pub.parquet"]
    provenance = [f".snakemake/metadata/{b64encode(path.encode()).decode()}" for path in made]
    files = [tree.root / path for path in figures + provenance]
    for file in files:
        file.write_text("{}")
    return files


def commit(tree: Tree, message: str) -> None:
    tree.call("git", "add", "--all")
    tree.call("git", "commit", "--quiet", "--message", message)


def test_dvc_takes_over_what_snakemake_made_and_trains_nothing(finished: Tree, versioned: Tree):
    assert texts(versioned) == texts(finished)
    assert UP_TO_DATE in versioned.call("dvc", "status")
    assert versioned.call("git", "status", "--porcelain") == ""


def test_a_clone_has_the_results_and_nothing_to_do(clone: Tree, versioned: Tree):
    assert texts(clone) == texts(versioned)
    assert not (clone.root / "mlflow.db").exists()
    assert clone.due() == set()
    assert UP_TO_DATE in clone.call("dvc", "status")
    assert "didn't change, skipping" in clone.call("dvc", "repro")
    assert clone.call("git", "status", "--porcelain") == ""


@pytest.mark.long
def test_an_edit_in_a_clone_changes_the_numbers_and_both_states_can_be_had_back(clone: Tree):
    first, toy = texts(clone), what_make_toy_leaves(clone)
    assert UP_TO_DATE in clone.call("dvc", "status")
    clone.set("balancers.pub.every", 3)
    clone.call("dvc", "repro")

    second = texts(clone)
    assert {cell for cell in first if first[cell] != second[cell]} == PUB
    for cell in PUB:
        assert json.loads(second[cell])["config"]["balancer"]["options"]["every"] == 3
        assert numbers(json.loads(second[cell]))["epochs"] != numbers(json.loads(first[cell]))["epochs"]
    assert UP_TO_DATE in clone.call("dvc", "status")
    assert clone.due() == set()
    changed = json.loads(clone.call("dvc", "metrics", "diff", "--json"))["results/metrics/summary/tiny.json"]
    assert "tiny.pub" in changed and "tiny.ls" not in changed
    assert json.loads(clone.call("dvc", "params", "diff", "--json")) == {
        "params.yaml": {"balancers.pub.every": {"old": 2, "new": 3, "diff": 1}}
    }

    clone.call("git", "switch", "--quiet", "--create", "edited")
    commit(clone, "search every third step")
    for branch, expected in (("main", first), ("edited", second)):
        clone.call("git", "switch", "--quiet", branch)
        clone.call("dvc", "checkout")
        assert texts(clone) == expected
        assert clone.due() == set()
        assert UP_TO_DATE in clone.call("dvc", "status")
        assert all(file.exists() for file in toy)


@pytest.mark.long
def test_an_experiment_in_a_copy_runs_what_it_changes_and_is_in_the_projects_mlflow(clone: Tree):
    first = texts(clone)
    clone.call("dvc", "exp", "run", "--temp", "-S", "balancers.pub.every=3")
    assert texts(clone) == first
    names = {name for name in current(clone.root) if not name.startswith("mean")}
    assert names == {f"MMOE+PUB seed {seed}" for seed in (0, 1)}
    assert "3" in clone.call("dvc", "exp", "show", "--csv")


@pytest.mark.long
def test_a_failing_job_costs_no_other_run(clone: Tree):
    before = texts(clone)
    clone.set("experiments.tiny.grid.shared_bottom", ["ls", "mgda"])
    level = clone.read("src/mtbalance/balancing/levels/update.py")
    clone.edit(
        "src/mtbalance/balancing/levels/update.py", lambda text: f"{text}\nraise RuntimeError('broken on purpose')\n"
    )
    said = clone.call("dvc", "repro", expect=255)
    assert "train failed; logs/train/tiny/synthetic_a/mmoe/pub/seed-0.log ends with:" in said
    assert "jobs done" in said and "reason: " not in said
    whole = Path(re.search(r"^Snakemake's whole log: (\S+)$", said, re.MULTILINE)[1]).read_text()
    assert "Error in rule train" in whole and "reason: " in whole

    after = texts(clone)
    assert set(after) == set(before) - PUB | EXTRA
    assert all(after[cell] == before[cell] for cell in set(before) - PUB)
    assert "broken on purpose" in clone.read("logs/train/tiny/synthetic_a/mmoe/pub/seed-0.log")

    clone.edit("src/mtbalance/balancing/levels/update.py", lambda _: level)
    due = clone.due()
    assert {job for job in due if job.startswith("train ")} == {f"train {cell.replace('seed-', '')}" for cell in PUB}
    assert "collect tiny" in due
    assert "time tiny/synthetic_a/mmoe" in due
    assert "time tiny/synthetic_a/shared_bottom" not in due
