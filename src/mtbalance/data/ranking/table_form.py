"""The form of a table of one's own: its columns, what each is for, and how its cells are written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mtbalance.blocks import Block
from mtbalance.data.ranking.table_features import Features
from mtbalance.data.ranking.table_split import TableSplit


class TableTask(Block):
    """A binary task read from a column of a table."""

    column: str
    """The column of the label; it cannot be a feature."""
    positive: list[str]
    """The values that make the label 1."""
    title: str | None = None
    """The task's name in tables. Default: its key."""


class TableForm(Features):
    """The columns of a table and the meaning of their cells, which are taken as texts without spaces around them."""

    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """The character between two cells of a CSV file."""
    columns: list[str] | None = None
    """Column names, in order, of files without a header line."""
    missing: list[str] = [""]
    """Cell texts that mark a missing value. A missing category is a category of its own. A missing number becomes the
    training mean."""
    tasks: dict[str, TableTask]
    """The tasks, each a label read from a column."""
    ignore: dict[str, str] = {}
    """Columns that are left out on purpose, each with a reason. Any other column that is nothing is warned of."""
    group: str | None = None
    """Column whose equal values stay in one split. Default: only equal rows stay together."""
    split: TableSplit | None = None
    """How the rows are split; with a train and a test file, how the train file is cut into train and valid. Left out
    where each split has a file of its own."""
    normalize: Literal["none", "standard"] = "standard"
    """``standard``: numbers minus their training mean, over their training standard deviation."""

    def named_columns(self) -> list[str]:
        """The columns of the table that the block names, but for those to ignore."""
        labels = [task.column for task in self.tasks.values()]
        deciding = self.split.columns() if self.split else []
        return [*self.feature_columns(), *labels, *deciding, *([] if self.group is None else [self.group])]
