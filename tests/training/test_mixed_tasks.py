"""Runs on a table with binary tasks and regressions, missing labels and weights; scikit-learn measures them too."""

from contextlib import chdir

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import log_loss, mean_absolute_error, r2_score, roc_auc_score, root_mean_squared_error

from mtbalance.config.reading import parse
from mtbalance.problems import open_problem
from mtbalance.training.record import model_size
from mtbalance.training.run import open_session, train

TASKS = {
    "spent": {"column": "spent", "kind": "regression", "loss": "log1p", "within": "clicked"},
    "clicked": {"column": "clicked", "positive": [1]},
    "bought": {"column": "bought", "positive": [1], "within": "clicked"},
    "minutes": {"column": "minutes", "kind": "regression", "loss": "huber"},
}
BINARY, NUMBERS = ("clicked", "bought"), ("spent", "minutes")


def visits(count: int = 3000) -> pl.DataFrame:
    random = np.random.default_rng(5)
    inputs = random.normal(size=(count, 3))
    clicked = inputs[:, 0] + random.logistic(size=count) > 0.5
    spent = np.where(clicked, np.exp(1 + inputs[:, 1] + 0.3 * random.normal(size=count)), np.nan)
    minutes = 1000 + 50 * inputs[:, 2] + 10 * random.normal(size=count)
    return pl.DataFrame(
        {f"x{n}": inputs[:, n] for n in range(3)}
        | {"clicked": clicked.astype(int), "bought": (spent > 3).astype(int), "spent": spent}
        | {
            "minutes": np.where(np.arange(count) % 4 == 0, np.nan, minutes),
            "importance": random.exponential(size=count),
        }
    )


