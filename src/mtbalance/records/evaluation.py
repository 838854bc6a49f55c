"""The metrics of one split, and how to take numbers out of them; and the name of what a run predicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

ByTask = dict[str, float]
"""A number for each task, by its name."""
Evaluation = dict[str, ByTask | float]
"""The metrics of one split: a number for each task, or one for all tasks together (``mean_auc``, ``mean_score``)."""


def numbers_of(evaluation: Mapping[str, Mapping[str, float] | float]) -> Iterator[tuple[str, str, float]]:
    """Metric, task and value of each number, in their order; the task of a number for all tasks together is empty."""
    for metric, found in evaluation.items():
        for task, value in found.items() if isinstance(found, Mapping) else [("", found)]:
            yield metric, task, value


def number_in(evaluation: Evaluation, metric: str, task: str | None = None) -> float:
    """The task's value of a metric; without a task, the number for all tasks together."""
    value = evaluation[metric]
    if isinstance(value, dict):
        assert task is not None, f"{metric} is a metric of single tasks"
        return value[task]
    assert task is None, f"{metric} is a number for all tasks together"
    return value


def predicted_name(task: str) -> str:
    """The name of a task's predictions in the files that a run keeps; its labels have the task's own."""
    return f"predicted_{task}"
