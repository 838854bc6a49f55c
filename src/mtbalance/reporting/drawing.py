"""The style of all figures: fonts, a palette that color-blind readers can tell apart, legends, files without dates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mtbalance.reporting.names import balancer_name
from mtbalance.writing import replacing

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#A6761D")
"""Okabe and Ito 2008 without black and yellow, and a brown."""
GRAY = "#555555"
TITLE_LETTER = 0.09
"""Inches that a letter of a figure's title takes."""
TITLE_LINES, TITLE_LINE = 2, 0.22
"""Lines of a title that figures have room for, and inches that a further one takes in height."""
WARNING = "\nWARNING: epochs selected on the TEST split"
Dash = Literal["-", "--", ":", "-."]
DASHES: tuple[Dash, ...] = ("-", "--", ":", "-.")
ENTRY, LETTER, LINE = 0.65, 0.072, 0.17
"""Inches that an entry of a legend takes: its line, each letter of its text, and in height."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
BASELINE_MARKER = "."
LEVELS = {"loss": "o", "representation": "D", "gradient": "s", "update": "^"}
"""The marker of each level at which methods balance."""

FONTS: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "figure.titlesize": 11,
    "legend.fontsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "mtbalance",
}
DPI, MOST_POINTS = 150, 65_000
"""Points of a PNG to the inch, and points that a side of it may have: matplotlib draws none of more than 65,536."""
UNDATED = {"png": ["Software"], "svg": ["Date", "Creator"], "pdf": ["CreationDate"]}
"""The formats of a figure, and what each would say of the time and the program that made it."""


class Look(NamedTuple):
    """The color, dash and marker of one balancer or task."""

    color: str
    dash: Dash
    marker: str


def looks(names: Iterable[str], baseline: str | None = None) -> dict[str, Look]:
    """A look for each name, in order; the baseline is gray.

    Dashes and markers change with every name, so that neighbors differ in gray print, too. Up to seven names have
    markers of their own. With seven colors, four dashes and seven markers, 28 lines and 49 marks are different.
    """
    found = {baseline: Look(GRAY, "-", BASELINE_MARKER)} if baseline else {}
    for index, name in enumerate(name for name in dict.fromkeys(names) if name != baseline):
        marker = MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]
        found[name] = Look(PALETTE[index % len(PALETTE)], DASHES[index % len(DASHES)], marker)
    return found


def level_looks() -> dict[str, Look]:
    """A look for each level at which methods balance."""
    return {level: look._replace(marker=LEVELS[level]) for level, look in looks(LEVELS).items()}


def level_entries(shown: Iterable[str]) -> list[Line2D]:
    """A legend's entries for the ``shown`` levels."""
    levels = set(shown)
    return [mark(look, f"level {level}") for level, look in level_looks().items() if level in levels]


def mark(look: Look, label: str, size: float = 6) -> Line2D:
    """A legend's entry with a marker alone."""
    return Line2D([], [], color=look.color, marker=look.marker, markersize=size, linestyle="", label=label)


def balancer_legend(
    figure: Figure, shown: dict[str, Look], extra: Sequence[Line2D] = (), *, markers: bool = False
) -> None:
    """A legend of balancers, and of ``extra`` entries, below the panels; with their ``markers`` in place of dashes."""
    entries = []
    for name, look in shown.items():
        styled = {"marker": look.marker, "markersize": 5} if markers else {"linestyle": look.dash}
        entries.append(Line2D([], [], color=look.color, linewidth=2, label=balancer_name(name), **styled))
    legend(figure, [*entries, *extra])


def legend(figure: Figure, entries: Sequence[Line2D]) -> None:
    """A legend below the panels, in lines of about equal length that fit into the figure's width.

    The figure grows by all lines but the first, and to the width of an entry that is wider alone.
    """
    widths = [ENTRY + LETTER * len(str(entry.get_label())) for entry in entries]
    figure.set_figwidth(max(figure.get_figwidth(), 1.1 * max(widths)))  # letters may be wide
    lines = math.ceil(len(entries) * max(widths) / figure.get_figwidth())
    while _in_columns(widths, lines) > figure.get_figwidth():
        lines += 1
    figure.set_figheight(figure.get_figheight() + LINE * (lines - 1))
    figure.legend(handles=list(entries), loc="outside lower center", ncols=math.ceil(len(entries) / lines))


def _in_columns(widths: Sequence[float], lines: int) -> float:
    """The width of entries in so many lines, which stand below each other in columns."""
    columns = np.array_split(np.array(widths), math.ceil(len(widths) / lines))
    return float(sum(column.max() for column in columns))


def title(figure: Figure, text: str, frame: pd.DataFrame) -> None:
    """Set the figure's title, in lines of its width, with a warning if epochs were selected on the test split.

    Figures have room for :data:`TITLE_LINES`, and grow by further ones.

    :func:`save` leaves the text out of the PDF, where it belongs into a paper's caption, but not the warning.
    """
    selected = "test" in set(frame["selection"])
    letters = int(figure.get_figwidth() / TITLE_LETTER)
    text = "\n".join(line for whole in text.split("\n") for line in wrap(whole, letters))
    further = max(0, text.count("\n") + 1 - TITLE_LINES)
    figure.set_figheight(figure.get_figheight() + TITLE_LINE * further)
    figure.suptitle(f"{text}{WARNING}" if selected else text)


def wrapped(text: str, inches: float) -> str:
    """The text of a label in lines of this length, such as that of the axis beside which it stands."""
    return "\n".join(wrap(text, int(inches / LETTER)))


def nothing(figure: Figure, text: str) -> None:
    """Say in an empty figure why it is empty; the workflow needs the file all the same."""
    axes: Axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)


def save(figure: Figure, stem: Path) -> None:
    """Write ``stem`` .png, .svg and .pdf, whole or not at all; the same numbers give the same bytes.

    The PDF is for papers: its title is not in the picture but in the file's metadata.
    """
    heading = figure.get_suptitle()
    with matplotlib.rc_context(FONTS):
        for ending, left_out in UNDATED.items():
            metadata: dict[str, str | None] = dict.fromkeys(left_out)
            if ending == "pdf":
                metadata["Title"] = heading
                figure.suptitle(WARNING.strip() if heading.endswith(WARNING) else "")
            content = BytesIO()  # matplotlib hides that a disk is full
            figure.savefig(
                content, format=ending, dpi=min(DPI, MOST_POINTS / max(figure.get_size_inches())), metadata=metadata
            )
            with replacing(stem.with_name(f"{stem.name}.{ending}")) as partial:
                partial.write_bytes(content.getvalue())
    figure.suptitle(heading)