def parameters(**changes):
    block = {
        "adapter": "table",
        "files": {"all": {"path": "data/raw/visits.parquet"}},
        "categorical": [],
        "numerical": ["x0", "x1", "x2"],
        "tasks": TASKS,
        "split": {"train": 0.5, "valid": 0.2, "test": 0.3},
    }
    tasks = changes.get("tasks", TASKS)
    weights = dict.fromkeys(tasks, 0.5) | {"spent": 2}
    model = {"embedding": 8, "expert": [16], "tower": [8], "dropout": 0.0, "batch_norm": False, "head_bias": "rate"}
    return parse(
        {
            "preset": "p",
            "presets": {"p": ["e"]},
            "experiments": {
                "e": {
                    "title": "Visits",
                    "datasets": ["visits"],
                    "grid": {"shared_bottom": ["ls", "pub", "fixed"]},
                    "seeds": [0],
                    "model": model,
                    "training": {"epochs": 4, "batch_size": 128, "patience": 0, "optimizer": {"lr": 0.01}},
                    "tables": ["auc", "regression"] if tasks == TASKS else ["auc"],
                }
            },
            "datasets": {"visits": block | changes},
            "backbones": {"shared_bottom": {"kind": "shared_bottom"}},
            "balancers": {
                "ls": {"level": "loss", "rule": "equal"},
                "pub": {"level": "update", "rule": "nash", "every": 3},
                "fixed": {"level": "loss", "rule": "fixed", "weights": weights},
            },
        }
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The project's folder, and the prepared data with and without weights."""
    folder = tmp_path_factory.mktemp("visits")
    (folder / "data/raw").mkdir(parents=True)
    visits().write_parquet(folder / "data/raw/visits.parquet")
    with chdir(folder):
        parameters().datasets["visits"].prepare("visits", folder / "plain")
        parameters(weight="importance").datasets["visits"].prepare("visits", folder / "weighted")
    return folder


@pytest.fixture(scope="module", params=["plain", "weighted"])
def trained(prepared, request):
    """The record of a run, and its predictions."""
    path = prepared / f"{request.param}.predictions.parquet"
    run = parameters().run("e", "visits", "shared_bottom", "pub", 0)
    return train(run, prepared / request.param, predictions=path), pd.read_parquet(path)


def test_scikit_learn_finds_the_records_numbers_in_the_predictions(trained):
    record, kept = trained
    for task in TASKS:
        rows = kept.dropna(subset=[task])
        label, predicted = rows[task], rows[f"predicted_{task}"].astype(float)
        assert len(rows) == record.data.labels["test"][task]
        measures = {"rmse": root_mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}
        if task in BINARY:
            measures = {"auc": roc_auc_score, "log_loss": log_loss}
        for metric, measure in measures.items():
            assert measure(label, predicted) == pytest.approx(record.test[metric][task], rel=1e-5)
    scores = [record.test["auc" if task in BINARY else "r2"][task] for task in TASKS]
    assert record.test["mean_score"] == pytest.approx(np.mean(scores))
    assert record.test["mean_auc"] == pytest.approx(np.mean(list(record.test["auc"].values())))


def test_a_run_learns_every_task(trained):
    record, _ = trained
    assert min(record.test["auc"].values()) > 0.65 and min(record.test["r2"].values()) > 0.5
    best = max(record.epochs, key=lambda epoch: epoch.evaluation["mean_score"])
    assert record.best_epoch == best.epoch


def test_predictions_are_in_the_units_of_the_labels(trained, prepared):
    _, kept = trained
    raw = pd.read_parquet(prepared / "plain" / "test.parquet")
    for task in NUMBERS:
        np.testing.assert_allclose(kept[task], raw[task], rtol=1e-5)
    assert kept["bought"].isna().equals(raw["bought"] == 255) and kept["clicked"].dtype == np.int8
    assert kept["predicted_minutes"].between(700, 1300).all()


def test_the_record_says_how_many_labels_each_split_has(trained, prepared):
    record, _ = trained
    for split, labels in record.data.labels.items():
        rows = pl.read_parquet(prepared / "plain" / f"{split}.parquet")
        assert labels["clicked"] == record.data.rows[split] == len(rows)
        assert labels["bought"] == labels["spent"] == rows["clicked"].sum()
        assert labels["minutes"] == rows["minutes"].is_not_nan().sum()
    assert set(record.data.rates["train"]) == {"clicked", "bought"}
    assert [task.name for task in record.tasks] == list(TASKS)


def test_weights_given_by_name_are_those_of_a_list(prepared):
    chosen = parameters()
    named = train(chosen.run("e", "visits", "shared_bottom", "fixed", 0), prepared / "plain")
    assert {task: weight for task, weight in named.epochs[0].weights.items() if weight != 0.5} == {"spent": 2}


def test_the_training_loss_is_the_mean_over_labels(prepared):
    """With a rate of 0 the model stays as it begins, and the loss of an epoch can be worked out from all rows."""
    run = parameters().run("e", "visits", "shared_bottom", "ls", 0)
    training = run.training.model_copy(update={"optimizer": run.training.optimizer.model_copy(update={"lr": 1e-30})})
    for folder in ("plain", "weighted"):
        for parts in (1, 3):
            still = run.model_copy(
                update={"training": training.model_copy(update={"epochs": 1, "micro_batches": parts})}
            )
            record = train(still, prepared / folder)
            problem = open_problem(still, prepared / folder)
            batch = next(problem.split("train").batches(10_000, None))
            from mtbalance.training.seeding import seed_everything

            seed_everything(0)
            outputs = problem.model().eval()(batch.inputs)
            expected = {
                t.name: t.loss(*pair).item() for t, *pair in zip(problem.tasks, outputs, batch.targets, strict=True)
            }
            assert record.epochs[0].train_loss == pytest.approx(expected, rel=1e-4)


def test_heads_begin_at_the_rate_and_at_the_mean(prepared):
    run = parameters().run("e", "visits", "shared_bottom", "ls", 0)
    problem = open_problem(run, prepared / "plain")
    biases = [tower.logit.bias.item() for tower in problem.model().towers]
    rates = problem.schema.splits["train"].rates
    odds = {task: np.log(rate / (1 - rate)) for task, rate in rates.items()}
    assert biases == pytest.approx([odds.get(task, 0.0) for task in TASKS])


def test_the_bias_alone_is_changed_by_its_start(prepared):
    from mtbalance.training.seeding import seed_everything

    run = parameters().run("e", "visits", "shared_bottom", "ls", 0)
    found = []
    for start in ("zero", "rate"):
        seed_everything(0)
        model = run.model.model_copy(update={"head_bias": start})
        found.append(open_problem(run.model_copy(update={"model": model}), prepared / "plain").model().state_dict())
    changed = [name for name in found[0] if not found[0][name].equal(found[1][name])]
    assert changed == [f"towers.{task}.logit.bias" for task in range(4)]


def test_one_task_shares_nothing(prepared):
    one = parameters(tasks={"spent": {"column": "spent", "above": 3}})
    with chdir(prepared):
        one.datasets["visits"].prepare("visits", prepared / "one")
    size = model_size(open_session(one.run("e", "visits", "shared_bottom", "pub", 0), prepared / "one"))
    assert (size.shared, size.private) == (0, size.parameters)
