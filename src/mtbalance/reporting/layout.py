"""The parts of a table as it will be printed, in Markdown or in LaTeX."""

from __future__ import annotations

from dataclasses import dataclass

from mtbalance.reporting.formats import MISSING


@dataclass(frozen=True)
class Cell:
    """The text of one cell, and a second text beside it."""

    text: str = MISSING
    bold: bool = False
    beside: str = ""


@dataclass(frozen=True)
class Group:
    """Columns under one heading: a data set."""

    heading: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A method and its cells, a tuple for each group. Rows of one section (a backbone) stand together."""

    name: str
    section: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Table:
    """A whole table: title, caption, groups of columns, and rows."""

    title: str
    caption: tuple[str, ...]
    beside: str
    """The heading of the texts beside cells."""
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
    first: str = "method"
    """The heading of the rows' names."""
