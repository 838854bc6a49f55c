"""Which edit runs which jobs again: exactly those whose numbers it can change, and none once it is undone.

The jobs are read from a dry run of the real workflow, on a copy of a finished experiment.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflow_tree import Tree

CELLS = [("shared_bottom", "ls"), ("mmoe", "ls"), ("mmoe", "nashmtl"), ("mmoe", "pub")]
PAGE = {"page "}
CLAIMS = {"claims "} | PAGE
TABLES = {"table tiny/auc", "table tiny/ne"} | PAGE
PLOTS = {"plots tiny"}
FIGURES = {f"figure tiny/{name}" for name in ("auc", "seesaw", "curves", "weights", "speed")} | PLOTS
RESULTS = {"collect tiny", "summarize tiny"} | TABLES | FIGURES | CLAIMS
AUDIT = {"audit "} | PAGE
TIMING = {"time tiny/synthetic_a/mmoe"}
NOTHING: set[str] = set()

Edit = Callable[[Tree], None]


def trains(cells: Iterable[tuple[str, str]] = CELLS, seeds: Iterable[int] = (0, 1), dataset: str = "synthetic_a"):
    """The training jobs of these cells with these seeds."""
    return {f"train tiny/{dataset}/{backbone}/{balancer}/{seed}" for backbone, balancer in cells for seed in seeds}


def of(*names: str) -> set[str]:
    """The training jobs of these backbones or balancers."""
    return trains(cell for cell in CELLS if set(cell) & set(names))


def value(key: str, new: Any) -> Edit:
    """Give a key of params.yaml another value."""
    return lambda tree: tree.set(key, new)


def comment(path: str) -> Edit:
    """Add a comment to a file: another content, whatever it means."""
    return lambda tree: tree.edit(path, lambda text: f"{text}# edited\n")


def one_more_dataset(tree: Tree) -> None:
    tree.set("experiments.tiny.datasets", ["synthetic_a", "synthetic_b"])


def one_more_balancer(tree: Tree) -> None:
    tree.set("experiments.tiny.grid.mmoe", ["ls", "mgda", "nashmtl", "pub"])


def keys_in_another_order(tree: Tree) -> None:
    def turned(block: Any) -> Any:
        return {key: turned(block[key]) for key in reversed(block)} if isinstance(block, dict) else block

    def change(text: str) -> str:
        content = turned(yaml.safe_load(text))
        for grid in (experiment["grid"] for experiment in content["experiments"].values()):
            grid |= {backbone: grid.pop(backbone) for backbone in ("shared_bottom", "mmoe")}
        return yaml.safe_dump(content, sort_keys=False)

    tree.edit("params.yaml", change)


def written_otherwise(tree: Tree) -> None:
    tree.edit("params.yaml", lambda text: "# a comment\n" + text.replace("lr: 0.001", "lr: 1.0e-3"))


def touched(folder: str, pattern: str) -> Edit:
    """Set the modification time of files to now, as git and dvc do."""

    def touch(tree: Tree) -> None:
        paths = list((tree.root / folder).rglob(pattern))
        assert paths
        for path in paths:
            os.utime(path)

    return touch


def new_rule_file(tree: Tree) -> None:
    shutil.copy(
        tree.root / "src/mtbalance/balancing/rules/equal.py", tree.root / "src/mtbalance/balancing/rules/other.py"
    )
    tree.edit("src/mtbalance/balancing/rules/other.py", lambda text: text.replace("class Equal(", "class Other("))


def rule_renamed(tree: Tree) -> None:
    tree.edit("workflow/rules/runs.smk", lambda text: text.replace("rule time:", "rule clock:"))


RERUNS: dict[str, tuple[Edit, set[str]]] = {
    "a balancer's parameter": (value("balancers.pub.every", 3), of("pub") | TIMING | RESULTS),
    "a rule's file": (comment("src/mtbalance/balancing/rules/nash.py"), of("nashmtl", "pub") | TIMING | RESULTS),
    "a rule's solver": (
        comment("src/mtbalance/balancing/solvers/bargaining.py"),
        of("nashmtl", "pub") | TIMING | RESULTS,
    ),
    "a level's file": (comment("src/mtbalance/balancing/levels/update.py"), of("pub") | TIMING | RESULTS),
    "a level's file that another level builds on": (
        comment("src/mtbalance/balancing/levels/gradient.py"),
        of("nashmtl", "pub") | TIMING | RESULTS,
    ),
    "a backbone's file that is not timed": (
        comment("src/mtbalance/models/ranking/shared_bottom.py"),
        of("shared_bottom") | RESULTS,
    ),
    "a backbone's parameter": (value("backbones.mmoe.experts", 3), of("mmoe") | TIMING | RESULTS),
    "the optimizer's file": (comment("src/mtbalance/balancing/optimizers/adam.py"), trains() | TIMING | RESULTS),
    "the training loop": (comment("src/mtbalance/training/loop.py"), trains() | TIMING | RESULTS),
    "a learning rate": (value("experiments.tiny.training.optimizer.lr", 0.002), trains() | TIMING | RESULTS),
    "one more seed": (value("experiments.tiny.seeds", [0, 1, 2]), trains(seeds=[2]) | RESULTS),
    "one more balancer": (one_more_balancer, trains([("mmoe", "mgda")]) | TIMING | RESULTS),
    "one more data set": (
        one_more_dataset,
        {"generate_synthetic synthetic_b", "prepare_ranking synthetic_b", "references synthetic_b"}
        | {"time tiny/synthetic_b/mmoe"}
        | trains(dataset="synthetic_b")
        | RESULTS,
    ),
    "a data set's split": (
        value("datasets.synthetic_a.split", {"seed": 1}),
        {"prepare_ranking synthetic_a", "references synthetic_a"} | trains() | TIMING | RESULTS,
    ),
    "how references are fitted": (
        comment("src/mtbalance/studies/references.py"),
        {"references synthetic_a"} | RESULTS,
    ),
    "how long is timed": (value("experiments.tiny.timing.blocks", 3), TIMING | RESULTS),
    "how it is timed": (comment("src/mtbalance/training/speed.py"), TIMING | RESULTS),
    "how records are collected": (comment("src/mtbalance/reporting/collect.py"), RESULTS),
    "how steps are collected": (comment("src/mtbalance/reporting/steps.py"), RESULTS),
    "what is measured": (
        value("experiments.tiny.measure", ["cosines"]),
        {job.replace("train ", "train_measured ") for job in trains()} | RESULTS,
    ),
    "what is kept": (
        value("experiments.tiny.keep", ["model"]),
        {job.replace("train ", "train_model ") for job in trains()} | RESULTS,
    ),
    "how the summary is made": (comment("src/mtbalance/reporting/summary.py"), {"summarize tiny"}),
    "how tables are printed": (comment("src/mtbalance/reporting/markdown.py"), TABLES | AUDIT | CLAIMS),
    "numbers printed in a paper": (
        lambda tree: tree.edit("src/mtbalance/reporting/published/pub_table3.csv", lambda text: text.rstrip("\n")),
        TABLES | AUDIT | CLAIMS | {"figure tiny/speed"} | PLOTS,
    ),
    "an experiment's title": (value("experiments.tiny.title", "Another"), TABLES | FIGURES),
    "what counts as significant": (value("tables.significance", 0.01), TABLES | CLAIMS),
    "one table": (comment("src/mtbalance/reporting/tables/ranking/ne.py"), {"table tiny/ne"} | PAGE),
    "how figures are drawn": (comment("src/mtbalance/reporting/drawing.py"), FIGURES | PAGE),
    "one claim": (comment("src/mtbalance/reporting/claims/toy.py"), CLAIMS),
    "what the audit says of one table": (comment("src/mtbalance/reporting/audit/cost.py"), AUDIT | CLAIMS),
    "one figure": (comment("src/mtbalance/reporting/figures/ranking/curves.py"), {"figure tiny/curves"} | PLOTS),
}

EVERYDAY = (
    "a balancer's parameter",
    "a rule's solver",
    "a level's file that another level builds on",
    "a backbone's file that is not timed",
    "one more seed",
    "one more data set",
    "a data set's split",
    "how long is timed",
    "how records are collected",
    "what is measured",
    "numbers printed in a paper",
    "what counts as significant",
    "one table",
    "one figure",
)
"""The edits of the everyday tests: one of each way from an edit to a job. The others are among the long tests."""

NO_RERUNS: dict[str, Edit] = {
    "keys of params.yaml in another order": keys_in_another_order,
    "values of params.yaml written otherwise": written_otherwise,
    "a balancer that is not used": value("balancers.mgda.every", 5),
    "a data set that is not used": value("datasets.synthetic_b.split", {"seed": 1}),
    "a rule's file that is not used": comment("src/mtbalance/balancing/rules/min_norm.py"),
    "a new rule's file": new_rule_file,
    "sources touched": touched("src", "*.py"),
    "workflow touched": touched("workflow", "*.smk"),
    "prepared data touched": touched("data/processed", "*"),
    "raw data touched": touched("data/raw", "*.csv"),
    "a rule of the workflow renamed": rule_renamed,
    # Seen, not computed with: an edit changes how a run is logged, called or shown.
    "tracking": comment("src/mtbalance/tracking/live.py"),
    "command line": comment("src/mtbalance/cli/runs.py"),
    "progress bar": comment("src/mtbalance/training/progress.py"),
    "make reproduce": comment("src/mtbalance/reproduce/closing.py"),
    # Left out on purpose: a job is given its values complete, so that a new option of one part is not news to all.
    "the configuration's schema": comment("src/mtbalance/config/run.py"),
    "the parameters' schema": comment("src/mtbalance/config/parameters.py"),
}


def test_the_copy_runs_its_own_package(finished: Tree):
    where = finished.call("python", "-c", "import mtbalance; print(mtbalance.__file__)").strip()
    assert Path(where) == finished.root / "src/mtbalance/__init__.py"


def test_a_new_tree_runs_every_job_once(tree: Tree):
    for made in ("data", "results", ".snakemake"):
        shutil.rmtree(tree.root / made)
    data = {"generate_synthetic synthetic_a", "prepare_ranking synthetic_a", "references synthetic_a"}
    assert tree.due() == data | trains() | TIMING | RESULTS | AUDIT


def test_a_second_run_has_nothing_to_do(finished: Tree):
    assert finished.due() == NOTHING
    assert finished.due("data") == NOTHING


@pytest.fixture(scope="module")
def edited(finished: Tree, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """A copy in which edits are made one after the other, and undone; that leaves nothing to do."""
    tree = finished.copy(tmp_path_factory.mktemp("edited") / "tree")
    yield tree
    assert tree.due() == NOTHING


@pytest.mark.parametrize(
    "edit", [edit if edit in EVERYDAY else pytest.param(edit, marks=pytest.mark.long) for edit in RERUNS]
)
def test_an_edit_runs_what_it_changes_and_its_undoing_nothing(edit: str, edited: Tree):
    change, expected = RERUNS[edit]
    files = [*edited.root.glob("src/**/*.py"), *edited.root.glob("src/**/*.csv"), edited.root / "params.yaml"]
    kept = {path: path.read_bytes() for path in files}
    change(edited)
    due = edited.due()
    for path, content in kept.items():
        path.write_bytes(content)
    assert due == expected


def test_all_edits_that_change_no_number_run_nothing_together(tree: Tree):
    """The next test, which is long, says which of them did."""
    for edit in NO_RERUNS.values():
        edit(tree)
    assert tree.due() == NOTHING


@pytest.mark.long
@pytest.mark.parametrize("edit", NO_RERUNS)
def test_an_edit_that_changes_no_number_runs_nothing(edit: str, tree: Tree):
    NO_RERUNS[edit](tree)
    assert tree.due() == NOTHING


def test_an_unknown_key_stops_with_its_path_and_what_is_allowed(tree: Tree):
    tree.set("balancers.pub.evry", 5)
    said = tree.snakemake("--dry-run", expect=1)
    assert "balancers.pub.evry: unknown key; allowed:" in said
    assert "did you mean every?" in said
    assert "Traceback" not in said


LOST = {
    "results/runs/tiny/synthetic_a/mmoe/pub/seed-1.json": trains([("mmoe", "pub")], [1]) | RESULTS,
    "results/speed/tiny/synthetic_a/mmoe.json": TIMING | RESULTS,
    "results/metrics/tiny.parquet": RESULTS,
    "results/figures/tiny/auc.pdf": {"figure tiny/auc"} | PLOTS,
}


@pytest.mark.parametrize("path", LOST)
def test_a_lost_file_is_made_again(path: str, tree: Tree):
    """Or DVC would keep what is left as the results."""
    (tree.root / path).unlink()
    assert tree.due() == LOST[path]


def test_lost_data_are_prepared_again(tree: Tree):
    (tree.root / "data/processed/synthetic_a/train.parquet").unlink()
    assert tree.due("data") == {"prepare_ranking synthetic_a"}
