"""Calibration: its error is what an independent count gives, scalings mend what they can, and tables show it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve

from mtbalance.config.tuning import Trial
from mtbalance.records import RecordError, write_record
from mtbalance.records.run import TaskFacts
from mtbalance.reporting.calibration import (
    BINS,
    Files,
    Reliability,
    Rows,
    collect_calibration,
    fitted_isotonic,
    fitted_temperature,
    read_rows,
    reliability,
)
from mtbalance.reporting.figures import write_figure
from mtbalance.reporting.figures.ranking.calibration import draw
from mtbalance.reporting.tables import write_table
from tracked_runs import TASKS, record_of, run_of

MANY = 40_000


def drawn(rows: int, seed: int = 0, temperature: float = 1.0) -> Rows:
    """Labels of known probabilities, whose logits are predicted ``temperature`` times too large."""
    random = np.random.default_rng(seed)
    true = random.beta(1.0, 9.0, rows)
    return Rows(expit(logit(true) * temperature), (random.random(rows) < true).astype(float))


def test_the_error_is_the_mean_over_rows_of_a_bins_distance():
    rows = drawn(5003, temperature=2.0)
    order = np.argsort(rows.predicted, kind="stable")
    bins = np.array_split(order, BINS)
    distances = [abs(rows.predicted[one].mean() - rows.labels[one].mean()) * len(one) for one in bins]
    assert reliability(rows).error() == pytest.approx(sum(distances) / 5003, abs=2e-4)


def test_the_bins_are_scikit_learns_with_their_rows_where_predictions_are_equal_too():
    rows = Rows(np.repeat([0.1, 0.1, 0.1, 0.4, 0.7], 40), np.tile([0.0, 1.0], 100))
    found = reliability(rows)
    observed, predicted = calibration_curve(rows.labels, rows.predicted, n_bins=BINS, strategy="quantile")
    np.testing.assert_array_equal(found.observed, observed)
    np.testing.assert_array_equal(found.predicted, predicted)
    assert found.rows.sum() == 200 and len(found.rows) == 3 and found.rows.tolist() == [120, 40, 40]
    assert np.average(found.predicted, weights=found.rows) == pytest.approx(rows.predicted.mean())


def test_true_probabilities_have_the_error_that_chance_gives():
    found = [reliability(drawn(2000, seed)) for seed in range(60)]
    errors, chances = (np.array([getattr(one, name)() for one in found]) for name in ("error", "chance"))
    assert errors.mean() == pytest.approx(chances.mean(), rel=0.1)
    assert reliability(drawn(2000, temperature=2.0)).error() > 3 * chances.mean()


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_the_error_of_chance_is_right_for_rare_labels_whatever_their_predicted_rate(factor):
    """Less than one label in a bin, so that most bins have none; true probabilities have the error, not the others."""
    random = np.random.default_rng(0)
    errors, chances = [], []
    for _ in range(200):
        true = np.clip(0.002 * np.exp(random.normal(0, 1, 2000)), 0, 0.3)
        labels = (random.random(2000) < true).astype(float)
        errors.append(reliability(Rows(true, labels)).error())
        chances.append(reliability(Rows(factor * true, labels)).chance())
    assert np.mean(chances) == pytest.approx(np.mean(errors), rel=0.1)


def test_the_error_of_chance_is_that_of_counts_in_bins_of_unequal_size():
    """The reference: the mean distance of binomial counts from their expectation, by all outcomes."""
    rates, rows = np.array([0.1, 0.5, 0.8]), np.array([3000, 1000, 200])
    distances = [stats.binom(n, p).expect(lambda k, n=n, p=p: abs(k / n - p)) for n, p in zip(rows, rates, strict=True)]
    expected = np.average(distances, weights=rows)
    assert Reliability(rates, rates, rows).chance() == pytest.approx(expected, rel=0.002)
    # Twice the rate is predicted everywhere: labels tell the true one.
    assert Reliability(2 * rates, rates, rows).chance() == pytest.approx(expected, rel=0.002)


def test_rows_without_a_label_are_left_out(tmp_path: Path):
    kept = pd.DataFrame({"click": [1.0, math.nan, 0.0], "predicted_click": [0.75, 0.5, 0.25]})
    kept.to_parquet(tmp_path / "kept.parquet")
    facts = TaskFacts(name="click", title="Click", metrics={"auc": 1, "ne": -1})
    found = read_rows(tmp_path / "kept.parquet", "", facts)
    assert found.labels.tolist() == [1, 0] and found.predicted.tolist() == [0.75, 0.25]


def test_the_temperature_that_was_planted_is_found_and_mends_the_error():
    valid, test = drawn(MANY, 1, temperature=1.7), drawn(MANY, 2, temperature=1.7)
    temperature = fitted_temperature(valid)
    assert temperature == pytest.approx(1.7, rel=0.03)
    before = reliability(test)
    after = reliability(test._replace(predicted=expit(logit(test.predicted) / temperature)))
    assert before.error() > 5 * before.chance() and after.error() < 2 * after.chance()


def test_isotonic_scaling_mends_a_rate_that_no_temperature_can():
    valid, test = (drawn(MANY, seed) for seed in (1, 2))
    shifted = [rows._replace(predicted=expit(logit(rows.predicted) + 1.5)) for rows in (valid, test)]
    cooled = shifted[1]._replace(predicted=expit(logit(shifted[1].predicted) / fitted_temperature(shifted[0])))
    stepped = shifted[1]._replace(predicted=fitted_isotonic(shifted[0]).predict(shifted[1].predicted))
    errors = [reliability(rows).error() for rows in (shifted[1], cooled, stepped)]
    assert errors[1] > errors[0] / 3 and errors[2] < errors[0] / 10


def test_certain_predictions_are_scaled_without_a_warning():
    rows = Rows(np.array([0.0, 1.0, 0.5, 0.2] * 20), np.array([0.0, 1.0, 1.0, 0.0] * 20))
    assert 0 < fitted_temperature(rows) < 1


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The calibration of two methods with two seeds, one of which diverged."""
    runs = [run_of(seed, balancer) for balancer in ("ls", "pub") for seed in (0, 1)]
    records, kept = [], {}
    for number, run in enumerate(runs):
        diverged = (run.balancer.name, run.seed) == ("pub", 1)
        stem = tmp_path / f"{run.balancer.name}-{run.seed}"
        write_record(stem.with_suffix(".json"), record_of(run, "diverged" if diverged else "finished"))
        files = Files(*(stem.with_suffix(f".{split}.parquet") for split in ("valid", "test")))
        for side, path in enumerate(files):
            parts = {}
            for task in TASKS:
                rows = drawn(
                    0 if diverged else 900, 10 * number + side, temperature=2.0 if run.balancer.name == "pub" else 1.0
                )
                parts |= {task: rows.labels.astype(np.int8), f"predicted_{task}": rows.predicted.astype(np.float32)}
            pd.DataFrame(parts).to_parquet(path)
        records.append(stem.with_suffix(".json"))
        kept[run.digest()] = files
    output = tmp_path / "calibration.parquet"
    collect_calibration(records, runs, kept, {name: Trial(name, {}) for name in ("ls", "pub")}, output)
    return output


