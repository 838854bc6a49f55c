"""The form of a table of one's own: its columns, what each is for, and how its cells are written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from mtbalance.blocks import Block, refuse
from mtbalance.data.ranking.table_tasks import TableTask, faults_between


class TableForm(Block):
    """The columns of a table and the meaning of their cells, which are taken as texts without spaces around them."""

    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """The character between two cells of a CSV file."""
    columns: list[str] | None = None
    """Column names, in order, of files without a header line."""
    missing: list[str] = [""]
    """Cell texts that mark a missing value. A missing category is a category of its own. A missing number becomes the
    training mean."""
    categorical: list[str]
    """Columns whose values are categories."""
    numerical: list[str] = []
    """Columns whose values are numbers."""
    tasks: dict[str, TableTask]
    """The tasks, each a label read from a column. Their order is that of tables and of a rule's list of numbers. A
    missing label does not count: in the loss, in the metrics or in the rates."""
    weight: str | None = None
    """Column of the rows' weights, numbers of at least 0. A task's loss is then the weighted mean over the batch's rows
    with a label. Metrics are not weighted. Default: all rows count alike."""
    group: str | None = None
    """Column whose equal values stay in one split. Default: only equal rows stay together."""
    normalize: Literal["none", "standard"] = "standard"
    """``standard``: numbers minus their training mean, over their training standard deviation."""

    @field_validator("tasks")
    @classmethod
    def _within_each_other(cls, tasks: dict[str, TableTask]) -> dict[str, TableTask]:
        refuse(faults_between(tasks))
        return tasks
