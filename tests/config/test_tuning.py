"""Tuning: equally many trials of every method, as variants, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import ParametersError, parse
from mtbalance.config.run import canonical
from mtbalance.workflow import Workflow

ROOT = Path(__file__).parents[2]
TUNING: dict[str, Any] = {
    "trials": 4,
    "grid": {"optimizer.lr": [0.001, 0.002, 0.004, 0.008]},
    "options": {"pub": {"rescale": ["sum_to_K", "sum_to_1"], "optimizer.lr": [0.002, 0.004]}},
}
LS = [f"ls@optimizer.lr={lr}" for lr in (0.001, 0.002, 0.004, 0.008)]
PUB = [f"pub@optimizer.lr={lr},rescale={rescale}" for lr in (0.002, 0.004) for rescale in ("sum_to_K", "sum_to_1")]


def tuned(experiment: dict[str, Any] | None = None, /, **tuning: Any) -> Parameters:
    """Parameters with two methods on MMOE and one on single tasks, tuned over four trials; ``tuning`` is changed."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    block = raw["experiments"]["tuned"]
    block["grid"] = {"single_task": ["ls"], "mmoe": ["pub", "ls"]}
    block["tuning"] = TUNING | tuning
    block |= experiment or {}
    return parse(raw)


def names(parameters: Parameters, backbone: str) -> list[str]:
    """The variants that are run on a backbone, in order."""
    runs = parameters.runs("tuned")
    return list(dict.fromkeys(run.balancer.name for run in runs if run.backbone.name == backbone))


def test_every_method_has_its_trials_on_every_backbone_with_every_seed():
    parameters = tuned()
    assert names(parameters, "single_task") == LS
    assert names(parameters, "mmoe") == [*PUB, *LS]
    assert len(parameters.runs("tuned")) == (4 + 8) * 2
    run = parameters.run("tuned", "synthetic_nl", "mmoe", PUB[3], seed=1)
    assert (run.training.optimizer.lr, run.balancer.options.rescale) == (0.004, "sum_to_1")
    assert run.training.optimizer.weight_decay == parameters.experiments["tuned"].training.optimizer.weight_decay


def test_a_trial_is_a_variant_like_any_other():
    """The digest of a run does not tell whether its experiment names the variant or tunes over it."""
    grid = {"single_task": LS, "mmoe": [*PUB, *LS]}
    named = tuned({"grid": grid, "tuning": None})
    assert [run.digest() for run in named.runs("tuned")] == [run.digest() for run in tuned().runs("tuned")]


def test_another_trial_changes_no_other_run():
    before = {run.balancer.name: run.digest() for run in tuned().runs("tuned")}
    longer = {"optimizer.lr": [1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2]}
    own = {"pub": {"optimizer.lr": [1e-3, 2e-3, 4e-3], "rescale": ["sum_to_K", "sum_to_1"]}}
    after = {run.balancer.name: run.digest() for run in tuned(trials=6, grid=longer, options=own).runs("tuned")}
    assert before.items() < after.items() and len(after) == 12


def test_the_order_of_keys_decides_nothing():
    """A job gets its parameters as JSON with sorted keys: trials and the first of them must be the same."""
    parameters = tuned(options={"pub": {"rescale": ["sum_to_K", "sum_to_1"], "optimizer.lr": [2e-3, 4e-3]}})
    assert [run.balancer.name for run in parameters.runs("tuned")] == [
        run.balancer.name for run in tuned().runs("tuned")
    ]
    excerpt = parse(json.loads(canonical(parameters.excerpt("tuned"))))
    assert {run.digest() for run in excerpt.runs("tuned")} == {run.digest() for run in parameters.runs("tuned")}
    assert [run.digest() for run in excerpt.timing_runs("tuned", "synthetic_nl", "mmoe")] == [
        run.digest() for run in parameters.timing_runs("tuned", "synthetic_nl", "mmoe")
    ]


def test_the_first_trial_of_each_method_is_timed():
    runs = tuned().timing_runs("tuned", "synthetic_nl", "mmoe")
    assert [run.balancer.name for run in runs] == [LS[0], PUB[0]]


def test_a_variant_of_the_grid_can_be_tuned_too():
    pub, every = "pub@every=1", {"optimizer.lr": [1e-3, 2e-3, 4e-3, 8e-3]}
    parameters = tuned({"grid": {"mmoe": ["ls", pub]}}, options={pub: every})
    trial = parameters.experiments["tuned"].trials()["pub@every=1,optimizer.lr=0.008"]
    assert trial.method == pub and trial.grid == every
    assert parameters.balancer("pub@every=1,optimizer.lr=0.008").every == 1


