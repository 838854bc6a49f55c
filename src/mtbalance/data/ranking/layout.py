"""The columns of a prepared ranking data set, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mtbalance.data import DataError
from mtbalance.data.ranking.schema import NumberForm, RegressionLoss


@dataclass(frozen=True)
class Layout:
    """The columns of a data set, and the role of each. Raises :class:`DataError` for a column with two roles."""

    categorical: tuple[str, ...]
    numerical: tuple[str, ...]
    tasks: Mapping[str, str]
    """Name (the label's column) and title of each task."""
    group: str | None = None
    """Column whose equal values stay in one split, kept beside the features."""
    text: bool = False
    """Categories and groups are strings; otherwise int32 and int64."""
    at_least: Mapping[str, int] = field(default_factory=dict)
    """Training rows that a value of a categorical column needs to be in its vocabulary, if more than one."""
    forms: Mapping[str, NumberForm] = field(default_factory=dict)
    """Forms of numerical columns other than ``number``."""
    regressions: Mapping[str, RegressionLoss] = field(default_factory=dict)
    """The loss of each task that is a regression; the others are binary."""
    weight: str | None = None
    """Column of the rows' weights."""

    def __post_init__(self) -> None:
        doubled = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if doubled:
            raise DataError(f"columns {doubled} have two roles; a task may need another name than its column")

    @property
    def columns(self) -> list[str]:
        """All columns: group, categorical, numerical, labels, weights."""
        features = [*self.categorical, *self.numerical]
        group = [] if self.group is None or self.group in features else [self.group]
        weight = [] if self.weight is None else [self.weight]
        return [*group, *features, *self.tasks, *weight]
