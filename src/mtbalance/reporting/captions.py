"""Sentences of captions. They say what was done, and warn against likely misreadings."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from mtbalance.reporting import tuning
from mtbalance.reporting.formats import counted
from mtbalance.reporting.names import backbone_name, balancer_name, method_name
from mtbalance.reporting.power import detectable
from mtbalance.reporting.score import score_titles
from mtbalance.reporting.value import METHOD, QPS, RUN

MANY = 5
"""Seeds from which on the t-test is no longer called weak."""


def seeds(frame: pd.DataFrame) -> str:
    """The seeds, and the meaning of the spread over them."""
    numbers = sorted(int(seed) for seed in frame["seed"].unique())
    if len(numbers) == 1:
        return f"One seed ({numbers[0]}): there is no spread, and no difference can be tested."
    return (
        f"Mean ± standard deviation (n − 1) over {counted(len(numbers), 'seed')}"
        f" ({', '.join(map(str, numbers))}). Seeds change the initialization and the order of the data,"
        " not the data: the spread says nothing about other samples."
    )


LS = "LS, linear scalarization: the tasks' losses count alike"
STL = "STL, single-task learning: each task has a model of its own"
STL_EPOCH = ", all of the epoch that is best on average"
OWN_BEST_EPOCH = "own_best_epoch"
"""The metric that is the chosen epoch of a task's own model. Older records do not have it."""
OWN_EPOCH = ", of its own best epoch"


def words(frame: pd.DataFrame) -> list[str]:
    """What the short names of the plain baselines stand for; no sentence if none of them was run."""
    single = frame["backbone"].map(backbone_name).eq("STL").any()
    found = [LS] if (frame["balancer"] == "ls").any() else []
    chosen = not frame["selection"].str.startswith("last").any()
    epoch = OWN_EPOCH if (frame["metric"] == OWN_BEST_EPOCH).any() else STL_EPOCH if chosen else ""
    found += [STL + epoch] if single else []
    return [f"{'. '.join(found)}."] if found else []


ALONE = "alone_"
"""Prefix of the metric that is the AUC of one feature alone, before the column's name, where it is a suspected leak."""


def leaks(frame: pd.DataFrame) -> list[str]:
    """The features that are suspected leaks; no sentence if there are none."""
    found = frame[frame["metric"].str.startswith(ALONE)].drop_duplicates(["dataset", "task", "metric"])
    told = [f"{row.metric.removeprefix(ALONE)} tells {row.task} (AUC {row.value:.3f})" for row in found.itertuples()]
    if not told:
        return []
    return [f"SUSPECTED LEAK, so that no number may mean anything: alone, {', '.join(told)}. See `mtbalance prepare`."]


def selection(frame: pd.DataFrame) -> str:
    """What was selected, and on which split: the epochs, and the options if methods were tuned."""
    return " ".join([_epochs(frame), tuning.sentence(frame), *edges(frame)])


def of_runs(frame: pd.DataFrame) -> list[str]:
    """The seeds, and what was selected: the numbers are of these runs, at these epochs."""
    return [seeds(frame), selection(frame)]


def edges(frame: pd.DataFrame) -> list[str]:
    """Which choices are at the edge of their grid; no sentence if nothing was tuned."""
    tested = frame[(frame["split"] == "test") & (frame["grid"] != "")] if "split" in frame else frame.head(0)
    return [tuning.at_the_edge(tested)] if len(tested) else []


def _epochs(frame: pd.DataFrame) -> str:
    """The split on which epochs were selected; a loud warning if it was the test split."""
    rules = sorted(set(frame["selection"]))
    if any(rule.startswith("last") for rule in rules):
        counts = ", ".join(rule.removeprefix("last ") for rule in rules)
        return f"No epoch is selected: numbers are means over the last {counts} epoch(s), evaluated on the test split."
    if "test" not in rules:
        return f"Epochs are selected by {score_titles(frame)} on the valid split; the numbers are of the test split."
    return (
        "WARNING: EPOCHS ARE SELECTED ON THE TEST SPLIT, on which the numbers are then reported. This"
        " repeats a published habit and overstates every number."
    )


