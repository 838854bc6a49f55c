"""`mtbalance compare`: two methods, seed by seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats
from typer.testing import CliRunner

from mtbalance import places
from mtbalance.cli import app
from mtbalance.errors import UserError
from mtbalance.reporting.duel import duel, outdated

OURS, THEIRS = (0.75, 0.76, 0.78), (0.74, 0.76, 0.75)


def frame() -> pd.DataFrame:
    rows = []
    for balancer, values, speed in (("pub", OURS, 0.5), ("ls", THEIRS, 1.0)):
        for seed, value in enumerate(values):
            run = {"dataset": "synthetic_a", "synthetic": True, "backbone": "mmoe", "balancer": balancer, "seed": seed}
            run |= {"status": "finished", "problem": "ranking", "epoch": pd.NA, "digest": f"{balancer} {seed}"}
            rows += [run | {"task": "", "metric": "best_epoch", "value": 2}]
            rows += [run | {"task": "mean", "metric": "mean_auc", "value": value}]
            rows += [run | {"task": "click", "metric": "auc", "value": value + 0.1}]
        rows += [run | {"seed": 0, "task": "", "metric": "relative_throughput", "value": speed}]
    return pd.DataFrame(rows)


def printed(*arguments: str, found: pd.DataFrame | None = None) -> str:
    console = Console(width=100, record=True)
    for line in duel(frame() if found is None else found, *arguments):
        console.print(line, soft_wrap=True)
    return console.export_text()


def test_the_difference_is_scipys():
    said = printed("mmoe/pub", "mmoe/ls", "mean_auc")
    test = stats.ttest_rel(OURS, THEIRS)
    low, high = test.confidence_interval()
    assert f"Difference +{np.mean(np.subtract(OURS, THEIRS)):.4f}" in said
    assert f"[{low:+.4f}, {high:+.4f}]".replace("-", "−") in said
    assert f"p = {test.pvalue:.2g} over 3 common seeds: not distinguishable" in said
    assert "takes 2.00 times as much time" in said and "synthetic data" in said


def test_every_seed_has_a_line_with_its_difference():
    said = printed("mmoe/pub", "mmoe/ls", "mean_auc", found=frame()[lambda rows: ~is_last_of(rows, "ls")])
    lines = [line.split() for line in said.splitlines() if line.split()[:1] in (["0"], ["1"], ["2"])]
    assert lines == [
        ["0", "0.7500", "0.7400", "+0.0100"],
        ["1", "0.7600", "0.7600", "0.0000"],
        ["2", "0.7800", "–", "–"],
    ]


def is_last_of(rows: pd.DataFrame, balancer: str) -> pd.Series:
    return (rows["balancer"] == balancer) & (rows["seed"] == 2)


def test_only_steps_that_were_timed_on_one_backbone_are_compared():
    found = frame()
    untimed = found[found["metric"] != "relative_throughput"]
    assert "step of" not in printed("mmoe/pub", "mmoe/ls", found=untimed)
    assert "step of" not in printed("mmoe/pub", "ple/ls", found=pd.concat([found, found.assign(backbone="ple")]))


def test_a_metric_of_one_task():
    assert "0.8500" in printed("mmoe/pub", "mmoe/ls", "auc/click")


def test_errors_have_as_many_digits_in_any_unit():
    rows = frame()
    errors = rows.assign(metric=rows["metric"].replace("auc", "rmse"), value=rows["value"] * 1e-6)
    said = printed("mmoe/pub", "mmoe/ls", "rmse/click", found=errors[errors["metric"] != "relative_throughput"])
    assert ["0", "0.00000085000", "0.00000084000", "+0.00000001000"] in [line.split() for line in said.splitlines()]


def test_the_default_is_the_score_by_which_the_answer_ranks():
    assert "mean_auc" in printed("mmoe/pub", "mmoe/ls")
    found = frame()
    score = found[found["metric"] == "mean_auc"].assign(metric="mean_score", value=0.5)
    said = printed("mmoe/pub", "mmoe/ls", found=pd.concat([found, score]))
    assert "mean_score" in said and "0.5000" in said and "mean_auc" not in said


def test_runs_of_other_settings_are_counted_and_named():
    current = {"pub 0", "pub 1", "pub 2", "ls 0"}
    said = outdated(frame(), ["mmoe/pub", "mmoe/ls"], current)
    assert said.startswith("2 runs of mmoe/ls had other settings than params.yaml has now")
    assert outdated(frame(), ["mmoe/pub"], current) == "" == outdated(frame(), ["mmoe/ls"], {"ls 0", "ls 1", "ls 2"})


def test_the_command_says_so_beside_its_answer(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text((Path(__file__).parents[2] / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    metrics = Path(places.METRICS.format(experiment="demo"))
    metrics.parent.mkdir(parents=True)
    frame().to_parquet(metrics)
    result = CliRunner().invoke(app, ["compare", "mmoe/pub", "mmoe/ls"], catch_exceptions=False)
    assert result.exit_code == 0 and "Difference" in result.stdout and "other settings" not in result.stdout
    assert result.stderr.startswith("warning: 6 runs of mmoe/pub, mmoe/ls had other settings than params.yaml has now")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mmoe/pbu", "mmoe/ls", "mean_auc"), "no method 'mmoe/pbu'; .*did you mean mmoe/pub"),
        (("mmoe/pub", "mmoe/ls", "auc/clik"), "no metric 'auc/clik'; .*did you mean auc/click"),
        (("mmoe/pub", "mmoe/ls", "foo"), "no metric 'foo'; there are mean_auc, auc/click$"),
    ],
)
def test_unknown_names_are_told(arguments: tuple[str, ...], message: str):
    with pytest.raises(UserError, match=message):
        printed(*arguments)
