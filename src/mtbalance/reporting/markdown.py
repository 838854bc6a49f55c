"""A table as Markdown: title, caption, and a grid for each group, so that four data sets stay readable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mtbalance.reporting.formats import MISSING
from mtbalance.reporting.layout import Cell, Table


def markdown(table: Table) -> str:
    """The whole document. Texts beside cells get a column of their own."""
    parts = [f"# {_plain(table.title)}", "\n".join(f"- {_plain(sentence)}" for sentence in table.caption)]
    for index in range(len(table.groups)):
        parts += [f"## {_plain(table.groups[index].heading)}", _grid(table, index)]
    return "\n\n".join(parts) + "\n"


def _grid(table: Table, index: int) -> str:
    rows = [(row.name, row.cells[index]) for row in table.rows if any(cell != Cell() for cell in row.cells[index])]
    headings, shown = [table.first], []
    for column, title in enumerate(table.groups[index].columns):
        shown.append(any(cells[column].beside for _, cells in rows))
        headings += [title, table.beside] if shown[-1] else [title]
    lines = [line(headings), "|:---" + "|---:" * (len(headings) - 1) + "|"]
    return "\n".join(lines + [line([name, *_texts(cells, shown)]) for name, cells in rows])


def _texts(cells: Iterable[Cell], shown: Iterable[bool]) -> Iterable[str]:
    for cell, with_beside in zip(cells, shown, strict=True):
        yield f"**{cell.text}**" if cell.bold else cell.text
        if with_beside:
            yield cell.beside or MISSING


def line(texts: Iterable[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(_plain(text) for text in texts)} |"


def lines(headings: list[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a table of texts."""
    return map(line, (headings, [":---"] * len(headings), *rows))


def _plain(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")