def marks(cells: pd.DataFrame, baseline: str, significance: float, better: str) -> list[str]:
    """The meaning of the marks, and the number expected by chance; no sentence if nothing was tested."""
    tested = int(cells["p"].notna().sum())
    if not tested:
        return []
    rows = "p_rows" in cells and cells["p_rows"].notna().any()
    test = "DeLong's test" if set(cells["metric"]) <= {"auc", "mean_auc"} else "a paired z-test"
    also = f" and, over test rows, {test} of the means over seeds," if rows else ""
    return [
        f"‡: {better} than {balancer_name(baseline)} on the same backbone: two-sided paired t-test over"
        f" common seeds{also} with p at most {significance:g}, not corrected; ‡‡: also after Holm's correction for all"
        f" {counted(tested, 'test')} of this table. Without correction, {'at most ' if rows else ''}about"
        f" {tested * significance / 2:.1f} marks would be expected by chance alone."
    ]


def tests(cells: pd.DataFrame, baseline: str, significance: float, better: str) -> list[str]:
    """The meaning of the marks, what the tests can see, and which comparisons have none."""
    return [*marks(cells, baseline, significance, better), *power(cells, significance), *untested(cells)]


def untested(cells: pd.DataFrame) -> list[str]:
    """The number of comparisons without a test, by reason; that there is one seed, :func:`seeds` says."""
    if (cells["n"] + cells["failed"]).max() < 2:
        return []
    reasons = cells.loc[~cells["untested"].isin(["", "is the baseline"]), "untested"].value_counts()
    return [f"Not tested: {counted(count, 'cell')} ({reason})." for reason, count in sorted(reasons.items())]


def power(cells: pd.DataFrame, significance: float) -> list[str]:
    """The smallest difference that the tests can see; no sentence if nothing was tested."""
    tested = cells[cells["p"].notna()]
    if tested.empty:
        return []
    seeds = counted(int(tested["pairs"].max()), "seed")
    if len(set(tested["metric"]) - {"mean_auc"}) > 1:  # in several units
        return [f"With {seeds} the t-test sees only large differences."] if tested["pairs"].max() < MANY else []
    # The spread of the differences, from t = difference / (spread / sqrt(pairs)).
    t = stats.t.isf(tested["p"] / 2, tested["pairs"] - 1)
    spreads = tested["difference"].abs() * tested["pairs"].pow(0.5) / t
    sizes = [detectable(spread, pairs, significance) for spread, pairs in zip(spreads, tested["pairs"], strict=True)]
    text = f"With {seeds} the t-test finds a true difference of {np.nanmedian(sizes):.2g} in four of five cases"
    if "row_error" in tested and tested["row_error"].notna().any():
        text += f"; over test rows a difference has a standard error of {tested['row_error'].median():.2g}"
    return [f"{text} (medians over cells). Smaller ones are mostly missed, and a mark beside one may be chance."]


def failures(frame: pd.DataFrame, baseline: str) -> str:
    """The number of failed runs, and their names."""
    runs = frame.drop_duplicates(RUN)
    failed = runs[runs["status"] != "finished"]
    names = [
        f"{method_name(group.iloc[0], baseline)} on {dataset}, {group['status'].iloc[0]} with seed"
        f" {', '.join(map(str, group['seed']))}"
        for (dataset, _, _), group in failed.groupby(METHOD, sort=False)
    ]
    text = f"Failed runs: {len(failed)} of {len(runs)}"
    return f"{text}: {'; '.join(names)}. Means are of the finished runs." if names else f"{text}."


def synthetic(frame: pd.DataFrame) -> list[str]:
    """The data sets that are stand-ins; no sentence if there is none."""
    names = sorted(frame.loc[frame["synthetic"], "dataset"].unique())
    return [f"SYNTHETIC stand-in data, not a paper's data: {', '.join(names)}."] if names else []


def throughput(frame: pd.DataFrame, baseline: str) -> str:
    """The way in which training steps were timed, and the device."""
    devices = sorted(frame.loc[frame["metric"] == QPS, "device"].unique())
    if not devices:
        return "Relative QPS was not measured: that needs the baseline and another balancer on the same backbone."
    tuned = " Of a tuned method the first trial was timed." if (frame["grid"] != "").any() else ""
    return (
        f"Relative QPS: training samples per second over those of {balancer_name(baseline)} on the same backbone,"
        " without and with the loading of data; median [quartiles] over blocks of steps that all methods took in turn,"
        f" in one process with no other job beside it. Device: {'; '.join(devices)}.{tuned}"
    )
