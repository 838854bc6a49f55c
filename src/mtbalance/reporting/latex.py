"""A table as LaTeX. Groups of columns stand side by side; texts beside cells get a line of their own below them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    }
)


def escape(text: str) -> str:
    """``text`` with every character that LaTeX takes for a command made printable."""
    return text.translate(SPECIAL)


def latex(table: Table) -> str:
    """A ``table*`` float with caption and label. It needs the packages booktabs and graphicx."""
    columns = "l" + "".join("r" * len(group.columns) for group in table.groups)
    body = [
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{escape(' '.join((table.title + '.', *table.caption)))}}}",
        rf"\label{{tab:{table.label}}}",
        r"\medskip",
        r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        *_heading(table),
    ]
    for _, rows in groupby(table.rows, key=lambda row: row.section):
        body += [r"\midrule", *(line for row in rows for line in _row(row, table.beside))]
    return "\n".join([*body, r"\bottomrule", r"\end{tabular}%", "}", r"\end{table*}"]) + "\n"


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
