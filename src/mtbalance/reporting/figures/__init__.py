"""The figures of an experiment, each as PNG, PDF and SVG.

One file per figure, one folder per kind of problem (``common``: all kinds).

The file ``figures/ranking/curves.py`` holds the figure ``curves`` of ``params.yaml``, as a function

    draw(frame, heading, baseline) -> matplotlib's figure

of collected metrics, the experiment's title, and the balancer that the others are compared with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

from mtbalance.reporting.collected import read_collected
from mtbalance.reporting.drawing import FONTS, save
from mtbalance.reporting.entries import entry_of

PLAIN: dict[Any, Any] = {"text.parse_math": False}
"""Names of tasks and titles may have dollars, between which letters would become mathematics."""


def write_figure(name: str, metrics: Path, stem: Path, *, title: str, baseline: str = "ls") -> None:
    """Write ``stem`` .png, .pdf and .svg: figure ``name`` from a collected Parquet file."""
    # Axes take their fonts when they are made, so the figure is drawn under them too. Nothing global is changed.
    with matplotlib.rc_context(FONTS | PLAIN):
        frame = read_collected(metrics)
        save(entry_of(frame, "figures", name)(frame, title, baseline), stem)
