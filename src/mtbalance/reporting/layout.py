"""A table as it will be printed, before it is Markdown or LaTeX."""

from __future__ import annotations

from dataclasses import dataclass

from mtbalance.reporting.formats import MISSING


@dataclass(frozen=True)
class Cell:
    """The text of one cell, and what stands beside it."""

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
    """A method: its cells, one tuple a group. Rows of one section (a backbone) stand together."""

    name: str
    section: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Table:
    """Everything that is printed."""

    title: str
    label: str
    caption: tuple[str, ...]
    beside: str
    """What stands beside cells: the heading of that column or line."""
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
