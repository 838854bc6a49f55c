"""A small tuned experiment, through the real workflow: what is due, and what comes out."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pandas as pd
import pytest

from built_once import once, ready
from workflow_tree import TINY, Tree, new_tree

RATES = [0.001, 0.01]
LS = [f"ls@optimizer.lr={lr}" for lr in RATES]
PUB = [f"pub@rescale={rescale}" for rescale in ("sum_to_K", "sum_to_1")]


def tuned_parameters():
    """The tiny experiment with two methods on one backbone and two trials of each."""
    raw = copy.deepcopy(dict(TINY))
    raw["experiments"]["tiny"] |= {
        "seeds": [0],
        "grid": {"mmoe": ["ls", "pub"]},
        "tables": ["auc"],
        "figures": [],
        "tuning": {
            "trials": 2,
            "grid": {"optimizer.lr": RATES},
            "options": {"pub": {"optimizer.lr": [0.01], "rescale": ["sum_to_K", "sum_to_1"]}},
        },
    }
    return raw


def trains(variants):
    return {f"train tiny/synthetic_a/mmoe/{variant}/0" for variant in variants}


PUBS = [name.replace("@", "@optimizer.lr=0.01,") for name in PUB]
TABLES = {"table tiny/auc", "table tiny/tuning", "page ", "claims "}
RESULTS = {"collect tiny", "summarize tiny", "trials tiny"} | TABLES


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The experiment, not yet run. For reading."""
    folder = tmp_path_factory.mktemp("tuned")
    return new_tree(folder / "tree", folder / "cache", tuned_parameters())


def test_every_trial_is_a_job_and_no_job_waits_for_a_choice(tuned: Tree):
    data = {"generate_synthetic synthetic_a", "prepare_ranking synthetic_a", "references synthetic_a"}
    timing = {"time tiny/synthetic_a/mmoe"}
    assert tuned.due() == data | timing | trains([*LS, *PUBS]) | RESULTS | {"audit ", "plots tiny"}


def test_check_counts_the_trials(tuned: Tree):
    assert "4 runs on synthetic_a, 2 trials of every method" in tuned.call("mtbalance", "check")


def test_unequal_trials_stop_the_workflow_with_the_name_and_the_count(tuned: Tree, tmp_path: Path):
    unequal = tuned.copy(tmp_path / "unequal")
    unequal.set("experiments.tiny.tuning.options.pub.rescale", ["sum_to_K", "sum_to_1", "none"])
    said = unequal.snakemake("--dry-run", expect=1)
    assert "tuning.options.pub: pub has 3 trials, but every method must have 2" in said and "Traceback" not in said


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The experiment, run from data to tables. For reading."""
    with once(tmp_path_factory.getbasetemp(), "tuned") as folder:
        cache = folder / "cache"
        root = ready(folder, "ran", lambda partial: new_tree(partial, cache, tuned_parameters()).snakemake())
    return Tree(root, cache)


@pytest.mark.slow
@pytest.mark.long
def test_the_tables_show_the_best_trial_on_valid_as_its_records_have_it(ran: Tree):
    scores = {
        cell.split("/")[3]: max(epoch["evaluation"]["mean_auc"] for epoch in record["epochs"])
        for cell, record in ran.records().items()
    }
    best = {max(LS, key=scores.get), max(PUBS, key=scores.get)}
    trials = pd.read_parquet(ran.root / "results/metrics/trials/tiny.parquet")
    metrics = pd.read_parquet(ran.root / "results/metrics/tiny.parquet")
    assert set(trials.loc[trials["chosen"], "variant"]) == best and len(trials) == 4
    assert set(metrics.loc[metrics["metric"] == "mean_auc", "variant"]) == best
    assert set(metrics["balancer"]) == {"ls", "pub"}
    table = ran.read("results/tables/tiny/auc.md")
    assert "Each method is tuned over 2 trials by mean AUC on the valid split" in table
    assert len([line for line in table.splitlines() if line.startswith("| MMOE")]) == 2
    links = set(re.findall(r'href=\\?"\.\./(results/runs/[^"\\]+\.json)', ran.read("results/report.html")))
    assert links == {f"results/runs/tiny/synthetic_a/mmoe/{name}/seed-0.json" for name in best}
    appendix = ran.read("results/tables/tiny/tuning.md")
    assert len([line for line in appendix.splitlines() if line.startswith("| MMOE")]) == 4


@pytest.mark.slow
@pytest.mark.long
def test_a_finished_experiment_has_nothing_to_do_and_a_wider_grid_runs_the_new_trials_alone(ran: Tree, tmp_path: Path):
    assert ran.due() == set()
    tree = ran.copy(tmp_path / "tree")
    tree.set("experiments.tiny.tuning", {"trials": 3, "grid": {"optimizer.lr": [*RATES, 0.03]}})
    new = [f"pub@optimizer.lr={lr}" for lr in (*RATES, 0.03)]
    assert tree.due() == trains(["ls@optimizer.lr=0.03", *new]) | RESULTS | {"time tiny/synthetic_a/mmoe"}


@pytest.mark.slow
@pytest.mark.long
def test_a_method_that_is_edited_trains_its_trials_again(ran: Tree, tmp_path: Path):
    tree = ran.copy(tmp_path / "tree")
    tree.set("balancers.pub.every", 3)
    assert tree.due() == trains(PUBS) | RESULTS | {"time tiny/synthetic_a/mmoe"}