def test_every_finished_run_has_its_error_and_bins(written: Path):
    frame = pd.read_parquet(written)
    whole = frame[frame["part"] == "whole"]
    assert len(whole[whole["status"] == "finished"]) == 3 * len(TASKS) * 3
    assert whole.loc[whole["status"] == "diverged", "error"].isna().all()
    one = frame[(frame["balancer"] == "pub") & (frame["seed"] == 0) & (frame["task"] == "click")]
    trained = one[one["scaling"] == "none"]
    rows = pd.read_parquet(written.with_name("pub-0.test.parquet"))
    observed, predicted = calibration_curve(
        rows["click"], rows["predicted_click"].astype(float), n_bins=BINS, strategy="quantile"
    )
    bins = trained[trained["part"] == "bin"]
    np.testing.assert_allclose(bins["observed"], observed)
    np.testing.assert_allclose(bins["predicted"], predicted)
    error = np.average(abs(bins["predicted"] - bins["observed"]), weights=bins["rows"].astype(float))
    assert trained.iloc[0]["error"] == pytest.approx(error)
    assert one.loc[one["scaling"] == "temperature", "temperature"].iloc[0] == pytest.approx(2.0, rel=0.3)


def test_the_table_and_the_figure_show_it(written: Path, tmp_path: Path):
    write_table("calibration", written, tmp_path / "calibration", title="Demo")
    text, numbers = (tmp_path / "calibration.md").read_text(), pd.read_csv(tmp_path / "calibration.csv")
    for said in (
        "10 bins of equally many rows",
        "SYNTHETIC stand-in data",
        "By chance alone",
        "Epochs are selected by mean AUC on the valid split",
        "Failed runs: 1 of 4: MMOE+PUB on synthetic_a, diverged with seed 1",
    ):
        assert said in text
    assert "†" not in text
    pub = numbers[(numbers["balancer"] == "pub") & (numbers["task"] == "click")].set_index("scaling")
    line = next(line for line in text.splitlines() if line.startswith("| MMOE+PUB"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    scaled = [f"{100 * pub.loc[scaling, 'error_mean']:.2f}" for scaling in ("none", "temperature", "isotonic")]
    assert cells[1:3] + cells[4:5] == scaled and cells[3] == f"{pub.loc['temperature', 'temperature']:.2f}"
    assert pub["n"].tolist() == [1, 1, 1] and pub.loc["none", "error_mean"] > pub.loc["temperature", "error_mean"]
    write_figure("calibration", written, tmp_path / "calibration", title="Demo")
    assert all((tmp_path / f"calibration.{ending}").stat().st_size for ending in ("png", "pdf", "svg"))


def test_with_a_regression_beside_the_captions_name_the_score_that_chose_the_epochs(tmp_path: Path):
    """A run with a binary task and a regression, whose epochs the mean of AUC and R^2 chose."""
    run = run_of(0)
    record = record_of(run)
    flow = TaskFacts(name="flow", title="Flow", metrics={"rmse": -1, "mae": -1, "r2": 1})
    scores = [epoch.evaluation | {"mean_score": 0.5} for epoch in record.epochs]
    epochs = [
        epoch.model_copy(update={"evaluation": found}) for epoch, found in zip(record.epochs, scores, strict=True)
    ]
    test = {**record.test, "mean_score": 0.5}
    changed = {"tasks": [record.tasks[0], flow], "epochs": epochs, "test": test, "unconverged": ["epoch 3 was chosen"]}
    write_record(tmp_path / "record.json", record.model_copy(update=changed))
    for split in ("valid", "test"):
        rows = drawn(900)
        kept = pd.DataFrame(
            {"click": rows.labels.astype(np.int8), "predicted_click": rows.predicted.astype(np.float32)}
        )
        kept.to_parquet(tmp_path / f"{split}.parquet")
    files = {run.digest(): Files(tmp_path / "valid.parquet", tmp_path / "test.parquet")}
    output = tmp_path / "calibration.parquet"
    collect_calibration([tmp_path / "record.json"], [run], files, {"pub": Trial("pub", {})}, output)
    write_table("calibration", output, tmp_path / "calibration", title="Demo")
    text = (tmp_path / "calibration.md").read_text()
    assert "Epochs are selected by mean of AUC and R² on the valid split" in text
    line = next(line for line in text.splitlines() if line.startswith("| MMOE+PUB"))
    assert line.count("†") == 3 and "1 of the experiment's 1 run" in text
    assert set(pd.read_csv(tmp_path / "calibration.csv")["flagged"]) == {1}


def test_predictions_without_the_task_are_refused_with_the_file(tmp_path: Path):
    run = run_of(0)
    write_record(tmp_path / "record.json", record_of(run))
    pd.DataFrame({"row": [0]}).to_parquet(tmp_path / "kept.parquet")
    kept = {run.digest(): Files(tmp_path / "kept.parquet", tmp_path / "kept.parquet")}
    with pytest.raises(RecordError, match=r"kept\.parquet has no column 'click'; delete the file and run the workflow"):
        collect_calibration(
            [tmp_path / "record.json"], [run], kept, {"pub": Trial("pub", {})}, tmp_path / "out.parquet"
        )


def test_axes_of_rare_labels_tell_their_ticks_apart():
    rates = np.geomspace(2e-5, 2e-3, 5)
    bins = pd.DataFrame({"predicted": rates, "observed": rates, "balancer": "ls", "seed": 0, "scaling": "none"})
    facts = {"dataset": "d", "synthetic": False, "task": "t", "task_title": "T", "backbone": "mmoe"}
    figure = draw(bins.assign(part="bin", selection="valid", **facts), "Title", "ls")
    figure.draw_without_rendering()
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert len(set(labels)) == len(labels) and {"0.005%", "0.01%", "0.1%"} <= set(labels)
