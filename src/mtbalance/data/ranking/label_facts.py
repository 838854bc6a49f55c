"""LabelFacts: counts, rates and means of the labels of one split, while its rows are written."""

from __future__ import annotations

from typing import Any

import polars as pl

from mtbalance.data import DataError
from mtbalance.data.ranking.layout import Layout
from mtbalance.data.ranking.schema import NO_LABEL, RankingTask, RegressionLoss
from mtbalance.data.ranking.statistics import Moments


class LabelFacts:
    """Numbers of labels by task; positive ones of binary tasks; mean and spread of regressions."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.rows = 0
        self.weight = 0.0
        self.labels = dict.fromkeys(layout.tasks, 0)
        self.positives = {task: 0 for task in layout.tasks if task not in layout.regressions}
        self._raw, self._scaled = Moments(list(layout.regressions)), Moments(list(layout.regressions))

    def add(self, frame: pl.DataFrame) -> None:
        """Count the labels of a block's rows."""
        self.rows += frame.height
        for task in self.labels:
            column = frame.get_column(task)
            given = column.is_not_nan() if task in self._layout.regressions else column != NO_LABEL
            self.labels[task] += int(given.sum())
        for task in self.positives:
            self.positives[task] += int((frame.get_column(task) == 1).sum())
        if self._layout.weight is not None:
            self.weight += float(frame.get_column(self._layout.weight).cast(pl.Float64).sum())
        self._raw.add(frame)
        self._scaled.add(frame.select(_logarithm(task, loss) for task, loss in self._layout.regressions.items()))

    def refuse(self, split: str) -> None:
        """Raise :class:`DataError` for a task without a label, and for one whose labels are all alike.

        Such a task cannot be learned, or, in ``valid`` and ``test``, not be judged.
        """
        for task, count in self.labels.items():
            if not count:
                raise DataError(
                    f"task {task!r}: no row of split {split!r} has a label; look at its column, at `missing`"
                    " and at `within`"
                )
        if split == "train" and self._layout.weight is not None and not self.weight:
            raise DataError(f"column {self._layout.weight!r}: every training row has weight 0; nothing can be learned")
        alike = {task: float(n > 0) for task, n in self.positives.items() if n in (0, self.labels[task])}
        alike |= {column.name: column.mean for column in self._raw.result() if column.min == column.max}
        for task, value in alike.items():
            why = (
                "it cannot be learned" if split == "train" else "it cannot be judged; look at `split` and at its column"
            )
            raise DataError(f"task {task!r}: every label of split {split!r} is {value:g}; {why}")

    def facts(self) -> dict[str, Any]:
        """The fields of a split's facts that are about labels."""
        rates = {task: count / self.labels[task] for task, count in self.positives.items()}
        means = {column.name: column.mean for column in self._raw.result()}
        return {"labels": self.labels, "positives": self.positives, "rates": rates, "means": means}

    def tasks(self) -> list[RankingTask]:
        """The tasks, with the scale of each regression on these rows."""
        scales = {column.name: {"mean": column.mean, "std": column.std} for column in self._scaled.result()}
        titles, losses = self._layout.tasks, self._layout.regressions
        return [
            RankingTask(name=name, title=title, loss=losses.get(name), **scales.get(name, {}))
            for name, title in titles.items()
        ]


def _logarithm(task: str, loss: RegressionLoss) -> pl.Expr:
    return pl.col(task).log1p() if loss == "log1p" else pl.col(task)
