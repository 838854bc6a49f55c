"""Tuning: the grid of options that the methods of an experiment are tuned over, with equally many trials each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field

from mtbalance.blocks import Block, Fault, Once
from mtbalance.config.training import TrainingConfig
from mtbalance.config.variants import written
from mtbalance.registry import suggestion


def _number(value: object) -> object:
    """The number that a text means: YAML reads ``1e-3`` as text, as it has no point."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


Option = Annotated[bool | int | float | str, BeforeValidator(_number)]
Grid = dict[str, Annotated[list[Option], Field(min_length=1), Once]]
"""The values that are tried, by the path of their key, as a variant names it (:mod:`mtbalance.config.variants`)."""


class Trial(NamedTuple):
    """The place of a variant among the trials of a method."""

    method: str
    """The method, by its name in the experiment's grid."""
    grid: Grid
    """The grid that its trials are made of, with its keys sorted; empty if it is not tuned."""

    def written(self) -> str:
        """The grid as JSON; empty if it is not tuned."""
        return json.dumps(self.grid) if self.grid else ""


class Tuning(Block):
    """The options that methods are tuned over. A trial is a variant of a method, run with every seed.

    Every method has exactly ``trials`` trials: all combinations of the values in its grid. On every data set and
    backbone, the trial of the best mean score on the valid split, over seeds, stands for its method in tables and
    figures. The early stop uses that split, too; the test split takes no part in either.
    """

    trials: Annotated[int, Field(ge=2)]
    """The number of trials, the same for every method."""
    grid: Grid
    """The values that are tried, by key: for every method, unless ``options`` has the key for it. Such as
    ``optimizer.lr: [1.0e-3, 3.0e-3]``. The values of a number are best evenly spaced, at least on a logarithmic
    scale."""
    options: dict[str, Grid] = {}
    """A method's own options, and other values for it: ``pub: {rescale: [sum_to_K, sum_to_1], optimizer.lr: [...]}``. A
    method without options of its own has more learning rates instead."""

    def grid_of(self, method: str) -> Grid:
        """The grid of a method: its own keys, and the common ones that it does not have."""
        return dict(sorted((self.grid | self.options.get(method, {})).items()))

    def variants(self, method: str) -> list[str]:
        """The trials of a method, by the names of its variants."""
        grid = self.grid_of(method)
        return [written(method, dict(zip(grid, values, strict=True))) for values in product(*grid.values())]

    def faults(self, names: list[str], training: TrainingConfig) -> Iterator[Fault]:
        """What makes the tuning of the methods of these names unfair or impossible."""
        if training.selection != "valid":
            yield (
                "tuning",
                "a trial is chosen by its score on the valid split, which training.selection: "
                f"{training.selection} does not evaluate; it must be valid",
            )
        for name in self.options:
            if name not in names:
                yield f"tuning.options.{name}", f"is not in the experiment's grid; allowed: {suggestion(name, names)}"
        for name in names:
            count = len(self.variants(name))
            if count != self.trials:
                where = f"tuning.options.{name}" if name in self.options else "tuning.grid"
                yield where, f"{name} has {count} trials, but every method must have {self.trials} (tuning.trials)"
            if "selection" in self.grid_of(name):
                yield "tuning", f"{name}: the way in which epochs are selected cannot be tuned"
        found = [variant for name in names for variant in self.variants(name)]
        for variant in sorted({variant for variant in found if found.count(variant) > 1}):
            yield "tuning", f"{variant} is a trial of two methods"
