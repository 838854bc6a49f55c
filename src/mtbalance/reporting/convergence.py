"""Convergence: runs that may need more epochs or a lower rate, so that differences may be those of the training."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from mtbalance.reporting.formats import MOST_NAMED, counted
from mtbalance.reporting.layout import Table
from mtbalance.reporting.value import RUN, trained

COLUMN = "unconverged"
"""The column with the number of signs in a run's record that it had not converged."""
SIGN = "†"
"""The sign of cells that rest on such a run. A degree sign would pass for a unit beside angles."""


def flagged(runs: pd.DataFrame) -> int:
    """How many runs have such a sign; ``runs`` has one row for each."""
    return int((runs[COLUMN] > 0).sum())


def unfinished(frame: pd.DataFrame) -> int:
    """How many runs of a collected frame have a sign beside that of a task that is predicted worse than by a constant.

    Where a task's labels are close to chance, its predictions are that bad however long the training is.
    """
    runs = trained(frame).set_index(RUN)[COLUMN]
    return int((runs > _worse(frame).groupby(RUN).size().reindex(runs.index, fill_value=0)).sum())


def no_better_than_a_constant(frame: pd.DataFrame) -> list[str]:
    """A sentence for each task that runs predict worse than a constant does, one for many tasks; none without any."""
    number, worse = len(trained(frame)), _worse(frame)
    if (tasks := worse["task_title"].nunique()) > MOST_NAMED:
        return [
            f"{tasks} tasks are predicted no better than by a constant in some of {counted(number, 'run')}: their"
            " labels may be close to chance, or training.optimizer.lr too high."
        ]
    return [
        f"{task} is predicted no better than by a constant in {len(runs)} of {counted(number, 'run')}: its labels may"
        " be close to chance, or training.optimizer.lr too high."
        for task, runs in worse.groupby("task_title", sort=False)
    ]


def _worse(frame: pd.DataFrame) -> pd.DataFrame:
    """The test metrics that a constant prediction has a better value of, a row for each run and task."""
    test = frame[(frame["split"] == "test") & frame["epoch"].isna()]
    return test[((test["metric"] == "ne") & (test["value"] > 1)) | ((test["metric"] == "r2") & (test["value"] < 0))]


def best_at_once(frame: pd.DataFrame) -> list[str]:
    """What to try for finished runs whose first epoch was the best of several; no sentence if there are none.

    ``frame`` is a collected one, with the numbers of every epoch. A run of a single epoch had no choice.
    """
    runs = trained(frame)
    went_on = set(frame.loc[(frame["epoch"] > 1).fillna(False), RUN].itertuples(index=False, name=None))
    first = runs.loc[(runs["value"] == 1) & (runs["status"] == "finished"), RUN].itertuples(index=False, name=None)
    number = sum(run in went_on for run in first)
    if not number:
        return []
    were = "was" if number == 1 else "were"
    return [
        f"{number} of {counted(len(runs), 'run')} {were} best after the first epoch: the learning rate"
        " (training.optimizer.lr) may be too high, or a task's valid score is chance, as where few rows are positive."
    ]


def with_sign(text: str, number: int) -> str:
    """The text of a cell that rests on ``number`` flagged runs, with the sign if there is one."""
    return f"{text}{SIGN}" if number else text


def explained(table: Table, frame: pd.DataFrame) -> Table:
    """The table with a sentence in its caption that says what the sign means, if one of its cells has it.

    ``frame`` is what the table was made of; the sentence counts all of its runs.
    """
    texts = (cell.text for row in table.rows for cells in row.cells for cell in cells)
    if not any(SIGN in text for text in texts):
        return table
    runs = trained(frame) if "metric" in frame else frame.drop_duplicates([*RUN, "variant"])
    sentence = (
        f"{SIGN}: rests on a run that chose the last epoch it was allowed, or that still gained over its last epochs,"
        f" or predicts a task worse than a constant: {flagged(runs)} of the experiment's {counted(len(runs), 'run')}."
    )
    return replace(table, caption=(*table.caption, f"{sentence} {_what_then(frame)}"))


def _what_then(frame: pd.DataFrame) -> str:
    if "metric" not in frame or unfinished(frame):
        return "They may not have converged: with more epochs the order may be another."
    return "All of them are of the last kind: " + " ".join(no_better_than_a_constant(frame))
