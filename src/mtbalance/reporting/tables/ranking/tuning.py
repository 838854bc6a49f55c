"""Every trial of every method: score on the valid split, which one was chosen by it, and the score on the test split.

``frame`` is a table of trials (:mod:`mtbalance.reporting.trials`), not collected metrics.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.reporting import captions, convergence
from mtbalance.reporting.formats import counted, decimal, mean_and_spread
from mtbalance.reporting.layout import Cell, Group, Row, Table
from mtbalance.reporting.names import heading_of, method_name, options_text
from mtbalance.reporting.statistics import mean, standard_deviation
from mtbalance.reporting.tuning import at_the_edge, edges, place_in_grid, tuned_options
from mtbalance.reporting.value import METHOD

TRIAL = [*METHOD, "variant"]
DESCRIPTION = ["experiment", *TRIAL, "grid", "score", "synthetic", "level", "rule", "manipulation", "shares"]


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers. ``significance`` is not used: trials are not tested."""
    trials = pd.DataFrame([_trial(group) for _, group in frame.groupby(TRIAL, sort=False)])
    datasets = (group for _, group in trials.groupby("dataset", sort=False))
    table = Table(
        title=f"{title}: all trials of the tuning",
        caption=tuple(_caption(frame, trials)),
        beside="",
        groups=tuple(Group(heading_of(group.iloc[0]), _columns(group)) for group in datasets),
        rows=tuple(_rows(trials, baseline)),
    )
    return table, trials.drop(columns=["score", "level", "rule", "manipulation", "shares"])


def _columns(trials: pd.DataFrame) -> tuple[str, ...]:
    score = "AUC" if trials["score"].iloc[0] == "mean_auc" else "score"
    return f"valid {score}", f"test {score}", "chosen"


def _trial(runs: pd.DataFrame) -> dict[str, object]:
    """One trial: means over its finished runs."""
    first = runs.iloc[0]
    finished = runs[runs["status"] == "finished"]
    chosen = bool(first["chosen"])
    return {
        **first[DESCRIPTION],
        "chosen": chosen,
        "n": len(finished),
        "failed": len(runs) - len(finished),
        "flagged": convergence.flagged(runs),
        **{f"{split}_mean": mean(finished[split].tolist()) for split in ("valid", "test")},
        **{f"{split}_std": standard_deviation(finished[split].tolist()) for split in ("valid", "test")},
        "at_the_edge": ", ".join(edges(first["variant"], first["grid"])) if chosen else "",
    }


def _rows(trials: pd.DataFrame, baseline: str) -> Iterator[Row]:
    """A row for each trial of each backbone's methods, with its cells on every data set."""
    datasets = list(trials["dataset"].unique())
    for (backbone, _), of_trial in trials.groupby(["backbone", "variant"], sort=False):
        first = of_trial.iloc[0]
        by_dataset = {row["dataset"]: _cells(row) for _, row in of_trial.iterrows()}
        cells = tuple(by_dataset[name] for name in datasets)
        options = options_text(tuned_options(first["variant"], first["grid"]))
        yield Row(f"{method_name(first, baseline)}: {options}", str(backbone), cells)


def _cells(row: pd.Series) -> tuple[Cell, ...]:
    chosen = bool(row["chosen"])
    failed = f" ({counted(row['failed'], 'run')} failed)" if row["failed"] else ""
    texts = (mean_and_spread(row[f"{split}_mean"], row[f"{split}_std"], 4) for split in ("valid", "test"))
    scores = (Cell(f"{convergence.with_sign(text, row['flagged'])}{failed}", chosen) for text in texts)
    return (*scores, Cell(_place(row) if chosen else ""))


def _place(row: pd.Series) -> str:
    """``yes; lr highest of 4``."""
    places = place_in_grid(row["variant"], row["grid"])
    return "; ".join(["yes", *(f"{name} {place}" for name, place in places.items())])


def _caption(frame: pd.DataFrame, trials: pd.DataFrame) -> Iterator[str]:
    yield (
        "Bold: the chosen trial of a method, that of the highest mean on the valid split. Tables and figures show it"
        " alone, as the method. Its valid score is the largest of several, at the best of several epochs, and so it is"
        " too high. No trial is chosen by the test scores, which stand here for information."
    )
    yield from captions.of_runs(frame)
    yield at_the_edge(trials[trials["chosen"]])
    yield _agreement(trials)
    yield _diverged(trials)


def _agreement(trials: pd.DataFrame) -> str:
    """How often the choice is also the best trial on the test split, and what it costs there."""
    best = trials.groupby(METHOD)["test_mean"].transform("max")
    chosen = trials[trials["chosen"] & trials["test_mean"].notna()]
    short = (best - trials["test_mean"])[chosen.index]
    return (
        f"The choice is also the best trial on the test split for {(short == 0).sum()} of"
        f" {counted(len(chosen), 'method')}; it falls short of that by {decimal(short.mean(), 4)} on average, and by"
        f" {decimal(short.max(), 4)} at most."
    )


def _diverged(trials: pd.DataFrame) -> str:
    failed = trials[trials["failed"] > 0]
    text = f"Trials with diverged runs: {len(failed)} of {len(trials)} ({counted(int(failed['failed'].sum()), 'run')})"
    if failed["chosen"].any():
        methods = counted(int(failed["chosen"].sum()), "method")
        return f"{text}. One stands for each of {methods} all of whose trials have some."
    return f"{text}; none of them is chosen."
