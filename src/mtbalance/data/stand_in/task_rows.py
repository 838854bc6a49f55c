"""Stand-in rows with any number of tasks, and the true model behind their labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import Generator, SeedSequence, default_rng
from scipy.special import expit

from mtbalance.data.ranking.csv_blocks import DTYPES
from mtbalance.data.ranking.layout import Layout
from mtbalance.data.ranking.processed_csv import SIDES, OfficialSplit
from mtbalance.data.stand_in.causes import Array, Causes
from mtbalance.data.stand_in.rows import draw_sides


class TaskModel:
    """The log-odds of K independent labels: an intercept plus ``signal`` times the task's score.

    A score is ``sign * sqrt(common) * u + sqrt(1 - common) * v``. Here ``u`` is one cause for all tasks, and ``v`` is
    the task's own (:class:`~mtbalance.data.stand_in.causes.Causes`). Signs alternate from task to task, so two scores
    have the correlation ``common`` or ``-common``. Mean probabilities on ``features`` are the ``rates``.
    """

    def __init__(self, features: pl.DataFrame, rates: Array, common: float, signal: float, random: Generator) -> None:
        from scipy.optimize import brentq  # takes most of a second to import

        self._causes = Causes(features, 1 + len(rates), random)
        self._common, self._signal = common, signal
        self._intercepts = np.array(
            [
                brentq(lambda a, log_odds=signal * score, rate=rate: expit(a + log_odds).mean() - rate, -60, 60)
                for score, rate in zip(self.scores(features), rates, strict=True)
            ]
        )

    def scores(self, features: pl.DataFrame) -> Array:
        """The scores [K, rows]."""
        shared, *own = self._causes(features)
        signs = np.resize([1.0, -1.0], len(own))
        found: Array = np.sqrt(self._common) * np.outer(signs, shared) + np.sqrt(1 - self._common) * np.stack(own)
        return found

    def probabilities(self, features: pl.DataFrame) -> Array:
        """The probabilities [K, rows] of label 1."""
        found: Array = expit(self._intercepts[:, None] + self._signal * self.scores(features))
        return found


def write_task_rows(
    folder: Path,
    layout: Layout,
    *,
    counts: tuple[int, int],
    rows_per_search: float,
    rates: tuple[float, float],
    common: float,
    signal: float,
    seed: int,
) -> None:
    """Write ``train.csv``, ``test.csv`` and ``truth.csv``, the true probabilities of the test rows.

    ``counts`` are the numbers of training and test rows. Mean probabilities fall from the first of the ``rates`` to the
    second, each by the same factor. The other arguments are the options of
    :class:`~mtbalance.data.adapters.synthetic_tasks.SyntheticTasks`.
    """
    for_train, for_test, for_model, for_labels = map(default_rng, SeedSequence(seed).spawn(4))
    train, test = draw_sides(counts, rows_per_search, for_train, for_test)
    model = TaskModel(train, np.geomspace(*rates, len(layout.tasks)), common, signal, for_model)
    for side, features in zip(SIDES, (train, test), strict=True):
        labels = for_labels.random((len(layout.tasks), features.height)) < model.probabilities(features)
        columns = dict(zip(layout.tasks, labels.astype(np.int8), strict=True))
        features.with_columns(**{task: pl.Series(values) for task, values in columns.items()}).write_csv(
            folder / f"{side}.csv"
        )
    truth = dict(zip(layout.tasks, model.probabilities(test), strict=True))
    pl.DataFrame({"search_id": test["search_id"], **truth}).write_csv(folder / "truth.csv")


def read_task_rows(folder: Path, layout: Layout) -> Iterator[tuple[OfficialSplit, pl.DataFrame]]:
    """The rows of ``train.csv`` and ``test.csv``, as :func:`write_task_rows` wrote them."""
    kinds = dict.fromkeys(layout.categorical, "id") | dict.fromkeys(layout.numerical, "number")
    kinds |= dict.fromkeys(layout.tasks, "label")
    types = {name: DTYPES[kinds.get(name, "key")] for name in layout.columns}
    for side in SIDES:
        yield side, pl.read_csv(folder / f"{side}.csv", schema=types)
