"""The tasks of a table of one's own: which column a label comes from, and how it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Literal, Self

from pydantic import StrictBool, model_validator

from mtbalance.blocks import Block, Fault, changed, refuse
from mtbalance.data.ranking.schema import RegressionLoss

TAKEN = {"row": "files of predictions have a column of this name", "mean": "tables have an average of this name"}
"""Names that no task can have."""


class TableTask(Block):
    """A task whose label is read from a column of a table."""

    column: str
    """The column of the label; it cannot be a feature. Several tasks may read one column."""
    kind: Literal["binary", "regression"] = "binary"
    """``binary``: a label of 0 or 1, from ``positive``, or from ``above`` and ``below``. ``regression``: the number
    itself."""
    positive: list[StrictBool | int | float | str] | None = None
    """The values that make a binary label 1. A number is met by every way of writing it: 1, 1.0, true. ``true`` is met
    by yes, on and 1 as well, and ``false`` by no, off and 0."""
    above: float | None = None
    """A binary label is 1 if the number is larger than this; with ``below`` too, if it lies between the two."""
    below: float | None = None
    """A binary label is 1 if the number is smaller than this."""
    within: str | None = None
    """A binary task. The label counts in rows where that task's label is 1, such as a conversion within clicks.
    Default: it counts in all rows."""
    outside: Literal["missing", "negative"] = "missing"
    """The label in the other rows, with ``within``. ``missing``: none, so that they do not count. ``negative``: 0, so
    that the task is both labels at once, over the whole space (CTCVR)."""
    loss: RegressionLoss = "squared"
    """The loss of a regression, on labels minus their training mean, over their training standard deviation.
    ``squared``: the squared error. ``huber``: half of it, linear beyond one standard deviation. ``log1p``: the squared
    error of log(1 + label)."""
    title: str | None = None
    """The task's name in tables. Default: its key."""

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        limits = [key for key in ("above", "below") if getattr(self, key) is not None]
        if self.kind == "regression":
            for key in (*(["positive"] if self.positive is not None else []), *limits):
                yield key, "makes a label of 0 or 1; leave it out of a regression"
            if changed(self, "outside"):
                yield "outside", "a regression has no label 0 outside; leave it out"
            return
        if changed(self, "loss"):
            yield "loss", "is for kind: regression; a binary task has the cross-entropy"
        if (self.positive is None) == (not limits):
            yield "positive", "a binary task needs the values that are positive, or a limit: above, below or both"
        if self.positive == []:
            yield "positive", "names no value; no label would be 1"
        if self.above is not None and self.below is not None and self.above >= self.below:
            yield "above", f"no number lies above {self.above:g} and below {self.below:g}"
        if self.within is None and changed(self, "outside"):
            yield "outside", "acts only with within"


def within_first(tasks: Mapping[str, TableTask]) -> list[str]:
    """The names of the tasks, each behind the one that it is ``within``. Raises ``CycleError`` for a circle."""
    return list(
        TopologicalSorter({name: [task.within] if task.within else [] for name, task in tasks.items()}).static_order()
    )


def faults_between(tasks: Mapping[str, TableTask]) -> Iterator[Fault]:
    """What is wrong with the names of the tasks, and with their ``within``."""
    for name in tasks:
        if name in TAKEN:
            yield name, f"{TAKEN[name]}; choose another name"
        if f"predicted_{name}" in tasks:
            yield f"predicted_{name}", f"predictions of {name!r} have this name; choose another one"
    binary = [name for name, task in tasks.items() if task.kind == "binary"]
    wrong = [name for name, task in tasks.items() if task.within and (task.within not in binary or task.within == name)]
    for name in wrong:
        others = ", ".join(other for other in binary if other != name)
        yield f"{name}.within", f"{tasks[name].within!r} is no other binary task; there are {others or 'none'}"
    try:
        within_first({} if wrong else tasks)
    except CycleError as error:
        circle = list(dict.fromkeys(error.args[1]))
        yield f"{circle[0]}.within", f"goes round in a circle: {', '.join(circle)}"
