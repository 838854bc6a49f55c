"""The numbers of an evaluation that are told in one line."""

from __future__ import annotations

from mtbalance.records.evaluation import Evaluation, numbers_of

JUDGING = ("r2", "mean_score")
"""Numbers that choose the best epoch where they are, though others come first in an evaluation."""


def headline(evaluation: Evaluation) -> dict[str, float]:
    """The metric of every task that goes into the score, else its first one, and the score, each by its name.

    A regression's is R^2: the mean score is that of AUC and R^2. Names are ``click auc`` and ``mean_auc``.
    """
    chosen: dict[str, tuple[str, float]] = {}
    for metric, task, value in numbers_of(evaluation):
        if task not in chosen or metric in JUDGING:
            chosen[task] = metric, value
    return {f"{task} {metric}".strip(): value for task, (metric, value) in chosen.items()}
