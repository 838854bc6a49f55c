"""The form of a table of one's own: its columns, what each is for, and how its cells are written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mtbalance.blocks import Block


class TableTask(Block):
    """A binary task read from a column of a table."""

    column: str
    """The column of the label; it cannot be a feature."""
    positive: list[str]
    """The values that make the label 1."""
    title: str | None = None
    """The task's name in tables. Default: its key."""


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
    """The tasks, each a label read from a column."""
    group: str | None = None
    """Column whose equal values stay in one split. Default: only equal rows stay together."""
    normalize: Literal["none", "standard"] = "standard"
    """``standard``: numbers minus their training mean, over their training standard deviation."""