def test_small_numbers_are_numbers_however_they_are_written():
    found = tuned(trials=2, grid={"optimizer.lr": ["1e-5", 1.0e-4]}, options={})
    assert {run.training.optimizer.lr for run in found.runs("tuned")} == {1e-5, 1e-4}
    assert found.experiments["tuned"].tuning.grid == {"optimizer.lr": [1e-5, 1e-4]}


def test_a_tuned_experiment_has_the_table_of_trials_and_their_file():
    workflow = Workflow(tuned({"tables": ["auc"]}))
    assert workflow.parameters.experiments["tuned"].tables == ("auc", "tuning")
    assert workflow.shown("tuned", "tuning") == ["results/metrics/trials/tuned.parquet"]
    assert workflow.shown("tuned", "auc") == ["results/metrics/tuned.parquet"]
    assert workflow.trials("census") == []


@pytest.mark.parametrize(
    ("experiment", "tuning", "message"),
    [
        ({}, {"trials": 5}, r"tuning\.grid: ls has 4 trials, but every method must have 5 \(tuning\.trials\)"),
        ({}, {"trials": 5}, r"tuning\.options\.pub: pub has 4 trials, but every method must have 5"),
        ({}, {"options": {"pub": {"rescale": ["sum_to_1"]}, "ls": {"optimizer.lr": [0.1]}}}, r"ls has 1 trials"),
        ({}, {"trials": 1, "grid": {"optimizer.lr": [0.1]}, "options": {}}, r"tuning\.trials: .*greater than or equal"),
        ({}, {"options": {"pbu": {}}}, r"tuning\.options\.pbu: is not in the experiment's grid; .*did you mean pub"),
        (
            {},
            {"grid": {"optimizer.lr": [1e-3, 0.001, 2e-3, 4e-3]}},
            r"tuning\.grid\.optimizer\.lr: 0\.001: .*than once",
        ),
        ({}, {"grid": {"optimizer.lr": []}}, r"tuning\.grid\.optimizer\.lr: .*at least 1"),
        (
            {},
            {"grid": {"optimizer.rl": [1, 2, 3, 4]}, "options": {}},
            r"tuning: ls@optimizer\.rl=1: rl: unknown key; allowed: .*lr",
        ),
        ({}, {"grid": {"every": [1, 2, 3, 4]}, "options": {}}, r"tuning: ls@every=1: every: unknown key"),
        ({}, {"grid": {"optimizer.lr": [-1, 2, 3, 4]}}, r"ls@optimizer\.lr=-1: .*greater than 0"),
        (
            {"grid": {"mmoe": ["ls@optimizer.lr=0.01"]}},
            {"options": {}},
            r"'optimizer\.lr=0\.001' is not key=value with a key of its own",
        ),
        (
            {},
            {"grid": {"selection": ["valid", "last"], "optimizer.lr": [1, 2]}},
            r"epochs are selected cannot be tuned",
        ),
        ({"training": {"epochs": 1, "selection": "test"}}, {}, r"\.tuning: .*valid split, which .*: test does not"),
        ({"tuning": None, "tables": ["auc", "tuning"]}, {}, r"tables: 'tuning' shows trials: it needs the block"),
    ],
)
def test_what_is_unfair_or_impossible_is_refused(experiment, tuning, message):
    with pytest.raises(ParametersError, match=f"experiments.tuned.*{message}"):
        tuned(experiment, **tuning)


def test_a_trial_of_two_methods_is_refused():
    same = {"optimizer.lr": [1e-3, 2e-3, 4e-3, 8e-3], "every": [1]}
    with pytest.raises(ParametersError, match=r"tuning: pub@every=1,optimizer\.lr=0\.001 is a trial of two methods"):
        tuned({"grid": {"mmoe": ["pub", "pub@every=1"]}}, options={"pub": same})


def test_scenes_have_no_score_to_choose_by():
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["experiments"]["demo_scenes"]["tuning"] = {"trials": 2, "grid": {"optimizer.lr": [1e-3, 2e-3]}}
    with pytest.raises(ParametersError, match=r"demo_scenes\.tuning: .*training\.selection: last does not"):
        parse(raw)


def test_the_presets_compare_methods_with_equally_many_trials():
    parameters = parse(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")))
    for name, trials in {"tuned": 4, "census_tuned": 6}.items():
        experiment = parameters.experiments[name]
        assert name in parameters.presets
        counts = {method: len(experiment.variants(method)) for grid in experiment.grid.values() for method in grid}
        assert set(counts.values()) == {trials} and {"pub", "multibalance", "ls"} <= counts.keys()
