"""The form of a table of one's own: its columns, what each is for, and how its cells are written."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from mtbalance.blocks import refuse
from mtbalance.data.ranking.table_features import Features
from mtbalance.data.ranking.table_split import TableSplit
from mtbalance.data.ranking.table_tasks import TableTask, faults_between


class TableForm(Features):
    """The columns of a table and the meaning of their cells, which are taken as texts without spaces around them."""

    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """The character between two cells of a CSV file."""
    columns: list[str] | None = None
    """Column names, in order, of files without a header line."""
    missing: list[str] = [""]
    """Cell texts that mark a missing value; name the empty one, too, if you name others. A missing category is a
    category of its own. A missing number becomes the training mean."""
    tasks: dict[str, TableTask]
    """The tasks, each a label read from a column. Their order is that of tables and of a rule's list of numbers. A
    missing label does not count: in the loss, in the metrics or in the rates."""
    weight: str | None = None
    """Column of the rows' weights, numbers of at least 0. A task's loss is then the weighted mean over the batch's rows
    with a label. Metrics are not weighted. Default: all rows count alike."""
    ignore: dict[str, str] = {}
    """Columns that are left out on purpose, each with a reason. Any other column that is nothing is warned of."""
    group: str | None = None
    """Column whose equal values stay in one split; rows without a value are split one by one. Default: only equal rows
    stay together."""
    split: TableSplit | None = None
    """How the rows are split; with a train and a test file, how the train file is cut into train and valid. Left out
    where each split has a file of its own."""
    normalize: Literal["none", "standard"] = "standard"
    """``standard``: numbers minus their training mean, over their training standard deviation."""

    @field_validator("tasks")
    @classmethod
    def _within_each_other(cls, tasks: dict[str, TableTask]) -> dict[str, TableTask]:
        refuse(faults_between(tasks))
        return tasks

    @model_validator(mode="after")
    def _ignored_is_ignored(self) -> Self:
        used = [name for name in self.feature_columns() if name in self.ignore]
        refuse((f"ignore.{name}", "this column is a feature, too; leave it out here or there") for name in used)
        return self

    def named_columns(self) -> list[str]:
        """The columns of the table that the block names, but for those to ignore."""
        labels = [task.column for task in self.tasks.values()]
        deciding = self.split.columns() if self.split else []
        single = [name for name in (self.group, self.weight) if name is not None]
        return [*self.feature_columns(), *labels, *deciding, *single]
