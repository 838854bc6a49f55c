"""A table as LaTeX. Groups of columns stand side by side; texts beside cells get a line of their own below them.

A table that is wider than a page has its columns in several floats, each with the names of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from mtbalance.reporting.layout import Cell, Row, Table

SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        **{character: f"\\{character}" for character in "&%$#_"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"$<$",
        ">": r"$>$",
        "±": r"$\pm$",
        "−": "$-$",
        "–": "--",
        "×": r"$\times$",
        "‡": r"\ddag{}",
        "Δ": r"$\Delta$",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "°": r"$^\circ$",
        "†": r"\dag{}",
    }
)


def escape(text: str) -> str:
    """``text`` with every character that LaTeX takes for a command made printable."""
    return text.translate(SPECIAL)


WIDTH = 118
"""Letters that stand in a line of a page's width, in the size of footnotes."""
GAP = 3
"""Letters that the space between two columns takes."""


def latex(table: Table, label: str) -> str:
    """``table*`` floats with a caption and a ``label``, and notes below the last one. They need booktabs."""
    parts = list(_parts(table))
    lines = [r"% In the preamble: \usepackage{booktabs}"]
    for number, part in enumerate(parts, start=1):
        which = f" (part {number} of {len(parts)})" if len(parts) > 1 else ""
        own = f"{label}-{number}" if number > 1 else label
        notes = table.caption if number == len(parts) else ()
        lines += _float(part, f"{table.title}{which}.", own, notes)
    return "\n".join(lines) + "\n"


def _parts(table: Table) -> Iterator[Table]:
    """The table in parts that are no wider than a page; a group of columns is divided only if it is wider alone."""
    room = WIDTH - max(len(text) for text in (table.first, f"  {table.beside}", *(row.name for row in table.rows)))
    taken: list[tuple[int, int]] = []
    left = room
    for group in range(len(table.groups)):
        widths = _widths(table, group)
        whole = max(sum(widths), GAP + len(table.groups[group].heading))
        if taken and whole > left:
            yield _only(table, taken)
            taken, left = [], room
        if whole <= room:
            taken += [(group, column) for column in range(len(widths))]
            left -= whole
            continue
        for column, width in enumerate(widths):
            if taken and width > left:
                yield _only(table, taken)
                taken, left = [], room
            taken.append((group, column))
            left -= width
        left = 0  # nothing stands beside the rest of a divided group
    yield _only(table, taken)


def _widths(table: Table, group: int) -> list[int]:
    """Letters of each column of a group, and of the gap before it."""
    found = []
    for column, heading in enumerate(table.groups[group].columns):
        cells = [row.cells[group][column] for row in table.rows]
        texts = [heading, *(text for cell in cells for text in (cell.text, cell.beside))]
        found.append(GAP + max(map(len, texts)))
    return found


def _only(table: Table, columns: list[tuple[int, int]]) -> Table:
    """The table with these columns, each given by its group and its place there."""
    groups = {group: [place for other, place in columns if other == group] for group, _ in columns}
    return replace(
        table,
        groups=tuple(
            replace(table.groups[group], columns=tuple(table.groups[group].columns[place] for place in places))
            for group, places in groups.items()
        ),
        rows=tuple(
            replace(row, cells=tuple(tuple(row.cells[group][place] for place in at) for group, at in groups.items()))
            for row in table.rows
        ),
    )


def _float(table: Table, caption: str, label: str, notes: Iterable[str]) -> Iterator[str]:
    columns = "l" + "".join("r" * len(group.columns) for group in table.groups)
    yield from (r"\begin{table*}", r"\centering\footnotesize", rf"\caption{{{escape(caption)}}}")
    yield from (rf"\label{{tab:{label}}}", r"\smallskip", rf"\begin{{tabular}}{{{columns}}}", r"\toprule")
    yield from _heading(table)
    for _, rows in groupby(table.rows, key=lambda row: row.section):
        yield r"\midrule"
        for row in rows:
            yield from _row(row, table.beside)
    yield from (r"\bottomrule", r"\end{tabular}")
    if text := " ".join(escape(note) for note in notes):
        yield from (r"\par\smallskip", rf"\begin{{minipage}}{{\textwidth}}\scriptsize {text}\end{{minipage}}")
    yield r"\end{table*}"


def _heading(table: Table) -> Iterator[str]:
    yield _line("", (rf"\multicolumn{{{len(g.columns)}}}{{c}}{{{escape(g.heading)}}}" for g in table.groups))
    first, rules = 2, []
    for group in table.groups:
        rules.append(rf"\cmidrule(lr){{{first}-{first + len(group.columns) - 1}}}")
        first += len(group.columns)
    yield " ".join(rules)
    yield _line(escape(table.first), (escape(column) for group in table.groups for column in group.columns))


def _row(row: Row, beside: str) -> Iterator[str]:
    cells = [cell for group in row.cells for cell in group]
    yield _line(escape(row.name), (_text(cell) for cell in cells))
    if any(cell.beside for cell in cells):
        name = rf"\quad {escape(beside)}"
        yield _line(name, (escape(cell.beside) for cell in cells))


def _text(cell: Cell) -> str:
    # \boldmath: the symbols that escape() puts into mathematics would stay light.
    return rf"{{\boldmath\textbf{{{escape(cell.text)}}}}}" if cell.bold else escape(cell.text)


def _line(first: str, texts: Iterable[str]) -> str:
    return " & ".join((first, *texts)) + r" \\"
