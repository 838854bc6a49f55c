"""References in the tables: rows of models without balancing, from records with numbers chosen by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from mtbalance.records import RecordError, read_references, read_run, write_record
from mtbalance.records.reference import ReferenceModel, ReferenceRecord
from mtbalance.records.table import write_table as write_kept
from mtbalance.reporting.answer import answer
from mtbalance.reporting.collect import collect
from mtbalance.reporting.figures.ranking.auc import draw
from mtbalance.reporting.page.leaderboard import leaderboard
from mtbalance.reporting.reference_errors import against
from mtbalance.reporting.references import MODELS
from mtbalance.reporting.tables import write_table

BINARY = ("constant", "logistic", "boosting")


def reference_record(path, **changed):
    facts = {"dataset": "synthetic_nl", "sha256": {"train": "a", "test": "b"}, "fitted_rows": 9, "scikit_learn": "1"}
    values = {"auc": {"click": 0.75, "conversion": 0.85}, "ne": {"click": 0.9, "conversion": 0.8}}
    models = {name: ReferenceModel(test=values, chosen={}, seconds=1.0) for name in BINARY}
    write_record(path, ReferenceRecord(**facts | {"models": models} | changed))
    return path


def test_tables_end_with_the_references(write, tmp_path):
    paths, runs = write({("synthetic_nl", "mmoe", name): [(0.7, 0.8), (0.71, 0.8)] for name in ("ls", "pub")})
    metrics = tmp_path / "demo.parquet"
    collect(paths, runs, [], [], metrics, references=[reference_record(tmp_path / "reference.json")])
    for table, numbers in (("auc", "0.7500 | 0.8500 | 0.8000"), ("ne", "0.9000 | – | 0.8000 | – |")):
        write_table(table, metrics, tmp_path / table, title="Title")
        text = (tmp_path / f"{table}.md").read_text()
        assert "Last rows: logistic regression and gradient boosting (scikit-learn)" in text
        for name in BINARY:
            assert f"| {MODELS[name]} | {numbers}" in text


def test_the_answer_has_single_tasks_and_gradient_boosting_beside_the_best(write, tmp_path):
    cells = [("single_task", "ls"), ("mmoe", "ls"), ("mmoe", "pub")]
    paths, runs = write({("synthetic_nl", *cell): [(0.7, 0.8), (0.71, 0.8)] for cell in cells})
    metrics = tmp_path / "demo.parquet"
    collect(paths, runs, [], [], metrics, references=[reference_record(tmp_path / "reference.json")])
    best = answer(pd.read_parquet(metrics), "Title", "ls")[1]
    assert "; a model for each task (STL) has 0.7525; " in best
    assert "; gradient boosting has 0.8000, +0.0475 against LS on MMOE, and no network is better" in best


def test_with_one_seed_the_answer_has_the_simple_models_without_a_difference(write, tmp_path):
    paths, runs = write({("synthetic_nl", "mmoe", name): [(0.7, 0.8)] for name in ("ls", "pub")})
    collect(paths, runs, [], [], tmp_path / "demo.parquet", references=[reference_record(tmp_path / "reference.json")])
    scores, chance = answer(pd.read_parquet(tmp_path / "demo.parquet"), "Title", "ls")[1:]
    assert scores.startswith("Mean AUC, from best to worst: MMOE 0.7500 (")
    assert "; gradient boosting has 0.8000, and no network is better" in scores and "against" not in scores
    assert chance.startswith("With one seed")


def test_the_leaderboard_has_the_references_among_the_methods(write, tmp_path):
    paths, runs = write({("synthetic_nl", "mmoe", name): [(0.7, 0.8), (0.71, 0.8)] for name in ("ls", "pub")})
    collect(paths, runs, [], [], tmp_path / "demo.parquet", references=[reference_record(tmp_path / "reference.json")])
    board = leaderboard(pd.read_parquet(tmp_path / "demo.parquet"), "ls", "../").set_index("method")
    assert sorted(board.index) == ["LS", "PUB", "constant", "gradient boosting", "logistic regression"]
    boosting = board.loc["gradient boosting"]
    assert (boosting["mean AUC"], boosting["AUC CTR"], boosting["AUC CTCVR"]) == (0.8, 0.75, 0.85)
    assert (boosting["backbone"], boosting["level"], boosting["data set"]) == ("none", "none", "synthetic_nl")
    assert "../results/metrics/references/synthetic_nl.json" in boosting["records"]
    assert list(board["mean AUC"]) == sorted(board["mean AUC"], reverse=True)
    assert boosting["Δ to LS"] == pytest.approx(0.0475) and pd.isna(boosting["low"]), "no predictions, no interval"
    assert list(board.columns)[4:7] == ["Δ to LS", "low", "high"]


def test_the_interval_of_a_reference_has_both_kinds_of_chance(write, tmp_path):
    """The row error is that of a method with the same predictions; seeds of LS add their variance."""
    scores = {"ls": [(0.7, 0.8), (0.71, 0.8), (0.73, 0.8)], "pub": [(0.7, 0.8), (0.71, 0.8), (0.73, 0.8)]}
    paths, runs = write({("synthetic_nl", "mmoe", name): found for name, found in scores.items()})
    random = np.random.default_rng(0)
    labels = {task: random.random(3000) < 0.3 for task in ("click", "conversion")}
    simple = {task: (random.random(3000) + own).astype(np.float32) / 2 for task, own in labels.items()}
    files = []
    for run, path in zip(runs, paths, strict=True):
        noise = {task: (random.random(3000) + own).astype(np.float32) / 2 for task, own in labels.items()}
        predicted = simple if run.balancer.name == "pub" else noise
        files.append(path.with_suffix(".parquet"))
        columns = labels | {f"predicted_{task}": values for task, values in predicted.items()}
        write_kept(files[-1], pa.table(columns), run.digest())
    chosen = dict.fromkeys(labels, "10 trees")
    values = {"auc": {"click": 0.75, "conversion": 0.85}}
    models = {"boosting": ReferenceModel(test=values, chosen=chosen, seconds=1.0)}
    record = reference_record(tmp_path / "reference.json", models=models)
    kept = tmp_path / "reference.parquet"
    write_kept(kept, pa.table(labels | {f"boosting_{task}": own for task, own in simple.items()}), "b")
    metrics = tmp_path / "demo.parquet"
    collect(paths, runs, [], [], metrics, predictions=files, references=[record], reference_predictions=[kept])
    frame = pd.read_parquet(metrics)
    (of_pub,) = frame.loc[(frame["metric"] == "mean_auc_row_error") & (frame["balancer"] == "pub"), "value"]
    found = against(frame, "boosting", "mean_auc", "ls", 0.05)
    of_seeds = np.std([0.75, 0.755, 0.765], ddof=1) / np.sqrt(3)
    both = of_pub**2 + of_seeds**2
    assert found.difference == pytest.approx(0.8 - np.mean([0.75, 0.755, 0.765]))
    reach = stats.t.ppf(0.975, both**2 / (of_seeds**4 / 2)) * np.sqrt(both)
    assert [found.low, found.high] == pytest.approx([found.difference - reach, found.difference + reach])
    assert f"gradient boosting has 0.8000, {found.text(4)} against LS on MMOE" in answer(frame, "Title", "ls")[1]
    axes = draw(frame, "Title", "ls").axes[0]
    place = [label.get_text() for label in axes.get_yticklabels()].index("gradient boosting")
    bars = [bar.lines[2][0].get_segments()[0] for bar in axes.containers]
    (drawn,) = [bar[:, 0] for bar in bars if round(bar[0, 1] + 0.08) == place]
    assert list(drawn) == pytest.approx([found.low, found.high]), "the figure has the answer's interval"
    assert "over test rows and LS's seeds" in axes.get_xlabel()
    boosting = leaderboard(frame, "ls", "../").set_index("method").loc["gradient boosting"]
    assert boosting["mean AUC"] == 0.8
    numbers = [round(number, 4) for number in (found.difference, found.low, found.high)]
    assert boosting[["Δ to LS", "low", "high"]].tolist() == pytest.approx(numbers)
    with pytest.raises(RecordError, match=r"reference\.parquet is of another run"):
        write_kept(kept, pa.table(labels), "c")
        collect(paths, runs, [], [], metrics, predictions=files, references=[record], reference_predictions=[kept])


def test_the_figure_of_differences_ends_with_them(write, tmp_path):
    cells = [("single_task", "ls"), ("mmoe", "ls"), ("mmoe", "pub")]
    scores = {"ls": [(0.7, 0.8), (0.72, 0.8)], "pub": [(0.7, 0.8), (0.71, 0.8)]}
    paths, runs = write({("synthetic_nl", *cell): scores[cell[1]] for cell in cells})
    collect(paths, runs, [], [], tmp_path / "demo.parquet", references=[reference_record(tmp_path / "reference.json")])
    axes = draw(pd.read_parquet(tmp_path / "demo.parquet"), "Title", "ls").axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[:3] == ["MMOE", "PUB", "against MMOE (LS)"]
    assert sorted(labels[3:]) == ["STL", "gradient boosting", "logistic regression"]
    dots = {
        labels[round(line.get_ydata()[0] - 0.22)]: line.get_xdata() for line in axes.lines if line.get_marker() == "."
    }
    assert list(dots["gradient boosting"]) == pytest.approx([0.8 - 0.75, 0.8 - 0.76])  # both seeds of LS
    assert list(dots["STL"]) == [0, 0]
    assert "fitted once" in axes.get_xlabel()


def test_a_suspected_leak_is_in_the_caption_and_in_the_answer(write, tmp_path):
    paths, runs = write({("shop", "mmoe", name): [(0.7, 0.8), (0.71, 0.8)] for name in ("ls", "pub")})
    for path in paths:
        record = read_run(path)
        data = record.data.model_copy(update={"leaks": {"click": {"paid": 0.995}}})
        write_record(path, record.model_copy(update={"data": data}))
    collect(paths, runs, [], [], tmp_path / "demo.parquet")
    write_table("auc", tmp_path / "demo.parquet", tmp_path / "auc", title="Title")
    said = "SUSPECTED LEAK, so that no number may mean anything: alone, paid tells click (AUC 0.995)."
    assert said in (tmp_path / "auc.md").read_text()
    assert said in answer(pd.read_parquet(tmp_path / "demo.parquet"), "Title", "ls")[0]


def test_references_of_other_data_are_refused(write, tmp_path):
    paths, runs = write({("synthetic_nl", "mmoe", "ls"): [(0.7, 0.8)]})
    other = reference_record(tmp_path / "reference.json", sha256={"train": "c", "test": "b"})
    with pytest.raises(RecordError, match=r"reference.json is of other data than the runs on synthetic_nl"):
        collect(paths, runs, [], [], tmp_path / "demo.parquet", references=[other])


def test_a_damaged_record_names_its_file(tmp_path):
    path = reference_record(tmp_path / "reference.json")
    content = json.loads(path.read_text())
    del content["models"]
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=r"reference.json is not a ReferenceRecord"):
        read_references(path)
